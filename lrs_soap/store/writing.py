"""Writing to the register at the speed of its database.

A `Writer` is SQLAlchemy's Connection, but executes Core statements that were compiled once (`statements`). Many rows of
an INSERT go to PostgreSQL as arrays in one statement, where SQLAlchemy and the driver would send a statement a row.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Connection, Engine

from lrs_soap.store import statements
from lrs_soap.store.reading import Rows

_MOST_VALUES = 2_048
"""Of one INSERT on SQLite, which takes 32,766 of them: each keeps 100 bytes in the statement that the connection keeps."""

_MANY = (list, statements.Columns)
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
        self._waiting: list[tuple[str, Sequence[Any]]] = []

    def execute(self, statement, parameters=None, **options) -> Any:
        """As SQLAlchemy's; gives `Written` for a Core statement in a transaction, with all its rows.

        parameters: a dictionary, or for many rows a list of them, with the same columns, or `statements.Columns`. Raises sqlalchemy.exc.DBAPIError, without the values.
        """
        if options or self.get_execution_options() or not isinstance(statement, _COMPILED) or not self.in_transaction():
            self._send_what_waits()
            return super().execute(statement, parameters, **options)
        compiled, values = self._prepared(statement, parameters)
        if compiled.expands:
            self._send_what_waits()
            return super().execute(statement, parameters)
        return (self._run_many if isinstance(values, _MANY) else self._run)(compiled, values)

    def execute_all(self, *asked: tuple[sa.Executable, statements.Values]) -> list[Written]:
        """`execute` of several statements, each of one set of values and none with a list that expands: on PostgreSQL in
        one round trip."""
        if self.dialect.name == "sqlite":
            return [self.execute(statement, values) for statement, values in asked]
        prepared = [self._prepared(statement, values) for statement, values in asked]
        answers = self._exchange([(compiled.sql, compiled.values(values)) for compiled, values in prepared])
        return [
            Written(compiled.rows(answer.rows), answer.rowcount)
            for (compiled, _), answer in zip(prepared, answers[-len(prepared) :], strict=True)
        ]

    def exec_driver_sql(self, statement, *arguments, **options) -> Any:
        """As SQLAlchemy's."""
        self._send_what_waits()
        return super().exec_driver_sql(statement, *arguments, **options)

    def later(self, statement, parameters) -> None:
        """Executes a statement whose result nobody asks for: on PostgreSQL with the next one, or with the commit."""
        if self.dialect.name == "sqlite":
            self.execute(statement, parameters)
            return
        compiled, values = self._prepared(statement, parameters)
        self._waiting.append((compiled.sql, compiled.values(values)))

    def finish(self) -> None:
        """Ends a transaction that nothing has gone wrong in: what waits goes together with the commit."""
        if self._waiting:
            self._exchange([], commit=True)

    def _send_what_waits(self) -> None:
        if self._waiting:
            self._exchange([])

    def _prepared(self, statement, parameters) -> tuple[statements.Statement, Any]:
        """The statement, and its values: of many rows by column on SQLite, as a dictionary of arrays for an INSERT on PostgreSQL,
        and there as a list for what cannot be arrays."""
        inserts = isinstance(statement, sa.Insert)
        as_arrays = isinstance(parameters, _MANY) and inserts and self.dialect.name == "postgresql"
        if isinstance(parameters, list) and (as_arrays or self.dialect.name == "sqlite"):
            parameters = statements.Columns.of(parameters)
        names = tuple(parameters or ()) if inserts else ()
        key = (statement, names, as_arrays)
        compiled = statements.kept(self._compiled, key, lambda: self._compile(key))
        return compiled, dict(parameters) if as_arrays else parameters or {}

    def _compile(self, key: tuple) -> statements.Statement:
        statement, names, as_arrays = key
        if as_arrays:
            statement = statements.of_arrays(statement, names)
        return statements.Statement(statement, self.dialect, names or None)

    def _run(self, compiled: statements.Statement, values: statements.Values) -> Written:
        arguments = compiled.values(values)
        if self.dialect.name == "postgresql":
            answer = self._exchange([(compiled.sql, arguments)])[-1]
            return Written(compiled.rows(answer.rows), answer.rowcount)
        try:
            cursor = self.connection.dbapi_connection.cursor().execute(compiled.sql, arguments)
            fetched = cursor.fetchall() if compiled.gives_rows else ()
        except self.dialect.dbapi.Error as error:
            raise self._failed(compiled.sql, error) from error
        return Written(compiled.rows(fetched), cursor.rowcount)

    def _exchange(self, asked: statements.Asked, commit: bool = False) -> list[statements.Answer]:
        asked, self._waiting = [*self._waiting, *asked], []
        try:
            return self.connection.dbapi_connection.exchange(asked, commit)
        except self.dialect.dbapi.Error as error:
            raise self._failed("; ".join(sql for sql, _ in asked), error) from error

    def _run_many(self, compiled: statements.Statement, rows: list[statements.Values] | statements.Columns) -> Written:
        if self.dialect.name == "postgresql":
            answers = self._exchange([(compiled.sql, compiled.values(row)) for row in rows])
            fetched = [row for answer in answers for row in answer.rows]
            return Written(compiled.rows(fetched), sum(answer.rowcount for answer in answers))
        arguments = compiled.many(rows)
        fetched, changed = [], 0
        try:
            for some in _some(arguments):
                cursor = self.connection.dbapi_connection.cursor()
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

    def _failed(self, sql: str, error: Exception) -> exc.DBAPIError:
        connection = self.connection.dbapi_connection
        lost = self.dialect.is_disconnect(error, connection, None)
        if lost:
            if self.dialect.name == "postgresql":
                connection.reach.lost()
            self.invalidate(error)
        return exc.DBAPIError.instance(
            sql, None, error, self.dialect.dbapi.Error, hide_parameters=True, connection_invalidated=lost,
            dialect=self.dialect,
        )  # fmt: skip


def _some(rows: list) -> Iterator[list]:
    """The rows in parts of a few sizes, each of which is a statement that the connection keeps prepared. SQLite takes a
    part in one step, and other threads of the process wait for the interpreter that often."""
    at, most = 0, _MOST_VALUES // max(1, len(rows[0])) if rows else 0
    while at < len(rows):
        left = len(rows) - at
        size = min(1 << most.bit_length() - 1, left if left == 3 else 1 << left.bit_length() - 1)
        yield rows[at : at + size]
        at += size


def later(conn: Connection, statement: sa.Executable, parameters: statements.Values) -> None:
    """`Writer.later`, or at once on a connection that is none."""
    (conn.later if isinstance(conn, Writer) else conn.execute)(statement, parameters)


def execute_many(conn: Connection, statement: sa.Insert, rows: statements.Columns) -> None:
    """`Writer.execute` of many rows, also on a connection that is none."""
    conn.execute(statement, rows if isinstance(conn, Writer) else rows.rows())
