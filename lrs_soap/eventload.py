"""Loads a file of learning events into a register, a few hundred rows in a transaction.

How far it came is kept in the transaction of the rows, so that a load that was interrupted, however, goes on where it
stopped; a file that was loaded before is gone through again, and changes nothing that is stored already.
"""

import dataclasses
import datetime
import hashlib
import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine

from lrs_soap import errors, eventexceptions, eventfile
from lrs_soap.batchfile.problems import Effect, Problem
from lrs_soap.codes import LearnerStatus
from lrs_soap.rules import record, uln
from lrs_soap.rules.record import Source, Verdict
from lrs_soap.store import audit, events, learners
from lrs_soap.store import engine as engines

CHUNK = 500  # P: rows in a transaction


class Overtaken(errors.LrsError):
    """Another command is loading the same file: wait until it has ended, then load the file again."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of the rows of a file. resumed_after: rows that an interrupted load had dealt with, else 0.

    exceptions: the file that holds the rejected rows, or None if there is none.
    """

    rows: int
    added: int
    replaced: int
    unchanged: int
    superseded: int
    rejected: int
    resumed_after: int
    dry_run: bool
    exceptions: Path | None


def load(
    engine: Engine,
    path: Path,
    source: Source | None,
    *,
    operator: str,
    exceptions: Path | None = None,
    dry_run: bool = False,
    report: Callable[[Problem], None] = lambda problem: None,
    progress: Callable[[int, int], None] = lambda line, lines: None,
) -> Summary:
    """Loads the file at `path` and gives what became of its rows.

    source: of rows that do not say it. operator: whose name the audit gets. exceptions: where rejected rows are
    written; None writes none. dry_run: change nothing; events are then compared with those stored, not with each
    other. report gets every problem, progress the line reached and the number of lines.

    Raises batchfile.problems.Unreadable for what is not a file of learning events, Overtaken, OSError, and what the
    database raises; what was loaded until then stays, and the same call goes on from there.
    """
    file = eventfile.EventFile(path, source)
    digest, lines = _fingerprint(path)
    new = events.Load(digest=digest, source=str(source or ""), file_name=path.name, started_at=_now())
    state = new if dry_run else _begin(engine, new, exceptions)
    resumed_after = state.rows
    with eventexceptions.writing(exceptions, file.headings, state.exceptions_bytes) as rejects:
        for chunk in _chunks(file.rows(after=state.rows)):
            started = time.perf_counter()
            with (engines.read if dry_run else engines.write)(engine) as connection:
                if not dry_run:
                    events.lock(connection)
                work = _Work(connection, chunk)
                rejects.write(work.rejected)
                after = work.counted(state, rejects.flush())
                if not dry_run:
                    work.store()
                    _advance(connection, state, after)
                    _audit(connection, operator, work.ulns, started)
            state = after
            for row in work.rejected:
                for problem in row.problems:
                    report(problem)
            progress(chunk[-1].line, lines)
    if not dry_run:
        with engines.write(engine) as connection:
            _advance(connection, state, dataclasses.replace(state, finished_at=_now()))
    counts = {verdict: getattr(state, verdict) for verdict in ("added", "replaced", "unchanged", "superseded", "rejected")}
    written = exceptions if state.rejected and exceptions is not None else None
    return Summary(rows=state.rows, resumed_after=resumed_after, dry_run=dry_run, exceptions=written, **counts)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _fingerprint(path: Path) -> tuple[bytes, int]:
    """The digest of the file, and how many lines it has, or a few more."""
    digest, lines = hashlib.sha256(), 1
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            lines += block.count(b"\n")
    return digest.digest(), lines


def _begin(engine: Engine, new: events.Load, exceptions: Path | None) -> events.Load:
    """Where to go on: behind the last row of a load that was interrupted, if its exceptions file is still there."""
    with engines.write(engine) as connection:
        old = events.load(connection, new.digest, new.source)
        if old is not None and old.finished_at is None and _may_go_on(old, exceptions):
            return old
        events.start(connection, new)
    return new


