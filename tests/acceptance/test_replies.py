"""What replies hold beside their codes: echoes, learners as they are stored, and what is not told."""

import csv

import pytest
from support import outcomes, soap

from lrs_soap import contract, resources

FIVE = ["FamilyName", "GivenName", "DateOfBirth", "Gender", "LastKnownPostCode"]
with (resources.directory("fixtures") / "learners.csv").open(encoding="utf-8", newline="") as file:
    LEARNERS = {row["ULN"]: row for row in csv.DictReader(file)}


def send(sandbox, operation, values) -> soap.Answer:
    return soap.answer(sandbox.post(soap.message(operation, values)))


def case(sandbox, name, **changed) -> soap.Answer:
    row = outcomes.named(name)
    return send(sandbox, row.operation, row.values | changed)


def children(element) -> list[tuple[str, str | None]]:
    return [(child.tag, child.text) for child in element]


def stored(uln: str) -> dict[str, str]:
    return {name: text for name, text in LEARNERS[uln].items() if text and name != "MasterULN"}


@pytest.mark.parametrize(
    "name", ["uln-exact", "find-exact", "find-spelled-otherwise", "find-five-possibles", "uln-merged"]
)
def test_learners_come_back_as_they_are_stored(sandbox, name):
    """D: text as stored, with case and spaces; absent optional values omitted; LinkedULNs and Notes always there."""
    row = outcomes.named(name)
    answer = case(sandbox, name)
    for uln, learner in zip(row.ulns, answer.body.iter("Learner"), strict=True):
        shown = {child.tag: child.text for child in learner}
        assert list(shown) == [f.name for f in contract.TYPES["Learner"].fields if f.name in shown]
        linked = sorted(node.text for node in learner.find("LinkedULNs"))
        assert linked == sorted(other for other, row in LEARNERS.items() if row["MasterULN"] == uln)
        del shown["LinkedULNs"]
        assert shown.pop("MasterSubstituted", None) == ("Y" if name == "uln-merged" else None)
        assert (shown.pop("Notes") or "") == LEARNERS[uln]["Notes"]
        assert shown == {name: text for name, text in stored(uln).items() if name != "Notes"}


def test_a_chain_of_merges_lists_every_uln_that_led_to_the_master(sandbox):
    (learner,) = case(sandbox, "uln-merged-twice").body.iter("Learner")
    (middle,) = (row for row in LEARNERS.values() if row["MasterULN"] == learner.findtext("ULN"))
    (end,) = (row for row in LEARNERS.values() if row["MasterULN"] == middle["ULN"])
    assert {node.text for node in learner.find("LinkedULNs")} == {middle["ULN"], end["ULN"]}


@pytest.mark.parametrize(
    "name", ["find-exact", "find-no-match", "find-too-many", "find-check-only", "find-postcode-spacing"]
)
def test_a_find_echoes_the_five_details_as_sent(sandbox, name):
    values = outcomes.named(name).values
    echoed = [(tag, text) for tag, text in children(case(sandbox, name).body) if tag != "Learner"]
    assert echoed[0][0] == "ResponseCode"
    assert echoed[1:] == [(tag, values[tag]) for tag in FIVE]


@pytest.mark.parametrize("name", ["uln-exact", "uln-other-names", "uln-unknown"])
def test_a_find_by_uln_echoes_the_uln_and_the_names(sandbox, name):
    values = outcomes.named(name).values
    echoed = [(tag, text) for tag, text in children(case(sandbox, name).body) if tag != "Learner"]
    assert echoed[1:] == [(tag, values[tag]) for tag in ("ULN", "FamilyName", "GivenName")]


def test_an_echo_keeps_white_space_and_what_xml_must_escape(sandbox):
    names = {"FamilyName": " O'Neill & <Sons>  ", "GivenName": 'Zoë "Zo"\t'}
    answer = case(sandbox, "find-no-match", **names)
    assert {name: answer.text(name) for name in names} == names


