"""The keeper: seals what waits, forgets what the settings let go, and outlives a database in trouble."""

import datetime
import threading

import pytest
import sqlalchemy as sa
from support import batches, office
from support.desk import ANN

from lrs_soap import auditkey, keeper, settings
from lrs_soap.operations import trail
from lrs_soap.store import auditchain, auditpartitions, auditverify, jobs, searches, tables_jobs
from lrs_soap.store import engine as engines

PEOPLE = office.PEOPLE


@pytest.fixture
def opened(database_url):
    with office.opened(database_url) as held:
        yield held


def keeping(opened, **more):
    opened.register.settings = settings.Settings(database=opened.register.settings.database, **more)
    return keeper.Keeper(opened.register)


def counted(opened, table):
    with engines.read(opened.engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()


def test_what_waits_is_sealed(opened):
    with engines.write(opened.engine) as connection:
        for _ in range(auditchain.BLOCK_ROWS + 1):
            trail.note(connection, "learner show", "Op")
    assert keeping(opened).seal() == auditchain.BLOCK_ROWS + 1
    assert keeping(opened).seal() == 0


def test_the_next_partition_of_the_trail_is_made(opened):
    kept = keeping(opened)
    before, _ = partitions(opened), kept.prepare()
    assert len(partitions(opened)) == (0 if opened.engine.dialect.name == "sqlite" else len(before) + 1)


def partitions(opened):
    with opened.engine.connect() as connection:
        return auditpartitions.partitions(connection)


def test_the_thread_seals_and_goes_on_after_trouble(opened, monkeypatch):
    failing, sealed, seal = threading.Event(), threading.Event(), auditchain.seal

    def troubled(*arguments, **more):
        if not failing.is_set():
            failing.set()
            raise sa.exc.OperationalError("INSERT", {}, Exception("gone"))
        rows = seal(*arguments, **more)
        if rows:
            sealed.set()
        return rows

    monkeypatch.setattr(auditchain, "seal", troubled)
    opened.desk.new(ANN)
    kept = keeping(opened, audit_seal_seconds=0.05)
    kept.start()
    assert sealed.wait(20)
    kept.stop()
    problems = []
    assert auditverify.verify(opened.engine, {}, problems.append).rows >= 1
    assert problems == []


def test_a_key_that_cannot_be_used_is_told_at_once(opened, tmp_path):
    with pytest.raises(auditkey.UnusableKey, match="cannot be read"):
        keeping(opened, audit_key=str(tmp_path / "none"))


def test_batches_are_forgotten_a_while_after_their_end(opened):
    ended = [opened.submit(PEOPLE[0]).job_id, opened.submit(PEOPLE[1]).job_id]
    opened.work()
    waiting = opened.submit(PEOPLE[2]).job_id
    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=91)
    with engines.write(opened.engine) as connection:
        connection.execute(
            sa.update(tables_jobs.job).where(tables_jobs.job.c.id == ended[0]).values(finished_at=long_ago)
        )
    assert keeping(opened, job_keep_days=0).forget()[1] == 0
    assert keeping(opened, job_keep_days=90).forget()[1] == 1
    assert [opened.output(job).response_code for job in (*ended, waiting)] == ["WSRC0018", "WSRC0009", "WSRC0008"]
    assert counted(opened, tables_jobs.job_learner) == 2 and counted(opened, tables_jobs.job_result) == 1
    assert opened.submit(PEOPLE[3]).job_id > waiting  # a JobID is not used again


def test_many_batches_are_forgotten_in_steps(opened):
    for person in PEOPLE[:25]:
        opened.submit(person)
    opened.work()
    with engines.write(opened.engine) as connection:
        connection.execute(sa.update(tables_jobs.job).values(finished_at=batches.NOW - datetime.timedelta(days=400)))
    assert keeping(opened, job_keep_days=1).forget()[1] == 25
    assert counted(opened, tables_jobs.job) == 0
    with engines.write(opened.engine) as connection:
        assert jobs.forget(connection, batches.NOW, 10) == 0


def test_searches_are_forgotten_when_they_allow_nothing_more(opened):
    now, college = datetime.datetime.now(datetime.UTC), opened.desk.college.organisation_id
    with engines.write(opened.engine) as connection:
        for identity, age in ((b"old", 3700), (b"new", 60)):
            searches.remember(connection, college, identity, "WSRC0001", now - datetime.timedelta(seconds=age))
    assert keeping(opened, search_max_age_seconds=3600).forget()[0] == 1
    with engines.read(opened.engine) as connection:
        assert searches.last(connection, college, b"old") is None
        assert searches.last(connection, college, b"new") is not None
