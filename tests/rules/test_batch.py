import dataclasses
import datetime

import pytest

from lrs_soap import model
from lrs_soap.codes import ReturnCode
from lrs_soap.rules import batch, matching
from lrs_soap.store import learners

TODAY = datetime.date(2026, 11, 23)
ANN = {
    "given_name": "Ann", "family_name": "O'Neill", "date_of_birth": "2005-06-15", "gender": "2",
    "last_known_post_code": "LS1 1AA",
}  # fmt: skip
FULL = ANN | {"ability_to_share": "1", "verification_type": "2"}
STORED = learners.StoredLearner(
    **FULL, uln="9276308686", version_number=1, learner_status="1", created_date="2020-01-01",
    last_updated_date="2020-01-01", preferred_given_name="Annie", title="Ms",
    last_known_address_line1="1 High Street", date_of_address_capture="2024-01-01",
)  # fmt: skip
MASTER = dataclasses.replace(STORED, uln="4123001008", family_name="Smith")


def sent(**values):
    return model.BatchLearner(**(FULL | values))


def searched(job_type, learner, stored, current=None):
    """What becomes of a learner without ULN where `stored` are all candidates."""
    decision = matching.decide(batch.query(learner), stored)
    return batch.without_uln(job_type, learner, decision, current or (decision.matches and decision.matches[0].learner))


@pytest.mark.parametrize("name", ["given_name", "family_name"])
@pytest.mark.parametrize("uln", [None, "9276308686"])
def test_names_are_always_mandatory(name, uln):
    assert batch.refusal(sent(uln=uln, **{name: " "}), TODAY) == "RC010"


@pytest.mark.parametrize("name", ["date_of_birth", "gender", "last_known_post_code"])
@pytest.mark.parametrize("empty", [None, ""])
def test_a_search_needs_all_five(name, empty):
    assert batch.refusal(sent(**{name: empty}), TODAY) == "RC010"
    assert batch.refusal(sent(uln="9999999999", **{name: empty}), TODAY) == "RC010"
    assert batch.refusal(sent(uln="9276308686", **{name: empty}), TODAY) is None


@pytest.mark.parametrize("born, refused", [
    ("2013-11-23", None), ("2013-11-24", "RC011"),  # 13 today, 13 tomorrow
    ("1915-11-24", None), ("1915-11-23", "RC011"),  # 110, 111
    ("2027-01-01", "RC011"), ("1900-02-29", "RC011"),
])  # fmt: skip
@pytest.mark.parametrize("uln", [None, "9276308686"])
def test_age_is_13_to_110_and_the_date_a_real_one(born, refused, uln):
    assert batch.refusal(sent(uln=uln, date_of_birth=born), TODAY) == refused


@pytest.mark.parametrize("today, born, refused", [
    (datetime.date(2025, 2, 28), "2012-02-29", "RC011"), (datetime.date(2025, 3, 1), "2012-02-29", None),
    (datetime.date(2028, 2, 29), "2015-02-28", None), (datetime.date(2028, 2, 29), "2015-03-01", "RC011"),
    (datetime.date(2027, 2, 28), "1916-02-29", None), (datetime.date(2027, 3, 1), "1916-02-29", "RC011"),
])  # fmt: skip
def test_ages_on_leap_days(today, born, refused):
    assert batch.refusal(sent(date_of_birth=born), today) == refused


def test_formats():
    assert batch.refusal(sent(uln="9276308687"), TODAY) == "RC011"
    assert batch.refusal(sent(date_of_address_capture="1900-02-29"), TODAY) == "RC011"
    assert batch.refusal(sent(date_of_address_capture="", uln=""), TODAY) is None


def test_a_uln_not_yet_known_is_none():
    assert batch.given_uln(sent(uln="9999999999")) is None
    assert batch.given_uln(sent(uln="")) is None
    assert batch.given_uln(sent()) is None
    assert batch.given_uln(sent(uln="9276308686")) == "9276308686"


# With a ULN


@pytest.mark.parametrize("job_type", ["FUL", "CHK"])
@pytest.mark.parametrize("changed, code", [
    ({}, "RC002"),
    ({"given_name": "ANNIE", "family_name": "o neill"}, "RC002"),
    ({"given_name": "Anne"}, "RC007"),
    ({"given_name": "Peter"}, "RC009"),
    ({"date_of_birth": "2005-06-16"}, "RC009"),
    ({"gender": "1"}, "RC009"),
    ({"date_of_birth": "", "gender": None}, "RC002"),
])  # fmt: skip
def test_a_uln_must_agree_with_the_details(job_type, changed, code):
    outcome = batch.with_uln(job_type, sent(uln=STORED.uln, **changed), STORED, STORED)
    assert outcome.code == code
    assert outcome.learner == (STORED if code == "RC002" else None)


@pytest.mark.parametrize("job_type", ["FUL", "CHK"])
def test_an_unknown_or_deleted_uln_is_not_found(job_type):
    assert batch.with_uln(job_type, sent(uln=STORED.uln), None, None) == (ReturnCode.NOT_FOUND, None, {})
    assert batch.with_uln(job_type, sent(uln=STORED.uln), STORED, None).code == "RC005"


