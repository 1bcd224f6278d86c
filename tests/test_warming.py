"""Pages that a writer will need are read before its turn, on a large SQLite register."""

import re

import pytest
import sqlalchemy as sa
from support import desk as desks
from support.desk import ANN, KIT, MARY, NOON

from lrs_soap import model
from lrs_soap.operations import register as registering
from lrs_soap.operations import together
from lrs_soap.register import Call
from lrs_soap.store import reading, ulns, warming
from lrs_soap.store import engine as engines


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


@pytest.fixture
def large(monkeypatch):
    monkeypatch.setattr(warming, "LARGE", 1)


@pytest.fixture
def read(monkeypatch):
    """The statements of readers, with their values."""
    asked, run = [], reading._SqliteSession.run

    def noting(session, sql, arguments):
        asked.append((session, sql, arguments))
        return run(session, sql, arguments)

    monkeypatch.setattr(reading._SqliteSession, "run", noting)
    return asked


def applied(desk, details):
    wanted = model.LearnerToRegister(**details, verification_type="2", ability_to_share="1")
    call = Call(register=desk.register, request_id="0", caller=desk.college, at=NOON, reference="R",
                operation="registerSingleLearner", user_name="J. College")  # fmt: skip
    request = model.RegisterSingleLearnerRqst(learner=wanted, org_password="-" * 16, user_name="J. College")
    return registering.applied(call, request)


def together_of(desk, *wanted):
    together.make_together(desk.register, lambda: wanted, lambda: wanted)
    return [one.outcome for one in wanted]


def used(asked):
    """What the statements look into: tables' own trees, and indexes by name."""
    found = set()
    for session, sql, arguments in list(asked):
        for *_, step in session._execute(f"EXPLAIN QUERY PLAN {sql}", arguments):
            found |= {f"{table} {index or 'key'}" for table, index in re.findall(r"SEARCH (\w+) USING (?:COVERING )?(?:INDEX (\w+)|.*KEY)", step)}
    return found


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_all_that_a_registration_touches_is_looked_at_before(desk, large, read):
    outcomes = together_of(desk, applied(desk, ANN), applied(desk, MARY))
    assert [one.response_code for one in outcomes] == ["WSRC0005", "WSRC0005"]
    looked = used(read)
    with desk.register.engine.connect() as conn:
        indexes = {index["name"] for index in sa.inspect(conn).get_indexes("learner")} - {"ix_learner_master_uln"}
    assert looked >= {f"learner {name}" for name in indexes}
    assert looked >= {"learner key", "learner_identity key", "organisation_learner key"}


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_the_numbers_that_come_next_are_looked_at_once(desk, large, monkeypatch):
    looked, held = [], ulns.held
    monkeypatch.setattr(warming.ulns, "held", lambda conn, numbers: looked.extend(numbers) or held(conn, numbers))
    given = []
    for details in (ANN, MARY, KIT, *({**ANN, "given_name": f"Ann{letter}"} for letter in "abcdefghijklmnopqrstuvwxyz")):
        given += [one.uln for one in together_of(desk, applied(desk, details))]
    assert set(given) <= set(looked)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_numbers_are_not_read_ahead_twice(desk, large):
    engine = desk.register.engine
    ahead = warming.Warming(engine)
    with engines.read(engine) as conn:
        first, second = ahead._numbers(conn, 4), ahead._numbers(conn, 4)
        assert (len(first), second) == (4 + warming._AHEAD, [])
    desk.new(ANN)
    with engines.read(engine) as conn:
        assert len(ahead._numbers(conn, 4)) == 1


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_all_that_an_update_touches_is_looked_at_before(desk, large, read):
    uln = desk.new(ANN)
    read.clear()
    desk.register.warming.read([], [(desk.college.organisation_id, uln)])
    assert used(read) >= {"learner key", "learner_history sqlite_autoindex_learner_history_1", "organisation_learner key"}


def test_what_is_small_or_on_postgresql_is_not_read_before(desk, monkeypatch):
    if desk.register.engine.dialect.name == "postgresql":
        monkeypatch.setattr(warming, "LARGE", 1)
    monkeypatch.setattr(warming.engine, "read", None)
    assert [one.response_code for one in together_of(desk, applied(desk, ANN))] == ["WSRC0005"]


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_register_that_could_not_be_read_before_is_written_all_the_same(desk, large, monkeypatch):
    def fail(*_):
        raise sa.exc.OperationalError("", None, Exception())

    monkeypatch.setattr(warming, "_NEXT", sa.text("SELECT nothing FROM nowhere").columns(x=sa.Integer))
    assert [one.response_code for one in together_of(desk, applied(desk, ANN))] == ["WSRC0005"]
    monkeypatch.setattr(desk.register.warming, "read", fail)
    assert [one.response_code for one in together_of(desk, applied(desk, MARY))] == ["WSRC0005"]
