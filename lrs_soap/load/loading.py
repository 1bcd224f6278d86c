"""Loads learners: reads, has processes judge, lets good rows wait in the database, and gives them their places.

Everything that says how far a load has come is in the database with the rows it has come to, so a load that was
interrupted, however, goes on where it stopped.
"""

import contextlib
import dataclasses
import datetime
import functools
import gc
import itertools
import multiprocessing
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, Engine

from lrs_soap import errors, eventexceptions
from lrs_soap.batchfile.problems import Effect, Problem
from lrs_soap.load import layout, reading, rows
from lrs_soap.load.source import Piece, Position, Source
from lrs_soap.store import audit, bulkconflicts, bulkload, bulkpack, bulkplace

_AHEAD = 24  # pieces read but not yet waiting in the database: what bounds the memory

_WORDS = {
    bulkconflicts.ULN_TWICE: ("ULN", "Line {} has the same ULN", "Keep the row that is right"),
    bulkconflicts.IDENTITY_TWICE: (None, "Line {} is the same person: names, date of birth, gender and postcode are equal",
                               "Keep one of the two, or merge one into the other with LearnerStatus 0 and MasterULN"),
    bulkconflicts.ULN_TAKEN: ("ULN", "The register has another learner with this ULN",
                          "Compare both: `lrs-soap learner show` shows the register's"),
    bulkconflicts.IDENTITY_TAKEN: (None, "The register has this person, under the ULN {}",
                               "Look whether it is the same person, and if so use that ULN"),
    bulkconflicts.MASTER_UNKNOWN: (layout.MASTER, "Neither file nor register has the master, or the merges go in a circle",
                               "Load the master too, or correct the ULN"),
}  # fmt: skip


class ExceptionsGone(errors.LrsError):
    """The exceptions file of the interrupted load is gone: put it back, or start anew with --restart."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of the rows: of `rows`, so many were loaded, there already, or rejected, in `seconds`.

    resumed_after: the line up to which an interrupted load had come, else 0. exceptions: the file of rejected rows.
    """

    rows: int
    loaded: int
    unchanged: int
    rejected: int
    resumed_after: int
    seconds: float
    exceptions: Path | None


def load(
    engine: Engine,
    stream: BinaryIO,
    *,
    operator: str,
    today: datetime.date,
    exceptions: Path | None = None,
    restart: bool = False,
    processes: int | None = None,
    report: Callable[[Problem], None] = lambda problem: None,
    progress: Callable[[str, int, int | None], None] = lambda what, done, total: None,
) -> Summary:
    """Loads what the stream has, from its beginning, and gives what became of its rows.

    operator: whose name the audit gets. today: for the dates that a file may leave out, and for ages. exceptions: where
    rejected rows are written; None writes none. restart: forget a load that was interrupted. processes: that judge
    rows (default: one for each processor). report gets every problem; progress what is being done, how much is done,
    and how much there is (None: nobody knows): bytes while the file is read, then steps.

    Raises batchfile.problems.Unreadable, ExceptionsGone, store.bulkload.Interrupted and Busy, OSError, and what the database raises;
    the rows read until then wait, and the same call goes on from there.
    """
    started = time.perf_counter()
    source = Source(stream)
    loading = bulkload.Load(engine, restart)
    try:
        before = loading.progress
        resumed = before.lines if before.lines and before.offset > source.position().offset else 0
        if before.lines and not source.skip(Position(*before[:3])):
            raise bulkload.Interrupted()
        if exceptions is not None and before.exceptions_bytes:
            _cut(exceptions, before.exceptions_bytes)
        headings = list(source.layout.headings)
        with eventexceptions.writing(exceptions, headings, before.exceptions_bytes) as writer:
            desk = _Desk(loading, source, writer, report)
            judge = functools.partial(
                _judged, source.layout, today, bulkpack.COLUMNS, bulkpack.PACK[engine.dialect.name]
            )
            with _mapped(judge, source.pieces(), processes or os.cpu_count() or 1) as judged:
                for piece, result in judged:
                    desk.take(piece, result)
                    progress("reading", piece.after.offset, None)
            record = functools.partial(_record, operator, started)
            placed = bulkplace.place(loading, desk.turn, record, progress)
            loading.finish()
        done = loading.progress
    finally:
        loading.close()
    return Summary(
        rows=done.rows,
        loaded=placed.loaded,
        unchanged=placed.unchanged,
        rejected=done.rejected,
        resumed_after=resumed,
        seconds=round(time.perf_counter() - started, 3),
        exceptions=exceptions if done.rejected and exceptions is not None else None,
    )


