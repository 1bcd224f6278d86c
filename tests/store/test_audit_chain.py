"""The chain of the audit trail: what is sealed cannot be changed, removed, added or forgotten without being named."""

import datetime
import threading

import pytest
import sqlalchemy as sa
from store_samples import NOW
from support import trail

from lrs_soap.rules import chain
from lrs_soap.store import audit, auditchain, auditprune, tables
from lrs_soap.store import engine as engines

YEAR = datetime.timedelta(days=365)


@pytest.fixture
def sealed(engine):
    """Nine rows in three blocks."""
    for block in range(3):
        trail.write(engine, *(trail.entry(3 * block + number) for number in (1, 2, 3)))
        assert trail.seal(engine) == 3
    return engine


def prune(engine, older_than=NOW + YEAR, key=trail.KEY, **more):
    with engines.write(engine) as conn:
        due = auditprune.due(conn, older_than, **more)
        if due is None:
            return None
        return auditprune.prune(conn, due, key, user_name="Op", reason="policy", older_than=older_than, at=NOW)


def test_an_untouched_trail_verifies(sealed):
    trail.write(sealed, trail.entry(10))
    summary, problems = trail.verify(sealed, expect=trail.head(sealed))
    assert problems == []
    assert (summary.blocks, summary.keyed, summary.rows, summary.waiting, summary.waiting_since) == (3, 3, 9, 1, NOW)
    assert chain.Head.parse(summary.head) == trail.head(sealed)


def test_an_empty_trail_verifies(engine):
    summary, problems = trail.verify(engine, must_be_keyed=True)
    assert (summary.head, problems) == (str(chain.Head(0, chain.START)), [])
    assert trail.seal(engine) == 0


def test_blocks_hold_no_more_than_they_may(engine):
    trail.write(engine, *map(trail.entry, range(25)))
    assert auditchain.seal(engine, trail.KEY, NOW, most=10) == 10
    assert trail.seal(engine, most=10) == 15
    summary, problems = trail.verify(engine)
    assert (summary.blocks, summary.rows, problems) == (3, 25, [])


def test_a_row_that_commits_late_with_a_lower_id_is_sealed(postgresql_databases):
    url = postgresql_databases.migrated()
    engine = engines.create(url)
    with engines.write(engine) as late:
        audit.write(late, [trail.entry(1)])
        trail.write(engine, trail.entry(2))
        assert trail.seal(engine) == 1
    assert trail.seal(engine) == 1
    summary, problems = trail.verify(engine)
    assert (summary.blocks, summary.rows, problems) == (2, 2, [])
    engine.dispose()
    postgresql_databases.drop(url)


def test_what_was_rolled_back_is_no_gap(engine):
    with pytest.raises(ZeroDivisionError), engines.write(engine) as conn:
        audit.write(conn, [trail.entry(1)])
        raise ZeroDivisionError
    trail.write(engine, trail.entry(2))
    assert trail.seal(engine) == 1
    assert trail.verify(engine)[1] == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("UPDATE audit SET user_name = 'Somebody else' WHERE id = :row", "row changed"),
        ("UPDATE audit SET code = 'WSRC0001' WHERE id = :row", "row changed"),
        ("UPDATE audit SET duration_us = duration_us + 1 WHERE id = :row", "row changed"),
        ("DELETE FROM audit_learner WHERE audit_id = :row AND uln = 1999999999", "row changed"),
        ("UPDATE audit_learner SET uln = 1999999998 WHERE audit_id = :row AND uln = 1999999999", "row changed"),
        ("INSERT INTO audit_learner (audit_id, uln) VALUES (:row, 1999999998)", "row changed"),
        ("DELETE FROM audit_learner WHERE audit_id = :row; DELETE FROM audit WHERE id = :row", "row missing"),
    ],
)
def test_a_row_that_was_touched_is_named(sealed, change, kind):
    row = trail.ids(sealed)[4]
    with trail.tampering(sealed) as conn:
        for statement in change.split(";"):
            conn.execute(sa.text(statement), {"row": row})
    assert trail.told(trail.verify(sealed)[1]) == [(kind, 2, row)]


def test_a_row_that_was_made_to_fit_is_named_by_its_block(sealed):
    # Whoever has no key can only forge the hash of the row.
    row = trail.ids(sealed)[4]
    with trail.tampering(sealed) as conn:
        conn.execute(sa.text("UPDATE audit SET user_name = 'Somebody else' WHERE id = :row"), {"row": row})
        conn.execute(sa.text("UPDATE audit_block_row SET hash = :hash WHERE audit_id = :row"), {"row": row, "hash": b"x" * 32})
    assert trail.told(trail.verify(sealed)[1]) == [("rows of a block changed", 2, None), ("row changed", 2, row)]


