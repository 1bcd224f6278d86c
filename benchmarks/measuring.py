"""Processes that are measured: started, asked by wrk, and what they used."""

import contextlib
import http.client
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import requests

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
_CODE = re.compile(rb"<(?:ResponseCode|ErrorCode)>(\w+)<")


def measure(url: str, bodies: list[str], seconds: int, pid: int, connections: int) -> dict:
    """What wrk saw of the server at `url`, and what its processes used."""
    with tempfile.NamedTemporaryFile("w", suffix=".bodies") as file:
        file.write(requests.SEPARATOR.join(bodies))
        file.flush()
        before = cpu_seconds(pid)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "wrk.lua"), url, "--", file.name]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    used = cpu_seconds(pid) - before
    row = json.loads(printed.strip().splitlines()[-1])
    row["per_second"] = row["requests"] / row["seconds"]
    row["cpu_us"] = used / max(row["requests"], 1) * 1e6
    row["worker_mb"] = max(resident_mb(child) for child in family(pid))
    return row


def post(url: str, body: str) -> bytes:
    """The reply to one request, whatever it is."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        connection.request("POST", parts.path, body.encode(), {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'})
        return connection.getresponse().read()
    finally:
        connection.close()


def codes(reply: bytes) -> list[str]:
    """The response codes of a reply in their order, the one of the whole first."""
    return [code.decode() for code in _CODE.findall(reply)]


def family(pid: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def cpu_seconds(pid: int) -> float:
    """What the process and its children have used until now."""
    return sum(_used(one) for one in family(pid))


def database_seconds(name: str) -> dict[int, float]:
    """What the connections to the PostgreSQL database `name` have used until now, if its server is on this machine: by
    process, for they come and go."""
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # "postgres: [cluster: ]user database client state"
            if re.match(rf"postgres: .*\S {re.escape(name)} ", (directory / "cmdline").read_text()):
                found[int(directory.name)] = _used(int(directory.name))
    return found


def _used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """The memory of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def process(target, *args) -> Iterator[int]:
    """Runs `target` in a process of its own until the block ends; gives its pid."""
    started = multiprocessing.get_context("spawn").Process(target=target, args=args)
    started.start()
    try:
        yield started.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(started.pid, signal.SIGTERM)
        started.join(30)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait(port: int) -> None:
    """Until somebody listens on the port."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("the server did not start")
