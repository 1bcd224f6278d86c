"""The database goes away under a running server, and comes back: proper faults meanwhile, and nothing to restart."""

import concurrent.futures
import time

import pytest
import sqlalchemy as sa
from support import forwarder, server, soap

from lrs_soap import sandbox
from lrs_soap.store import engine as engines
from lrs_soap.store import tables

ORGANISATION = sandbox.published_organisations()[0]
WHO = {"OrganisationRef": ORGANISATION["organisation_ref"], "OrgPassword": ORGANISATION["password"], "UserName": "J"}
PERSON = {"GivenName": "Annika", "FamilyName": "Hollowell", "DateOfBirth": "2001-02-03", "Gender": "2",
          "LastKnownPostCode": "AB1 2DE"}  # fmt: skip
SOON = 20.0
_LEARNERS = sa.select(tables.learner.c.uln, tables.learner.c.family_name)
_FINDS = sa.select(sa.func.count()).where(tables.audit.c.operation == "learnerByDemographics", tables.audit.c.code != "WSEC0999")


@pytest.fixture(scope="module")
def cut(postgresql_databases):
    """A sandbox on PostgreSQL, and the network between the two."""
    url = postgresql_databases.sandbox()
    parts = sa.make_url(url)
    network = forwarder.Forwarder(parts.host, parts.port or 5432)
    through = parts.set(port=network.port).render_as_string(hide_password=False)
    # Organisations are looked up anew, as those of a server that is not asked often.
    settings = {"organisation_cache_seconds": 1, "audit_flush_seconds": 0.1, "statement_timeout_seconds": 2}
    with server.running(through, **settings) as running:
        yield running, network, url
    network.close()
    postgresql_databases.drop(url)


@pytest.fixture
def call(cut):
    def send(operation, **values):
        started = time.monotonic()
        answer = soap.answer(cut[0].post(soap.message(operation, WHO | values)))
        return answer, time.monotonic() - started

    return send


def find(call, family_name="Hollowell"):
    return call("learnerByDemographics", FindType="FUL", **PERSON | {"FamilyName": family_name})


def register(call, family_name):
    details = PERSON | {"FamilyName": family_name, "VerificationType": "2", "AbilityToShare": "1"}
    return call("registerSingleLearner", **{f"Learner.{name}": value for name, value in details.items()})


def eventually(attempt):
    until = time.monotonic() + SOON
    while not (done := attempt()):
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)
    return done


def ready(running):
    return running.get("/readyz").status == 200


@pytest.mark.parametrize("network", [forwarder.Network.REFUSING, forwarder.Network.SILENT])
def test_down_and_up_again(cut, call, network):
    running, net, url = cut
    number = network.value
    find(call, f"Before{'ab'[number % 2]}")
    answer, _ = register(call, f"Before{'ab'[number % 2]}")
    before = answer.text("ULN")
    net.set(network)
    try:
        slowest = []
        for _ in range(6):
            for answer, took in (find(call), register(call, "Lost")):
                assert answer.is_fault and answer.text("ErrorCode") == "WSEC0999"
                slowest.append(took)
            began = time.monotonic()
            assert running.get("/healthz").status == 200
            assert time.monotonic() - began < 1
        # Connecting takes 5 seconds where nobody answers; nobody waits longer, and most not at all.
        assert max(slowest) < 7 and sum(slowest) < 20
        if network is forwarder.Network.REFUSING:
            assert max(slowest) < 1
        assert not ready(running)
    finally:
        net.set(forwarder.Network.UP)
    eventually(lambda: ready(running))
    eventually(lambda: not find(call)[0].is_fault)
    find(call, f"After{'ab'[number % 2]}")
    answer = eventually(lambda: not (one := register(call, f"After{'ab'[number % 2]}")[0]).is_fault and one)
    assert answer.text("ResponseCode") == "WSRC0005"

    engine = engines.create(url)
    with engines.read(engine) as conn:
        names = conn.execute(_LEARNERS).all()
        assert "Lost" not in [row.family_name for row in names]
        assert before in [row.uln for row in names]
        # Finds are audited in groups; those of before and after are there.
        eventually(lambda: conn.execute(_FINDS).scalar_one() >= 2)
    engine.dispose()
    assert "Traceback" not in running.output and "Hollowell" not in running.output


def test_stalled_and_going_again(cut, call):
    """Statements are taken and nobody answers: each call ends in a fault in time, and what needs no database is served."""
    running, net, url = cut
    find(call)
    with concurrent.futures.ThreadPoolExecutor(30) as threads:
        net.set(forwarder.Network.STALLED)
        try:
            begun = [threads.submit(find, call) for _ in range(10)]
            begun += [threads.submit(register, call, "Unanswered") for _ in range(20)]
            slowest = 0.0
            while not all(one.done() for one in begun):
                began = time.monotonic()
                assert running.get("/healthz").status == 200
                assert running.get("/MIAPWebService/services/LearnerService?wsdl").status == 200
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.05)
            # An event loop waits half a second for an answer, or two for a connection, once.
            assert slowest < 4
            for one in begun:
                answer, took = one.result()
                assert answer.is_fault and answer.text("ErrorCode") == "WSEC0999"
                assert took < 13  # the statement's 3 seconds, and a connection's 5
            assert not ready(running)
            # From now on one at a time tries, and the others are told at once.
            fast = [took for answer, took in (find(call) for _ in range(10)) if answer.is_fault]
            assert len(fast) == 10 and sorted(fast)[5] < 1
        finally:
            net.set(forwarder.Network.UP)
    eventually(lambda: ready(running))
    eventually(lambda: not find(call)[0].is_fault)
    answer = eventually(lambda: not (one := register(call, "Afterwards")[0]).is_fault and one)
    assert answer.text("ResponseCode") == "WSRC0005"
    assert "Traceback" not in running.output
