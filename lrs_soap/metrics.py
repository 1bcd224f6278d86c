"""What the register does, in figures for Prometheus: counts and times, never who or what was asked for.

Every label is a word of the program (an operation of the WSDL, a code, a reason), so that no caller can make labels,
and none can hold a learner's details. With several processes each writes to files of its own (`metricsfiles`), without
a lock between them; `page` adds them up. What every call counts is counted in memory first, and published a little later
(`publish`): a figure in a file costs two microseconds each time.
"""

import bisect
import functools
import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import prometheus_client as prometheus
import sqlalchemy
from prometheus_client import multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric

from lrs_soap import metricsfiles
from lrs_soap.store.queue import Queue
from lrs_soap.store.replicas import Replicas, State

CONTENT_TYPE = prometheus.CONTENT_TYPE_LATEST

# Up to the 20 seconds that clients wait for a reply.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)


class _Histogram(prometheus.Histogram):
    """One that can be told of many observations at once."""

    def observe_many(self, counts: Sequence[int], total: float) -> None:
        """counts: by bucket, the one without a limit last; total: the sum of what was observed."""
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


_CALLS = prometheus.Counter("lrs_soap_calls", "Calls answered, by operation and code.", ["operation", "code"])
_SECONDS = _Histogram(
    "lrs_soap_call_seconds", "From a whole message to its reply, by operation.", ["operation"], buckets=BUCKETS
)
_REFUSED = prometheus.Counter("lrs_soap_refused", "Messages and connections refused, by reason.", ["reason"])
_ADMISSIONS = prometheus.Counter(
    "lrs_soap_admissions", "Credentials judged from memory, or by asking the database.", ["source"]
)
_CONNECTIONS = prometheus.Gauge("lrs_soap_connections", "Open client connections.", multiprocess_mode="livesum")
_POOL = prometheus.Gauge(
    "lrs_soap_pool_connections", "Database connections lent by the pool.", multiprocess_mode="livesum"
)
_READS = prometheus.Counter("lrs_soap_reads", "Calls' readings, by where they were made; with replicas only.", ["source"])
# Said by `wire`, where a call goes by.
connection_opened = _CONNECTIONS.inc
connection_closed = _CONNECTIONS.dec
asked = _ADMISSIONS.labels("database").inc
_recalls = _ADMISSIONS.labels("memory").inc

_LIVE_FILE = re.compile(r"gauge_live\w*_(\d+)\.db")


class _Calls:
    """Calls of one operation that ended in one code, not yet published."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0


_unpublished = threading.Lock()  # guards the two below
_calls: dict[tuple[str, str], _Calls] = {}
_recalled = 0


def call(operation: str, code: str, seconds: float) -> None:
    """Counts one call. operation: "" if the message named none of the WSDL's; code: as answered; seconds: it took."""
    with _unpublished:
        calls = _calls.get((operation, code))
        if calls is None:
            calls = _calls[operation, code] = _Calls()
        calls.counts[bisect.bisect_left(BUCKETS, seconds)] += 1
        calls.total += seconds


def recalled() -> None:
    """Counts credentials that were judged from memory."""
    global _recalled
    with _unpublished:
        _recalled += 1


def publish() -> None:
    """Makes what was counted in this process visible to all that show its figures; to be called now and then."""
    global _calls, _recalled
    with _unpublished:
        calls, recalls, _calls, _recalled = _calls, _recalled, {}, 0
    for (operation, code), found in calls.items():
        count, observe_many = _series(operation, code)
        count(sum(found.counts))
        observe_many(found.counts, found.total)
    if recalls:
        _recalls(recalls)


def refused(reason: str) -> None:
    """Counts a message or connection that was turned away. reason: a word of the program, as in the log."""
    _refusals(reason)()


def watch_pool(engine: sqlalchemy.Engine) -> None:
    """Counts the connections that the pool of this process's engine has lent."""
    sqlalchemy.event.listen(engine, "checkout", lambda *_: _POOL.inc())
    sqlalchemy.event.listen(engine, "checkin", lambda *_: _POOL.dec())


def watch_replicas(replicas: Replicas) -> None:
    """Counts what this process reads from the primary and from each replica."""
    replicas.counted = lambda source: _read(source)()


@functools.cache
def _read(source: str):
    return _READS.labels(source).inc


@functools.cache
def _series(operation: str, code: str) -> tuple:
    name = operation or "none"
    return _CALLS.labels(name, code or "none").inc, _SECONDS.labels(name).observe_many


@functools.cache
def _refusals(reason: str):
    return _REFUSED.labels(reason).inc


class _Jobs:
    """The queue of batches as a collector of Prometheus: read when asked, since other machines work on it too."""

    def __init__(self, queue: Queue | None):
        self._queue = queue

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("lrs_soap_database_up", "Whether the database answered.", float(self._queue is not None))
        if self._queue is not None:
            jobs = GaugeMetricFamily("lrs_soap_jobs", "Unfinished batches, by status.", labels=["status"])
            jobs.add_metric(["waiting"], self._queue.waiting)
            jobs.add_metric(["in_progress"], self._queue.in_progress)
            yield jobs
            age = "Seconds since the oldest unfinished batch was submitted; 0 if there is none."
            yield GaugeMetricFamily("lrs_soap_job_age_seconds", age, self._queue.oldest_seconds)


class _Replicas:
    """The replicas as a collector of Prometheus, as the process that is asked knows them."""

    def __init__(self, replicas: Replicas):
        self._replicas = replicas

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("lrs_soap_replica_up", "Whether finds are read from the replica.", labels=["replica"])
        behind = "Bytes of changes that the replica had yet to replay when last looked at."
        lag = GaugeMetricFamily("lrs_soap_replica_lag_bytes", behind, labels=["replica"])
        for replica in self._replicas.all:
            up.add_metric([replica.name], float(replica.state is State.UP))
            lag.add_metric([replica.name], replica.lag_bytes)
        yield from (up, lag)


def page(queue: Queue | None, replicas: Replicas | None = None) -> bytes:
    """Everything in the text format of Prometheus. queue: None if the database did not answer; replicas: if the
    register has any."""
    publish()
    registry = prometheus.CollectorRegistry()
    directory = os.environ.get(metricsfiles.VARIABLE)
    if directory:
        _forget_the_dead(Path(directory))
        multiprocess.MultiProcessCollector(registry, directory)
    else:
        for own in (_CALLS, _SECONDS, _REFUSED, _ADMISSIONS, _CONNECTIONS, _POOL, _READS):
            registry.register(own)
    registry.register(_Jobs(queue))
    if replicas is not None:
        registry.register(_Replicas(replicas))
    return prometheus.generate_latest(registry)


def _forget_the_dead(directory: Path) -> None:
    """Removes what processes that are gone say of now: their connections are closed. Their counts stay."""
    for file in directory.glob("gauge_live*.db"):
        found = _LIVE_FILE.fullmatch(file.name)
        if found and not _is_alive(int(found[1])):
            multiprocess.mark_process_dead(int(found[1]), str(directory))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
