"""The audit trail: one row for each call, and the learners it touched. Append-only, and without demographics."""

import dataclasses
import datetime
import logging
import operator
import threading
import time
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from lrs_soap.store import auditrows, statements
from lrs_soap.store import engine as engines

_log = logging.getLogger(__name__)

# P: what brings a learner into the scope of an organisation's reports: registering, updating or finding it.
IN_SCOPE = frozenset(
    {
        "learnerByULN",
        "learnerByDemographics",
        "retrieveULNs",
        "registerSingleLearner",
        "updateSingleLearner",
        "submitBatchRegistration",
    }
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call. `reference` and `user_name` are what the request named, organisation_id what that was found to be.

    code: the code answered; ulns: the learners shown or changed; duration_us: microseconds.
    """

    at: datetime.datetime
    request_id: str
    organisation_id: int | None
    reference: str
    user_name: str
    operation: str
    code: str
    ulns: tuple[str, ...] = ()
    duration_us: int


Scope = frozenset[tuple[int, str]]
"""Pairs of an organisation's id and the ULN of a learner in the scope of its reports."""

MOST_KNOWN = 8_192  # 2 MB
KNOWN_SECONDS = 600.0

_values = operator.attrgetter(*auditrows.COLUMNS)


def write(conn: Connection, entries: Sequence[Entry], known: Collection[tuple[int, str]] = ()) -> Scope:
    """Appends the entries, and their learners to the scope of the organisations that registered or found them, but
    for the pairs in `known`, which are there already; gives the pairs that it added or found there."""
    if not entries:
        return frozenset()
    rows = dict(zip(auditrows.COLUMNS, map(list, zip(*map(_values, entries), strict=True)), strict=True))
    touched = [(number, uln) for number, entry in enumerate(entries) for uln in dict.fromkeys(entry.ulns)]
    # In one order everywhere: two transactions that add the same rows then wait, where they could deadlock.
    scope = _scope(entries).difference(known)
    auditrows.add(conn, statements.Columns(rows), touched, sorted(scope))
    return scope


def _missing(conn: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """The entries that are not in the trail."""
    moments = [entry.at for entry in entries]
    there = auditrows.between(conn, min(moments), max(moments))
    return [entry for entry in entries if (entry.request_id, entry.operation) not in there]


def _scope(entries: Iterable[Entry]) -> Scope:
    return frozenset(
        (entry.organisation_id, uln)
        for entry in entries
        if entry.organisation_id is not None and entry.operation in IN_SCOPE
        for uln in entry.ulns
    )


class AuditWriter:
    """Writes entries in groups from a thread of its own, so that a find does not wait for the disk.

    What `add` took is written within flush_seconds, or later if the database cannot: it is tried again until it can,
    and the number waiting is logged. At most max_queue entries wait; beyond that `add` writes before it returns.

    Whom an organisation finds, it mostly finds again soon: who was put into its scope a moment ago is not put there again,
    until the database fails or KNOWN_SECONDS are over, as another may have taken its place.
    """

    def __init__(self, engine: Engine, flush_seconds: float = 0.5, max_queue: int = 10_000, max_group: int = 1_000):
        self._engine = engine
        self._flush_seconds = flush_seconds
        self._max_queue = max_queue
        self._max_group = max_group
        self._waiting: list[Entry] = []
        self._queue = threading.Lock()  # guards _waiting
        self._writing = threading.Lock()  # held by whoever writes, so that flush() means written
        self._unsure = False  # whether the last group was written: the answer to a commit can be lost
        self._known: set[tuple[int, str]] = set()  # for who writes
        self._known_until = 0.0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, entry: Entry) -> None:
        """Takes an entry. Raises the database's error only when the queue is full and the entry cannot be written:
        then it was not taken, and the call must not be answered as if it were audited."""
        with self._queue:
            if len(self._waiting) < self._max_queue and not self._closing.is_set():
                self._waiting.append(entry)
                self._start()
                return
        with engines.write(self._engine) as conn:
            write(conn, [entry])

    def flush(self) -> None:
        """Returns when everything added before is in the database; raises the database's error, keeping the rest."""
        with self._writing:
            size = self._max_group
            while group := self._first(size):
                try:
                    self._write(group)
                except (sa.exc.IntegrityError, sa.exc.DataError):
                    # One entry the database will never take must not hold up the others: it is found by halves.
                    if len(group) > 1:
                        size = len(group) // 2
                        continue
                    _log.error("an audit entry is not acceptable to the database: request_id=%s", group[0].request_id)
                except sa.exc.SQLAlchemyError:
                    self._unsure = True
                    raise
                # Only now are they gone from the queue: any other error leaves them there.
                with self._queue:
                    del self._waiting[: len(group)]
                size = self._max_group

    def _write(self, group: Sequence[Entry]) -> None:
        now = time.monotonic()
        if now >= self._known_until or len(self._known) >= MOST_KNOWN:
            self._known.clear()
            self._known_until = now + KNOWN_SECONDS
        try:
            with engines.write(self._engine) as conn:
                added = write(conn, _missing(conn, group) if self._unsure else group, self._known)
        except sa.exc.SQLAlchemyError:
            self._known.clear()
            raise
        self._known |= added
        self._unsure = False

    def close(self) -> None:
        """Writes what waits and ends the thread. Raises the database's error if it cannot be written."""
        with self._queue:
            self._closing.set()
            thread = self._thread
        if thread is not None:
            thread.join()
        try:
            self.flush()
        except sa.exc.SQLAlchemyError:
            _log.error("%d audit entries could not be written before closing", len(self._waiting))
            raise

    def _first(self, size: int) -> list[Entry]:
        with self._queue:
            return self._waiting[:size]

    def _start(self) -> None:
        # With the first entry: a server that forks its workers after making the writer keeps a working one.
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        failures = 0
        while not self._closing.wait(self._flush_seconds * 2 ** min(failures, 6)):
            try:
                self.flush()
                failures = 0
            except Exception as error:  # whatever it is, entries wait for the next attempt
                failures += 1
                # The error's text would repeat the row; its class is enough to look for.
                _log.warning("%d audit entries wait for the database: %s", len(self._waiting), type(error).__name__)
