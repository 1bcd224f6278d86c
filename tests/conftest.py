"""Databases for the tests: every test gets one of its own, on SQLite and on PostgreSQL.

LRS_TEST_POSTGRES is the SQLAlchemy URL of a PostgreSQL server on which databases may be created (default: user
postgres at 127.0.0.1). The databases are named lrs_test_<pid>_<n> and dropped at the end.
"""

import contextlib
import itertools
import os
import shutil

import pytest
import sqlalchemy as sa

from lrs_soap.store import engine as engines
from lrs_soap.store import schema

POSTGRES = os.environ.get("LRS_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1/postgres")
PREFIX = f"lrs_test_{os.getpid()}"


class Databases:
    """Makes migrated databases on one kind of server by copying one that was migrated once."""

    def empty(self) -> str:
        """The URL of a new database without tables."""
        raise NotImplementedError

    def migrated(self) -> str:
        """The URL of a new database with the tables of today."""
        raise NotImplementedError

    def drop(self, url: str) -> None:
        """Removes a database of this kind."""
        raise NotImplementedError


class Sqlite(Databases):
    def __init__(self, directory):
        self._directory = directory
        self._numbers = itertools.count()
        self._template = self._file()
        upgrade(self._url(self._template))

    def _file(self):
        return self._directory / f"{PREFIX}_{next(self._numbers)}.db"

    def _url(self, path) -> str:
        return f"sqlite:///{path}"

    def empty(self) -> str:
        return self._url(self._file())

    def migrated(self) -> str:
        path = self._file()
        shutil.copy(self._template, path)
        return self._url(path)

    def drop(self, url: str) -> None:
        path = sa.make_url(url).database
        for name in (path, f"{path}-wal", f"{path}-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(name)


class Postgresql(Databases):
    def __init__(self):
        self._server = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self._numbers = itertools.count()
        self._template = self.empty()
        upgrade(self._template)

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
        return self._create(sa.make_url(self._template).database)

    def drop(self, url: str) -> None:
        self._run(f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)')

    def close(self) -> None:
        self.drop(self._template)


def upgrade(url: str) -> None:
    made = engines.create(url)
    schema.upgrade(made)
    made.dispose()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory):
    return Sqlite(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def postgresql_databases():
    try:
        sa.create_engine(POSTGRES, connect_args={"connect_timeout": 3}, poolclass=sa.NullPool).connect().close()
    except sa.exc.OperationalError:
        advice = "no PostgreSQL answers: start one, or set LRS_TEST_POSTGRES to the SQLAlchemy URL of one"
        if os.environ.get("CI"):
            pytest.fail(advice)
        pytest.skip(advice)
    databases = Postgresql()
    yield databases
    databases.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request) -> Databases:
    """The two kinds of databases, one after the other."""
    return request.getfixturevalue(f"{request.param}_databases")


@pytest.fixture
def database_url(databases):
    """The URL of a database of this test's own: migrated, without a row."""
    url = databases.migrated()
    yield url
    databases.drop(url)


@pytest.fixture
def empty_database_url(databases):
    """The URL of a database of this test's own, without tables."""
    url = databases.empty()
    yield url
    databases.drop(url)


@pytest.fixture
def engine(database_url):
    """The engine of a migrated database of this test's own."""
    made = engines.create(database_url)
    yield made
    made.dispose()
