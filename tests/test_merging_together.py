"""Two who decide at once: the second waits for the first and then judges what that one left, on both databases."""

import concurrent.futures
import contextlib
import itertools
import threading

import pytest
from support import desk as desks
from support.desk import ANN, KIT, MARY

from lrs_soap.operations import merging
from lrs_soap.store import engine as engines


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


@pytest.fixture
def ulns(desk):
    return [desk.new(details) for details in (ANN, MARY, KIT)]


def outcome(decide):
    """What a decision or call came to: the status of the learner decided about, a code, or REFUSED."""
    with contextlib.suppress(merging.Refused):
        result = decide()
        return getattr(result, "learner_status", result)
    return "REFUSED"


@contextlib.contextmanager
def uncommitted(desk, function, *ulns):
    """A decision that is taken and not yet committed while the block runs."""
    with engines.write(desk.register.engine) as connection:
        function(connection, *ulns, merging.Act(user_name="first", reason="first"))
        yield


def after(desk, first, second):
    """The outcome of `second`, begun while `first` (function and ULNs) was not yet committed."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with uncommitted(desk, *first):
            waiting = pool.submit(outcome, second)
            # Whoever does not wait is done long before.
            assert concurrent.futures.wait([waiting], timeout=0.3).not_done
        return waiting.result(timeout=20)


def test_the_same_merge_twice(desk, ulns):
    ann, mary, _ = ulns
    assert after(desk, (merging.merge, ann, mary), lambda: desk.merge(ann, mary)) == "REFUSED"


def test_a_merge_the_other_way_round(desk, ulns):
    ann, mary, _ = ulns
    assert after(desk, (merging.merge, ann, mary), lambda: desk.merge(mary, ann)) == "REFUSED"
    assert (desk.held(ann).master_uln, desk.held(mary).learner_status) == (mary, "1")


def test_a_merge_of_the_master(desk, ulns):
    ann, mary, kit = ulns
    assert after(desk, (merging.merge, ann, mary), lambda: desk.merge(mary, kit)) == "0"
    assert desk.by_uln(ann, ANN).learner[0].uln == kit


def test_a_merge_into_one_that_is_being_merged(desk, ulns):
    ann, mary, kit = ulns
    assert after(desk, (merging.merge, mary, kit), lambda: desk.merge(ann, mary)) == "REFUSED"
    assert desk.held(ann).learner_status == "1"


def test_a_merge_into_one_that_is_being_deleted(desk, ulns):
    ann, mary, _ = ulns
    assert after(desk, (merging.delete, mary), lambda: desk.merge(ann, mary)) == "REFUSED"
    assert desk.held(ann).learner_status == "1"


def test_a_deletion_of_one_that_is_being_merged(desk, ulns):
    ann, mary, _ = ulns
    assert after(desk, (merging.merge, ann, mary), lambda: desk.delete(ann)) == "REFUSED"
    assert desk.held(ann).learner_status == "0"


def test_an_update_of_one_that_is_being_merged(desk, ulns):
    ann, mary, _ = ulns
    assert after(desk, (merging.merge, ann, mary), lambda: desk.updated(ann, 1, ANN | {"notes": "x"})) == "WSRC0022"
    assert desk.held(ann).notes is None


def test_an_update_of_the_master_waits_and_is_done(desk, ulns):
    ann, mary, _ = ulns
    assert after(desk, (merging.merge, ann, mary), lambda: desk.updated(mary, 1, MARY | {"notes": "x"})) == "WSRC0006"
    assert desk.held(ann).master_uln == mary


def test_an_update_of_one_that_is_being_deleted(desk, ulns):
    ann = ulns[0]
    assert after(desk, (merging.delete, ann), lambda: desk.updated(ann, 1, ANN | {"notes": "x"})) == "WSRC0019"


def test_a_registration_of_someone_who_is_being_restored(desk, ulns):
    ann = ulns[0]
    desk.delete(ann)
    assert after(desk, (merging.restore, ann), lambda: desk.registered(ANN).response_code) == "WSRC0021"


def test_an_unmerge_of_one_that_is_being_unmerged(desk, ulns):
    ann, mary, _ = ulns
    desk.merge(ann, mary)
    assert after(desk, (merging.unmerge, ann), lambda: desk.unmerge(ann)) == "REFUSED"
    assert (desk.held(ann).version_number, desk.held(mary).is_master) == (3, False)


def test_a_merge_into_one_from_whom_another_is_being_unmerged(desk, ulns):
    ann, mary, kit = ulns
    desk.merge(ann, mary)
    assert after(desk, (merging.unmerge, ann), lambda: desk.merge(kit, mary)) == "0"
    assert desk.held(mary).is_master


def test_merges_and_unmerges_at_once_never_deadlock(desk):
    ulns = [desk.new(ANN | {"family_name": f"Archer{'abc'[number]}"}) for number in range(3)]
    pairs = list(itertools.permutations(ulns, 2))
    start = threading.Barrier(len(pairs))

    def decide(pair):
        start.wait()
        done = [outcome(decision) for _ in range(10) for decision in (lambda: desk.merge(*pair), lambda: desk.unmerge(pair[0]))]
        return set(done)

    with concurrent.futures.ThreadPoolExecutor(len(pairs)) as pool:
        done = set().union(*pool.map(decide, pairs))
    assert {"0", "1"} <= done <= {"0", "1", "REFUSED"}
    held = [desk.held(uln) for uln in ulns]
    assert {row.uln for row in held if row.is_master} == {row.master_uln for row in held} - {None}


def test_many_at_once_never_make_a_circle_and_never_deadlock(desk):
    ulns = [desk.new(ANN | {"family_name": f"Archer{'abcd'[number]}"}) for number in range(4)]
    pairs = list(itertools.permutations(ulns, 2))
    start = threading.Barrier(len(pairs))

    def merge(pair):
        start.wait()
        return outcome(lambda: desk.merge(*pair))

    with concurrent.futures.ThreadPoolExecutor(len(pairs)) as pool:
        outcomes = list(pool.map(merge, pairs))
    # Each merge takes one away; none is possible into one that is gone: so all but one go, once each.
    assert sorted(outcomes) == ["0"] * 3 + ["REFUSED"] * (len(pairs) - 3)
    held = [desk.held(uln) for uln in ulns]
    (last,) = (learner.uln for learner in held if learner.master_uln is None)
    assert {row.master_uln or row.uln for row in desk.retrieved(*ulns)} == {last}
