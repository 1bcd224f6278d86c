"""Connections to the register's database, which is SQLite or PostgreSQL.

`create` makes the engine, `read` and `write` are the two ways to a connection. Everything the two databases do
differently about connecting and transactions is in this module.
"""

import contextlib
import functools
import os
import pathlib
import time
import typing
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Connection, Engine

from lrs_soap import errors
from lrs_soap.store import checkpoints, place, reading, statements, turns, writing

if typing.TYPE_CHECKING:
    from lrs_soap.store import reach

# A connection of a PostgreSQL pool that lay idle longer than this is tried before it is used: a round trip that
# calls in quick succession do not pay, and a server that was restarted overnight is not met by a failing call.
PING_AFTER_SECONDS = 20.0

# A host that vanished is noticed by who waits for its answer: after 10 seconds without a sign, where the operating
# system alone would wait for hours.
_TCP = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}

# How much later than the server itself, which has cancelled it, we give a statement up.
_ON_THE_WAY_SECONDS = 1.0

# How long a connection is waited for when all are in use: what comes after that takes time too.
_POOL_SECONDS = 5.0

# Where a SQLite connection that is about to write says so, and where it puts what it needs for a while; and where it is
# known what it was told last.
_TO_WRITE, _TEMPORARY = "lrs_soap.to_write", "lrs_soap.temporary"

_OF_STATEMENTS = (exc.IntegrityError, exc.DataError, exc.ProgrammingError, exc.NotSupportedError)

_DRIVERS = {"sqlite": "sqlite", "sqlite+pysqlite": "sqlite"}
_DRIVERS |= dict.fromkeys(("postgres", "postgresql", "postgresql+psycopg"), "postgresql+psycopg")


class UnusableDatabase(errors.LrsError):
    """The database URL is not one of SQLite or PostgreSQL (psycopg 3)."""


def create(
    url: str | URL,
    *,
    sqlite_synchronous: str = "FULL",
    pool_size: int = 5,
    max_overflow: int = 15,
    busy_timeout: float = 10.0,
    statement_timeout: float = 15.0,
    lock_timeout: float = 10.0,
    idle_timeout: float = 60.0,
    connect_timeout: int = 5,
) -> Engine:
    """The engine for the register at `url`, an SQLAlchemy URL of SQLite or PostgreSQL. Connects to nothing yet.

    sqlite_synchronous: "FULL" (an answered registration survives a power cut), "NORMAL" or "OFF". pool_size and
    max_overflow: connections kept, and opened beyond that when many calls come at once. Times are in seconds:
    busy_timeout (SQLite) and lock_timeout (PostgreSQL) bound the wait for another writer, statement_timeout a
    statement, idle_timeout a transaction that does nothing; below the 20 seconds clients wait for a reply.

    On PostgreSQL an answer is waited for as long as statement_timeout and a second for the way, and not longer.

    A SQLite file that does not exist is created with mode 0600. Raises UnusableDatabase.
    """
    url = _checked(url)
    if url.get_backend_name() == "sqlite":
        if sqlite_synchronous not in ("FULL", "NORMAL", "OFF"):
            raise UnusableDatabase("SQLite's synchronous setting is FULL, NORMAL or OFF")
        engine = _sqlite(url, sqlite_synchronous, pool_size, max_overflow, busy_timeout)
        if _in_memory(url):
            return engine
    else:
        limits = {
            "statement_timeout": statement_timeout,
            "lock_timeout": lock_timeout,
            "idle_in_transaction_session_timeout": idle_timeout,
        }
        engine = _postgresql(url, limits, pool_size, max_overflow, connect_timeout)
    readers = _READERS[engine] = reading.Readers(engine)
    event.listen(engine, "engine_disposed", lambda _: readers.close())
    return engine


_READERS: weakref.WeakKeyDictionary[Engine, reading.Readers] = weakref.WeakKeyDictionary()
_REACHES: weakref.WeakKeyDictionary[Engine, "reach.Reach"] = weakref.WeakKeyDictionary()
_TURNS: weakref.WeakKeyDictionary[Engine, Callable[[], contextlib.AbstractContextManager]] = weakref.WeakKeyDictionary()
_CHECKPOINTS: weakref.WeakKeyDictionary[Engine, checkpoints.Checkpoints] = weakref.WeakKeyDictionary()
_COMPILED: weakref.WeakKeyDictionary[Engine, dict[Any, statements.Statement]] = weakref.WeakKeyDictionary()


