"""Learning events in both databases: what is stored comes back, and how far a file was loaded."""

import dataclasses
import datetime

import pytest
import sqlalchemy as sa

from lrs_soap import sandbox
from lrs_soap.rules import record
from lrs_soap.store import engine as engines
from lrs_soap.store import events, tables_events

ROWS = sandbox.learning_events()
PLACES = {(row.uln, record.key(row.source, row.event)): row.event for row in ROWS}
SOURCES = {(row.uln, record.key(row.source, row.event)): row.source for row in ROWS}
NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
LOAD = events.Load(digest=b"d" * 32, source="ILR", file_name="events.csv", started_at=NOW)


@pytest.fixture
def loaded(conn):
    events.insert(conn, PLACES, SOURCES)
    return conn


def test_every_field_comes_back_as_it_was_stored(loaded):
    assert events.held(loaded, PLACES) == PLACES
    extreme = dataclasses.replace(ROWS[0].event, increment_number=-(2**63), credits_achieved=2**63 - 1, restriction="é\n\"'")
    events.insert(loaded, {("9276308686", b"k" * 16): extreme}, {("9276308686", b"k" * 16): "NPD"})
    assert events.of_ulns(loaded, ["9276308686"]) == [extreme]


def test_events_are_given_by_uln(loaded):
    ulns = ["4123009882", "4123010252", "4123999998"]
    found = events.of_ulns(loaded, ulns)
    assert record.in_order(found) == record.in_order(row.event for row in ROWS if row.uln in ulns)
    assert len(found) == 2
    assert events.of_ulns(loaded, []) == []


def test_a_key_is_looked_for_under_its_own_uln_only(loaded):
    (first, second) = list(PLACES)[:2]
    other = ("4123009882", first[1])
    assert events.held(loaded, [first, other, ("4123009882", second[1])]) == {first: PLACES[first]}
    assert events.held(loaded, []) == {}


def test_an_event_is_replaced_as_a_whole(loaded):
    place = next(iter(PLACES))
    later = dataclasses.replace(PLACES[place], return_number="9", achievement_award_date=None, subject_title="Other")
    events.replace(loaded, {place: later})
    assert events.held(loaded, PLACES) == PLACES | {place: later}


def test_an_event_is_not_stored_twice(engine):
    with engines.write(engine) as conn:
        events.insert(conn, PLACES, SOURCES)
    with pytest.raises(sa.exc.IntegrityError), engines.write(engine) as conn:
        events.insert(conn, PLACES, SOURCES)


def test_the_source_is_kept(loaded):
    table = tables_events.learning_event
    rows = loaded.execute(sa.select(table.c.uln, table.c.event_key, table.c.source))
    assert {(uln, bytes(key)): source for uln, key, source in rows} == SOURCES


def test_how_far_a_file_was_loaded(conn):
    assert events.load(conn, LOAD.digest, "ILR") is None
    events.start(conn, LOAD)
    further = dataclasses.replace(LOAD, rows=500, added=400, rejected=100, exceptions_bytes=9000)
    assert events.advance(conn, LOAD, further)
    assert events.load(conn, LOAD.digest, "ILR") == further
    assert events.load(conn, LOAD.digest, "NPD") is None
    done = dataclasses.replace(further, finished_at=NOW)
    assert events.advance(conn, further, done)
    assert events.load(conn, LOAD.digest, "ILR") == done


def test_only_one_goes_on_from_a_row(conn):
    events.start(conn, LOAD)
    further = dataclasses.replace(LOAD, rows=500)
    assert events.advance(conn, LOAD, further)
    assert not events.advance(conn, LOAD, further)
    again = dataclasses.replace(LOAD, started_at=NOW + datetime.timedelta(seconds=1))
    events.start(conn, again)
    assert not events.advance(conn, LOAD, further)
    assert events.load(conn, LOAD.digest, "ILR") == again
