"""A database that does not answer must not keep every call waiting. P, all of it.

A call that needs a connection waits `connect_timeout` for a host that does not answer, and `patience` for a database
that took its statement and says nothing. After such a failure the next attempt is made a moment later, by one caller at
a time; the others fail at once, until the database has answered somebody.

On an event loop, where all others wait too, the patience is shorter: whoever meets it there asks again in a thread, and
until the database has answered nobody asks on an event loop.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from sqlalchemy import event, exc
from sqlalchemy.engine import Engine

from lrs_soap.store import libpq, statements

ANY_TIME = 1e6
"""As many seconds as anybody waits."""

AGAIN_AFTER_SECONDS = 0.5
ON_A_LOOP_SECONDS = 0.5
# The least that psycopg and libpq know. It is waited on an event loop only by the first who meets an outage there.
_LEAST_CONNECT_SECONDS = 2
# Of an attempt while the database is down: who makes it has others behind.
AGAIN_SECONDS = 2.0


class Reach:
    """Whether the database of an engine answers, as the last attempts say. patience: seconds until it does not."""

    def __init__(self, engine: Engine, patience: float):
        self._lock = threading.Lock()
        self._patience = patience
        self._next_attempt = 0.0
        self._lost_at = float("-inf")
        self.is_doubtful = False
        """Whether who asks may have to wait: the last answer did not come, or not at once."""
        self.is_down = False
        """Whether the last attempt to connect or to be answered failed."""
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "checkout", self._taken)

    def begin(self) -> None:
        """Before something is begun with a database in doubt. Raises OperationalError unless it is the caller's turn."""
        with self._lock:
            if self.is_down:
                if time.monotonic() < self._next_attempt:
                    raise psycopg.OperationalError("the database did not answer a moment ago")
                # Nobody else tries until this attempt has ended.
                self._next_attempt = float("inf")

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """What is asked in the block shows whether the database answers; also what it refuses is an answer."""
        try:
            yield
        except BaseException as error:
            (self.answered if getattr(error, "sqlstate", None) else self.failed)()
            raise
        self.answered()

    def failed(self) -> None:
        """The database did not answer, or could not be reached."""
        with self._lock:
            self.is_doubtful = self.is_down = True
            self._next_attempt = time.monotonic() + AGAIN_AFTER_SECONDS

    def answered(self) -> None:
        """The database answered."""
        with self._lock:
            self.is_doubtful = self.is_down = False

    def silent(self, patience: float) -> None:
        """The database did not answer in so many seconds: of few that shows little."""
        if patience < self._patience and not self.is_down:
            self.is_doubtful = True
        else:
            self.failed()

    def lost(self) -> None:
        """A connection was cut. The server may have gone, and every connection with it: those made before are replaced
        when they are taken from the pool next, so that one call fails and not one for each of them."""
        self._lost_at = time.monotonic()

    def _connect(self, _dialect: sa.Dialect, _record: Any, arguments: list, keywords: dict) -> "Connection":
        self.begin()
        if _is_on_a_loop():
            keywords = keywords | {"connect_timeout": _LEAST_CONNECT_SECONDS}
        made_at = time.monotonic()
        try:
            connection = Connection.connect(*arguments, **keywords)
        except BaseException:
            self.failed()
            raise
        connection.reach, connection.made_at = self, made_at
        # What is prepared, the session prepares: psycopg would now and then discard it together with its own.
        connection.prepare_threshold = None
        self._settle(connection)
        with self._lock:
            self._next_attempt = 0.0  # the turn of whoever asks first: a connection is no answer yet
        return connection

    def _taken(self, connection: "Connection", *_: Any) -> None:
        if connection.made_at <= self._lost_at:
            raise exc.DisconnectionError()  # the pool answers it with a fresh connection
        self._settle(connection)

    def _settle(self, connection: "Connection") -> None:
        connection.patience = ON_A_LOOP_SECONDS if _is_on_a_loop() else self._patience


class Connection(psycopg.Connection):
    """A connection that is closed when an answer takes longer than its `patience`, in seconds, while it is taken from
    the pool."""

    reach: Reach
    made_at: float  # on the clock of time.monotonic
    patience: float
    _session: "Session | None" = None

    def session(self, patience: float | None = None) -> "Session":
        """The one session of the connection, which knows what was prepared. patience: seconds; None for the connection's."""
        if self._session is None:
            self._session = Session(self, self.patience)
        self._session.patience = patience or self.patience
        return self._session

    def exchange(self, asked: statements.Asked, commit: bool = False) -> list[statements.Answer]:
        """What statements give, in one round trip; a transaction begins with them if none has. commit: and ends.

        Raises psycopg.Error.
        """
        return self.session().exchange(asked, self.pgconn.transaction_status == TransactionStatus.IDLE, commit)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """What psycopg gives for `gen`, which waits for the server; everything but connecting goes through here.

        Raises NoAnswer, and OperationalError at once if the database is down and it is another's turn to try.
        """
        if self.reach.is_doubtful:
            if self.pgconn.transaction_status == TransactionStatus.IDLE:
                self.reach.begin()
            with self.reach.attempt():
                return self._wait(gen, interval, _less(self.patience, self.reach))
        return self._wait(gen, interval, timeout or self.patience)

    def commit(self) -> None:
        """Where nothing has begun, or `exchange` has committed, there is nothing to ask the server."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            super().commit()

    def rollback(self) -> None:
        """Where nothing has begun there is nothing to ask the server, which may be down."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            super().rollback()

    def _wait(self, gen: Any, interval: float, patience: float) -> Any:
        try:
            return super().wait(gen, interval, patience)
        except psycopg.OperationalError:
            if self.closed or self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
        self.close()  # a statement is under way, and nobody reads its answer any more
        self.reach.silent(patience)
        raise libpq.NoAnswer(f"no answer within {patience:g} seconds")


class Session(libpq.Session):
    """A session on a `Connection`."""

    def __init__(self, connection: Connection, patience: float):
        super().__init__(connection, patience)
        self._reach = connection.reach
        self.lost = connection.reach.lost

    def run(self, sql: str, arguments: Sequence[Any]) -> list[tuple]:
        """As libpq.Session does, and as Connection.wait does when the database is in doubt."""
        if self._reach.is_doubtful:
            with self._in_doubt(begins=True):
                return super().run(sql, arguments)
        try:
            return super().run(sql, arguments)
        except libpq.NoAnswer:
            self._reach.silent(self.patience)
            raise

    def exchange(self, asked: statements.Asked, begin: bool = False, commit: bool = False) -> list[statements.Answer]:
        """As `run`."""
        if self._reach.is_doubtful:
            with self._in_doubt(begins=begin):
                return super().exchange(asked, begin, commit)
        try:
            return super().exchange(asked, begin, commit)
        except libpq.NoAnswer:
            self._reach.silent(self.patience)
            raise

    @contextlib.contextmanager
    def _in_doubt(self, begins: bool) -> Iterator[None]:
        if begins:
            self._reach.begin()
        patience, self.patience = self.patience, _less(self.patience, self._reach)
        try:
            with self._reach.attempt():
                yield
        finally:
            self.patience = patience


def _less(patience: float, reach: Reach) -> float:
    return min(patience, AGAIN_SECONDS) if reach.is_down else patience


def _is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
