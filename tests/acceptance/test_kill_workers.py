"""Workers killed with SIGKILL at random moments, over and over: no learner is lost, none takes effect twice.

60 kills on each of the two databases, of three workers at a time that share the jobs.
"""

import pathlib
import random
import subprocess
import sys

import pytest
import sqlalchemy as sa
from support import batches, mortal

from lrs_soap import register, settings, worker
from lrs_soap.store import engine as engines
from lrs_soap.store import jobs, learners, tables

KILLS = 60
WORKERS = 3
OLD, NEW = 1_000, 6_000


@pytest.fixture
def opened(database_url):
    held = register.Register(settings.Settings(database=database_url, log_level="ERROR"))
    yield held
    held.close()


def submit_in_parts(engine, organisation_id, sent):
    """As jobs of 1 to 200 learners; by JobID what each holds."""
    dice, submitted = random.Random(1), {}
    while sent:
        size = dice.choice((1, 7, 30, 60, 120, 200))
        part, sent = sent[:size], sent[size:]
        submitted[batches.submit(engine, organisation_id, part)] = part
    return submitted


def work_in_peace(opened):
    alone = worker.Worker(opened)
    while alone.run_one():
        pass


def counted(engine, statement):
    with engines.read(engine) as connection:
        return connection.execute(statement).all()


def test_workers_killed_at_random_lose_and_double_nothing(opened, database_url, record_property):
    engine, people = opened.engine, batches.people()
    organisation_id = batches.college(engine)
    old = [next(people) for _ in range(OLD)]
    submitted = submit_in_parts(engine, organisation_id, old)
    work_in_peace(opened)
    known = [result.uln for job in submitted for result in batches.results(engine, job)]

    changed = [person | {"uln": uln, "notes": f"now {uln}"} for person, uln in zip(old, known, strict=True)]
    new = [next(people) for _ in range(NEW)]
    mixed = new + changed
    random.Random(2).shuffle(mixed)
    submitted = submit_in_parts(engine, organisation_id, mixed)

    program = pathlib.Path(mortal.__file__)
    done = subprocess.run(
        [sys.executable, program, database_url, str(KILLS), str(WORKERS)],
        check=False, capture_output=True, text=True, timeout=mortal.PATIENCE_SECONDS + 30,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")  # no worker logged an error
    print(done.stdout)
    record_property("kills", done.stdout.strip())
    assert done.stdout.startswith(f"killed {KILLS} workers") and done.stdout.strip().endswith("unfinished 0"), done.stdout

    ulns = []
    with engines.read(engine) as connection:
        for job_id, sent in submitted.items():
            job = jobs.of_organisation(connection, job_id, organisation_id, "submitBatchRegistration")
            found = jobs.learners(connection, job_id, 0, 1000)
            assert job.status == "Successful" and [learner.values for learner in found] == sent
            assert [learner.result.code for learner in found] == ["RC003" if "uln" in one else "RC001" for one in sent]
            ulns += [learner.result.uln for learner in found]
            stored = learners.by_ulns(connection, [learner.result.uln for learner in found])
            for learner in found:
                kept = stored[learner.result.uln]
                assert (kept.family_name, kept.date_of_birth) == (
                    learner.values["family_name"],
                    learner.values["date_of_birth"],
                )
                assert (kept.version_number, kept.notes) == (
                    (2, learner.values["notes"]) if "uln" in learner.values else (1, None)
                )
    assert len(set(ulns)) == OLD + NEW

    # As many learners, identities and old versions as there should be, and in the audit each of the ULNs once.
    sizes = [counted(engine, sa.select(sa.func.count()).select_from(table))[0][0]
             for table in (tables.learner, tables.learner_identity, tables.learner_history)]  # fmt: skip
    assert sizes == [OLD + NEW, OLD + NEW, OLD]
    touched = sa.select(tables.audit_learner.c.uln, sa.func.count()).group_by(tables.audit_learner.c.uln)
    assert dict(map(tuple, counted(engine, touched))) == {uln: 2 if uln in set(known) else 1 for uln in ulns}
