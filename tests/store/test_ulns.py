import multiprocessing

import pytest
import sqlalchemy as sa
from store_samples import changed, store

from lrs_soap.rules import uln as rules_uln
from lrs_soap.store import engine as engines
from lrs_soap.store import bulk, learners, schema, tables, ulns


def issue(url, start, answers):
    engine = engines.create(url)
    start.wait()
    got = []
    for n in (1, 2, 7) * 5:
        with engines.write(engine) as conn:
            got += ulns.issue(conn, n)
    answers.put(got)
    engine.dispose()


def issuer(conn):
    return rules_uln.Issuer(bytes(conn.execute(sa.select(tables.uln_issue.c.permutation_key)).scalar_one()))


def test_ulns_are_the_permutation_of_a_count(conn):
    order = issuer(conn)
    assert ulns.issue(conn) == [order.uln(0)]
    assert ulns.issue(conn, 3) == [order.uln(index) for index in (1, 2, 3)]
    assert ulns.issue(conn, 0) == []


def test_two_registers_issue_in_different_orders(databases):
    urls = [databases.empty(), databases.empty()]
    first = []
    for url in urls:
        engine = engines.create(url)
        schema.upgrade(engine)
        with engines.write(engine) as conn:
            first.append(ulns.issue(conn, 5))
        engine.dispose()
        databases.drop(url)
    assert not set(first[0]) & set(first[1])


def test_numbers_loaded_from_elsewhere_are_skipped(engine):
    with engines.read(engine) as conn:
        order = issuer(conn)
    store(engine, changed(uln=order.uln(1)), changed(uln=order.uln(2), given_name="Bea", learner_status="2"))
    with engines.write(engine) as conn:
        assert ulns.issue(conn, 3) == [order.uln(index) for index in (0, 3, 4)]


def test_who_is_registered_gets_the_next_number_that_nobody_has(engine):
    """Whether numbers were drawn for them before or not; two are the same person."""
    with engines.read(engine) as conn:
        order = issuer(conn)
    store(engine, *(changed(uln=order.uln(index), given_name=f"Loaded {index}") for index in (0, 2, 4)))
    new = [bulk.newcomer(changed(given_name=name)) for name in ("Bea", "Cleo", "Loaded 2", "Dora")]
    with engines.write(engine) as conn:
        there, drawn = bulk.equal_and_drawn(conn, new)
        assert [learner.given_name for equals in there.values() for learner in equals] == ["Loaded 2"]
        assert drawn == ([order.uln(index) for index in (0, 1, 2)] if conn.dialect.name == "postgresql" else [])
        given = bulk.register(conn, new, drawn)
        assert given[2] is None
        assert {given[0], given[1], given[3]} <= {order.uln(index) for index in (1, 3, 5, 6, 7, 8)}
        assert len(set(given)) == 4
    with engines.read(engine) as conn:
        held = learners.by_ulns(conn, [uln for uln in given if uln])
        assert [held[uln].given_name for uln in given if uln] == ["Bea", "Cleo", "Dora"]
        claims = tables.learner_identity.c
        claimed = conn.execute(sa.select(claims.uln).where(claims.identity.in_([one.identity for one in new]))).scalars()
        assert sorted(claimed) == sorted([given[0], given[1], given[3], order.uln(2)])


def test_numbers_run_out_with_an_error(conn):
    last = rules_uln.SIZE - 1
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT setval('{tables.ULN_SEQUENCE}', {last}, false)")
    else:
        conn.execute(sa.update(tables.uln_issue).values(next_index=last))
    assert len(ulns.issue(conn)) == 1
    with pytest.raises(rules_uln.UlnsExhausted):
        ulns.issue(conn)


def test_there_is_one_key(conn):
    row = {"id": 2, "permutation_key": b"0" * 32, "next_index": 0}
    with pytest.raises(sa.exc.IntegrityError), conn.begin_nested():
        conn.execute(sa.insert(tables.uln_issue), row)


def test_processes_never_get_the_same_number(database_url):
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(3), spawn.Queue()
    workers = [spawn.Process(target=issue, args=(database_url, start, answers)) for _ in range(3)]
    for worker in workers:
        worker.start()
    got = [uln for _ in workers for uln in answers.get(timeout=60)]
    for worker in workers:
        worker.join()
    assert len(got) == len(set(got)) == 3 * 50
    assert all(map(rules_uln.is_valid, got))
