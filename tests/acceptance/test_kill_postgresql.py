"""PostgreSQL killed under load, over and over: what was acknowledged is there, and nothing twice; nothing is restarted
but the database."""

import collections
import os
import random
import time

from support import acknowledged, callers, server

from lrs_soap.store import engine as engines
from lrs_soap.store import schema

KILLS = int(os.environ.get("LRS_TEST_DATABASE_KILLS", "4"))
MEAN_PAUSE_SECONDS = 1.0
PROGRESS = 5  # calls that are acknowledged between two kills


def prepared(cluster):
    engine = engines.create(cluster.url)
    schema.upgrade(engine)
    engine.dispose()
    return acknowledged.prepare(cluster.url)


def await_progress(calling, more=PROGRESS):
    """Returns when the register works: that many more registrations were acknowledged."""
    wanted, until = len(calling.told.ulns) + more, time.monotonic() + 60
    while len(calling.told.ulns) < wanted:
        assert time.monotonic() < until, f"the register does not work again: {calling.told}"
        time.sleep(0.02)


def test_what_was_acknowledged_is_there_once(private_cluster, record_property):
    known = prepared(private_cluster)
    dice, killed = random.Random(), collections.Counter()
    ways = [getattr(private_cluster, name) for name in ("kill", "kill_first", "shut_down_at_once", "kill_backend")]
    settings = {"workers": 2, "job_lease_seconds": 0.5, "job_poll_seconds": 0.05, "job_attempts": 1000}
    with server.running(private_cluster.url, **settings) as running:
        calling = callers.Callers(running.port)
        try:
            for number in range(KILLS):
                await_progress(calling)
                time.sleep(dice.expovariate(1 / MEAN_PAUSE_SECONDS))
                kill = ways[number % len(ways)] if KILLS < 20 else dice.choice(ways)
                kill()
                killed[kill.__name__] += 1
                if kill != private_cluster.kill_backend:
                    private_cluster.start()
            await_progress(calling)
        finally:
            told = calling.stop()
        acknowledged.await_jobs(private_cluster.url, told)
        print(f"killed {dict(killed)}; {told}")
        record_property("kills", dict(killed))
        assert "Traceback" not in running.output
    # Meanwhile the caller is told that it failed, and nothing else.
    assert {fault.split()[1] for fault in told.faults} == {"WSEC0999"}
    acknowledged.check(private_cluster.url, told, known)
