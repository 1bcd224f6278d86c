"""Runs a server and kills its processes: `python mortalserver.py DATABASE KILLS`, until standard input ends.

The server is what `lrs-soap serve` runs: a supervisor, two processes that answer and one that works on batches. At
random moments, but not before something answers, one of the four is killed by SIGKILL. Prints the port, then how many of each kind were killed when it was that many; from then on they live. A program, because a
process that only forks and kills does so in milliseconds.
"""

import collections
import contextlib
import http.client
import json
import os
import random
import select
import signal
import socket
import sys
from pathlib import Path

from lrs_soap import observe, processes, server, settings

MEAN_PAUSE_SECONDS = 0.4
SETTINGS = {"log_level": "ERROR", "job_lease_seconds": 0.5, "job_poll_seconds": 0.05, "job_attempts": 1000, "workers": 2}


def start(chosen: settings.Settings, listening: socket.socket) -> int:
    """Forks a server and gives the process id of its supervisor, once all its processes are ready."""
    reading, writing = os.pipe()
    if pid := os.fork():
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        return pid
    try:
        observe.configure(chosen)
        supervisor = processes.Supervisor(server.roles(chosen, listening), longest_delay=0.1)
        supervisor.run(lambda: os.write(writing, b"r"))
    finally:
        os._exit(0)


def children(supervisor: int, listening: socket.socket) -> dict[int, str]:
    """What each child that lives does: whoever holds the listening socket answers."""
    ours = f"socket:[{os.fstat(listening.fileno()).st_ino}]"
    roles = {}
    for child in map(int, Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()):
        with contextlib.suppress(OSError):  # one that died meanwhile
            held = [os.readlink(file) for file in Path(f"/proc/{child}/fd").iterdir()]
            if held:
                roles[child] = "answering" if ours in held else "batch worker"
    return roles


def answers(port: int) -> bool:
    """Whether any process answers; waits for it for a while."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(url: str, kills: int) -> int:
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    chosen = settings.load(database=url, port=listening.getsockname()[1], **SETTINGS)
    dice, killed = random.Random(), collections.Counter()
    supervisor = start(chosen, listening)
    print(chosen.port, flush=True)
    try:
        while not select.select([sys.stdin], [], [], dice.expovariate(1 / MEAN_PAUSE_SECONDS))[0]:
            if killed.total() == kills or not answers(chosen.port):
                continue
            # The supervisor less often than its children: with it all of them end.
            if dice.random() < 0.1:
                os.kill(supervisor, signal.SIGKILL)
                os.waitpid(supervisor, 0)
                killed["supervisor"] += 1
                supervisor = start(chosen, listening)
            elif roles := children(supervisor, listening):
                child = dice.choice(list(roles))
                os.kill(child, signal.SIGKILL)
                killed[roles[child]] += 1
            if killed.total() == kills:
                print(json.dumps(killed), flush=True)
    finally:
        os.kill(supervisor, signal.SIGTERM)
        os.waitpid(supervisor, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