def _may_go_on(old: events.Load, exceptions: Path | None) -> bool:
    if exceptions is None or not old.rejected:
        return True
    return old.exceptions_bytes > 0 and eventexceptions.is_intact(exceptions, old.exceptions_bytes)


def _advance(connection: Connection, old: events.Load, new: events.Load) -> None:
    if not events.advance(connection, old, new):
        raise Overtaken()


def _chunks(rows: Iterator[eventfile.Row]) -> Iterator[list[eventfile.Row]]:
    while chunk := list(itertools.islice(rows, CHUNK)):
        yield chunk


class _Work:
    """What is to be done with a few hundred rows: decided at once, written by `store`."""

    def __init__(self, connection: Connection, rows: list[eventfile.Row]):
        self._connection, self._rows = connection, rows
        self._counts = dict.fromkeys(Verdict, 0)
        known = learners.by_ulns(connection, {row.uln for row in rows if uln.is_valid(row.uln)})
        for row in rows:
            if uln.is_valid(row.uln) and (problem := _stranger(row, known.get(row.uln))):
                row.problems.append(problem)
        right = [(row, (row.uln, record.key(row.source, row.event))) for row in rows if not row.problems]
        stored = events.held(connection, {place for _, place in right})
        current, self._sources = dict(stored), {}
        for row, place in right:
            verdict = record.decide(current.get(place), row.event)
            self._counts[verdict] += 1
            if verdict is Verdict.CONFLICT:
                row.problems.append(_conflict(row))
            elif verdict in (Verdict.ADDED, Verdict.REPLACED):
                current[place], self._sources[place] = row.event, row.source
        self._new = {place: event for place, event in current.items() if place not in stored}
        self._later = {place: event for place, event in current.items() if stored.get(place, event) != event}
        self.rejected = [row for row in rows if row.problems]
        self.ulns = tuple(sorted({place[0] for place in (*self._new, *self._later)}))

    def counted(self, state: events.Load, exceptions_bytes: int) -> events.Load:
        """`state` with these rows counted."""
        done = (Verdict.ADDED, Verdict.REPLACED, Verdict.UNCHANGED, Verdict.SUPERSEDED)
        return dataclasses.replace(
            state,
            **{str(verdict): getattr(state, verdict) + self._counts[verdict] for verdict in done},
            rejected=state.rejected + len(self.rejected),
            rows=self._rows[-1].number,
            exceptions_bytes=exceptions_bytes,
        )

    def store(self) -> None:
        """Writes what is new or later than what is stored."""
        events.insert(self._connection, self._new, self._sources)
        events.replace(self._connection, self._later)


def _stranger(row: eventfile.Row, learner: learners.StoredLearner | None) -> Problem | None:
    """P: events of a learner merged away are loaded under the ULN they name; those of a deleted one are not."""
    if learner is not None and learner.learner_status != LearnerStatus.DELETED:
        return None
    message = "The register has no learner of this ULN" if learner is None else "The learner of this ULN was deleted"
    advice = "Look for the ULN in the source; register or restore the learner first if it is right"
    return Problem(line=row.line, column=eventfile.ULN, value=row.uln, rule="unknown-uln", message=message, advice=advice,
                   effect=Effect.LEARNER)


def _conflict(row: eventfile.Row) -> Problem:
    return Problem(
        line=row.line, rule="conflict", effect=Effect.LEARNER,
        message="Another version of this event has the same ReturnNumber, IncrementNumber and LastUpdatedDateTime",
        advice="Delete the row that is wrong, or give the later version a later LastUpdatedDateTime",
    )  # fmt: skip


def _audit(connection: Connection, operator: str, ulns: tuple[str, ...], started: float) -> None:
    if not ulns:
        return
    entry = audit.Entry(
        at=_now(),
        request_id=secrets.token_hex(8),
        organisation_id=None,
        reference="",
        user_name=operator,
        operation="record load",
        code="done",
        ulns=ulns,
        duration_us=int((time.perf_counter() - started) * 1_000_000),
    )
    audit.write(connection, [entry])
