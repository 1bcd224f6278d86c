"""Selects on PostgreSQL with little between us and libpq.

psycopg's cursor takes three times as long for a find as the exchange it makes. Here each statement is prepared once on
the connection, sent through psycopg's wrapper of libpq, and its rows are converted by psycopg's own loaders. The wait
for an answer has an end of its own, for a server that is reached but stands still.
"""

import select
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import adapt, pq

_TEXT = adapt.PyFormat.TEXT
# The types of parameters that SQLAlchemy writes no cast for. Of a number, psycopg would name the smallest that fits.
_NOT_CAST = frozenset(psycopg.adapters.types[name].oid for name in ("bytea", "bool"))


class NoAnswer(psycopg.OperationalError):
    """The database did not answer in time."""


class _Statement(NamedTuple):
    name: bytes
    transformer: adapt.Transformer
    formats: tuple


class Session:
    """Runs statements on a psycopg connection that nobody else uses. patience: seconds to wait for an answer."""

    def __init__(self, connection: psycopg.Connection, patience: float):
        self._connection = connection
        self._pgconn = connection.pgconn
        self._patience = patience
        self._statements: dict[str, _Statement] = {}
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket, select.POLLIN)

    def run(self, sql: str, arguments: Sequence[Any]) -> list[tuple]:
        """The rows of a select whose parameters are written $1, $2 ...

        Raises psycopg.Error; NoAnswer, and the connection is closed, if nothing came in time.
        """
        statement = self._statements.get(sql)
        fresh = statement is None
        if fresh:
            statement = self._prepare(sql, arguments)
        transformer = statement.transformer
        self._pgconn.send_query_prepared(statement.name, transformer.dump_sequence(arguments, statement.formats))
        result = self._result(pq.ExecStatus.TUPLES_OK)
        transformer.set_pgresult(result, set_loaders=fresh)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _prepare(self, sql: str, arguments: Sequence[Any]) -> _Statement:
        name, formats = b"lrs_soap_%d" % len(self._statements), (_TEXT,) * len(arguments)
        transformer = adapt.Transformer(self._connection)
        transformer.dump_sequence(arguments, formats)
        types = [oid if oid in _NOT_CAST else 0 for oid in transformer.types or ()]
        self._pgconn.send_prepare(name, sql.encode(), types)
        self._result(pq.ExecStatus.COMMAND_OK)
        statement = self._statements[sql] = _Statement(name, transformer, formats)
        return statement

    def _result(self, wanted: pq.ExecStatus) -> pq.PGresult:
        """The one result of what was sent."""
        pgconn, deadline = self._pgconn, time.monotonic() + self._patience
        while pgconn.flush():
            self._wait(deadline, select.POLLIN | select.POLLOUT)
        result = None
        while True:
            while pgconn.is_busy():
                self._wait(deadline, select.POLLIN)
            following = pgconn.get_result()
            if following is None:
                break
            result = following
        if result is None or result.status != wanted:
            raise _error(result)
        return result

    def _wait(self, deadline: float, events: int) -> None:
        if events != select.POLLIN:
            self._poll.modify(self._pgconn.socket, events)
        try:
            ready = self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        finally:
            if events != select.POLLIN:
                self._poll.modify(self._pgconn.socket, select.POLLIN)
        if not ready:
            self._connection.close()
            raise NoAnswer(f"no answer within {self._patience:g} seconds")
        self._pgconn.consume_input()


def _error(result: pq.PGresult | None) -> psycopg.Error:
    """What the server refused, as psycopg's cursors would raise it; without its text, which may repeat values."""
    state = result and result.error_field(pq.DiagnosticField.SQLSTATE)
    if not state:
        return psycopg.OperationalError("the connection was lost")
    try:
        return psycopg.errors.lookup(state.decode())(f"SQLSTATE {state.decode()}")
    except KeyError:
        return psycopg.DatabaseError(f"SQLSTATE {state.decode()}")
