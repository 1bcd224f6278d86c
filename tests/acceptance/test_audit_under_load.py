"""The chain of the audit trail under load: many writers, two sealers at a time, killed with SIGKILL over and over."""

import pathlib
import subprocess
import sys

import sqlalchemy as sa
from support import sealers

from lrs_soap.rules import chain
from lrs_soap.store import auditverify, tables
from lrs_soap.store import engine as engines

KILLS = 40
WRITERS = 4


def test_sealers_killed_at_random_leave_one_whole_chain(database_url, record_property):
    done = subprocess.run(
        [sys.executable, pathlib.Path(sealers.__file__), database_url, str(KILLS), str(WRITERS)],
        check=False, capture_output=True, text=True, timeout=sealers.PATIENCE_SECONDS + 60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    print(done.stdout)
    record_property("sealers", done.stdout.strip())
    words = done.stdout.split()
    told = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    assert told["killed"] >= KILLS and told["failed"] == 0

    engine, problems = engines.create(database_url), []
    summary = auditverify.verify(engine, {chain.key_name(sealers.KEY): sealers.KEY}, problems.append, must_be_keyed=True)
    assert problems == []
    assert (summary.rows, summary.waiting) == (told["rows"], 0)
    assert summary.blocks >= KILLS / 2  # most were at work when they were killed
    with engine.connect() as conn:
        named = conn.execute(sa.select(sa.func.count(sa.distinct(tables.audit.c.request_id)))).scalar()
    assert named == told["rows"]  # each once, none lost
    engine.dispose()
