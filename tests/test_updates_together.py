"""Updates, registrations and merges at once: two records never become one person, nothing is overwritten unseen, and no
two wait for each other; on both databases. Merges at once are in test_merging_together."""

import concurrent.futures
import threading

import pytest
from support import desk as desks
from support.desk import ANN, KIT, MARY

from lrs_soap.operations import merging


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


def together(*functions):
    """What each gives, all begun at the same moment."""
    start = threading.Barrier(len(functions))

    def run(function):
        start.wait()
        return function()

    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


def test_of_updates_of_one_version_one_is_done(desk):
    ann = desk.new(ANN)
    codes = together(*(lambda n=n: desk.updated(ann, 1, ANN | {"notes": f"note {n}"}) for n in range(6)))
    assert sorted(codes) == ["WSRC0006"] + ["WSRC0013"] * 5
    held = desk.held(ann)
    assert (held.version_number, held.notes) == (2, f"note {codes.index('WSRC0006')}")


def test_of_learners_who_become_the_same_person_one_does(desk):
    ulns = [desk.new(ANN | {"family_name": f"Archer{'abcd'[n]}"}) for n in range(4)]
    codes = together(*(lambda uln=uln: desk.updated(uln, 1, ANN) for uln in ulns))
    assert sorted(codes) == ["WSRC0006"] + ["WSRC0021"] * 3
    assert desk.by_demographics(ANN).learner[0].uln == ulns[codes.index("WSRC0006")]


def test_who_becomes_a_person_and_who_registers_the_person(desk):
    mary = desk.new(MARY)
    updated, registered = together(lambda: desk.updated(mary, 1, ANN), lambda: desk.registered(ANN).response_code)
    assert (updated, registered) in [("WSRC0006", "WSRC0021"), ("WSRC0021", "WSRC0005")]


def test_details_that_go_round_in_a_circle_wait_for_nobody(desk):
    people = [ANN, MARY, KIT]
    ulns = [desk.new(person) for person in people]
    for _ in range(3):
        codes = together(*(lambda n=n: desk.updated(ulns[n], 1, people[(n + 1) % 3]) for n in range(3)))
        assert codes == ["WSRC0021"] * 3


def test_a_merge_and_an_update_of_the_same_learner(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)

    def merge():
        return desk.merge(ann, mary).version_number

    version, code = together(merge, lambda: desk.updated(ann, 1, ANN | {"notes": "x"}))
    held = desk.held(ann)
    # The second sees what the first left: an update before the merge is merged away with it, one after it is refused.
    assert (version, code, held.notes) in [(3, "WSRC0006", "x"), (2, "WSRC0022", None)]
    assert held.master_uln == mary


def test_a_merge_and_an_update_of_its_master(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    _, code = together(lambda: desk.merge(ann, mary), lambda: desk.updated(mary, 1, MARY | {"notes": "x"}))
    assert (code, desk.held(mary).notes, desk.held(ann).master_uln) == ("WSRC0006", "x", mary)


def test_merges_the_opposite_ways(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)

    def merge(pair):
        try:
            return desk.merge(*pair).master_uln
        except merging.Refused:
            return None

    done = together(lambda: merge((ann, mary)), lambda: merge((mary, ann)))
    assert sorted(done, key=str) in ([ann, None], [mary, None])
    assert [desk.held(uln).master_uln for uln in (ann, mary)].count(None) == 1
