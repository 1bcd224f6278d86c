import multiprocessing
import re
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from support import schemas

from lrs_soap.store import engine as engines
from lrs_soap.store import (  # noqa: F401 - all have one metadata
    schema,
    tables,
    tables_access,
    tables_audit,
    tables_events,
    tables_jobs,
    tables_merges,
    tables_replicas,
)


@pytest.fixture
def empty(empty_database_url):
    made = engines.create(empty_database_url)
    yield made
    made.dispose()


def upgrade(url, start):
    engine = engines.create(url)
    start.wait()
    schema.upgrade(engine)
    engine.dispose()


def definitions(engine):
    """What the database itself keeps of the tables: names of constraints, checks, WITHOUT ROWID."""
    if engine.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%' AND type IN ('table', 'index')"
    else:
        query = ("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname NOT LIKE '%alembic%' "
                 "AND conparentid = 0 "  # of tables: partitions have the same
                 "UNION SELECT 'ix_audit_learner_uln', pg_get_indexdef('ix_audit_learner_uln'::regclass)")
    with engine.connect() as conn:
        # Columns and constraints may be written down in another order.
        return {name: sorted(part.strip() for part in re.split(r",\s|\n", text or "") if part.strip())
                for name, text in conn.execute(sa.text(query))}


def test_migrations_equal_the_tables(engine):
    with engine.connect() as conn:
        assert schemas.differences(conn) == []


def test_constraints_and_storage_equal_the_tables(engine, empty):
    with engines.write(empty) as conn:
        tables.metadata.create_all(conn)
    assert definitions(engine) == definitions(empty)


def test_head_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", "lrs_soap:store/migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_upgrade_takes_an_empty_database_to_the_current_version(empty):
    assert schema.version(empty) is None
    assert not schema.is_current(empty)
    schema.upgrade(empty)
    assert schema.version(empty) == schema.HEAD
    assert schema.is_current(empty)


def test_upgrading_again_keeps_everything(engine):
    key = sa.select(tables.uln_issue.c.permutation_key)
    with engine.connect() as conn:
        before = conn.execute(key).scalar_one()
    schema.upgrade(engine)
    with engine.connect() as conn:
        assert conn.execute(key).scalar_one() == before
    assert len(before) == 32


def test_servers_that_start_at_once_upgrade_once(empty_database_url):
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(3)
    servers = [spawn.Process(target=upgrade, args=(empty_database_url, start)) for _ in range(3)]
    for server in servers:
        server.start()
    for server in servers:
        server.join()
    assert [server.exitcode for server in servers] == [0, 0, 0]
    engine = engines.create(empty_database_url)
    with engine.connect() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(tables.uln_issue)).scalar() == 1
    engine.dispose()


def test_a_newer_database_is_refused(engine):
    with engines.write(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(schema.NewerDatabase):
        schema.upgrade(engine)


def test_a_failed_upgrade_leaves_nothing(empty, monkeypatch):
    with engines.write(empty) as conn:
        conn.exec_driver_sql("CREATE TABLE audit (n integer)")  # in the way of the last tables
    with pytest.raises(sa.exc.DBAPIError):
        schema.upgrade(empty)
    with empty.connect() as conn:
        assert sa.inspect(conn).get_table_names() == ["audit"]


def test_a_current_database_does_not_pay_for_alembic(database_url):
    program = (
        "import sys; from lrs_soap.store import engine, schema; "
        "schema.upgrade(engine.create(sys.argv[1])); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, database_url], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
