"""What calls that come together ask for first is read for all of them at once, and is what each would have read."""

import contextlib

import pytest
import sqlalchemy as sa
from support import outcomes

from lrs_soap import binding, contract, errors, settings
from lrs_soap.operations import TABLE, ahead
from lrs_soap.register import Call, Register
from lrs_soap.rules import matching
from lrs_soap.store import engine as engines
from lrs_soap.store import learners, matches, reading
from lrs_soap.wire import auth, envelope, parser, soap


@pytest.fixture
def register(postgresql_databases):
    url = postgresql_databases.sandbox()
    opened = Register(settings.Settings(database=url))
    yield opened
    opened.close()
    postgresql_databases.drop(url)


OPERATIONS = {*ahead.BY_ULN, *ahead.BY_DETAILS}
CASES = [row for row in outcomes.rows() if row.operation in OPERATIONS]


def asked(register: Register) -> list[tuple[Call, object]]:
    found = []
    for row in CASES:
        operation = contract.OPERATIONS[row.operation]
        element = envelope.body_element(parser.parse(row.message))
        if contract.schema().validate(element):
            call = Call(register=register, request_id="r", operation=row.operation)
            found.append((call, binding.decoder(operation.request_type)(element)))
    return found


def test_every_operation_with_a_first_learner_is_quick():
    assert all(TABLE[name].quick for name in OPERATIONS)


def test_each_call_gets_what_it_would_have_read(register):
    calls = asked(register)
    ahead.read(calls)
    there = 0
    with engines.read(register.engine) as connection:
        for call, request in calls:
            first, *candidates = call.ahead.values()
            there += first is not None
            if call.operation in ahead.BY_ULN:
                assert first == learners.by_uln(connection, ahead.BY_ULN[call.operation](request))
            else:
                assert first == matches.by_details(connection, request)
                assert ahead.by_details(call, connection, request) is first
            if first is None and call.operation in ahead.BY_DETAILS:
                assert candidates == [matches.first_candidates(connection, matching.lookups(request))]
                assert ahead.first_candidates(call, connection, request) is candidates[0]
            else:
                assert not candidates
    assert 0 < there < len(calls)


@pytest.fixture
def trips(register, monkeypatch):
    """The round trips to the database, one element each."""
    with engines.read(register.engine) as connection:
        connection.execute(sa.select(1))
    made = []
    execute = reading.Reader.execute
    monkeypatch.setattr(reading.Reader, "execute", lambda self, *a: made.append(1) or execute(self, *a))
    return made


def test_it_is_one_round_trip_for_each_way_of_finding(register, trips):
    calls = asked(register)
    ahead.read(calls)
    assert len(trips) == 3
    call, request = next((call, request) for call, request in calls if call.operation == "verifyLearner")
    with call.reading() as connection:
        assert ahead.by_uln(call, connection, request.learner_to_verify.uln) is call.ahead[request.learner_to_verify.uln]
    assert len(trips) == 3


def test_one_call_reads_for_itself(register):
    [(call, request), *_] = asked(register)
    ahead.read([(call, request)])
    assert not call.ahead


def test_what_the_database_refuses_is_met_by_each_call(register, monkeypatch):
    calls = asked(register)

    @contextlib.contextmanager
    def away():
        raise sa.exc.OperationalError("SELECT", None, Exception())
        yield

    with monkeypatch.context() as patched:
        patched.setattr(register, "read", away)
        ahead.read(calls)
    assert not any(call.ahead for call, _ in calls)


def test_servers_gather_on_postgresql_only(register, sqlite_databases):
    assert ahead.pays(register.engine)
    opened = engines.create(sqlite_databases.migrated())
    assert not ahead.pays(opened)
    opened.dispose()


def test_nothing_is_read_for_calls_that_were_turned_away(register):
    service = soap.SoapServer(register)
    exchanges = [service.begin(outcomes.named("uln-exact").message, None, str(number)) for number in range(4)]
    for number, exchange in enumerate(exchanges):
        exchange.admission = auth.Admission(None, errors.WrongPassword("") if number % 2 else None)
    service.read_ahead(exchanges)
    assert [len(exchange.call.ahead) for exchange in exchanges] == [1, 0, 1, 0]
