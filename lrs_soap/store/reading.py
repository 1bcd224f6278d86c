"""Reading the register at the speed of its database.

SQLAlchemy prepares a statement anew for every execution, which costs more than an index read itself. A `Reader` has
each statement compiled once and hands it to the driver, on a connection that its thread keeps: no transaction to open
on PostgreSQL, none of the pool's work, and psycopg's prepared statements stay prepared. The statements are the same
SQLAlchemy Core selects that a `Connection` runs, and the rows come back converted in the same way.
"""

import collections
import contextlib
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Engine

Values = Mapping[str, Any]


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


class _Prepared:
    """A select as one kind of database takes it."""

    def __init__(self, statement: sa.Select, dialect: sa.Dialect):
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        # A list of values makes another statement for every length, so SQLAlchemy has to write it each time.
        self.expands = any(bind.expanding for bind in compiled.binds.values())
        self._positions = compiled.positiontup
        self._fixed = compiled.params
        implementations = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items()}
        self._to_database = {
            name: convert
            for name, implementation in implementations.items()
            if (convert := implementation.bind_processor(dialect)) is not None
        }
        self._from_database = [
            (index, convert)
            for index, column in enumerate(statement.selected_columns)
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]
        names = [column.key or "" for column in statement.selected_columns]
        self._make = collections.namedtuple("Row", names, rename=True)._make

    def values(self, given: Values) -> Any:
        values = {**self._fixed, **given}
        for name, convert in self._to_database.items():
            values[name] = convert(values[name])
        return values if self._positions is None else [values[name] for name in self._positions]

    def rows(self, fetched: list[tuple]) -> list[tuple]:
        rows = []
        for row in fetched:
            if self._from_database:
                row = list(row)
                for index, convert in self._from_database:
                    row[index] = convert(row[index])
            rows.append(self._make(row))
        return rows


class Reader:
    """Runs selects on a connection of its own; made and kept by `Readers`, one for each thread."""

    def __init__(self, engine: Engine, prepared: dict[sa.Select, _Prepared]):
        self.engine = engine
        self.dialect = engine.dialect
        self._prepared = prepared
        self._connection: Any = None
        self._in_block = False

    def execute(self, statement: sa.Select, values: Values = {}) -> Rows:  # noqa: B006 (read only)
        """The rows of a select. A connection that was lost since it was last used is replaced, once.

        Raises sqlalchemy.exc.DBAPIError, without the values.
        """
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepare(statement)
        if prepared.expands:
            with self.engine.connect() as connection:
                return Rows(list(connection.execute(statement, values)))
        arguments = prepared.values(values)
        fresh = self._connection is None
        try:
            try:
                fetched = self._open().execute(prepared.sql, arguments).fetchall()
            except self.dialect.dbapi.Error as error:
                lost = self.dialect.is_disconnect(error, self._connection, None)
                self.close()
                if fresh or not lost:
                    raise
                fetched = self._open().execute(prepared.sql, arguments).fetchall()
        except self.dialect.dbapi.Error as error:
            raise exc.DBAPIError.instance(
                prepared.sql, None, error, self.dialect.dbapi.Error, hide_parameters=True, dialect=self.dialect
            ) from error
        return Rows(prepared.rows(fetched))

    @contextlib.contextmanager
    def one_state(self) -> Iterator["Reader"]:
        """Within the block SQLite shows one state of the register to all statements; it costs nothing there."""
        if self.dialect.name != "sqlite" or self._in_block:
            yield self
            return
        self._in_block = True
        self._open().execute("BEGIN")
        try:
            yield self
        finally:
            self._in_block = False
            if self._connection is not None:
                self._connection.execute("ROLLBACK")

    def _open(self) -> Any:
        if self._connection is None:
            # Detached: it leaves the pool for good, and the pool opens another when it needs one.
            pooled = self.engine.raw_connection()
            self._connection = pooled.driver_connection
            pooled.detach()
            if self.dialect.name == "postgresql":
                self._connection.autocommit = True
        return self._connection

    def _prepare(self, statement: sa.Select) -> _Prepared:
        # Statements are made once, at import; this only bounds the harm if one is not.
        if len(self._prepared) > 1_000:
            self._prepared.clear()
        return self._prepared.setdefault(statement, _Prepared(statement, self.dialect))

    def close(self) -> None:
        """Closes the connection; the next `execute` opens one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


    def __del__(self) -> None:
        # Its thread ended: the connection was that thread's own.
        with contextlib.suppress(Exception):
            self.close()


class Readers:
    """The readers of an engine: one a thread."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._prepared: dict[sa.Select, _Prepared] = {}
        self._threads = threading.local()
        self._all: weakref.WeakSet[Reader] = weakref.WeakSet()

    def mine(self) -> Reader:
        """The reader of the calling thread."""
        reader = getattr(self._threads, "reader", None)
        if reader is None:
            reader = self._threads.reader = Reader(self._engine, self._prepared)
            self._all.add(reader)
        return reader

    def close(self) -> None:
        """Closes every reader's connection."""
        for reader in list(self._all):
            reader.close()