def test_a_row_that_was_removed_with_its_hash_is_missed(sealed):
    row = trail.ids(sealed)[4]
    with trail.tampering(sealed) as conn:
        for table, column in (("audit_learner", "audit_id"), ("audit", "id"), ("audit_block_row", "audit_id")):
            conn.execute(sa.text(f"DELETE FROM {table} WHERE {column} = :row"), {"row": row})
    [problem] = trail.verify(sealed)[1]
    assert (problem.kind, problem.block) == ("rows of a block changed", 2)
    assert "with 3 rows" in problem.message and "(2)" in problem.message


def test_a_row_added_behind_the_queue_is_named(sealed):
    with trail.tampering(sealed) as conn:
        conn.exec_driver_sql("DELETE FROM audit_unsealed")
        audit.write(conn, [trail.entry(10)])
        conn.exec_driver_sql("DELETE FROM audit_unsealed")
    assert trail.told(trail.verify(sealed)[1]) == [("row outside the chain", None, trail.ids(sealed)[-1])]


def test_a_row_removed_before_it_was_sealed_is_named(sealed):
    trail.write(sealed, trail.entry(10))
    row = trail.ids(sealed)[-1]
    with trail.tampering(sealed) as conn:
        conn.execute(sa.text("DELETE FROM audit_learner WHERE audit_id = :row"), {"row": row})
        conn.execute(sa.text("DELETE FROM audit WHERE id = :row"), {"row": row})
    assert trail.told(trail.verify(sealed)[1]) == [("row missing", None, row)]


def test_a_block_that_was_changed_is_named(sealed):
    with trail.tampering(sealed) as conn:
        conn.exec_driver_sql("UPDATE audit_block SET rows = 4 WHERE number = 2")
    assert trail.told(trail.verify(sealed)[1]) == [("block changed", 2, None), ("rows of a block changed", 2, None)]


def test_a_block_that_was_cut_out_is_named(sealed):
    rows = trail.ids(sealed)[3:6]
    with trail.tampering(sealed) as conn:
        conn.exec_driver_sql("DELETE FROM audit_block WHERE number = 2")
        conn.exec_driver_sql("DELETE FROM audit_block_row WHERE block = 2")
    assert trail.told(trail.verify(sealed)[1]) == [
        ("block missing", 2, None), *(("row outside the chain", None, row) for row in rows)
    ]  # fmt: skip


def truncate(conn, after, rows):
    """Cuts the end off, wholly."""
    for row in rows:
        conn.execute(sa.text("DELETE FROM audit_learner WHERE audit_id = :row"), {"row": row})
        conn.execute(sa.text("DELETE FROM audit WHERE id = :row"), {"row": row})
    conn.execute(sa.text("DELETE FROM audit_block_row WHERE block > :after"), {"after": after})
    conn.execute(sa.text("DELETE FROM audit_block WHERE number > :after"), {"after": after})


def test_an_end_that_was_cut_off_is_told_by_a_head_kept_elsewhere(sealed):
    kept = trail.head(sealed)
    with trail.tampering(sealed) as conn:
        truncate(conn, 2, trail.ids(sealed)[6:])
    assert trail.verify(sealed)[1] == []  # nothing in the database can tell
    assert trail.told(trail.verify(sealed, expect=kept)[1]) == [("head", 3, None)]
    trail.write(sealed, trail.entry(99))
    trail.seal(sealed)  # grown again, another block 3
    assert trail.told(trail.verify(sealed, expect=kept)[1]) == [("head", 3, None)]


def test_an_older_head_is_still_in_the_chain(sealed):
    kept = trail.head(sealed)
    trail.write(sealed, trail.entry(10))
    trail.seal(sealed)
    assert trail.verify(sealed, expect=kept)[1] == []


def test_a_chain_made_anew_without_the_key_is_refused(sealed):
    with trail.tampering(sealed) as conn:
        truncate(conn, 0, [])
        conn.exec_driver_sql("UPDATE audit SET user_name = 'Somebody else'")
        conn.exec_driver_sql("INSERT INTO audit_unsealed SELECT id FROM audit")
    trail.seal(sealed, key=None)
    assert trail.told(trail.verify(sealed)[1]) == [("key", 1, None)]


def test_an_end_made_anew_without_the_key_is_refused(sealed):
    with trail.tampering(sealed) as conn:
        truncate(conn, 2, trail.ids(sealed)[6:])
    trail.write(sealed, trail.entry(7, user_name="Somebody else"))
    trail.seal(sealed, key=None)
    assert trail.told(trail.verify(sealed)[1]) == [("key", 3, None), ("key", 3, None)]


def test_a_key_may_come_later_and_be_replaced(engine):
    for number, key in enumerate((None, trail.KEY, b"the key of the next year, as long")):
        trail.write(engine, trail.entry(number))
        trail.seal(engine, key=key)
    keys = trail.KEYS | {chain.key_name(key): key}
    summary, problems = trail.verify(engine, keys)
    assert (summary.keyed, problems) == (2, [])
    # Without one of the keys, what it sealed is not vouched for.
    assert trail.told(trail.verify(engine)[1]) == [("key", 3, None)]
    assert trail.told(trail.verify(engine, {})[1]) == [("key", 2, None), ("key", 3, None)]


