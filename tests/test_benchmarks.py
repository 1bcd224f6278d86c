"""The benchmarks measure what they say: each kind of call gets the answer it is named after."""

import collections
import functools
import re

import pytest

from benchmarks import batches, kinds, measuring, register, tables
from lrs_soap import contract
from lrs_soap.store import engine

SIZE = 400
_AT_HOME = ("LastKnownPostCode", "DateOfBirth")


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """The kinds, and the register's code for the first request of each."""
    url = f"sqlite:///{tmp_path_factory.mktemp('benchmark')}/register.sqlite"
    register.fill(url, SIZE)
    sample, port, database = register.sample(url, SIZE), measuring.free_port(), engine.create(url)
    with measuring.process(register.serve, url, port, 1):
        measuring.wait(port)
        endpoint = f"http://127.0.0.1:{port}{contract.ENDPOINT}"
        rows, jobs = batches.measure(endpoint, url, sample)
        every = kinds.kinds(sample, jobs, functools.partial(register.read, database))
        replies = {kind.name: measuring.post(endpoint, kind.bodies(1)[0]) for kind in every}
    yield url, sample, rows, every, replies
    database.dispose()


def test_each_kind_is_answered_as_it_says(answered):
    *_, every, replies = answered
    assert {kind.name: measuring.codes(replies[kind.name])[0] for kind in every if kind.code} == {
        kind.name: kind.code for kind in every if kind.code
    }


def test_every_operation_is_measured(answered):
    *_, every, _ = answered
    assert {kind.name.partition(",")[0] for kind in every} == set(contract.OPERATIONS)


def test_five_possibles_are_five_and_one_is_one(answered):
    replies = answered[-1]
    assert replies["learnerByDemographics, five possibles"].count(b"<Learner>") == 5
    assert replies["learnerByDemographics, one possible"].count(b"<Learner>") == 1
    assert replies["learnerByDemographics, worst of the register"].count(b"<Learner>") >= 1
    assert replies["getLearnerRecord, ten events"].count(b"<LearningEvent>") == 10


def test_batches_are_worked_on(answered):
    assert [row["learners_per_second"] > 0 for row in answered[2]] == [True] * 3


def test_newcomers_make_no_crowds_in_a_register_that_is_kept(answered):
    new = next(kind for kind in answered[3] if kind.name == "registerSingleLearner, new")
    bodies = [body for _ in range(3) for body in new.bodies(400)]
    at_home = [tuple(re.search(f"<{name}>(.*)</{name}>", body)[1] for name in _AT_HOME) for body in bodies]
    assert max(collections.Counter(at_home).values()) <= 3  # twins and triplets
    assert not set(at_home) & {(one.last_known_post_code, one.date_of_birth) for one in answered[1].learners}


def test_what_is_sampled(answered):
    sample = answered[1]
    assert len(sample.unknown) == len(set(sample.unknown)) == 1000
    assert len(sample.crowd) == register.CROWD / 10
    assert len(sample.learners) == SIZE - 2 * 40  # merged or deleted


def test_a_register_that_is_kept_is_not_filled_again(answered):
    url, sample = answered[:2]
    register.fill(url, SIZE)
    again = register.sample(url, SIZE)  # the batches changed values of some, and nobody else came or went
    assert [one.uln for one in again.learners] == [one.uln for one in sample.learners]


def test_the_tables_have_what_was_measured_and_what_was_not():
    text = tables.markdown({"load": "1"}, [
        {"register": "SQLite", "learners": 10_000, "kind": "a, b", "per_second": 1234.5, "of_bare": 0.551, "p50_us": 1500,
         "p99_us": 2500, "alone_p50_us": 300, "alone_p99_us": 400, "cpu_us": 500, "worker_mb": 90},
        {"register": "SQLite", "learners": 10_000, "kind": "c", "error": "ValueError: no"},
    ])  # fmt: skip
    assert "| SQLite | 10,000 | a, b | 1,234 | 55% | 1.50 | 2.50 | 0.30 | 0.40 | 500 |  | 90 |" in text
    assert "| SQLite | 10,000 | c | ValueError: no |" in text


def test_the_tables_say_how_latency_grows_with_the_register():
    sizes = [(1_000_000, 900), (10_000, 600), (100_000, 5000)]
    rows = [{"register": "SQLite", "learners": n, "kind": "a", "alone_p99_us": p99} for n, p99 in sizes]
    assert "| SQLite | a | 0.60 | 0.90 | 1.50 |" in tables.markdown({}, rows)
    assert "times" not in tables.markdown({}, rows[:1])
    assert "times" not in tables.markdown({}, [rows[0], rows[1] | {"alone_p99_us": 0}])
