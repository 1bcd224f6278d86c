"""Partitions of the audit trail: made ahead, nothing refused without one, dropped by policy, and guarded like the rest."""

import pytest
import sqlalchemy as sa
from store_samples import NOW
from support import trail

from lrs_soap.store import auditpartitions, auditprune, auditsearch
from lrs_soap.store import engine as engines

FORGED = (
    "INSERT INTO {} (id, at, request_id, reference, user_name, operation, code, duration_us) "
    "VALUES ({}, now(), 'r', 'X', 'U', 'op', 'code', 1)"
)
OLD, ROWS = NOW.replace(year=NOW.year - 3), 100


@pytest.fixture
def engine(postgresql_databases):
    url = postgresql_databases.migrated()
    made = engines.create(url)
    yield made
    made.dispose()
    postgresql_databases.drop(url)


@pytest.fixture
def parted(engine):
    """A trail whose second partition begins at row 100, with two old blocks in the first and one that reaches over."""
    with engines.write(engine) as conn:
        for table in ("audit", "audit_learner", "audit_block_row"):
            conn.exec_driver_sql(f"ALTER TABLE {table} DETACH PARTITION {table}_0")
            conn.exec_driver_sql(f"ALTER TABLE {table} ATTACH PARTITION {table}_0 FOR VALUES FROM (MINVALUE) TO ({ROWS})")
    assert make(engine) == [ROWS]
    for at, numbers in ((OLD, range(1, 41)), (OLD, range(41, 81)), (OLD, range(81, 121)), (NOW, range(121, 131))):
        trail.write(engine, *(trail.entry(number, at=at) for number in numbers))
        trail.seal(engine)
    return engine


def make(engine, rows=ROWS):
    with engines.write(engine) as conn:
        return [one.first for one in auditpartitions.make_ahead(conn, rows)]


def ends(engine):
    with engine.connect() as conn:
        return [one.end for one in auditpartitions.partitions(conn)]


def counted(engine, table):
    with engine.connect() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar()


def prune(engine):
    with engines.write(engine) as conn:
        due = auditprune.due(conn, NOW)
        return due and auditprune.prune(conn, due, trail.KEY, user_name="Op", reason="policy", older_than=NOW, at=NOW)


def test_a_new_register_has_room_and_makes_none(engine):
    assert ends(engine) == [auditpartitions.ROWS]
    assert make(engine, auditpartitions.ROWS) == [auditpartitions.ROWS]
    assert make(engine, auditpartitions.ROWS) == []


def test_the_next_is_made_before_it_is_needed(parted):
    assert ends(parted) == [100, 200]
    assert make(parted) == [200]  # 130 rows: less than a whole partition is left
    assert make(parted) == []
    assert counted(parted, "audit_100") == counted(parted, "audit_block_row_100") == 31


def test_rows_without_a_partition_are_kept_and_the_next_begins_after_them(parted):
    for start in (131, 181, 231):
        trail.write(parted, *(trail.entry(number) for number in range(start, start + 50)))
    assert counted(parted, "audit_default") == 81
    assert make(parted) == [300]
    trail.write(parted, *(trail.entry(number) for number in range(281, 311)))
    assert counted(parted, "audit_300") == 11
    trail.seal(parted)
    assert trail.verify(parted)[1] == []


def test_an_old_partition_is_dropped_whole_and_the_chain_holds(parted):
    with engines.write(parted) as conn:
        dropped = []
        sa.event.listen(conn, "before_cursor_execute", lambda *args: dropped.append(args[2]) if "DROP" in args[2] else None)
        due = auditprune.due(conn, NOW)
        auditprune.prune(conn, due, trail.KEY, user_name="Op", reason="policy", older_than=NOW, at=NOW)
    assert (due.first, due.last, due.rows) == (1, 3, 120)
    assert dropped == ["DROP TABLE audit_0", "DROP TABLE audit_learner_0", "DROP TABLE audit_block_row_0"]
    assert ends(parted) == [200]
    summary, problems = trail.verify(parted)
    assert (summary.pruned_rows, summary.rows, problems) == (120, 10, [])
    assert counted(parted, "audit") == 10
    assert prune(parted) is None


@pytest.mark.parametrize("into", ["audit", "audit_0"], ids=["unsealed", "forged"])
def test_a_partition_with_a_row_that_must_stay_is_not_dropped(parted, into):
    with engines.write(parted) as conn:
        conn.exec_driver_sql(FORGED.format(into, 0))
    assert prune(parted).rows == 120
    assert ends(parted) == [100, 200]
    assert counted(parted, "audit_0") == 1


def test_whoever_reads_the_whole_trail_is_not_waited_for(parted):
    with parted.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM audit")
        with pytest.raises(auditpartitions.TrailInUse):
            prune(parted)
    assert ends(parted) == [100, 200]
    assert prune(parted).rows == 120


def test_every_partition_is_append_only(parted):
    trail.write(parted, *(trail.entry(number) for number in range(131, 211)))
    trail.seal(parted)
    refused = []
    with engines.write(parted) as conn:
        for table, key in (("audit", "id"), ("audit_learner", "audit_id"), ("audit_block_row", "audit_id")):
            for name in (f"{table}{suffix}" for suffix in ("", "_0", "_100", "_default")):
                assert conn.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar()
                for change in (f"UPDATE {name} SET {key} = {key}", f"DELETE FROM {name}", f"TRUNCATE {name}"):
                    with pytest.raises(sa.exc.DBAPIError, match="append-only"), conn.begin_nested():
                        conn.exec_driver_sql(change)
                    refused.append(change)
    assert len(refused) == 3 * 4 * 3


def test_a_row_put_into_a_partition_and_a_partition_taken_away_are_named(parted):
    with engines.write(parted) as conn:
        conn.exec_driver_sql(FORGED.format("audit_100", 190))
        conn.exec_driver_sql("ALTER TABLE audit DETACH PARTITION audit_0")
    found = trail.told(trail.verify(parted)[1])
    assert {(kind, number) for kind, _, number in found} == {
        ("row outside the chain", 190), *(("row missing", number) for number in range(1, 100))
    }  # fmt: skip


def test_search_goes_over_partitions(parted):
    with parted.connect() as conn:
        assert [row.id for row in auditsearch.search(conn, auditsearch.Wanted(uln="1999999999"))] == list(range(1, 131))
        assert [row.id for row in auditsearch.search(conn, auditsearch.Wanted(), newest_first=True, limit=2)] == [130, 129]
