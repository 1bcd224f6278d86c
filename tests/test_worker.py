"""Batch workers in trouble: what they cannot do, what others take from them, and how they stop."""

import threading
import time

import pytest
import sqlalchemy as sa
from support import batches
from support import desk as desks
from support import office as offices
from support.office import PEOPLE

from lrs_soap import worker
from lrs_soap.operations import batch_step
from lrs_soap.store import audit, jobs, learners
from lrs_soap.store import engine as engines


@pytest.fixture
def office(database_url):
    with offices.opened(database_url) as opened:
        yield opened


def test_one_learner_that_cannot_be_processed_fails_alone(office, monkeypatch, capsys):
    results = batch_step.results

    def failing(connection, job, sent, *more):
        if any(learner.position == 7 for learner in sent):
            raise ValueError(sent[0].values["family_name"])
        return results(connection, job, sent, *more)

    monkeypatch.setattr(batch_step, "results", failing)
    assert office.codes(*PEOPLE[:60]) == ["RC001"] * 7 + ["RC011"] + ["RC001"] * 52
    assert PEOPLE[0]["family_name"] not in capsys.readouterr().err


def test_a_conflict_is_tried_again(office, monkeypatch):
    insert, others = learners.by_ulns, []

    def overtaken(connection, ulns):
        # Someone else registers the person between our look and our insert.
        if not others and office.engine.dialect.name == "postgresql":
            others.append(office.desk.new({n: PEOPLE[1][n] for n in desks.ANN}))
        return insert(connection, ulns)

    office.desk.new({name: PEOPLE[5][name] for name in desks.ANN})
    monkeypatch.setattr(learners, "by_ulns", overtaken)
    found = office.done(*PEOPLE[:6])
    expected = ["RC001", "RC002" if others else "RC001", "RC001", "RC001", "RC001", "RC002"]
    assert [learner.return_code for learner in found] == expected
    assert not others or found[1].uln == others[0]


def test_a_job_that_kills_its_workers_fails_in_the_end(office):
    job_id = office.submit(*PEOPLE[:3]).job_id
    attempts = office.register.settings.job_attempts
    for attempt in range(attempts):
        with engines.write(office.engine) as connection:
            job = jobs.claim(connection, 0.0, batches.NOW)
        assert job.attempts == attempt + 1
        if attempt == 0:
            with engines.write(office.engine) as connection:
                jobs.hold(connection, job, 0.0)
                jobs.record(connection, job, 0, [jobs.Result("RC001", "9276308686")])
            with engines.write(office.engine) as connection:
                assert jobs.claim(connection, 0.0, batches.NOW).attempts == 1
    office.work()
    failed = office.output(job_id)
    assert (failed.response_code, failed.job_status, failed.new_learners_count) == ("WSRC0010", "Failed", 1)
    assert [(learner.mis_identifier, learner.uln) for learner in failed.learner] == [("0 ", "9276308686")]
    assert not office.worker.run_one()


def test_after_two_deaths_learners_are_taken_one_by_one(office, monkeypatch):
    job_id = office.submit(*PEOPLE[:3]).job_id
    for _ in range(2):
        with engines.write(office.engine) as connection:
            jobs.claim(connection, 0.0, batches.NOW)
    sizes, results = [], batch_step.results
    monkeypatch.setattr(batch_step, "results", lambda *args: sizes.append(len(args[2])) or results(*args))
    office.work()
    assert sizes == [1, 1, 1]
    assert office.output(job_id).response_code == "WSRC0009"


def test_database_trouble_gives_the_job_back(office, monkeypatch):
    job_id = office.submit(PEOPLE[0]).job_id

    def lost(*_):
        raise sa.exc.OperationalError("SELECT secret", {}, Exception("gone"))

    with monkeypatch.context() as trouble:
        trouble.setattr(batch_step, "results", lost)
        with pytest.raises(sa.exc.OperationalError):
            office.worker.run_one()
    assert not office.worker.run_one()  # it is kept back for a moment
    deadline = time.monotonic() + 20
    while not office.worker.run_one():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert office.output(job_id).response_code == "WSRC0009"


def test_a_worker_that_lost_its_job_writes_nothing_more(office, monkeypatch):
    monkeypatch.setattr(worker, "STEP", 2)
    job_id = office.submit(*PEOPLE[:4]).job_id
    write, steps = audit.write, []

    def lose_it(connection, entries):
        write(connection, entries)
        steps.append(entries)
        connection.execute(sa.text("UPDATE job SET lease = 'another'"))

    with monkeypatch.context() as overtaken:
        overtaken.setattr(audit, "write", lose_it)
        assert office.worker.run_one()
    assert len(steps) == 1
    assert [result and result.code for result in batches.results(office.engine, job_id)] == ["RC001", "RC001", None, None]


def test_stopping_ends_the_step_and_gives_the_job_back(office, monkeypatch):
    monkeypatch.setattr(worker, "STEP", 2)
    job_id = office.submit(*PEOPLE[:6]).job_id
    results = batch_step.results

    def stopping(*args):
        office.worker.stop()
        return results(*args)

    with monkeypatch.context() as told:
        told.setattr(batch_step, "results", stopping)
        office.worker.run()
    assert [result and result.code for result in batches.results(office.engine, job_id)] == ["RC001"] * 2 + [None] * 4
    office.worker = worker.Worker(office.register)
    office.work()
    assert [learner.return_code for learner in office.output(job_id).learner] == ["RC001"] * 6


def test_a_waiting_worker_finds_a_job_soon(office):
    thread = threading.Thread(target=office.worker.run)
    thread.start()
    try:
        time.sleep(1.0)  # long enough to have become patient
        submitted = time.monotonic()
        job_id = office.submit(PEOPLE[0]).job_id
        while office.output(job_id).response_code != "WSRC0009":
            assert time.monotonic() - submitted < 20
            time.sleep(0.01)
    finally:
        office.worker.stop()
        thread.join()
    assert office.output(job_id).new_learners_count == 1
