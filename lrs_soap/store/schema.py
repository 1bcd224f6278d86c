"""Creating and upgrading the register's tables."""

import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from lrs_soap import errors
from lrs_soap.store import engine as engines

# The newest revision, from the names of the files (r0001_register.py): known without importing alembic, which a
# server that starts on a current database would wait 90 ms for. A test compares it with alembic's answer.
_VERSIONS = Path(__file__).parent / "migrations" / "versions"
HEAD = max(path.name[1:5] for path in _VERSIONS.glob("r[0-9]*.py"))

# Any number that no other user of a PostgreSQL server locks: "LRS" and "soap" in ASCII.
_UPGRADE_LOCK = 0x4C5253_736F6170

_VERSION = sa.text("SELECT version_num FROM alembic_version")


class NewerDatabase(errors.LrsError):
    """The database was made by a newer version of lrs_soap: upgrade the program."""


def version(engine: Engine) -> str | None:
    """The revision of the database's tables, or None if it has none of ours."""
    with engine.connect() as conn:
        return _version(conn)


def is_current(engine: Engine) -> bool:
    """Whether the tables are those this program works with."""
    return version(engine) == HEAD


def upgrade(engine: Engine) -> None:
    """Creates the tables, or brings them up to date; does nothing if they are. Keeps what is in them.

    Servers that start at once wait for the first; it is done in one transaction, wholly or not at all. Raises
    NewerDatabase.
    """
    if is_current(engine):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "lrs_soap:store/migrations")
    with engine.connect() as conn, engines.write_on(conn):
        if conn.dialect.name == "postgresql":
            engines.take_time(conn)
            conn.exec_driver_sql("SET LOCAL lock_timeout = 0")
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
        found = _version(conn)
        if found is not None and found > HEAD:
            raise NewerDatabase()
        if found != HEAD:
            if found is not None and conn.dialect.name == "postgresql":
                _keep_calls_waiting(conn)
            config.attributes["connection"] = conn
            command.upgrade(config, "head")


def _keep_calls_waiting(conn: Connection) -> None:
    # Calls lock these in any order, and whoever of them and us looks for a deadlock first fails: so we give up
    # before anybody looks (PostgreSQL's deadlock_timeout is a second), and try again.
    while True:
        try:
            with conn.begin_nested():
                conn.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
                conn.exec_driver_sql("LOCK TABLE organisation, learner, audit IN ACCESS EXCLUSIVE MODE")
            break
        except sa.exc.OperationalError as error:
            if not engines.is_locked(error):
                raise
            time.sleep(0.05)
    conn.exec_driver_sql("SET LOCAL lock_timeout = 0")


def _version(conn: Connection) -> str | None:
    if not conn.dialect.has_table(conn, "alembic_version"):
        return None
    return conn.execute(_VERSION).scalar()