@pytest.mark.parametrize("table", ["audit_block", "audit_block_row"])
@pytest.mark.parametrize("change", ["UPDATE {} SET hash = hash", "DELETE FROM {}"])
def test_the_chain_is_append_only(sealed, table, change):
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engines.write(sealed) as conn:
        conn.exec_driver_sql(change.format(table))
    assert trail.verify(sealed)[1] == []


def test_old_blocks_leave_by_policy_and_the_chain_holds(engine):
    for number, at in enumerate((NOW - 3 * YEAR, NOW - 2 * YEAR, NOW)):
        trail.write(engine, trail.entry(number, at=at), trail.entry(number + 10, at=NOW - 3 * YEAR))
        trail.seal(engine)
    kept = trail.head(engine)
    record = prune(engine, NOW - YEAR)
    assert (record.first_block, record.last_block, record.rows) == (1, 2, 4)
    assert prune(engine, NOW - YEAR) is None
    summary, problems = trail.verify(engine, expect=kept)
    assert problems == []
    assert (summary.blocks, summary.rows, summary.pruned_blocks, summary.pruned_rows) == (3, 2, 2, 4)
    assert summary.pruned == [record]
    with engines.read(engine) as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(tables.audit_learner)).scalar() == 4
    trail.write(engine, trail.entry(20))
    trail.seal(engine)
    assert trail.verify(engine)[1] == []


def test_a_block_with_a_row_that_is_not_old_stays_and_all_after_it(engine):
    for at in (NOW, NOW - 3 * YEAR):
        trail.write(engine, trail.entry(at=at))
        trail.seal(engine)
    assert prune(engine, NOW - YEAR) is None


def test_removal_goes_step_by_step(sealed):
    assert [prune(sealed, most_rows=4).last_block, prune(sealed, most_rows=4).last_block] == [2, 3]
    assert prune(sealed, most_rows=4) is None
    summary, problems = trail.verify(sealed)
    assert (summary.pruned_rows, problems) == (9, [])


def test_triggers_let_go_only_what_a_removal_names(sealed):
    prune(sealed, most_rows=1)
    for table in ("audit_learner", "audit", "audit_block_row", "audit_prune"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), engines.write(sealed) as conn:
            conn.exec_driver_sql(f"DELETE FROM {table}")
    summary, problems = trail.verify(sealed)
    assert (summary.rows, problems) == (6, [])


def test_a_removal_without_the_key_is_not_genuine(sealed):
    prune(sealed, key=None)
    assert [problem.kind for problem in trail.verify(sealed)[1]] == ["key"]
    with trail.tampering(sealed) as conn:
        conn.exec_driver_sql(f"UPDATE audit_prune SET key_name = '{chain.key_name(trail.KEY)}'")
    kinds = {problem.kind for problem in trail.verify(sealed)[1]}
    assert kinds == {"removal", "rows of a block changed"}


def test_a_removal_whose_record_is_gone_is_missed(sealed):
    prune(sealed, most_rows=1)
    with trail.tampering(sealed) as conn:
        conn.exec_driver_sql("DELETE FROM audit_prune")
    assert trail.told(trail.verify(sealed)[1]) == [("rows of a block changed", 1, None)]


def test_sealers_at_once_make_one_chain(engine):
    trail.write(engine, *map(trail.entry, range(300)))
    sealed, together = [], threading.Barrier(4)

    def work():
        together.wait()
        while trail.verify(engine)[0].waiting:
            sealed.append(auditchain.seal(engine, trail.KEY, NOW, most=7))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    summary, problems = trail.verify(engine)
    assert (sum(sealed), summary.rows, summary.blocks, problems) == (300, 300, 43, [])


def test_a_head_is_read_as_it_is_written():
    head = chain.Head(17, bytes(range(32)))
    assert chain.Head.parse(f" {head}\n") == head
    for wrong in ("", "17", "17:", "x:" + "0" * 64, "17:" + "0" * 62):
        with pytest.raises(ValueError):
            chain.Head.parse(wrong)


def test_no_two_rows_are_hashed_alike():
    row = [1, NOW, "a", None, "b", "c", "d", "e", 1]
    rows = [row, [1, NOW, "a", None, "bc", "", "d", "e", 1], [1, NOW, "a", 1, "b", "c", "d", "e", 1]]
    hashes = [chain.row_hash(None, each, []) for each in rows]
    hashes += [chain.row_hash(None, row, ["1"]), chain.row_hash(None, row, ["1", "2"]), chain.row_hash(b"key", row, [])]
    assert len(set(hashes)) == len(hashes)
