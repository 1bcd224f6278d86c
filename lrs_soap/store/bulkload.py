"""Loading very many learners: rows wait in a place of their own, then all of them take theirs in the register.

What waits is in `loading.waiting`, with how far the source was read in `loading.progress`. On PostgreSQL `loading` is a
schema; on SQLite a database file beside the register's, which goes when the load is done. Rows wait because a million
of them put in their places one by one, in the order of a file, would touch every page of the register many times over.

An empty register is filled in one transaction, in the order of ULNs, and its indexes are made afterwards. A register
that is in use gets some thousand rows in a transaction, so that its callers hardly wait.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from lrs_soap import errors, filemodes
from lrs_soap.store import bulkpack, reach
from lrs_soap.store import engine as engines


class Interrupted(errors.LrsError):
    """A load of another file was interrupted: load that file again to go on with it, or start anew with --restart."""


class Progress(NamedTuple):
    """How far a source was read: bytes, lines and their digest; rows read and rejected; bytes of the exceptions file."""

    offset: int = 0
    lines: int = 0
    digest: bytes = b""
    rows: int = 0
    rejected: int = 0
    exceptions_bytes: int = 0


class Turned(NamedTuple):
    """A row that found its place taken: its line, the rule of `bulkconflicts` that says so, the line or ULN that has it
    (None if the rule has none), and the row by bulkpack.COLUMNS."""

    line: int
    rule: str
    other: int | None
    row: dict


class Load:
    """A load, on a connection of its own, which `close` gives back to nobody. Raises what the database raises."""

    def __init__(self, engine: Engine, restart: bool = False):
        engine.dispose()  # connections of ours that lie idle keep SQLite from leaving its log
        self.conn = engine.connect()
        self.sqlite = engine.dialect.name == "sqlite"
        try:
            self._open(engine, restart)
            with engines.write_on(self.conn):
                self._create()
                self.progress = self._progress()
        except BaseException as error:
            self.close()
            if self.sqlite and "locked" in str(getattr(error, "orig", error)):
                raise Busy() from None
            raise

    def _open(self, engine: Engine, restart: bool) -> None:
        driver = self.conn.connection.driver_connection
        if self.sqlite:
            self._file = Path(f"{engine.url.database}.loading")
            if restart:
                self._remove()
            os.close(filemodes.open_private(self._file, 0))
            driver.execute("ATTACH DATABASE ? AS loading", (str(self._file),)).close()
            driver.execute("ATTACH DATABASE ':memory:' AS piece").close()
            # Helping threads take more processor time to sort than they save. The log: 64 MB of these large pages.
            for pragma in (f"loading.page_size = {bulkpack.SQLITE_PAGE}", "loading.locking_mode = EXCLUSIVE", "loading.journal_mode = WAL",
                           "loading.synchronous = NORMAL", "threads = 0", "wal_autocheckpoint = 1000"):  # fmt: skip
                driver.execute(f"PRAGMA {pragma}").close()
            return
        with self.conn.begin():
            driver.patience = reach.ANY_TIME
            for setting in ("statement_timeout = 0", "lock_timeout = 0", "idle_in_transaction_session_timeout = 0",
                            "maintenance_work_mem = '256MB'", "work_mem = '64MB'"):  # fmt: skip
                self.conn.exec_driver_sql(f"SET {setting}")
            if not self.conn.execute(sa.text("SELECT pg_try_advisory_lock(:n)"), {"n": _LOCK}).scalar():
                raise Busy()
            if restart:
                self._remove()

    def _create(self) -> None:
        number, blob = ("INTEGER", "BLOB") if self.sqlite else ("BIGINT", "BYTEA")
        if not self.sqlite:
            self.run("CREATE SCHEMA IF NOT EXISTS loading")
        # Unlogged: a PostgreSQL that crashes empties it, and the two tables go together.
        unlogged = "" if self.sqlite else "UNLOGGED"
        self.run(f"CREATE {unlogged} TABLE IF NOT EXISTS loading.waiting ({bulkpack.WAITING[self.conn.dialect.name]})")
        self.run(f"CREATE {unlogged} TABLE IF NOT EXISTS loading.turned (line {number}, rule TEXT, other {number})")
        self.run(f"CREATE {unlogged} TABLE IF NOT EXISTS loading.progress (\"offset\" {number}, lines {number}, "
                  f"digest {blob}, \"rows\" {number}, rejected {number}, exceptions_bytes {number})")

    def _progress(self) -> Progress:
        row = self.conn.execute(sa.text("SELECT * FROM loading.progress")).first()
        return Progress(*row)._replace(digest=bytes(row[2])) if row else Progress()

    def run(self, statement: str, **values) -> sa.CursorResult:
        """Executes a statement with named values."""
        return self.conn.execute(sa.text(statement), values)

    def add(self, pack: bytes, after: Progress) -> None:
        """Lets rows wait that PACK made, b"" for none, and keeps how far the source was read for them: both or neither."""
        driver = self.conn.connection.driver_connection
        if pack and self.sqlite:
            driver.deserialize(pack, name="piece")
        with engines.write_on(self.conn):
            if pack and self.sqlite:
                driver.execute(_ADD).close()
            elif pack:
                with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
                    copy.write(pack)
            self._keep(after)

    def _keep(self, after: Progress) -> None:
        self.run("DELETE FROM loading.progress")
        self.run("INSERT INTO loading.progress VALUES (:offset, :lines, :digest, :rows, :rejected, :exceptions_bytes)",
                  **after._asdict())
        self.progress = after

    def index(self, name: str, of: str) -> str:
        """The statement that makes an index of a table of `loading`, by its name and "table (column)"."""
        made = f"loading.{name} ON {of}" if self.sqlite else f"{name} ON loading.{of}"
        return f"CREATE INDEX IF NOT EXISTS {made}"

    def turn_away(self, turned: Callable[[Iterator[Turned]], Progress]) -> None:
        """Hands over the rows of `loading.turned`, which wait no longer. `turned` says how far the load is with them."""
        if self.run("SELECT 1 FROM loading.turned LIMIT 1").first() is None:
            return
        rows = self.run("SELECT t.rule, t.other, w.* FROM loading.turned t JOIN loading.waiting w ON w.line = t.line "
                         "ORDER BY t.line").mappings()
        found = (Turned(row["line"], row["rule"], row["other"], {name: row[name] for name in bulkpack.COLUMNS}) for row in rows)
        after = turned(found)
        self.run("DELETE FROM loading.waiting WHERE line IN (SELECT line FROM loading.turned)")
        self.run("DELETE FROM loading.turned")
        self._keep(after)

    def finish(self) -> None:
        """Lets the database look at what it has now, and forgets the load."""
        driver = self.conn.connection.driver_connection
        if self.sqlite:
            self.journal("WAL")
            driver.execute("PRAGMA main.analysis_limit = 1000").close()
            driver.execute("ANALYZE main").close()
            driver.execute("PRAGMA main.wal_checkpoint(TRUNCATE)").close()
            driver.execute("DETACH DATABASE loading").close()
            self._remove()
            return
        with self.conn.begin():
            self._remove()
        # Else whoever first reads a page writes it, to note that its rows are committed.
        driver.autocommit = True
        driver.execute("VACUUM (FREEZE, ANALYZE) learner, learner_identity")

    def close(self) -> None:
        """Ends the connection, whose settings nobody else should have."""
        self.conn.invalidate()
        self.conn.close()

    def journal(self, mode: str) -> None:
        """Has SQLite keep its changes in this way, if nobody else has the register open."""
        if not self.sqlite:
            return
        try:
            self.conn.connection.driver_connection.execute(f"PRAGMA main.journal_mode = {mode}").close()
        except self.conn.dialect.dbapi.OperationalError:
            pass  # others have the register open: it stays as it is, and right

    def _remove(self) -> None:
        if self.sqlite:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        else:
            self.run("DROP SCHEMA IF EXISTS loading CASCADE")


class Busy(errors.LrsError):
    """Another load into this register is running: wait until it has ended."""


# Any number that no other user of a PostgreSQL server locks: "LRS" and "load" in ASCII.
_LOCK = 0x4C5253_6C6F6164
_ADD = "INSERT INTO loading.waiting SELECT * FROM piece.waiting"
_COPY = f"COPY loading.waiting ({', '.join(bulkpack.COLUMNS)}) FROM STDIN"
