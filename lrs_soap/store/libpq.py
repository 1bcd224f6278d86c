"""Statements on PostgreSQL with little between us and libpq.

psycopg's cursor takes three times as long for a find as the exchange it makes. Here each statement is prepared once on
the connection, sent through psycopg's wrapper of libpq, and its rows are converted by psycopg's own loaders. Several
statements of a transaction are one exchange, by libpq's pipeline. The wait for an answer has an end of its own, for a
server that is reached but stands still.
"""

import dataclasses
import select
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import adapt, pq

from lrs_soap.store.statements import Answer, Asked, Unanswered

_DONE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_TEXT = adapt.PyFormat.TEXT
# The types of parameters that SQLAlchemy writes no cast for. Of a number, psycopg would name the smallest that fits.
_NOT_CAST = frozenset(psycopg.adapters.types[name].oid for name in ("bytea", "bool"))


class NoAnswer(psycopg.OperationalError, Unanswered):
    """The database did not answer in time."""


@dataclasses.dataclass(slots=True)
class _Statement:
    """A statement as it is prepared on a connection."""

    name: bytes
    transformer: adapt.Transformer
    formats: tuple
    is_met: bool = False  # whether the kinds of its columns are known


class Session:
    """Runs statements on a psycopg connection that nobody else uses. patience: seconds to wait for an answer."""

    def __init__(self, connection: psycopg.Connection, patience: float):
        self._connection = connection
        self._pgconn = connection.pgconn
        self.patience = patience
        self._statements: dict[str, _Statement] = {}
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket, select.POLLIN)

    def run(self, sql: str, arguments: Sequence[Any]) -> list[tuple]:
        """The rows of a select whose parameters are written $1, $2 ...

        Raises psycopg.Error; NoAnswer, and the connection is closed, if nothing came in time.
        """
        statement = self._statements.get(sql) or self._prepare(sql, arguments)
        self._send(statement, arguments)
        return self._answer(statement, self._result()).rows

    def exchange(self, asked: Asked, begin: bool = False, commit: bool = False) -> list[Answer]:
        """What statements of a transaction give, in one round trip. begin: they are its first; commit: they are its last,
        and it is committed, unless one of them fails.

        Raises psycopg.Error, of the first that failed; NoAnswer, and the connection is closed, if nothing came in time.
        """
        statements = [self._statements.get(sql) or self._prepare(sql, arguments) for sql, arguments in asked]
        values = [arguments for _, arguments in asked]
        if len(statements) == 1 and not (begin or commit):
            self._send(statements[0], values[0])
            return [self._answer(statements[0], self._result())]
        try:
            results = self._in_line(statements, values, begin, commit)
        except BaseException:
            self._connection.close()  # nobody knows what is still on its way
            raise
        for result in results:
            if result.status not in _DONE:
                raise _error(result)
        return [self._answer(*pair) for pair in zip(statements, results[begin:], strict=False)]

    def _in_line(self, statements: list[_Statement], values: list, begin: bool, commit: bool) -> list[pq.PGresult]:
        """Sends everything, then takes the results. After one that failed the server does nothing of the rest."""
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        if begin:
            pgconn.send_query_params(b"BEGIN", None)
        for statement, arguments in zip(statements, values, strict=True):
            self._send(statement, arguments)
        if commit:
            pgconn.send_query_params(b"COMMIT", None)
        pgconn.pipeline_sync()
        results = [self._result() for _ in range(begin + len(statements) + commit)]
        self._next(time.monotonic() + self.patience)  # that of the synchronisation
        pgconn.exit_pipeline_mode()
        return results

    def _send(self, statement: _Statement, arguments: Sequence[Any]) -> None:
        values = statement.transformer.dump_sequence(arguments, statement.formats)
        self._pgconn.send_query_prepared(statement.name, values)

    def _answer(self, statement: _Statement, result: pq.PGresult) -> Answer:
        if result.status == pq.ExecStatus.COMMAND_OK:
            return Answer([], result.command_tuples or 0)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise _error(result)
        statement.transformer.set_pgresult(result, set_loaders=not statement.is_met)
        statement.is_met = True
        return Answer(statement.transformer.load_rows(0, result.ntuples, tuple), result.ntuples)

    def _prepare(self, sql: str, arguments: Sequence[Any]) -> _Statement:
        name, formats = b"lrs_soap_%d" % len(self._statements), (_TEXT,) * len(arguments)
        transformer = adapt.Transformer(self._connection)
        transformer.dump_sequence(arguments, formats)
        types = [oid if oid in _NOT_CAST else 0 for oid in transformer.types or ()]
        self._pgconn.send_prepare(name, sql.encode(), types)
        if (result := self._result()).status != pq.ExecStatus.COMMAND_OK:
            raise _error(result)
        statement = self._statements[sql] = _Statement(name, transformer, formats)
        return statement

    def _result(self) -> pq.PGresult:
        """The one result of what was sent and not yet answered. Raises OperationalError if there is none."""
        deadline = time.monotonic() + self.patience
        result = self._next(deadline)
        if result is None:
            raise _error(None)
        while (following := self._next(deadline)) is not None:
            result = following
        return result

    def _next(self, deadline: float) -> pq.PGresult | None:
        pgconn = self._pgconn
        while pgconn.flush():
            self._wait(deadline, select.POLLIN | select.POLLOUT)
        while pgconn.is_busy():
            self._wait(deadline, select.POLLIN)
        return pgconn.get_result()

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
            raise NoAnswer(f"no answer within {self.patience:g} seconds")
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
