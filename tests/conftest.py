"""Databases for the tests: every test gets one of its own, on SQLite and on PostgreSQL.

LRS_TEST_POSTGRES is the SQLAlchemy URL of a PostgreSQL server, of a superuser (default: user postgres at 127.0.0.1). The
databases are named lrs_test_<pid>_<n> and dropped at the end.
"""

import os

import pytest
import sqlalchemy as sa
from support.databases import POSTGRES, Databases, Postgresql, Sqlite

from lrs_soap import passwords
from lrs_soap.store import engine as engines


@pytest.fixture(scope="session", autouse=True)
def quick_passwords():
    """Hundreds of tests hash passwords that guard nothing; what it costs where they do is tested in test_passwords."""
    passwords.cheapen()


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