@pytest.mark.parametrize("job_type", ["FUL", "CHK"])
def test_a_merged_uln_gives_its_master_to_who_knows_either_record(job_type):
    for name in ("O'Neill", "Smith"):
        outcome = batch.with_uln(job_type, sent(uln=STORED.uln, family_name=name, notes="new"), STORED, MASTER)
        assert outcome == (ReturnCode.MASTER_SUBSTITUTED, MASTER, {})
    assert batch.with_uln(job_type, sent(uln=STORED.uln, family_name="Smyth"), STORED, MASTER).code == "RC007"
    assert batch.with_uln(job_type, sent(uln=STORED.uln, family_name="Brown"), STORED, MASTER) == ("RC009", None, {})


# Without a ULN


def test_nobody_found():
    assert searched("FUL", sent(), []).code == "RC001"
    assert searched("CHK", sent(), []).code == "RC005"


@pytest.mark.parametrize("changed, found", [
    ({"ability_to_share": None}, "RC002"),
    ({"verification_type": None}, "RC002"),
    ({"verification_type": "999"}, "RC006"),
    ({"verification_type": "999", "other_verification_description": " "}, "RC006"),
])  # fmt: skip
def test_too_little_to_create_a_uln(changed, found):
    assert searched("FUL", sent(**changed), []).code == "RC006"
    assert searched("CHK", sent(**changed), []).code == "RC005"
    assert searched("FUL", sent(**changed), [STORED]).code == found


def test_possible_and_too_many_matches_tell_nobody():
    moved = sent(last_known_post_code="M1 1AA")
    others = [dataclasses.replace(STORED, uln=str(9276308686 + n), last_known_post_code=f"B{n} 1AA") for n in range(6)]
    for job_type in ("FUL", "CHK"):
        assert searched(job_type, moved, [STORED]) == (ReturnCode.POSSIBLE_MATCH, None, {})
        assert searched(job_type, moved, others) == (ReturnCode.TOO_MANY_MATCHES, None, {})


def test_an_exact_match_that_was_merged_away():
    merged = dataclasses.replace(STORED, master_uln=MASTER.uln, learner_status="0")
    for job_type in ("FUL", "CHK"):
        assert searched(job_type, sent(notes="new"), [merged], MASTER) == (ReturnCode.MASTER_SUBSTITUTED, MASTER, {})


# The learner itself


@pytest.mark.parametrize("sent_values, changed", [
    ({"title": "Dr", "notes": "new"}, {"title": "Dr", "notes": "new"}),
    ({"title": "", "ability_to_share": "", "verification_type": None}, {}),  # empty keeps
    ({"given_name": "ANN", "family_name": "ONeill"}, {}),  # what had to agree stays as registered
    ({"last_known_post_code": "ls11aa"}, {}),
    ({"ability_to_share": "2"}, {"ability_to_share": "2"}),
    ({"ability_to_share": "0"}, {}),  # a notice once seen
    ({"verification_type": "0"}, {}),
    ({"verification_type": "3"}, {"verification_type": "3"}),
    ({"last_known_address_line1": "2 Low Street"}, {"last_known_address_line1": "2 Low Street"}),
    ({"last_known_address_line1": "2 Low Street", "date_of_address_capture": "2023-12-31"}, {}),
    ({"last_known_address_line1": "2 Low Street", "date_of_address_capture": "2023-12-31", "title": "Dr"}, {"title": "Dr"}),
    ({"last_known_address_line1": "2 Low Street", "date_of_address_capture": "2024-01-02"},
     {"last_known_address_line1": "2 Low Street", "date_of_address_capture": "2024-01-02"}),
])  # fmt: skip
def test_what_a_full_batch_changes(sent_values, changed):
    found = batch.with_uln("FUL", sent(uln=STORED.uln, **sent_values), STORED, STORED)
    assert found == (ReturnCode.UPDATED if changed else ReturnCode.FOUND, STORED, changed)
    assert searched("FUL", sent(**sent_values), [STORED]) == found
    assert batch.with_uln("CHK", sent(uln=STORED.uln, **sent_values), STORED, STORED) == (ReturnCode.FOUND, STORED, {})


def test_a_new_postcode_comes_only_with_the_uln():
    moved = sent(uln=STORED.uln, last_known_post_code="M1 1AA")
    assert batch.with_uln("FUL", moved, STORED, STORED).changes == {"last_known_post_code": "M1 1AA"}


def test_a_notice_not_seen_may_stay_so():
    unseen = dataclasses.replace(STORED, ability_to_share="0")
    assert batch.with_uln("FUL", sent(uln=STORED.uln, ability_to_share="0"), unseen, unseen).code == "RC002"
    assert batch.with_uln("FUL", sent(uln=STORED.uln), unseen, unseen).changes == {"ability_to_share": "1"}


def test_an_update_may_not_leave_another_verification_undescribed():
    assert batch.with_uln("FUL", sent(uln=STORED.uln, verification_type="999"), STORED, STORED) == ("RC006", None, {})
    described = sent(uln=STORED.uln, verification_type="999", other_verification_description="a letter")
    assert batch.with_uln("FUL", described, STORED, STORED).code == "RC003"


def test_counts_say_where_each_code_belongs():
    codes = [f"RC{n:03}" for n in range(1, 12)]
    assert batch.counts(codes) == {
        "new_learners_count": 1,
        "exists_updated_learners_count": 3,
        "possible_match_learners_count": 2,
        "learners_not_found_count": 1,
        "rejected_learners_count": 4,
    }
    assert set(batch.counts([]).values()) == {0}
