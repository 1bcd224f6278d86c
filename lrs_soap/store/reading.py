"""Reading the register at the speed of its database.

SQLAlchemy prepares a statement anew for every execution, which costs more than an index read itself. A `Reader` has
each statement compiled once and hands it to the driver, on a connection that its thread keeps: no transaction to open,
none of the pool's work, and what the database prepared stays prepared. The statements are the same SQLAlchemy Core
selects that a `Connection` runs, and the rows come back converted in the same way.
"""

import contextlib
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Engine

from lrs_soap.store import statements
from lrs_soap.store.statements import Values


class Rows:
    """The rows of a select, all of them; what is used of SQLAlchemy's Result."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[tuple]):
        self._rows = rows

    def __iter__(self) -> Iterator[tuple]:
        return iter(self._rows)

    def first(self) -> tuple | None:
        """The first row, or None."""
        return self._rows[0] if self._rows else None

    def all(self) -> list[tuple]:
        """Every row."""
        return self._rows

    def scalar(self) -> Any:
        """The first value of the first row, or None."""
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        """The one value of the one row. Raises ValueError if there is another number of rows."""
        (row,) = self._rows
        return row[0]

    def scalars(self) -> "Rows":
        """The first value of every row."""
        return Rows([row[0] for row in self._rows])


class _SqliteSession:
    """The same as `libpq.Session`, on a connection to SQLite."""

    def __init__(self, connection: sqlite3.Connection):
        self._execute = connection.execute

    def run(self, sql: str, arguments: list) -> list[tuple]:
        return self._execute(sql, arguments).fetchall()

    def lost(self) -> None:
        """A file is not lost with a connection to it."""


class Reader:
    """Runs selects on a connection of its own, each on what is committed by then; made and kept by `Readers`, one for
    each thread. As a context manager it is itself: there is nothing to begin and nothing to end."""

    def __init__(self, engine: Engine, prepared: dict[sa.Select, statements.Statement], patience: float | None = None):
        self.engine = engine
        self.dialect = engine.dialect
        self._prepared = prepared
        self._patience = patience
        self._connection: Any = None
        self._session: Any = None

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: sa.Select, values: Values = {}) -> Rows:  # noqa: B006 (read only)
        """The rows of a select. A connection that was lost since it was last used is replaced, once.

        Raises sqlalchemy.exc.DBAPIError, without the values.
        """
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = statements.kept(self._prepared, statement, lambda: statements.Statement(statement, self.dialect))
        if prepared.expands:
            return self._expanded(statement, values)
        arguments = prepared.values(values)
        session = self._session
        try:
            try:
                fetched = (session or self._open()).run(prepared.sql, arguments)
            except self.dialect.dbapi.Error as error:
                lost = self.dialect.is_disconnect(error, self._connection, None)
                if lost and self._session is not None:
                    self._session.lost()
                self.close()
                # A database that did not answer in time will not do so now.
                if session is None or not lost or isinstance(error, statements.Unanswered):
                    raise
                fetched = self._open().run(prepared.sql, arguments)
        except self.dialect.dbapi.Error as error:
            raise exc.DBAPIError.instance(
                prepared.sql, None, error, self.dialect.dbapi.Error, hide_parameters=True, dialect=self.dialect
            ) from error
        return Rows(prepared.rows(fetched))

    def _expanded(self, statement: sa.Select, values: Values) -> Rows:
        with self.engine.connect() as connection:
            return Rows(list(connection.execute(statement, values)))

    def _open(self) -> Any:
        # A new one, out of a pool that is forgotten: one that was written on keeps megabytes of prepared statements.
        pooled = self.engine.pool.recreate().connect()
        self._connection = pooled.driver_connection
        pooled.detach()
        if self.dialect.name == "sqlite":
            # At 10 million learners reads were no quicker with eight times as much. Finds are read in the main thread, where the
            # event loop is; the many others read what is seldom asked for.
            kib = 4_096 if threading.current_thread() is threading.main_thread() else 512
            self._connection.execute(f"PRAGMA cache_size = -{kib}").close()
            self._session = _SqliteSession(self._connection)
        else:
            self._connection.autocommit = True
            self._session = self._connection.session(self._patience)
        return self._session

    def close(self) -> None:
        """Closes the connection; the next `execute` opens one."""
        connection, self._connection, self._session = self._connection, None, None
        if connection is not None:
            connection.close()

    def __del__(self) -> None:
        # Its thread ended: the connection was that thread's own.
        with contextlib.suppress(Exception):
            self.close()


class Readers:
    """The readers of an engine: one a thread. patience: seconds that PostgreSQL may take to answer a statement; None for those
    of its connections."""

    def __init__(self, engine: Engine, patience: float | None = None):
        self._engine = engine
        self._patience = patience
        self._prepared: dict[sa.Select, statements.Statement] = {}
        self._threads = threading.local()
        self._all: weakref.WeakSet[Reader] = weakref.WeakSet()

    def mine(self) -> Reader:
        """The reader of the calling thread."""
        reader = getattr(self._threads, "reader", None)
        if reader is None:
            reader = self._threads.reader = Reader(self._engine, self._prepared, self._patience)
            self._all.add(reader)
        return reader

    def close(self) -> None:
        """Closes every reader's connection."""
        for reader in list(self._all):
            reader.close()
