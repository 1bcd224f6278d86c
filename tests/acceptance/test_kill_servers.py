"""Server processes killed with SIGKILL at random moments under load: what was acknowledged is there, and nothing twice."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from support import acknowledged, callers, mortalserver

KILLS = int(os.environ.get("LRS_TEST_KILLS", "20"))


def work_under_fire(url):
    """What the callers were told while so many processes were killed, and how many there were of each kind."""
    program = [sys.executable, str(pathlib.Path(mortalserver.__file__)), url, str(KILLS)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        calling = callers.Callers(int(process.stdout.readline()))
        try:
            killed = json.loads(process.stdout.readline())
        finally:
            told = calling.stop()
        # Those that live now finish the batches that were begun.
        acknowledged.await_jobs(url, told)
        process.stdin.close()
    assert process.returncode == 0
    return told, killed


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_was_acknowledged_is_there_once(database, request, record_property):
    databases = request.getfixturevalue(f"{database}_databases")
    url = databases.migrated()
    known = acknowledged.prepare(url)
    told, killed = work_under_fire(url)
    record_property("kills", killed)
    print(f"{database}: killed {killed}; {told}")
    assert sum(killed.values()) == KILLS
    assert told.faults == []
    acknowledged.check(url, told, known)
    databases.drop(url)