def _cut(exceptions: Path, length: int) -> None:
    """Takes from the exceptions file what was written to it but not counted."""
    if not eventexceptions.is_intact(exceptions, length):
        raise ExceptionsGone()
    os.truncate(exceptions, length)


class _Desk:
    """Where judged rows arrive: good ones are let wait, the others are reported."""

    def __init__(self, loading: bulkload.Load, source: Source, writer: eventexceptions.Writer, report: Callable):
        self._loading, self._writer, self._report = loading, writer, report
        self._columns = [layout.FIELDS[name].attribute if name in layout.FIELDS else None for name in source.layout.columns]

    def take(self, piece: Piece, judged: rows.Judged) -> None:
        """A piece of the file that was judged."""
        self._loading.add(judged.good, self._rejected(judged.rejected, judged.rows, piece.after))
        self._tell(judged.rejected)

    def turn(self, turned: Iterator[bulkload.Turned]) -> bulkload.Progress:
        """Rows that were turned away in the database."""
        after = self._loading.progress
        for one in turned:
            column, message, advice = _WORDS[one.rule]
            value = str(one.row[layout.FIELDS[column].attribute]) if column else None
            problem = Problem(line=one.line, column=column, value=value, rule=one.rule, advice=advice,
                              message=message.format(one.other), effect=Effect.LEARNER)  # fmt: skip
            texts = ["" if name is None or one.row[name] is None else str(one.row[name]) for name in self._columns]
            rejected = [reading.Rejected(one.line, texts, [problem])]
            self._writer.write(rejected)
            self._tell(rejected)
            after = after._replace(rejected=after.rejected + 1)
        return after._replace(exceptions_bytes=self._writer.flush())

    def _rejected(self, rejected: list[reading.Rejected], count: int, after) -> bulkload.Progress:
        self._writer.write(rejected)
        before = self._loading.progress
        return bulkload.Progress(
            *after, before.rows + count, before.rejected + len(rejected), self._writer.flush()
        )

    def _tell(self, rejected: list[reading.Rejected]) -> None:
        for row in rejected:
            for problem in row.problems:
                self._report(problem)


def _judged(where, today, columns, pack, piece: Piece) -> tuple[Piece, rows.Judged]:
    return piece._replace(data=b""), rows.judge(where, today, columns, pack, (piece.line, piece.data))


def _record(operator: str, started: float, connection: Connection, count: int) -> None:
    """P: a load is one audit entry for each transaction, without the ULNs: each is a learner's first version."""
    entry = audit.Entry(
        at=datetime.datetime.now(datetime.UTC),
        request_id=secrets.token_hex(8),
        organisation_id=None,
        reference="",
        user_name=operator,
        operation="load",
        code=f"{count} learners",
        ulns=(),
        duration_us=int((time.perf_counter() - started) * 1_000_000),
    )
    audit.write(connection, [entry])


@contextlib.contextmanager
def _mapped(judge: Callable, pieces: Iterator[Piece], processes: int) -> Iterator[Iterator[tuple[Piece, rows.Judged]]]:
    """The pieces, judged, in their order."""
    first = list(itertools.islice(pieces, 2))
    if processes == 1 or len(first) < 2:
        yield (judge(piece) for piece in itertools.chain(first, pieces))
        return
    room, ended = threading.Semaphore(_AHEAD), threading.Event()
    failure: list[Exception] = []

    def wanted() -> Iterator[Piece]:
        # The pool's own thread reads; what goes wrong there is raised where the results are taken.
        try:
            for piece in itertools.chain(first, pieces):
                room.acquire()
                if ended.is_set():
                    return
                yield piece
        except Exception as error:  # noqa: BLE001
            failure.append(error)

    def taken(results: Iterator) -> Iterator[tuple[Piece, rows.Judged]]:
        for result in results:
            room.release()
            yield result
        if failure:
            raise failure[0]

    # Nothing that judging makes refers to itself: there is no garbage to look for, and very many objects to look at.
    with multiprocessing.get_context("spawn").Pool(processes, gc.disable) as pool:
        try:
            yield taken(pool.imap(judge, wanted()))
        finally:
            ended.set()
            room.release()
