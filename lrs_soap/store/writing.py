"""Writing to the register at the speed of its database.

A `Writer` is SQLAlchemy's Connection, but executes Core statements that were compiled once (`statements`). Many rows of
an INSERT go to PostgreSQL as arrays in one statement, where SQLAlchemy and the driver would send a statement a row.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Connection, Engine

from lrs_soap.store import statements
from lrs_soap.store.reading import Rows

_MOST_ROWS = 128

_COMPILED = (sa.Select, sa.CompoundSelect, sa.TextualSelect, sa.Insert, sa.Update, sa.Delete)


class Written(Rows):
    """What came of a statement: the rows it gave back, and `rowcount`, how many it changed."""

    __slots__ = ("rowcount",)

    def __init__(self, rows: list[tuple], rowcount: int):
        super().__init__(rows)
        self.rowcount = rowcount


class Writer(Connection):
    """A connection for one or more transactions. compiled: the statements of its engine, which all writers share."""

    def __init__(self, engine: Engine, compiled: dict[Any, statements.Statement]):
        super().__init__(engine)
        self._compiled = compiled

    def execute(self, statement, parameters=None, **options) -> Any:
        """As SQLAlchemy's; gives `Written` for a Core statement in a transaction, with all its rows.

        Rows of one call have the same columns. Raises sqlalchemy.exc.DBAPIError, without the values.
        """
        if options or self.get_execution_options() or not isinstance(statement, _COMPILED) or not self.in_transaction():
            return super().execute(statement, parameters, **options)
        many = isinstance(parameters, list)
        inserts = isinstance(statement, sa.Insert)
        names = tuple(parameters[0] if many else parameters or ()) if inserts else ()
        as_arrays = many and inserts and self.dialect.name == "postgresql"
        key = (statement, names, as_arrays)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compile(key)
        if compiled.expands:
            return super().execute(statement, parameters)
        if as_arrays:
            return self._run(compiled, {name: [row[name] for row in parameters] for name in names})
        return self._run_many(compiled, parameters) if many else self._run(compiled, parameters or {})

    def _compile(self, key: tuple) -> statements.Statement:
        statement, names, as_arrays = key
        # Statements are made once, at import; this only bounds the harm if one is not.
        if len(self._compiled) > 1_000:
            self._compiled.clear()
        if as_arrays:
            statement = statements.of_arrays(statement, names)
        return self._compiled.setdefault(key, statements.Statement(statement, self.dialect, names or None))

    def _run(self, compiled: statements.Statement, values: statements.Values) -> Written:
        arguments = compiled.values(values)
        try:
            cursor = self._cursor().execute(compiled.sql, arguments)
            fetched = cursor.fetchall() if compiled.gives_rows else ()
        except self.dialect.dbapi.Error as error:
            raise self._failed(compiled.sql, error) from error
        return Written(compiled.rows(fetched), cursor.rowcount)

    def _run_many(self, compiled: statements.Statement, rows: Sequence[statements.Values]) -> Written:
        arguments = compiled.many(rows)
        fetched, changed = [], 0
        try:
            for some in _some(arguments):
                cursor = self._cursor()
                if (sql := compiled.of_rows(len(some))) is not None:
                    cursor.execute(sql, list(itertools.chain.from_iterable(some)))
                else:
                    cursor.executemany(compiled.sql, some)
                if compiled.gives_rows:
                    fetched += cursor.fetchall()
                changed += cursor.rowcount
        except self.dialect.dbapi.Error as error:
            raise self._failed(compiled.sql, error) from error
        return Written(compiled.rows(fetched), changed)

    def _cursor(self) -> Any:
        connection = self.connection.dbapi_connection
        return connection.cursor() if self.dialect.name == "sqlite" else psycopg.RawCursor(connection)

    def _failed(self, sql: str, error: Exception) -> exc.DBAPIError:
        lost = self.dialect.is_disconnect(error, self.connection.dbapi_connection, None)
        if lost:
            self.invalidate(error)
        return exc.DBAPIError.instance(
            sql, None, error, self.dialect.dbapi.Error, hide_parameters=True, connection_invalidated=lost,
            dialect=self.dialect,
        )  # fmt: skip


def _some(rows: list) -> Iterator[list]:
    """The rows in parts of a few sizes, each of which is a statement that the connection keeps prepared. SQLite takes a
    part in one step, and other threads of the process wait for the interpreter that often."""
    at = 0
    while at < len(rows):
        size = min(_MOST_ROWS, 1 << ((len(rows) - at).bit_length() - 1))
        yield rows[at : at + size]
        at += size
