"""Gives the rows that wait in a load their places in the register."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateIndex, DropIndex

from lrs_soap.store import bulkconflicts, bulkpack, contents, tables
from lrs_soap.store import engine as engines
from lrs_soap.store.bulkload import Load, Progress, Turned

STEP = 5_000
"""Rows that take their places in one transaction of a register in use."""

_NAMES = ", ".join(bulkpack.LEARNER)
_INSERT = f"INSERT INTO learner ({_NAMES}) SELECT {_NAMES} FROM loading.waiting"
_CLAIM = (
    "INSERT INTO learner_identity (identity, uln) SELECT identity, uln FROM loading.waiting WHERE identity IS NOT NULL"
)
# What is put down in order fills SQLite's pages to the last byte (PostgreSQL leaves a tenth of them free), and each learner
# registered later would part six of them: at a million learners, 14 pages are written for one instead of 7. So some take
# their places last, about one for each page, as those do who are registered: of rows, of identities and of the indexes' entries.
_AMONG_ROWS, _AMONG_IDENTITIES, _AMONG_ENTRIES = "line % 12 = 0", "line % 70 = 0", "line % 96 = 0"
# Of a register filled at once: the masters are in it.
_MARK_ALL = (
    "UPDATE learner SET is_master = true "
    "WHERE uln IN (SELECT master_uln FROM loading.waiting WHERE master_uln IS NOT NULL)"
)
# Of some rows: those they were merged into, and those of them that earlier rows were. The least is read from the index
# also where PostgreSQL, without statistics, would join with every learner.
_MASTERS = (
    "uln IN (SELECT master_uln FROM loading.waiting WHERE master_uln IS NOT NULL AND line <= :last UNION ALL "
    "SELECT (SELECT min(l.master_uln) FROM learner l WHERE l.master_uln = w.uln) FROM loading.waiting w WHERE w.line <= :last)"
)
_LOCK_MASTERS = f"SELECT uln FROM learner WHERE {_MASTERS} ORDER BY uln FOR UPDATE"
_MARK = f"UPDATE learner SET is_master = true WHERE {_MASTERS}"


class Placed(NamedTuple):
    """How many rows are in the register now, and how many were there already."""

    loaded: int
    unchanged: int


class _Taken(Exception):
    """The register has learners now."""


def place(
    load: Load,
    turned: Callable[[Iterator[Turned]], Progress],
    record: Callable[[Connection, int], None],
    step: Callable[[str, int, int], None],
) -> Placed:
    """Gives every waiting row its place, or hands it to `turned`.

    turned: takes the rows that have none, before the transaction that turns them away ends, and says how far the load
    is with them. record: called in each transaction that adds learners, with their number. step: what is being done,
    how much of it is, and how much there is. Raises what the database raises.
    """
    return _Placing(load, turned, record, step).place()


class _Placing:
    def __init__(self, load: Load, turned: Callable, record: Callable, step: Callable):
        self._load, self._turned, self._record, self._step = load, turned, record, step
        self._conn, self._run = load.conn, load.run

    def place(self) -> Placed:
        with engines.write_on(self._conn):
            empty = not contents.has_learners(self._conn)
        if empty:
            # Alone with the register, what is written need not be written twice. Others who have it open keep the log.
            self._load.journal("TRUNCATE")
            with contextlib.suppress(_Taken, sa.exc.IntegrityError):
                return self._fill()
        # Somebody is there twice, or somebody was quicker.
        with engines.write_on(self._conn):
            self._step("looking for learners who are there twice", 0, 1)
            for rule, statement in bulkconflicts.WITHIN:
                self._turn(rule, statement)
        if empty:
            with contextlib.suppress(_Taken):
                return self._fill()
        return self._join()

    def _fill(self) -> Placed:
        """Fills an empty register in one transaction. Raises _Taken, or IntegrityError where somebody is there twice."""
        with engines.write_on(self._conn):
            merged = bulkconflicts.unlinked(self._run, self._load.index, in_register=False)
            self._load.turn_away(self._turned)
        with engines.write_on(self._conn):
            if not self._load.sqlite:
                self._run("LOCK TABLE learner IN SHARE ROW EXCLUSIVE MODE")
            if contents.has_learners(self._conn):
                raise _Taken
            return Placed(self._filled(merged > 0), 0)

    def _filled(self, merged: bool) -> int:
        indexes = sorted(tables.learner.indexes, key=lambda index: index.name)
        for index in indexes:
            self._conn.execute(DropIndex(index))
        steps = self._steps(len(indexes) + 3)
        next(steps)
        # Identities first: that somebody is there twice is known before the rest is written.
        loaded = (self._filled_sqlite if self._load.sqlite else self._filled_postgresql)(merged, indexes, steps)
        self._record(self._conn, loaded)
        return loaded

    def _steps(self, number: int) -> Iterator[None]:
        """Says what is being done each time that it is gone on with."""
        for done in range(1, number):
            self._step("filling the register" if done < 3 else "making indexes", done, number)
            yield

    def _filled_sqlite(self, merged: bool, indexes: Sequence[sa.Index], steps: Iterator[None]) -> int:
        self._run(f"{_CLAIM} AND NOT {_AMONG_IDENTITIES} ORDER BY identity")
        self._run(f"{_CLAIM} AND {_AMONG_IDENTITIES} ORDER BY identity")
        next(steps)
        loaded = self._run(f"{_INSERT} WHERE NOT {_AMONG_ROWS} ORDER BY uln").rowcount
        loaded += self._run(f"{_INSERT} WHERE {_AMONG_ROWS} AND NOT {_AMONG_ENTRIES} ORDER BY uln").rowcount
        for index in indexes:
            next(steps)
            self._conn.execute(CreateIndex(index))
        # In the order of two of the three large indexes.
        loaded += self._run(f"{_INSERT} WHERE {_AMONG_ENTRIES} ORDER BY date_of_birth").rowcount
        if merged:
            self._run(_MARK_ALL)
        return loaded

    def _filled_postgresql(self, merged: bool, indexes: Sequence[sa.Index], steps: Iterator[None]) -> int:
        # A heap has no order to keep; keys are quicker made afterwards, as the other indexes are.
        # An attempt that found somebody there twice has left all its rows on pages that nobody else would use.
        self._run("TRUNCATE learner, learner_identity")
        self._run("ALTER TABLE learner DROP CONSTRAINT pk_learner")
        self._run("ALTER TABLE learner_identity DROP CONSTRAINT pk_learner_identity")
        self._run(_CLAIM)
        self._run("ALTER TABLE learner_identity ADD CONSTRAINT pk_learner_identity PRIMARY KEY (identity)")
        next(steps)
        loaded = self._run(_INSERT).rowcount
        self._run("ALTER TABLE learner ADD CONSTRAINT pk_learner PRIMARY KEY (uln)")
        if merged:
            self._run(_MARK_ALL)
        for index in indexes:
            next(steps)
            self._conn.execute(CreateIndex(index))
        # On SQLite they go with their file. Interrupted before that, the load finds all of them there already.
        self._run("TRUNCATE loading.waiting")
        return loaded

    def _join(self) -> Placed:
        """Adds to a register in use, some thousand rows in a transaction."""
        with engines.write_on(self._conn):
            bulkconflicts.unlinked(self._run, self._load.index, in_register=True)
            self._load.turn_away(self._turned)
            if not self._load.sqlite:  # where lines are the rows' own numbers
                self._run(self._load.index("waiting_line", "waiting (line)"))
                self._run("ANALYZE loading.waiting")
            total = self._run("SELECT count(*) FROM loading.waiting").scalar_one()
        loaded = unchanged = 0
        while True:
            self._step("placing learners", loaded + unchanged, total)
            with engines.write_on(self._conn):
                part = "SELECT max(line) FROM (SELECT line FROM loading.waiting ORDER BY line LIMIT :n) AS s"
                last = self._run(part, n=STEP).scalar()
                if last is None:
                    return Placed(loaded, unchanged)
                for rule, statement in bulkconflicts.AGAINST_REGISTER:
                    self._turn(rule, statement, last=last)
                unchanged += self._run(bulkconflicts.UNCHANGED, last=last).rowcount
                # In one order everywhere, so that two who add the same learners wait where they could deadlock.
                added = self._run(f"{_INSERT} WHERE line <= :last ORDER BY uln", last=last).rowcount
                if not self._load.sqlite:  # where a writer is alone
                    self._run(_LOCK_MASTERS, last=last)
                self._run(_MARK, last=last)
                self._run(f"{_CLAIM} AND line <= :last ORDER BY identity", last=last)
                self._run("DELETE FROM loading.waiting WHERE line <= :last", last=last)
                loaded += added
                if added:
                    self._record(self._conn, added)

    def _turn(self, rule: str, statement: str, **values) -> None:
        if self._run(statement, rule=rule, **values).rowcount:
            self._load.turn_away(self._turned)
