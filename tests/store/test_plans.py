"""No search reads a whole table: the databases themselves say how they would answer each query."""

import dataclasses

import pytest
import sqlalchemy as sa
from store_samples import ADA, changed

from lrs_soap.rules import matching
from lrs_soap.store import engine as engines
from lrs_soap.store import learners, tables

LEARNERS = 3_000  # enough for PostgreSQL to prefer an index; fewer fit in a page or two


def people():
    for number in range(LEARNERS):
        yield changed(
            uln=str(1_000_000_000 + number),
            given_name=f"Given{number % 61}",
            family_name=f"Family{number % 577}",
            date_of_birth=f"{1980 + number % 30}-{1 + number % 12:02}-{1 + number % 28:02}",
            last_known_post_code=f"CV{number % 90} {number % 10}WT",
        )


@pytest.fixture
def filled(engine):
    rows = list(people())
    with engines.write(engine) as conn:
        conn.execute(
            sa.insert(tables.learner),
            [dataclasses.asdict(row) | dataclasses.asdict(matching.stored_keys(row)) for row in rows],
        )
        conn.execute(
            sa.insert(tables.learner_identity),
            [{"identity": matching.identity(row) + row.uln.encode(), "uln": row.uln} for row in rows],
        )
        conn.exec_driver_sql("ANALYZE")
    return engine


def plans(engine, ask):
    """How the database answers the queries that `ask(conn)` makes."""
    asked = []

    def note(_conn, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    with engines.write(engine) as conn:
        sa.event.listen(conn, "before_cursor_execute", note)
        ask(conn)
        sa.event.remove(conn, "before_cursor_execute", note)
        explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
        return ["\n".join(map(str, conn.exec_driver_sql(explain + s, p))) for s, p in asked]


def scans(plan):
    """The lines of a plan that read a whole table."""
    return [line for line in plan.splitlines() if "Seq Scan" in line or "SCAN learner" in line]


QUERY = matching.Query(
    given_name="Given5", family_name="Family7", date_of_birth="1990-05-06", gender="2", last_known_post_code="CV5 5WT"
)

QUERIES = {
    "by_uln": lambda conn: learners.by_uln(conn, ADA.uln),
    "by_uln for_update": lambda conn: learners.by_uln(conn, ADA.uln, for_update=True),
    "by_ulns": lambda conn: learners.by_ulns(conn, [str(1_000_000_000 + number) for number in range(20)]),
    "by_identity": lambda conn: learners.by_identity(conn, matching.identity(QUERY)),
    "linked_ulns": lambda conn: learners.linked_ulns(conn, ADA.uln),
    "candidates": lambda conn: learners.candidates(conn, matching.lookups(QUERY)),
}
for number, lookup in enumerate(matching.lookups(QUERY)):
    QUERIES[f"lookup {number}"] = lambda conn, lookup=lookup: learners.candidates(conn, [lookup])


def test_every_query_reads_an_index(filled):
    found = {name: plans(filled, ask) for name, ask in QUERIES.items()}
    assert all(found.values())
    assert {name: answers for name, answers in found.items() if any(map(scans, answers))} == {}


def test_every_lookup_reads_the_index_of_its_columns(filled):
    for lookup in matching.lookups(QUERY):
        [plan] = plans(filled, lambda conn, lookup=lookup: learners.candidates(conn, [lookup]))
        if filled.dialect.name == "sqlite":
            assert f"ix_learner_{'_'.join(lookup.columns)} " in plan
        else:
            assert "ix_learner_" in plan


def test_every_index_of_the_rules_is_there(engine):
    indexes = {tuple(index["column_names"]) for index in sa.inspect(engine).get_indexes("learner")}
    assert indexes == {*matching.INDEXES, ("master_uln",)}


def test_a_scan_would_be_noticed(filled):
    everybody = sa.select(tables.learner.c.uln).where(tables.learner.c.title == "Ms")
    [plan] = plans(filled, lambda conn: conn.execute(everybody))
    assert scans(plan)