def is_down(engine: Engine) -> bool:
    """Whether the database could not be reached, or did not answer, when that was last tried."""
    found = _REACHES.get(engine)
    return found is not None and found.is_down


def doubts(engine: Engine) -> Callable[[], bool]:
    """What says whether the database did not answer, or not at once, when that was last tried: who asks it may have to wait."""
    found = _REACHES.get(engine)
    return bool if found is None else lambda: found.is_doubtful


def is_unanswered(error: BaseException) -> bool:
    """Whether this says that the database did not answer in time. On an event loop that is soon: ask in a thread."""
    return isinstance(error, exc.DBAPIError) and isinstance(error.orig, statements.Unanswered)


def take_time(conn: Connection) -> None:
    """Lets the statements of this transaction take as long as they do: they are not a call's."""
    if conn.dialect.name == "postgresql":
        from lrs_soap.store import reach

        conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
        conn.connection.driver_connection.patience = reach.ANY_TIME  # until it is given back


def read(engine: Engine) -> reading.Reader | Connection:
    """What runs selects, as a context manager: each shows the data that is committed by then.

    No transaction is opened: PostgreSQL's default isolation (READ COMMITTED) would promise no more for two round trips
    more, and what holds there must do on SQLite.
    """
    return reads(engine)()


def reads(engine: Engine) -> Callable[[], reading.Reader | Connection]:
    """`read` of this engine."""
    readers = _READERS.get(engine)
    # SQLite in memory: the one connection is the database.
    return engine.connect if readers is None else readers.mine


@contextlib.contextmanager
def write(engine: Engine) -> Iterator[writing.Writer]:
    """A connection in a transaction: committed at the end of the block, rolled back when an exception leaves it.

    On SQLite it is the only writer from its start (BEGIN IMMEDIATE), so it never fails half way for another's lock.
    """
    # The turn before the connection: so the threads of a process write on the same one, whose cache is warm.
    # Pages that a statement may have to put back: a few for each row, so not worth files.
    with (
        _turn(engine),
        writing.Writer(engine, _COMPILED.setdefault(engine, {})) as conn,
        _counted(conn),
        _begun(conn, temporary="MEMORY"),
    ):
        yield conn
        conn.finish()


@contextlib.contextmanager
def _counted(conn: Connection) -> Iterator[None]:
    """A transaction that SQLite's checkpoints are told of, if it is committed."""
    made = _CHECKPOINTS.get(conn.engine)
    if made is None:
        yield
        return
    driver = conn.connection.driver_connection
    before = driver.total_changes
    yield
    made.written(driver.total_changes - before)


@contextlib.contextmanager
def write_on(conn: Connection) -> Iterator[None]:
    """The transaction of `write` on a connection that is kept for several, and which may sort more than fits in memory."""
    with _turn(conn.engine), _begun(conn, temporary="FILE"):
        yield


def _turn(engine: Engine) -> contextlib.AbstractContextManager:
    return _TURNS.get(engine, contextlib.nullcontext)()


def _begun(conn: Connection, temporary: str) -> contextlib.AbstractContextManager:
    """The transaction. temporary: where SQLite puts what it needs for a while."""
    if conn.dialect.name == "sqlite":
        conn.connection.info[_TO_WRITE] = temporary
    return conn.begin()


def is_locked(error: exc.DBAPIError) -> bool:
    """Whether PostgreSQL gave a statement up because others kept a table or row for too long."""
    return getattr(error.orig, "sqlstate", None) in ("55P03", "40P01")  # lock_not_available, deadlock_detected


def is_trouble(error: Exception) -> bool:
    """Whether the database is to blame, and not a statement or its values."""
    return isinstance(error, exc.DBAPIError | exc.TimeoutError) and not is_of_statement(error)


def is_of_statement(error: Exception) -> bool:
    """Whether the database refused a statement for what it says or for its values."""
    return isinstance(error, _OF_STATEMENTS)


def _checked(url: str | URL) -> URL:
    # An exception's text must not repeat the URL: it may hold a password.
    try:
        url = sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        raise UnusableDatabase("the database URL cannot be read; it looks like sqlite:////path/to/file.db or "
                               "postgresql://user@host/name") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise UnusableDatabase(f"the database {url.drivername!r} is not supported: use SQLite (sqlite:///...) or "
                               "PostgreSQL with psycopg 3 (postgresql://...)")
    return url.set(drivername=driver)


