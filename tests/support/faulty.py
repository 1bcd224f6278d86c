"""Databases that fail at a chosen step: the n-th statement, commit, rollback or connection that a thread makes.

The steps are those of the drivers, whoever uses them. What a server would do besides is done: a refused statement makes
the transaction fail, a lost connection is closed.
"""

import contextlib
import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import event

from lrs_soap.store import libpq, reach


class Steps:
    """Counts the steps of the thread that `armed` is entered in, and lets one of them fail."""

    def __init__(self) -> None:
        self._thread = 0
        self._fault: Callable | None = None
        self._at = -1
        self.made = 0
        self.failed = ""
        """What the step that failed was: "connect", "statement", "commit" or "rollback"; "" if none has."""

    @contextlib.contextmanager
    def armed(self, at: int = -1, fault: Callable | None = None) -> Iterator["Steps"]:
        """Within the block the step with that number, from 0, fails as `fault` does."""
        self._thread, self._at, self._fault, self.made, self.failed = threading.get_ident(), at, fault, 0, ""
        try:
            yield self
        finally:
            self._thread = 0

    def step(self, connection: Any, what: str, do: Callable[[], Any]) -> Any:
        """Makes a step, which `do` does, unless it is to fail."""
        if threading.get_ident() != self._thread:
            return do()
        number, self.made = self.made, self.made + 1
        if number != self._at:
            return do()
        self.failed = what
        return self._fault(connection, do)


# SQLite: the exceptions that sqlite3 raises for what the library says.


def sqlite_fault(kind: type[sqlite3.Error], text: str, rolls_back: bool = False) -> Callable:
    """A step that fails so. rolls_back: the library ends the transaction by itself."""

    def fail(connection: "FaultyConnection | None", _do: Callable) -> None:
        if rolls_back and connection is not None and connection.in_transaction:
            sqlite3.Connection.rollback(connection)
        raise kind(text)

    return fail


SQLITE = {
    "disk full": sqlite_fault(sqlite3.OperationalError, "database or disk is full"),
    "disk full, rolled back": sqlite_fault(sqlite3.OperationalError, "database or disk is full", rolls_back=True),
    "disk error": sqlite_fault(sqlite3.OperationalError, "disk I/O error", rolls_back=True),
    "locked": sqlite_fault(sqlite3.OperationalError, "database is locked"),
    "read only": sqlite_fault(sqlite3.OperationalError, "attempt to write a readonly database"),
    "gone": sqlite_fault(sqlite3.OperationalError, "unable to open database file"),
    "corrupt": sqlite_fault(sqlite3.DatabaseError, "database disk image is malformed"),
}


class FaultyConnection(sqlite3.Connection):
    steps: Steps

    def execute(self, *arguments):
        return self.steps.step(self, "statement", lambda: super(FaultyConnection, self).execute(*arguments))

    def cursor(self, factory=None):
        return super().cursor(_FaultyCursor)

    def commit(self):
        return self.steps.step(self, "commit", super().commit)

    def rollback(self):
        return self.steps.step(self, "rollback", super().rollback)


class _FaultyCursor(sqlite3.Cursor):
    def execute(self, *arguments):
        return self.connection.steps.step(self.connection, "statement", lambda: super(_FaultyCursor, self).execute(*arguments))

    def executemany(self, *arguments):
        return self.connection.steps.step(
            self.connection, "statement", lambda: super(_FaultyCursor, self).executemany(*arguments)
        )


def faulty_sqlite(engine: Any) -> Steps:
    """Makes the connections that the engine opens from now on fail when told to."""
    steps = Steps()
    factory = type("Connection", (FaultyConnection,), {"steps": steps})

    @event.listens_for(engine, "do_connect")
    def connect(_dialect, _record, arguments, keywords):
        return steps.step(None, "connect", lambda: sqlite3.connect(*arguments, factory=factory, **keywords))

    return steps


# PostgreSQL: what the server says, and what the network does.


def refusal(sqlstate: str, ends: bool = False) -> Callable:
    """The server refuses the statement with that SQLSTATE. ends: and ends the connection."""
    kind = psycopg.errors.lookup(sqlstate)

    def fail(connection: psycopg.Connection | None, _do: Callable) -> None:
        if connection is not None and ends:
            connection.close()
        elif connection is not None and connection.pgconn.transaction_status == TransactionStatus.INTRANS:
            # So that the transaction is as the server would leave it.
            connection.pgconn.exec_(b"DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '%b'; END $$" % sqlstate.encode())
        raise kind("injected")

    return fail


def _cut(connection: psycopg.Connection) -> None:
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as one:
        one.shutdown(socket.SHUT_RDWR)


def _lost(connection: psycopg.Connection | None, do: Callable) -> Any:
    if connection is None:
        raise psycopg.OperationalError("connection refused")
    _cut(connection)
    return do()


def _answer_lost(connection: psycopg.Connection | None, do: Callable) -> None:
    do()
    if connection is not None:
        connection.close()
    raise psycopg.OperationalError("server closed the connection unexpectedly")


def _unanswered(connection: psycopg.Connection | None, _do: Callable) -> None:
    if connection is not None:
        connection.close()
    raise libpq.NoAnswer("no answer")


POSTGRESQL = {
    "connection lost": _lost,
    "answer lost": _answer_lost,
    "unanswered": _unanswered,
    "deadlock": refusal("40P01"),
    "serialisation failure": refusal("40001"),
    "disk full": refusal("53100"),
    "statement timed out": refusal("57014"),
    "lock timed out": refusal("55P03"),
    "shutting down": refusal("57P01", ends=True),
    "too many connections": refusal("53300", ends=True),
}


@contextlib.contextmanager
def faulty_postgresql(engine: Any) -> Iterator[Steps]:
    """Makes the connections of this process to PostgreSQL fail when told to, within the block."""
    steps = Steps()
    wait, connect, run, exchange = reach.Connection.wait, reach.Connection.connect, reach.Session.run, reach.Session.exchange

    def faulty_wait(connection, gen, *arguments):
        what = {"_commit_gen": "commit", "_rollback_gen": "rollback"}.get(gen.__name__, "statement")
        return steps.step(connection, what, lambda: wait(connection, gen, *arguments))

    def faulty_connect(*arguments, **keywords):
        return steps.step(None, "connect", lambda: connect(*arguments, **keywords))

    def faulty_run(session, *arguments):
        return steps.step(session._connection, "statement", lambda: run(session, *arguments))

    def faulty_exchange(session, asked, begin, commit):
        what = "commit" if commit else "statement"
        return steps.step(session._connection, what, lambda: exchange(session, asked, begin, commit))

    reach.Connection.wait, reach.Connection.connect = faulty_wait, faulty_connect
    reach.Session.run, reach.Session.exchange = faulty_run, faulty_exchange
    try:
        yield steps
    finally:
        reach.Connection.wait, reach.Connection.connect = wait, connect
        reach.Session.run, reach.Session.exchange = run, exchange
