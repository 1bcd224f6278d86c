"""What a backup asks of the database it copies, and of the copy: what is in it, and whether anybody works on it."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from lrs_soap.store import tables

_VERSION_TABLE = "alembic_version"
_PARTITIONS = sa.text(
    "SELECT p.relname, t.relname FROM pg_class p JOIN pg_class t ON t.oid = pg_partition_root(p.oid) WHERE p.relispartition"
    " AND p.relkind = 'r'"
)
_SNAPSHOT = sa.text("SELECT pg_export_snapshot()")
CLEAR = """DO $$ DECLARE command text; BEGIN
  SET LOCAL client_min_messages = warning;
  -- All names first: they could not be told any more once they are dropped.
  FOREACH command IN ARRAY array(
    SELECT format('DROP TABLE %I CASCADE', relname) FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    UNION ALL SELECT format('DROP SEQUENCE IF EXISTS %I', relname) FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S'
    UNION ALL SELECT format('DROP FUNCTION %s', oid::regprocedure) FROM pg_proc
      WHERE pronamespace = current_schema()::regnamespace AND NOT EXISTS (
        SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
  ) LOOP EXECUTE command; END LOOP;
END $$"""
"""Empties a PostgreSQL database: its tables, sequences and functions, but not what belongs to extensions."""

_SERVERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lrs-soap'"
    " AND pid <> pg_backend_pid()"
)
_SKIP = sa.update(tables.uln_issue).values(next_index=tables.uln_issue.c.next_index + sa.bindparam("n"))
_SKIP_SEQUENCE = sa.text(f"SELECT setval('{tables.ULN_SEQUENCE}', nextval('{tables.ULN_SEQUENCE}') - 1 + :n)")


def counts(conn: Connection) -> dict[str, int]:
    """The number of rows of every table, by name; nothing for an empty database."""
    names = sorted(set(sa.inspect(conn).get_table_names()) - {_VERSION_TABLE, *partitions(conn)})
    return {
        name: conn.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one() for name in names
    }


def partitions(conn: Connection) -> dict[str, str]:
    """The table to which each partition belongs, by the partition's name."""
    return dict(map(tuple, conn.execute(_PARTITIONS))) if conn.dialect.name == "postgresql" else {}


def is_empty(conn: Connection) -> bool:
    """Whether the database has no table at all, also none of another program."""
    return not sa.inspect(conn).get_table_names()


@contextlib.contextmanager
def snapshot(engine: Engine) -> Iterator[tuple[Connection, str]]:
    """A connection that sees one state of a PostgreSQL database, and the name by which others see the same state."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn, conn.begin():
        yield conn, conn.execute(_SNAPSHOT).scalar_one()


def servers(conn: Connection) -> int:
    """How many connections of servers and commands of ours a PostgreSQL database has, besides this one."""
    return conn.execute(_SERVERS).scalar_one()


def skip_ulns(conn: Connection, number: int) -> None:
    """Lets this many ULNs, the next that would be issued, never be issued."""
    if number and conn.dialect.name == "postgresql":
        conn.execute(_SKIP_SEQUENCE, {"n": number})
    elif number:
        conn.execute(_SKIP, {"n": number})


def copy_sqlite(source: Path, target: Path) -> None:
    """Copies one state of a SQLite database into the new file `target`; others go on reading and writing the source.

    The copy is one file with mode 0600, without -wal. Raises sqlite3.Error, FileExistsError.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with contextlib.closing(_connect(source, "ro")) as reading, contextlib.closing(_connect(target, "rw")) as writing:
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode = DELETE").fetchall()


def is_sound(path: Path) -> bool:
    """Whether SQLite finds the file whole: every page, index and reference to another row."""
    with contextlib.closing(_connect(path, "ro")) as conn:
        whole = conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return whole and not conn.execute("PRAGMA foreign_key_check").fetchall()


def is_open(path: Path) -> bool:
    """Whether another process or connection has the SQLite file open; if not, its -wal is written back and gone."""
    with contextlib.closing(_connect(path, "rw")) as conn:
        try:
            conn.execute("PRAGMA journal_mode = DELETE").fetchall()
        except sqlite3.OperationalError:
            return True
        except sqlite3.DatabaseError:
            return False  # no database, or a broken one: nobody works on it
    return False


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=1)
