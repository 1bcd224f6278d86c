"""What callers see of merges, unmerges, deletions and restorations, on both databases."""

import dataclasses

import pytest
from support import desk as desks
from support.desk import ANN, KIT, MARY

from lrs_soap.operations import merging
from lrs_soap.store import matches


@pytest.fixture(params=[matches.FEW, 0], ids=["few candidates", "many candidates"])
def desk(database_url, request, monkeypatch):
    monkeypatch.setattr(matches, "FEW", request.param)
    with desks.opened(database_url) as opened:
        yield opened


@pytest.fixture
def chain(desk):
    """Ann was merged into Mary, and Mary, later, into Kit: the three ULNs."""
    ulns = [desk.new(details) for details in (ANN, MARY, KIT)]
    desk.merge(ulns[0], ulns[1])
    desk.merge(ulns[1], ulns[2])
    return ulns


def seen(desk, uln, details):
    """What every operation answers about a ULN and the details it was registered with, but for its version."""
    replies = desk.by_uln(uln, details), desk.by_demographics(details)
    return [
        dataclasses.replace(reply, learner=tuple(dataclasses.replace(one, version_number=0) for one in reply.learner))
        for reply in replies
    ] + [desk.retrieved(uln), desk.verified(uln, details), desk.registered(details)]


