"""Processes that are measured: started, asked by wrk, and what they used."""

import contextlib
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import requests

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")


def measure(url: str, bodies: list[str], seconds: float, pid: int, connections: int) -> dict:
    """What wrk saw of the server at `url`, and what its processes used."""
    with tempfile.NamedTemporaryFile("w", suffix=".bodies") as file:
        file.write(requests.SEPARATOR.join(bodies))
        file.flush()
        before = cpu_seconds(pid)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(HERE / "wrk.lua"), url, "--", file.name]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    used = cpu_seconds(pid) - before
    row = json.loads(printed.strip().splitlines()[-1])
    row["per_second"] = row["requests"] / row["seconds"]
    row["cpu_us"] = used / max(row["requests"], 1) * 1e6
    row["worker_mb"] = max(resident_mb(child) for child in family(pid))
    return row


def family(pid: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def cpu_seconds(pid: int) -> float:
    total = 0.0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def process(target, *args):
    """Runs `target` in a process of its own until the block ends; gives its pid."""
    started = multiprocessing.get_context("spawn").Process(target=target, args=args)
    started.start()
    try:
        yield started.pid
    finally:
        os.kill(started.pid, signal.SIGTERM)
        started.join(30)


def wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("the server did not start")
