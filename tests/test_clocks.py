"""What the time of day does to a register, and what a clock that is set does not: whole modules, at given moments."""

import datetime
import re

import pytest
import time_machine
from support import desk as desks
from support import secured, trail

from lrs_soap import errors, passwords, settings
from lrs_soap.operations.trail import years_before
from lrs_soap.register import Register
from lrs_soap.rules import access, lockout
from lrs_soap.rules.passwords import NO_TERMS
from lrs_soap.store import auditprune
from lrs_soap.store import engine as engines
from lrs_soap.store.organisations import Organisation
from lrs_soap.wire import soap, verifier

DAY = datetime.timedelta(days=1)


def utc(*moment):
    return datetime.datetime(*moment, tzinfo=datetime.UTC)


# Dates and times that callers see are England's


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


@pytest.mark.parametrize(
    "at, day",
    [
        (utc(2026, 7, 14, 22, 59), "2026-07-14"),
        (utc(2026, 7, 14, 23, 30), "2026-07-15"),  # half past midnight of summer time
        (utc(2026, 1, 14, 23, 30), "2026-01-14"),
        (utc(2028, 2, 28, 23, 59), "2028-02-28"),
        (utc(2028, 2, 29, 0, 0), "2028-02-29"),
    ],
)
def test_the_date_of_a_registration(desk, at, day):
    held = desk.held(desk.new(desks.ANN, at=at))
    assert held.created_date == held.last_updated_date == day


def test_born_today_is_of_englands_today(desk):
    newborn = desks.ANN | {"date_of_birth": "2026-07-15"}
    with pytest.raises(errors.InvalidRequest):
        desk.registered(newborn, at=utc(2026, 7, 14, 22, 59))
    assert desk.registered(newborn, at=utc(2026, 7, 14, 23)).response_code == "WSRC0005"


@pytest.mark.parametrize(
    "at, text",
    [
        (utc(2026, 3, 29, 0, 59, 59), "2026-03-29 00:59:59"),
        (utc(2026, 3, 29, 1), "2026-03-29 02:00:00"),
        (utc(2026, 10, 25, 0, 30), "2026-10-25 01:30:00"),
        (utc(2026, 10, 25, 1, 30), "2026-10-25 01:30:00"),  # the same words an hour later; the log is in UTC
        (utc(2026, 10, 25, 2), "2026-10-25 02:00:00"),
    ],
)
def test_the_time_in_a_fault(sqlite_databases, at, text):
    url = sqlite_databases.migrated()
    register = Register(settings.Settings(database=url))
    with time_machine.travel(at, tick=False):
        reply = soap.SoapServer(register).handle(b"<x/>", "utf-8", "r")
    assert re.findall("<ErrorTimestamp>(.*)</ErrorTimestamp>", reply.body.decode()) == [text]
    register.close()
    sqlite_databases.drop(url)


# A clock that is set: what is remembered for a while is counted on another clock, which nobody sets


@pytest.fixture(params=[-400 * DAY, 400 * DAY], ids=["back", "forward"])
def set_clock(request):
    """Sets the clock by more than a year, in one direction or the other."""
    traveller = time_machine.travel(datetime.datetime.now(datetime.UTC) + request.param, tick=False)
    yield traveller.start
    traveller.stop()


def test_a_remembered_password_and_a_wait_stay(monkeypatch, set_clock):
    computed, here = [], verifier.Source("192.0.2.1")
    monkeypatch.setattr(passwords, "verify_password", lambda _, password: computed.append(password) or password == "right")
    judge = verifier.Verifier(300)
    college = Organisation(id=1, organisation_ref="COLL01", ukprn="10000001", name="A", password_hash="-", rights=access.ALL,
                           sandbox=False, created_at=datetime.datetime.now(datetime.UTC), disabled_at=None, terms=NO_TERMS)  # fmt: skip
    assert judge.verify(college, "right", here) is verifier.Verdict.RIGHT
    wrong = [judge.verify(college, f"wrong {number}", here) for number in range(lockout.FREE + 1)]
    assert wrong[-1] is verifier.Verdict.LOCKED
    set_clock()
    assert judge.verify(college, "wrong again", here) is verifier.Verdict.LOCKED
    assert judge.verify(college, "right", verifier.Source("192.0.2.2")) is verifier.Verdict.RIGHT
    assert len(computed) == 1 + lockout.FREE


def test_a_remembered_organisation_stays(sqlite_databases, set_clock, monkeypatch):
    url = sqlite_databases.migrated()
    secured.add_colleges(url)
    register = Register(settings.Settings(database=url, organisation_cache_seconds=300))
    service = soap.SoapServer(register)
    message = secured.find("COLL01")
    assert b"WSRC0001" in service.handle(message, "utf-8", "r").body
    set_clock()
    assert service.is_decided(service.begin(message, "utf-8", "r")), "without asking the database, or argon2"
    register.close()
    sqlite_databases.drop(url)


def test_a_trail_written_while_the_clock_was_set_back_is_one_chain_in_its_order(engine):
    times = [desks.NOON, desks.NOON + DAY, desks.NOON - DAY, desks.NOON - 2 * DAY]
    for number, at in enumerate(times, 1):
        trail.write(engine, trail.entry(number, at=at))
        trail.seal(engine)
    summary, problems = trail.verify(engine)
    assert (problems, summary.rows, summary.blocks) == ([], 4, 4)
    # What looks old stands behind what is not, and stays: nothing is removed out of its order.
    with engines.write(engine) as conn:  # as who prunes does
        assert auditprune.due(conn, desks.NOON - DAY / 2) is None


@pytest.mark.parametrize(
    "moment, years, before",
    [
        (utc(2028, 2, 29, 12), 7, utc(2021, 2, 28, 12)),
        (utc(2028, 2, 29, 12), 8, utc(2020, 2, 29, 12)),
        (utc(2028, 3, 1, 12), 7, utc(2021, 3, 1, 12)),
    ],
)
def test_years_end_on_a_day_that_there_is(moment, years, before):
    assert years_before(moment, years) == before