def _sqlite(url: URL, synchronous: str, pool_size: int, max_overflow: int, busy_timeout: float) -> Engine:
    pool = {"pool_size": pool_size, "max_overflow": max_overflow}
    if _in_memory(url):
        # One connection is the database; callers take turns.
        pool = {"pool_size": 1, "max_overflow": 0}
    # Half of the wait in line, half for a writer who takes no turns.
    patience = busy_timeout / 2
    engine = sa.create_engine(
        url, poolclass=sa.QueuePool, connect_args={"check_same_thread": False, "timeout": patience},
        hide_parameters=True, pool_timeout=_POOL_SECONDS, pool_use_lifo=True, **pool,
    )  # fmt: skip
    if not (_in_memory(url) or url.database.startswith("file:")):
        file = pathlib.Path(url.database)
        _create_file(file)
        place.watch(engine, file)
        turn = _TURNS[engine] = functools.partial(turns.of_file(file).mine, patience)
        made = _CHECKPOINTS[engine] = checkpoints.Checkpoints(file, turn)
        event.listen(engine, "engine_disposed", lambda _: made.close())

    @event.listens_for(engine, "connect")
    def settle(connection, _record):
        # sqlite3 would open transactions by its own rules; the listener below opens them by ours.
        connection.isolation_level = None
        turns.use_wal(connection, busy_timeout)
        connection.execute(f"PRAGMA synchronous = {synchronous}").close()
        connection.execute("PRAGMA foreign_keys = ON").close()
        connection.execute("PRAGMA cache_size = -8192").close()  # KiB; readers have less
        connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoints.LOG_PAGES}").close()
        connection.execute("PRAGMA journal_size_limit = 67108864").close()  # a burst does not leave a huge -wal file

    # The dialect's own hook, where an event listener on the engine would slow every statement down.
    engine.dialect.do_begin = _begin_on_sqlite
    return engine


def _begin_on_sqlite(connection: sa.PoolProxiedConnection) -> None:
    info = connection.info
    temporary = info.pop(_TO_WRITE, None)
    if temporary is None:
        connection.execute("BEGIN").close()
        return
    if info.get(_TEMPORARY) != temporary:
        connection.execute(f"PRAGMA temp_store = {temporary}").close()
        info[_TEMPORARY] = temporary
    connection.execute("BEGIN IMMEDIATE").close()


def _in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:") or url.query.get("mode") == "memory"


def _create_file(path: pathlib.Path) -> None:
    try:
        # SQLite gives its -wal and -shm files the mode of the file itself.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise UnusableDatabase(f"the database file {path} cannot be created: {error.strerror}") from error


def _postgresql(url: URL, limits: dict[str, float], pool_size: int, max_overflow: int, connect_timeout: int) -> Engine:
    # Imported here: psycopg, which it loads, is 8 MB that a register on SQLite has no use for.
    from lrs_soap.store import reach

    # JIT: statements here read a few rows by index. PostgreSQL would compile one whose cost it overestimates, as it
    # does while it has no statistics, for longer than the statement takes. Plans: ours read by index whatever the values.
    # PostgreSQL would plan a statement with arrays anew each time, as it takes arrays that it does not know for longer.
    # Pages: those of a register in use are mostly in memory, and before its first ANALYZE it looks small enough to be read
    # as a whole for every search.
    options = " ".join(["-c jit=off", "-c plan_cache_mode=force_generic_plan", "-c random_page_cost=1.1",
                        *(f"-c {name}={round(seconds * 1000)}" for name, seconds in limits.items())])
    # What the URL itself says comes last, so it wins; but its hosts, which may be several, SQLAlchemy puts together.
    said = {name: value for name, value in url.query.items() if name not in ("host", "port")}
    connect_args = {"connect_timeout": connect_timeout, "application_name": "lrs-soap"} | _TCP | said
    connect_args["options"] = f"{options} {url.query.get('options', '')}".strip()
    engine = sa.create_engine(
        url, connect_args=connect_args, pool_size=pool_size, max_overflow=max_overflow, pool_use_lifo=True,
        hide_parameters=True, pool_timeout=_POOL_SECONDS,
    )  # fmt: skip
    patience = limits["statement_timeout"]
    _REACHES[engine] = reach.Reach(engine, patience + _ON_THE_WAY_SECONDS if patience else reach.ANY_TIME)

    @event.listens_for(engine, "checkin")
    def returned(_connection, record):
        record.info["returned"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def taken(connection, record, _proxy):
        returned = record.info.get("returned")
        if returned is None or time.monotonic() - returned < PING_AFTER_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.dbapi.Error as error:
            connection.reach.lost()
            # The pool answers this exception with a fresh connection.
            raise exc.DisconnectionError() from error

    return engine
