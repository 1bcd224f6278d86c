"""One kind of call, measured in turns with the bare server, so that what the machine does meanwhile meets both."""

import dataclasses
import statistics
from collections.abc import Callable

from benchmarks import measuring
from benchmarks.kinds import Kind

_ASKED = 20  # requests whose codes are looked at
_MOST_A_SECOND = 6_000  # writes that nothing on one machine exceeds


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that is measured: its endpoint, its process, and the PostgreSQL database that it uses, if it does."""

    url: str
    pid: int
    database: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """seconds: of each measurement (wrk knows whole ones); rounds: how many; connections: at full rate,
    unless the kind has its own."""

    seconds: int
    rounds: int
    connections: int


def measure(kind: Kind, ours: Server, bare: tuple[Server, list[str]], how: How, beside: Callable | None = None) -> dict:
    """A row of the table: medians of the rounds. beside: gives the database's own commits a second, for a kind that
    writes; measured in the same rounds.

    Each round: the bare server, the register at full rate, and the register asked by one connection. Raises ValueError
    if the register does not answer as the kind says.
    """
    least, many = how.seconds * _MOST_A_SECOND if kind.once else 1, kind.connections or how.connections
    row: dict = {"kind": kind.name, "as_expected": _asked(kind, ours)}
    _run(kind, ours, least, 1, many)
    found = []
    for _ in range(how.rounds):
        one = _run(kind, ours, least, how.seconds, many)
        alone = _run(kind, ours, least, how.seconds, 1)
        server, bodies = bare
        one["bare"] = measuring.measure(server.url, bodies, 1, server.pid, how.connections)["per_second"]
        one["of_bare"] = one["per_second"] / one["bare"]
        one["alone_p50_us"], one["alone_p99_us"] = alone["p50_us"], alone["p99_us"]
        if beside is not None:
            one["commits"] = beside(how.seconds, many)
            one["of_commits"] = one["per_second"] / one["commits"]
        found.append(one)
    row |= {name: statistics.median(one[name] for one in found) for name in found[0]}
    row["failed"] = sum(one["failed"] for one in found)
    return row


def _asked(kind: Kind, ours: Server) -> float | None:
    """The part of the requests that are answered with the kind's code."""
    if kind.code is None:
        return None
    bodies = kind.bodies(1)
    bodies = bodies[:: max(len(bodies) // _ASKED, 1)][: 1 if kind.once else _ASKED]
    first = [(measuring.codes(measuring.post(ours.url, body)) or ["nothing"])[0] for body in bodies]
    part = first.count(kind.code) / len(first)
    if part < 0.5:
        raise ValueError(f"the register answers {statistics.mode(first)} instead of {kind.code}")
    return part


def _run(kind: Kind, ours: Server, least: int, seconds: int, connections: int) -> dict:
    bodies = kind.bodies(least)
    before = measuring.database_seconds(ours.database) if ours.database else {}
    row = measuring.measure(ours.url, bodies, seconds, ours.pid, connections)
    if not row["requests"]:
        raise ValueError(f"no reply came within {seconds} s: measure for more seconds")
    if ours.database:
        after = measuring.database_seconds(ours.database)
        used = sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())
        row["database_cpu_us"] = used / row["requests"] * 1e6
    if kind.once and row["requests"] > len(bodies):
        raise ValueError(f"only {len(bodies):,} different requests can be made: measure for fewer seconds")
    return row
