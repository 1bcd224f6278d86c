"""Databases for the tests, made quickly: migrated ones are copies of one, and on PostgreSQL used again when they are empty."""

import contextlib
import itertools
import os
import shutil

import sqlalchemy as sa

from lrs_soap import sandbox
from lrs_soap.store import engine as engines
from lrs_soap.store import schema

POSTGRES = os.environ.get("LRS_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1/postgres")
PREFIX = f"lrs_test_{os.getpid()}"
# A database that was used for more is not used again: what is deleted from it makes it slow.
_LARGEST = 32 * 1024 * 1024


class Databases:
    """Makes databases on one kind of server by copying one of the same kind that was made once."""

    def empty(self) -> str:
        """The URL of a new database without tables."""
        raise NotImplementedError

    def migrated(self) -> str:
        """The URL of a database with the tables of today, and no row but those of the migrations."""
        raise NotImplementedError

    def sandbox(self) -> str:
        """The URL of a new database as `lrs-soap sandbox` makes it, with passwords that are verified in a moment: for
        tests of what a server does, not of how it begins."""
        raise NotImplementedError

    def drop(self, url: str) -> None:
        """Takes back a database of this kind."""
        raise NotImplementedError


class Sqlite(Databases):
    """Files in a directory."""

    def __init__(self, directory):
        self._directory = directory
        self._numbers = itertools.count()
        self._template = self._file()
        _upgrade(self._url(self._template))
        self._sandbox = None

    def _file(self):
        return self._directory / f"{PREFIX}_{next(self._numbers)}.db"

    def _url(self, path) -> str:
        return f"sqlite:///{path}"

    def _copy(self, template) -> str:
        path = self._file()
        shutil.copy(template, path)
        return self._url(path)

    def empty(self) -> str:
        return self._url(self._file())

    def migrated(self) -> str:
        return self._copy(self._template)

    def sandbox(self) -> str:
        if self._sandbox is None:
            url = self.migrated()
            _load_sandbox(url)
            self._sandbox = sa.make_url(url).database
        return self._copy(self._sandbox)

    def drop(self, url: str) -> None:
        path = sa.make_url(url).database
        for name in (path, f"{path}-wal", f"{path}-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(name)


class Postgresql(Databases):
    """Databases of one server. To make and to drop one costs ten times what it costs to empty one, so those that are
    migrated are emptied and used again, as long as nothing but rows was changed in them."""

    def __init__(self):
        self._server = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self._numbers = itertools.count()
        self._template = self.empty()
        _upgrade(self._template)
        with _connected(self._template) as conn:
            self._structure = conn.scalar(sa.text(_STRUCTURE))
            # What the migrations wrote into each table: next to nothing.
            tables = conn.scalars(sa.text(_TABLES)).all()
            self._rows = {name: conn.execute(sa.text(f"SELECT * FROM {name}")).mappings().all() for name in tables}
        self._sandbox = None
        self._in_use: set[str] = set()
        self._free: list[str] = []

    def _run(self, statement: str) -> None:
        with self._server.connect() as conn:
            conn.exec_driver_sql(statement)

    def _create(self, template: str) -> str:
        name = f"{PREFIX}_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return sa.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)

    def empty(self) -> str:
        return self._create("template0")

    def migrated(self) -> str:
        url = self._free.pop() if self._free else self._create(sa.make_url(self._template).database)
        self._in_use.add(url)
        return url

    def sandbox(self) -> str:
        if self._sandbox is None:
            self._sandbox = self._create(sa.make_url(self._template).database)
            _load_sandbox(self._sandbox)
        return self._create(sa.make_url(self._sandbox).database)

    def drop(self, url: str) -> None:
        if url in self._in_use:
            self._in_use.remove(url)
            if self._emptied(url):
                self._free.append(url)
                return
        self._run(f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)')

    def _emptied(self, url: str) -> bool:
        """Whether the database could be made as it was: without connections of others and without rows."""
        with _connected(url) as conn:
            conn.execute(sa.text(_END_OTHERS))
            as_it_was = conn.scalar(sa.text(_STRUCTURE)) == self._structure
            if not as_it_was or conn.scalar(sa.text("SELECT pg_database_size(current_database())")) > _LARGEST:
                return False
            conn.execute(sa.text("SET LOCAL session_replication_role = replica"))  # triggers forbid to delete what is audited
            for name, rows in self._rows.items():
                conn.execute(sa.text(f"DELETE FROM {name}"))
                for row in rows:
                    values = ", ".join(f":{column}" for column in row)
                    conn.execute(sa.text(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({values})"), dict(row))
            conn.execute(sa.text(_RESTART))
            return True

    def close(self) -> None:
        for url in [self._template, self._sandbox, *self._free]:
            if url is not None:
                self.drop(url)


_TABLES = "SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
# Everything that a test could change but rows: tables, columns, indexes, sequences, constraints, triggers, functions.
_STRUCTURE = """
SELECT md5(string_agg(what, ';' ORDER BY what)) FROM (
    SELECT concat_ws(' ', c.oid, relname, relkind, relpersistence, relacl, reloptions) FROM pg_class c WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull, atthasdef) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', oid, conname, convalidated) FROM pg_constraint
    UNION ALL
    SELECT concat_ws(' ', oid, tgname, tgenabled) FROM pg_trigger
    UNION ALL
    SELECT concat_ws(' ', oid, proname, md5(prosrc)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', oid, nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg_temp%' AND nspname NOT LIKE 'pg_toast_temp%'
) AS all_of_it (what)
"""
_RESTART = "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences"
# Also of processes that were killed: what they had begun must not be written later.
_END_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@contextlib.contextmanager
def _connected(url: str):
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as conn:
        yield conn


def _upgrade(url: str) -> None:
    made = engines.create(url)
    schema.upgrade(made)
    made.dispose()


def _load_sandbox(url: str) -> None:
    made = engines.create(url)
    sandbox.load(made)
    made.dispose()
