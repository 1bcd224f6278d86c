"""Runs batch workers and kills them: `python mortal.py DATABASE KILLS WORKERS`, until every job is finished.

Each worker is a process of its own running `lrs_soap.worker.run`, killed by SIGKILL at a random moment and replaced,
until so many died while jobs were unfinished; then the rest may work on. Prints how many were killed. A program,
because a process that only forks and kills starts workers in milliseconds.
"""

import os
import random
import signal
import sys
import time

import sqlalchemy as sa

from lrs_soap import settings, worker
from lrs_soap.store import engine as engines

LEASE_SECONDS = 0.25
MEAN_LIFE_SECONDS = 0.09
PATIENCE_SECONDS = 90.0


def start(chosen: settings.Settings) -> int:
    """Forks a worker and gives its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        worker.run(chosen)
    finally:
        os._exit(0)


def unfinished(url: str) -> int:
    """How many jobs are not finished. Nothing of the connection is left for children to inherit."""
    engine = engines.create(url)
    try:
        with engines.read(engine) as connection:
            return connection.execute(sa.text("SELECT count(*) FROM job WHERE finished_at IS NULL")).scalar()
    finally:
        engine.dispose()


def end(pid: int, how: signal.Signals) -> None:
    """Ends a worker of ours and waits for it."""
    os.kill(pid, how)
    os.waitpid(pid, 0)


def main(url: str, kills: int, workers: int) -> int:
    chosen = settings.Settings(
        database=url, log_level="ERROR", job_lease_seconds=LEASE_SECONDS, job_poll_seconds=0.02, job_attempts=1000
    )
    seed = random.SystemRandom().randrange(10**9)
    dice = random.Random(seed)
    killed = 0
    until = time.monotonic() + PATIENCE_SECONDS
    lives = {start(chosen): time.monotonic() + dice.expovariate(1 / MEAN_LIFE_SECONDS) for _ in range(workers)}
    looked = 0.0
    while time.monotonic() < until:
        now = time.monotonic()
        if killed < kills:
            for pid in [pid for pid, death in lives.items() if death <= now]:
                del lives[pid]
                end(pid, signal.SIGKILL)
                killed += 1
                lives[start(chosen)] = time.monotonic() + dice.expovariate(1 / MEAN_LIFE_SECONDS)
        if now - looked > 0.2:
            looked = now
            if not unfinished(url):
                break
        time.sleep(0.002)
    for pid in lives:
        end(pid, signal.SIGTERM)
    print(f"killed {killed} workers, seed {seed}, unfinished {unfinished(url)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