@pytest.mark.parametrize("name", [row.case for row in outcomes.rows() if row.operation == "verifyLearner"])
def test_a_verification_echoes_what_was_searched_and_tells_nothing_to_who_is_wrong(sandbox, name):
    row = outcomes.named(name)
    sent = {path.partition(".")[2]: text for path, text in row.values.items() if path.startswith("LearnerToVerify.")}
    (learner,) = case(sandbox, name).body
    told = dict(children(learner))
    searched = {tag.removeprefix("Searched"): text for tag, text in told.items() if tag.startswith("Searched")}
    assert searched == sent
    values = {
        tag: text for tag, text in told.items() if tag in ("ULN", "FamilyName", "GivenName", "DateOfBirth", "Gender")
    }
    if row.expected[0] in ("WSVRC005", "WSVRC006"):
        assert values == {}
    else:
        assert values == {tag: LEARNERS[row.ulns[0]][tag] for tag in values}
        assert len(values) == 5


def test_retrieved_ulns_carry_their_data_and_the_masters_uln(sandbox):
    row = outcomes.named("retrieve-all-kinds")
    known, merged, deleted, unknown = (
        dict(children(item)) for item in case(sandbox, row.case).body.iter("VerifiedULN")
    )
    assert [item["ULN"] for item in (known, merged, deleted, unknown)] == row.values["ULNsToRetrieve.ULN"]
    assert "MasterULN" not in known
    assert merged["MasterULN"] == row.ulns[1]
    for item, uln in ((known, row.ulns[0]), (merged, row.ulns[1])):
        assert {tag: item[tag] for tag in FIVE[:4]} == {tag: LEARNERS[uln][tag] for tag in FIVE[:4]}
    for item in (deleted, unknown):
        assert list(item) == ["ULN", "ResponseCode"]


def test_a_learner_from_registration_through_updates(sandbox):
    """Register, find, update (an omitted element keeps, an empty one clears), find again."""
    registering = outcomes.named("register-everything").values | {
        "Learner.FamilyName": "Lifecycle", "Learner.GivenName": "Augusta", "Learner.Gender": "2",
    }  # fmt: skip
    uln = send(sandbox, "registerSingleLearner", registering).text("ULN")
    caller = {name: text for name, text in registering.items() if not name.startswith("Learner.")}
    find = caller | {"FindType": "FUL", "ULN": uln, "FamilyName": "Lifecycle", "GivenName": "Augusta"}
    (first,) = send(sandbox, "learnerByULN", find).body.iter("Learner")
    sent = {path.partition(".")[2]: text for path, text in registering.items() if path.startswith("Learner.")}
    shown = dict(children(first))
    assert {name: shown[name] for name in sent} == sent
    assert (shown["VersionNumber"], shown["LearnerStatus"], shown["TierLevel"]) == ("1", "1", "2")
    assert shown["CreatedDate"] == shown["LastUpdatedDate"]

    mandatory = [field.name for field in contract.TYPES["LearnerToRegister"].fields if field.min_occurs]
    update = caller | {f"Learner.{name}": sent[name] for name in mandatory}
    update |= {
        "Learner.ULN": uln,
        "Learner.VersionNumber": "1",
        "Learner.Notes": "",
        "Learner.LastKnownPostCode": "OX1 2JD",
    }
    assert send(sandbox, "updateSingleLearner", update).text("ResponseCode") == "WSRC0006"
    (second,) = send(sandbox, "learnerByULN", find).body.iter("Learner")
    after = dict(children(second))
    changed = {
        "VersionNumber": "2",
        "LastKnownPostCode": "OX1 2JD",
        "Notes": None,
        "LastUpdatedDate": after["LastUpdatedDate"],
    }
    assert after == shown | changed
    # The old version is stale now, and the new details are taken.
    assert send(sandbox, "updateSingleLearner", update).text("ResponseCode") == "WSRC0013"
    again = registering | {"Learner.LastKnownPostCode": "OX12JD"}
    assert send(sandbox, "registerSingleLearner", again).text("ResponseCode") == "WSRC0021"
