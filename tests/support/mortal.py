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
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return connection.execute(sa.text("SELECT count(*) FROM job WHERE finished_at IS NULL")).scalar()


def end(pid: int, how: signal.Signals) -> None:
    """Ends a worker of ours and waits for it."""
    os.kill(pid, how)
    os.waitpid(pid, 0)


def kill(url: str, kills: int, chosen: settings.Settings, dice: random.Random, lives: dict[int, float]) -> int:
    """Kills workers when their life is over, `kills` of them at most, until no job is unfinished; how many it were."""
    killed, looked, until = 0, 0.0, time.monotonic() + PATIENCE_SECONDS
    while (now := time.monotonic()) < until:
        for pid in [pid for pid, death in lives.items() if death <= now and killed < kills][: kills - killed]:
            del lives[pid]
            end(pid, signal.SIGKILL)
            killed += 1
            lives[start(chosen)] = time.monotonic() + dice.expovariate(1 / MEAN_LIFE_SECONDS)
        if now - looked > 0.2:
            looked = now
            if not unfinished(url):
                break
        time.sleep(0.002)
    return killed


def main(url: str, kills: int, workers: int) -> int:
    chosen = settings.Settings(
        database=url, log_level="ERROR", job_lease_seconds=LEASE_SECONDS, job_poll_seconds=0.02, job_attempts=1000
    )
    seed = random.SystemRandom().randrange(10**9)
    dice = random.Random(seed)
    lives: dict[int, float] = {}
    try:
        for _ in range(workers):
            lives[start(chosen)] = time.monotonic() + dice.expovariate(1 / MEAN_LIFE_SECONDS)
        killed = kill(url, kills, chosen, dice, lives)
    finally:
        for pid in lives:
            end(pid, signal.SIGTERM)
    print(f"killed {killed} workers, seed {seed}, unfinished {unfinished(url)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
