"""Server processes killed with SIGKILL at random moments under load: what was acknowledged is there, and nothing twice."""

import os
import pathlib
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa
from support import callers, mortalserver

from lrs_soap import codes, sandbox
from lrs_soap.store import contents, tables, tables_jobs
from lrs_soap.store import engine as engines

KILLS = int(os.environ.get("LRS_TEST_KILLS", "40"))
_L, _H = tables.learner.c, tables.learner_history.c


@pytest.fixture
def engine(database_url):
    made = engines.create(database_url)
    sandbox.load(made)
    yield made
    made.dispose()


def counted(conn, column):
    return dict(map(tuple, conn.execute(sa.select(column, sa.func.count()).group_by(column))))


def work_under_fire(url):
    """What the callers were told while so many processes were killed."""
    program = [sys.executable, str(pathlib.Path(mortalserver.__file__)), url, str(KILLS)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        calling = callers.Callers(int(process.stdout.readline()))
        try:
            assert process.stdout.readline().strip() == str(KILLS)
        finally:
            told = calling.stop()
        # Those that live now finish the batches that were begun.
        looking, until = engines.create(url), time.monotonic() + 30
        unfinished = sa.select(sa.func.count()).where(
            tables_jobs.job.c.id.in_(list(told.jobs)), tables_jobs.job.c.finished_at.is_(None)
        )
        while time.monotonic() < until:
            with engines.write(looking) as conn:
                if not conn.execute(unfinished).scalar():
                    break
            time.sleep(0.1)
        looking.dispose()
        process.stdin.close()
    assert process.returncode == 0
    return told


def test_what_was_acknowledged_is_there_once(engine, database_url, record_property):
    with engines.read(engine) as conn:
        assert contents.has_learners(conn)
        fixtures = set(conn.execute(sa.select(_L.uln)).scalars())
    engine.dispose()
    told = work_under_fire(database_url)
    record_property("kills", KILLS)
    print(f"{KILLS} killed, {told.cut} calls cut, {len(told.ulns)} registered, {len(told.notes)} updated, {len(told.jobs)} jobs")
    assert told.faults == []
    assert told.cut and len(told.ulns) >= 10 and told.notes and told.jobs

    with engines.write(engine) as conn:
        stored = {row.uln: row for row in conn.execute(sa.select(_L.uln, _L.family_name, _L.version_number, _L.notes))
                  if row.uln not in fixtures}  # fmt: skip
        history = counted(conn, _H.uln)
        results = counted(conn, tables_jobs.job_result.c.job_id)
        registered = counted(conn, tables.learner_identity.c.uln)
    by_name = {}
    for uln, row in stored.items():
        assert by_name.setdefault(row.family_name, uln) == uln, "one person, two learners"
        assert registered[uln] == 1
        assert history.get(uln, 0) == row.version_number - 1  # each update kept what it replaced
    for family_name, uln in told.ulns.items():
        assert stored[uln].family_name == family_name
    for uln, notes in told.notes.items():
        assert stored[uln].version_number >= len(notes) + 1
        assert {note[-8:] for note in notes} == {str(codes.ResponseCode.UPDATED)}
        assert stored[uln].notes >= notes[-1][:-9]
    for job_id, names in told.jobs.items():
        assert results[job_id] == len(names)
        assert all(name in by_name for name in names)
