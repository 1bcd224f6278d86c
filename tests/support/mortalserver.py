"""Runs server processes and kills them: `python mortalserver.py DATABASE KILLS`, until standard input ends.

Two processes that answer on one socket and one that works on batches, made of what `lrs-soap serve` runs, each killed by
SIGKILL at a random moment and replaced at once. Prints the port, then how many were killed when it was that many; from
then on they live. A program, because a process that only forks and kills does so in milliseconds.
"""

import os
import random
import select
import signal
import socket
import sys
import time

from lrs_soap import observe, register, settings, worker
from lrs_soap.wire import app, http

YOUTH_SECONDS = 0.8  # in which a process gets ready
MEAN_LIFE_SECONDS = 0.7  # after that
SETTINGS = {"log_level": "ERROR", "job_lease_seconds": 0.5, "job_poll_seconds": 0.05, "job_attempts": 1000}


def start(role: str, chosen: settings.Settings, listening: socket.socket) -> int:
    """Forks a process and gives its id."""
    if pid := os.fork():
        return pid
    try:
        observe.configure(chosen)
        if role == "batch":
            worker.run(chosen)
        else:
            http.serve(app.App(register.Register(chosen), True), chosen, listening, lambda: None)
    finally:
        os._exit(0)


def main(url: str, kills: int) -> int:
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    chosen = settings.load(database=url, port=listening.getsockname()[1], **SETTINGS)
    dice, killed = random.Random(), 0
    lives: dict[int, tuple[str, float]] = {}

    def born(role: str) -> None:
        life = YOUTH_SECONDS + dice.expovariate(1 / MEAN_LIFE_SECONDS)
        lives[start(role, chosen, listening)] = role, time.monotonic() + life

    try:
        for role in ("answers", "answers", "batch"):
            born(role)
        print(chosen.port, flush=True)
        while not select.select([sys.stdin], [], [], 0.005)[0]:
            for pid, (role, death) in list(lives.items()):
                if killed < kills and death <= time.monotonic():
                    del lives[pid]
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    born(role)
                    killed += 1
                    if killed == kills:
                        print(killed, flush=True)
    finally:
        for pid in lives:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
