"""How far a server is: what the primary says, and what a server that is no replica of it may not say."""

import pytest
import sqlalchemy as sa

from lrs_soap.store import engine as engines
from lrs_soap.store import replicas, replication, tables_replicas

pytestmark = pytest.mark.parametrize("databases", ["postgresql"], indirect=True)


@pytest.fixture
def primary(engine):
    found = replication.Primary(engine, 5.0)
    yield found
    found.close()


@pytest.fixture
def not_a_replica(engine):
    found = replication.Replica(engine, {}, 5.0)
    yield found
    found.close()


def note(engine):
    with engines.write(engine) as conn:
        replication.note(conn)


def test_a_history_has_one_number(engine, primary):
    assert primary.position() is None
    for _ in range(3):
        note(engine)
    with engines.read(engine) as reader:
        (row,) = reader.execute(sa.select(tables_replicas.wal_history)).all()
    assert primary.position().history == row.number > 0


def test_the_position_comes_after_what_is_committed(engine, primary):
    note(engine)
    with engines.write(engine) as conn:
        conn.execute(sa.text("CREATE TABLE here (n int)"))
        within = conn.execute(sa.text("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")).scalar_one()
    assert primary.position().offset > within


def test_a_commit_that_did_not_wait_for_the_disk_is_before_the_position(engine):
    note(engine)
    hasty_url = engine.url.update_query_dict({"options": "-c synchronous_commit=off"})
    hasty = replication.Primary(engines.create(hasty_url), 5.0)
    with hasty.engine.begin() as conn:
        conn.execute(sa.text("CREATE TABLE here (n int)"))
        within = conn.execute(sa.text("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")).scalar_one()
    assert hasty.position().offset > within
    hasty.close()
    hasty.engine.dispose()


def test_a_new_connection_is_asked_for_its_history(engine, primary):
    note(engine)
    first = primary.position()
    pid = primary.execute(sa.select(sa.func.pg_backend_pid())).scalar()
    with engines.write(engine) as conn:
        conn.execute(sa.update(tables_replicas.wal_history).values(number=first.history // 2))
        conn.execute(sa.select(sa.func.pg_terminate_backend(pid)))
    assert primary.position().history == first.history // 2


def test_a_primary_is_not_a_replica(engine, primary, not_a_replica):
    note(engine)
    with pytest.raises(replication.Promoted):
        not_a_replica.missing(primary.position())


def test_a_connection_to_a_replica_is_not_replaced_by_another(not_a_replica):
    with pytest.raises(replication.Disconnected):
        not_a_replica.execute(sa.select(sa.literal(1)))


def test_what_a_replica_fails_at_the_primary_does(engine, not_a_replica, database_url):
    replica = replicas.Replica(1, database_url)
    replica.becomes(replicas.State.UP)
    with replicas.Fallible(engine, replica, not_a_replica) as reading:
        assert reading.execute(sa.select(sa.literal(1))).scalar() == 1
        assert replica.state is replicas.State.LOST
        replica.becomes(replicas.State.UP)
        # The rest of the call stays where it is: going back could show an earlier state.
        assert reading.execute(sa.select(sa.literal(2))).scalar() == 2
    assert replica.state is replicas.State.UP


def test_without_a_watch_nothing_is_read_from_replicas(engine, database_url):
    note(engine)
    found = replicas.Replicas(engine, [database_url])
    with found.read(found.settled_position()) as reading:
        assert not isinstance(reading, replicas.Fallible)
    found.close()
