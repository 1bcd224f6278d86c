"""Decisions about learners in the database: what is kept, whom a report concerns, and that indexes find it."""

import datetime
import re

import pytest
import sqlalchemy as sa
from store_samples import ADA, NOW

from lrs_soap.rules import access
from lrs_soap.rules.merging import Event
from lrs_soap.store import engine as engines
from lrs_soap.store import merges, organisations, tables

DAY = datetime.timedelta(days=1)


def decision(event=Event.MERGED, uln="1000000019", master="1000000027", at=NOW, **values):
    sides = {
        "uln": uln, "family_name": "O'Neill ", "given_name": "Ada", "date_of_birth": "2008-02-29",
        "master_uln": master, "master_family_name": master and "Neill", "master_given_name": master and "Ada",
        "master_date_of_birth": master and "2008-02-28", "reason": "twice",
    }  # fmt: skip
    return merges.Decision(event=event.value, at=at, user_name="J. Operator", **sides | values)


def deletion(event=Event.DELETED, **values):
    return decision(event, master=None, **values)


@pytest.fixture
def knows(conn, organisation_id):
    """Puts ULNs into the organisation's scope."""

    def add(*ulns):
        conn.execute(
            sa.insert(tables.organisation_learner), [{"organisation_id": organisation_id, "uln": uln} for uln in ulns]
        )

    return add


@pytest.fixture
def organisation_id(conn):
    # In the test's own transaction: on SQLite there is no other beside it.
    return organisations.add(
        conn, organisation_ref="TEST38", ukprn="TEST0038", name="A College", password_hash="hash", rights=access.ALL
    )


def test_a_decision_comes_back_as_it_was_recorded(conn):
    merge, delete = decision(), deletion(uln="1000000027")
    merges.record(conn, merge)
    merges.record(conn, delete)
    assert merges.of_learner(conn, "1000000019") == [merge]
    assert merges.of_learner(conn, "1000000027") == [merge, delete]
    assert merges.of_learner(conn, "1000000035") == []


@pytest.mark.parametrize("known", ["1000000019", "1000000027"])
def test_either_side_of_a_merge_is_enough(conn, organisation_id, knows, known):
    merges.record(conn, decision())
    period = (organisation_id, NOW, NOW + DAY)
    assert merges.merges(conn, Event.MERGED, *period) == []
    knows(known)
    assert merges.merges(conn, Event.MERGED, *period) == [decision()]
    assert merges.merges(conn, Event.UNMERGED, *period) == []
    assert merges.merges(conn, Event.MERGED, organisation_id + 1, NOW, NOW + DAY) == []


def test_the_period_begins_with_since_and_ends_before_until(conn, organisation_id, knows):
    knows("1000000019")
    tick = datetime.timedelta(microseconds=1)
    for at in (NOW - tick, NOW, NOW + DAY - tick, NOW + DAY):
        merges.record(conn, decision(at=at))
    found = merges.merges(conn, Event.MERGED, organisation_id, NOW, NOW + DAY)
    assert [row.at for row in found] == [NOW, NOW + DAY - tick]


def test_rows_are_in_the_order_of_time_then_of_recording(conn, organisation_id, knows):
    knows("1000000027")
    for uln, at in (("1000000043", NOW + DAY), ("1000000035", NOW), ("1000000019", NOW)):
        merges.record(conn, decision(uln=uln, at=at))
    found = merges.merges(conn, Event.MERGED, organisation_id, NOW, NOW + 2 * DAY)
    assert [row.uln for row in found] == ["1000000035", "1000000019", "1000000043"]


def test_only_deletions_that_stand_are_reported(conn, organisation_id, knows):
    knows("1000000019", "1000000027")
    for row in (
        deletion(), deletion(Event.RESTORED), deletion(uln="1000000027"), deletion(uln="1000000035"),
    ):  # fmt: skip
        merges.record(conn, row)
    period = (organisation_id, NOW, NOW + DAY)
    assert [row.uln for row in merges.deletions(conn, *period)] == ["1000000027"]
    merges.record(conn, deletion(reason="again"))
    assert [(row.uln, row.reason) for row in merges.deletions(conn, *period)] == [
        ("1000000027", "twice"), ("1000000019", "again"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "ask",
    [
        lambda conn: merges.merges(conn, Event.MERGED, 1, NOW, NOW + DAY),
        lambda conn: merges.deletions(conn, 1, NOW, NOW + DAY),
        lambda conn: merges.of_learner(conn, "1000000019"),
        lambda conn: merges.versions(conn, "1000000019"),
    ],
    ids=["merges", "deletions", "of learner", "versions"],
)
def test_no_query_reads_a_whole_table(engine, ask, plans):
    with engines.write(engine) as conn:
        _fill(conn)
        conn.exec_driver_sql("ANALYZE")
        (plan,) = plans(conn, ask)
    # There is one organisation here and few anywhere: those any plan may read.
    read_whole = [line for line in re.findall(r"(?:Seq Scan on|SCAN) (\w+)", plan) if line != "organisation"]
    assert read_whole == [], plan


def _fill(conn):
    """Enough rows, over three years, that reading a table is dearer than reading its index."""
    rows = [
        {"event": event, "at": NOW - number * DAY / 4, "user_name": "J", "reason": "r", "uln": 1000000000 + number,
         "family_name": "F", "given_name": "G", "date_of_birth": "2000-01-01", "master_uln": 2000000000 + number}
        for number in range(4_000) for event in ("merged", "deleted")
    ]  # fmt: skip
    conn.execute(sa.insert(merges._D), rows)
    conn.execute(
        sa.insert(tables.organisation),
        [{"id": 1, "organisation_ref": "TEST38", "ukprn": "TEST0038", "name": "A", "password_hash": "h", "rights": "",
          "sandbox": False, "created_at": NOW}],
    )  # fmt: skip
    conn.execute(
        sa.insert(tables.organisation_learner),
        [{"organisation_id": 1, "uln": 1000000000 + number} for number in range(4_000)],
    )
    history = [
        {"uln": 1000000000 + number, "version_number": 1, "replaced_at": NOW, "organisation_id": 1, "user_name": "J",
         "learner": {"given_name": ADA.given_name}}
        for number in range(4_000)
    ]  # fmt: skip
    conn.execute(sa.insert(tables.learner_history), history)