def test_a_merged_learner_is_answered_with_its_master(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    desk.merge(ann, mary)
    for reply in (desk.by_uln(ann, ANN), desk.by_uln(ann, MARY), desk.by_demographics(ANN)):
        assert reply.response_code == "WSRC0022"
        (learner,) = reply.learner
        assert (learner.uln, learner.given_name, learner.master_substituted) == (mary, "Mary", "Y")
        assert learner.linked_ulns.uln == (ann,)
    (direct,) = desk.by_uln(mary, MARY).learner
    assert (direct.master_substituted, direct.linked_ulns.uln) == (None, (ann,))


def test_nothing_is_given_to_one_who_knows_neither_names(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    desk.merge(ann, mary)
    assert desk.by_uln(ann, KIT).response_code == "WSRC0001"


def test_verifying_a_merged_learner(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    desk.merge(ann, mary)
    match = desk.verified(ann, ANN)
    assert (match.response_code, match.uln, match.given_name) == ("WSVRC002", mary, "Mary")
    assert desk.verified(ann, ANN | {"family_name": "Archre"}).response_code == "WSVRC004"
    assert desk.verified(ann, KIT).response_code == "WSVRC005"
    assert desk.verified(mary, MARY).response_code == "WSVRC001"


def test_retrieving_a_merged_learner(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    desk.merge(ann, mary)
    row, direct = desk.retrieved(ann, mary)
    assert (row.uln, row.response_code, row.master_uln, row.given_name) == (ann, "WSRC0022", mary, "Mary")
    assert (direct.uln, direct.response_code, direct.master_uln) == (mary, "WSRC0004", None)


def test_a_merged_learner_is_not_updated(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    merged = desk.merge(ann, mary)
    assert desk.updated(ann, merged.version_number, ANN | {"notes": "x"}) == "WSRC0022"
    assert desk.held(ann) == merged


def test_the_details_of_a_merged_learner_are_not_registered_again(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    desk.merge(ann, mary)
    assert desk.registered(ANN).response_code == "WSRC0021"


def test_a_chain_leads_to_its_last_master(desk, chain):
    ann, mary, kit = chain
    for uln, details in ((ann, ANN), (mary, MARY)):
        for reply in (desk.by_uln(uln, details), desk.by_demographics(details)):
            assert reply.response_code == "WSRC0022"
            assert (reply.learner[0].uln, reply.learner[0].linked_ulns.uln) == (kit, tuple(sorted((ann, mary))))
        assert desk.verified(uln, details).uln == kit
        assert desk.retrieved(uln)[0].master_uln == kit


def test_unmerging_restores_exactly_what_was(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    held = desk.held(ann), desk.held(mary)
    before = seen(desk, ann, ANN), seen(desk, mary, MARY)
    desk.merge(ann, mary)
    assert seen(desk, ann, ANN) != before[0]
    assert desk.held(mary) == held[1]
    desk.unmerge(ann)
    assert dataclasses.replace(desk.held(ann), version_number=1) == held[0]
    assert desk.held(ann).version_number == 3
    assert (seen(desk, ann, ANN), seen(desk, mary, MARY)) == before
    assert desk.updated(ann, 1, ANN | {"notes": "x"}) == "WSRC0013"
    assert desk.updated(ann, 3, ANN | {"notes": "x"}) == "WSRC0006"


def test_unmerging_the_middle_of_a_chain_keeps_what_was_merged_into_it(desk, chain):
    ann, mary, kit = chain
    desk.unmerge(mary)
    assert desk.by_uln(mary, MARY).response_code == "WSRC0004"
    assert desk.retrieved(ann)[0].master_uln == mary
    assert desk.by_uln(kit, KIT).learner[0].linked_ulns.uln == ()


def test_unmerging_the_beginning_of_a_chain(desk, chain):
    ann, mary, kit = chain
    desk.unmerge(ann)
    assert desk.by_uln(ann, ANN).response_code == "WSRC0004"
    assert desk.retrieved(mary)[0].master_uln == kit
    assert desk.by_uln(kit, KIT).learner[0].linked_ulns.uln == (mary,)


def test_an_identity_taken_meanwhile_is_not_taken_back(desk):
    ann, mary, kit = (desk.new(details) for details in (ANN, MARY, KIT))
    desk.merge(ann, mary)
    assert desk.updated(kit, 1, ANN) == "WSRC0006"
    merged = desk.held(ann)
    with pytest.raises(merging.Refused, match=f"correct, merge or delete {kit} first"):
        desk.unmerge(ann)
    assert desk.held(ann) == merged
    desk.merge(kit, mary)
    assert desk.unmerge(ann).learner_status == "1"


def test_a_deleted_learner_is_never_found(desk):
    ann = desk.new(ANN)
    desk.delete(ann)
    assert desk.by_uln(ann, ANN).response_code == "WSRC0001"
    assert desk.by_demographics(ANN).response_code == "WSRC0001"
    assert desk.verified(ann, ANN).response_code == "WSVRC006"
    assert desk.retrieved(ann)[0].response_code == "WSRC0001"
    assert desk.updated(ann, 2, ANN | {"notes": "x"}) == "WSRC0019"


def test_restoring_a_deleted_learner(desk):
    ann = desk.new(ANN)
    held, before = desk.held(ann), seen(desk, ann, ANN)
    desk.delete(ann)
    desk.restore(ann)
    assert dataclasses.replace(desk.held(ann), version_number=1) == held
    assert seen(desk, ann, ANN) == before


def test_a_deleted_learner_can_be_registered_anew_and_is_then_not_restored(desk):
    ann = desk.new(ANN)
    desk.delete(ann)
    anew = desk.new(ANN)
    with pytest.raises(merging.Refused, match=f"correct, merge or delete {anew} first"):
        desk.restore(ann)
    desk.delete(anew)
    assert desk.restore(ann).learner_status == "1"


def test_with_its_master_a_merged_learner_is_deleted_and_restored(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    desk.merge(ann, mary)
    before = seen(desk, ann, ANN)
    desk.delete(mary)
    assert desk.by_uln(ann, ANN).response_code == "WSRC0001"
    assert desk.by_demographics(ANN).response_code == "WSRC0001"
    assert desk.verified(ann, ANN).response_code == "WSVRC006"
    assert desk.retrieved(ann)[0].response_code == "WSRC0001"
    assert desk.updated(ann, 2, ANN | {"notes": "x"}) == "WSRC0022"
    desk.restore(mary)
    assert seen(desk, ann, ANN) == before


def test_a_learner_whose_master_was_deleted_is_unmerged_or_registered_anew(desk):
    ann, mary, kit = (desk.new(details) for details in (ANN, MARY, KIT))
    desk.merge(ann, mary)
    desk.merge(kit, mary)
    desk.delete(mary)
    assert desk.unmerge(ann).learner_status == "1"
    assert desk.by_uln(ann, ANN).response_code == "WSRC0004"
    anew = desk.new(KIT)
    assert [learner.uln for learner in desk.by_demographics(KIT).learner] == [anew]


def test_of_two_records_merged_away_the_one_with_a_living_master_is_found(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    desk.merge(ann, mary)
    desk.delete(mary)
    anew, kit = desk.new(ANN), desk.new(KIT)
    desk.merge(anew, kit)
    reply = desk.by_demographics(ANN)
    assert (reply.response_code, [learner.uln for learner in reply.learner]) == ("WSRC0022", [kit])
    assert desk.registered(ANN).response_code == "WSRC0021"
