"""Of clients who come together and stay, every process of a server gets its part."""

import collections
import contextlib
import http.client
import multiprocessing
import re
from pathlib import Path

import pytest
from support import server

from lrs_soap.wire import shares


def test_who_has_more_gives_way():
    first, second, third = shares.among(3)
    assert not first.is_more  # nobody else is there
    first.tell(0)
    second.tell(2)
    assert second.is_more and not first.is_more
    first.tell(2)
    assert not (first.is_more or second.is_more)
    first.take()
    assert first.is_more
    third.tell(0)
    assert second.is_more and not third.is_more


def test_who_leaves_changes_nothing_for_who_takes_its_place():
    leaving, other = shares.among(2)
    successor = shares.Share(leaving._counts, 0)
    leaving.tell(5)
    other.tell(1)
    successor.tell(0)
    leaving.leave()
    leaving.tell(4)
    leaving.take()
    assert not successor.is_more and other.is_more


def test_processes_see_each_other():
    first, second = shares.among(2)
    second.tell(0)
    process = multiprocessing.get_context("fork").Process(target=first.tell, args=(3,))
    process.start()
    process.join()
    assert first.is_more


def test_one_that_is_alone_never_waits():
    share = shares.alone()
    share.tell(100)
    assert not share.is_more


@pytest.mark.parametrize("number", [2, 8, 40])
def test_connections_that_come_together_are_shared_out(sqlite_databases, number):
    url = sqlite_databases.sandbox()
    with server.running(url, workers=2, job_workers=0) as running, contextlib.ExitStack() as stack:
        # Those that ask come after them all, so that every process has had its time.
        connections = [http.client.HTTPConnection("127.0.0.1", running.port, timeout=20) for _ in range(number)]
        for connection in connections:
            stack.callback(connection.close)
            connection.connect()
        for connection in connections:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        counts = owners(running.port)
    sqlite_databases.drop(url)
    assert sum(counts.values()) == number and len(counts) == 2
    assert min(counts.values()) >= number // 4


def owners(port: int) -> collections.Counter:
    """How many connections to this port each process has, as Linux tells."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "01":
            inodes.add(fields[9])
    found = collections.Counter()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    link = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
                    if link and link[1] in inodes:
                        found[process.name] += 1
    return found
