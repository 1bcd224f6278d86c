"""Every statement, commit and connection of every operation fails in every way that the database can fail.

Whatever it is, the caller gets a proper fault, or the answer as if nothing had happened; the register holds all of the
call's effect or none of it; and the next call works, with nothing restarted, no transaction open and no connection lost
from the pool.

Each step fails in two of the ways here, all of them in turn. LRS_TEST_FAULTS=all: each step in every way.
"""

import collections
import contextlib
import datetime
import itertools
import os
import time

import pytest
import sqlalchemy as sa
from support import batches, faulty, outcomes, server, soap

from lrs_soap import model, register, sandbox, settings, worker
from lrs_soap.operations import TABLE, together
from lrs_soap.operations import register as registering
from lrs_soap.rules import access
from lrs_soap.store import audit, auditchain, auditverify, organisations, tables, tables_jobs
from lrs_soap.store import engine as engines
from lrs_soap.wire import soap as wire

EVERY = os.environ.get("LRS_TEST_FAULTS") == "all"
WHO = {"OrganisationRef": "SAND01", "OrgPassword": "sandbox-password", "UserName": "J. College"}
PERSON = {"VerificationType": "2", "AbilityToShare": "1", "Gender": "2", "DateOfBirth": "2001-02-03", "LastKnownPostCode": "AB1 2DE"}
READS = {
    "learnerByULN": "uln-exact",
    "learnerByDemographics": "find-exact",
    "retrieveULNs": "retrieve-all-kinds",
    "verifyLearner": "verify-linked-match",
    "getMergedUnmergedULNsReport": "report-merged-found",
    "getDeletedULNsReport": "report-deleted-found",
    "submitBatchRegistration": "batch-submitted",
    "submitVerifyBatch": "verify-batch-submitted",
    "getBatchRegistrationOutput": "batch-output",
    "getVerifyBatchOutput": "verify-batch-output",
    "getLearnerRecord": "record-merged",
}
"""What is asked, by the case of fixtures/outcomes.csv; the same call again may do the same again."""

_NUMBERS = itertools.count(10)
CONNECTING = list(TABLE) if EVERY else ["learnerByULN", "registerSingleLearner"]
"""With which operations the connections are made anew, as in a process that has just started."""

# The trail says of each call that it was made, also of one that failed, and each shows what it showed.
_TRAIL = {"audit", "audit_learner", "audit_unsealed"}
_T = tables.metadata.tables
_SIZES = sa.select(
    *(sa.select(sa.func.count()).select_from(table).scalar_subquery().label(name) for name, table in sorted(_T.items())),
    sa.select(sa.func.sum(tables.learner.c.version_number)).scalar_subquery().label("versions"),
)
_OPEN_TRANSACTIONS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
)


class Laboratory:
    """A sandbox whose database fails when told to."""

    def __init__(self, url: str, steps_of, kinds):
        chosen = settings.load(
            database=url, audit="strict", organisation_cache_seconds=0, log_level="ERROR", audit_flush_seconds=60
        )
        self.register = register.Register(chosen)
        self.engine = self.register.engine
        self.steps = steps_of(self.engine)
        self.kinds = kinds
        sandbox.load(self.engine)
        self.observer = engines.create(url)
        self._soap = wire.SoapServer(self.register)
        self.people = batches.people()

    def close(self) -> None:
        self.register.close()
        self.observer.dispose()

    def sizes(self) -> dict[str, int]:
        """How many rows each table has, and the sum of all versions."""
        with self.observer.connect() as conn:
            return conn.execute(_SIZES).one()._asdict()

    def send(self, operation: str, values: dict) -> soap.Answer:
        """The answer, judged as a reply over HTTP is."""
        reply = self._soap.handle(soap.message(operation, WHO | values), "utf-8", "0")
        return soap.answer(server.Reply(reply.status, {"content-type": "text/xml; charset=utf-8"}, reply.body))

    def values(self, operation: str) -> dict:
        """What a call of the operation sends that has its full effect."""
        if operation in READS:
            return outcomes.named(READS[operation]).values
        if operation == "registerSingleLearner":
            person = next(self.people)
            details = PERSON | {"GivenName": person["given_name"], "FamilyName": person["family_name"]}
            return {f"Learner.{name}": value for name, value in details.items()}
        with self.observer.connect() as conn:
            learner = conn.execute(sa.select(tables.learner).where(tables.learner.c.uln == "4123001008")).one()
        details = {"ULN": learner.uln, "GivenName": learner.given_name, "FamilyName": learner.family_name,
                   "VersionNumber": str(learner.version_number), "Notes": f"after {learner.version_number}"}  # fmt: skip
        return {f"Learner.{name}": value for name, value in (PERSON | details).items()}

    def assert_clean(self) -> None:
        """Nothing is held: no connection of the pool, no lock, no transaction."""
        assert self.engine.pool.checkedout() == 0
        with self.observer.connect() as conn:
            if conn.dialect.name == "postgresql":
                until = time.monotonic() + 10  # the server may not have seen yet that a connection is closed
                while conn.execute(_OPEN_TRANSACTIONS).scalar() and time.monotonic() < until:
                    conn.rollback()
                    time.sleep(0.01)
                assert conn.execute(_OPEN_TRANSACTIONS).scalar() == 0
            else:
                conn.exec_driver_sql("PRAGMA busy_timeout = 0")
                conn.exec_driver_sql("ROLLBACK")
                conn.exec_driver_sql("BEGIN IMMEDIATE")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def laboratory(request):
    databases = request.getfixturevalue(f"{request.param}_databases")
    url = databases.migrated()
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            made = Laboratory(url, faulty.faulty_sqlite, faulty.SQLITE)
        else:
            steps = lambda engine: stack.enter_context(faulty.faulty_postgresql(engine))  # noqa: E731
            made = Laboratory(url, steps, faulty.POSTGRESQL)
        yield made
        made.close()
    databases.drop(url)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """After a failure the database is asked again at once."""
    monkeypatch.setattr("lrs_soap.store.reach.AGAIN_AFTER_SECONDS", 0.0)


def effect(before, after):
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def ways(kinds, turn):
    """The kinds of faults for the next step."""
    return dict(kinds) if EVERY else dict(itertools.islice(turn, 2))


def lasting(found):
    return {name: number for name, number in found.items() if name not in _TRAIL}


# SQLAlchemy leaves a connection that fails while it is being opened to the collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*BaseConnection.__del__:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("operation, cold", [*((name, False) for name in TABLE), *((name, True) for name in CONNECTING)])
def test_all_or_nothing(laboratory, operation, cold, record_property):
    def call(at=-1, fault=None):
        values, before = laboratory.values(operation), laboratory.sizes()
        if cold:
            laboratory.engine.dispose()
        with laboratory.steps.armed(at, fault) as steps:
            answer = laboratory.send(operation, values)
        return values, answer, effect(before, laboratory.sizes()), steps

    call()
    _, good, whole, steps = call()
    assert not good.is_fault
    injected, turn = collections.Counter(), itertools.cycle(laboratory.kinds.items())
    for number in range(steps.made):
        for kind, fault in ways(laboratory.kinds, turn).items():
            what = f"{kind} at step {number}"
            values, answer, found, steps = call(number, fault)
            assert steps.failed, what
            injected[steps.failed] += 1
            laboratory.assert_clean()
            if answer.is_fault:
                assert answer.text("ErrorCode") == "WSEC0999", what
                done = steps.failed == "commit" and kind in ("answer lost", "unanswered")
                assert lasting(found) in ([lasting(whole), {}] if done else [{}]), what
                assert found.get("audit_learner", 0) == 0 or done, what
            else:
                assert outcomes.said(answer) == outcomes.said(good), what
                assert found == whole, what
            again = laboratory.send(operation, values)
            if again.is_fault and steps.failed == "rollback":
                # The connection was lost while it lay in the pool, which the next call that writes finds out.
                assert kind == "connection lost", what
                again = laboratory.send(operation, values)
            assert not again.is_fault, what
    record_property("injected", dict(injected))
    print(f"{laboratory.engine.dialect.name} {operation}: {sum(injected.values())} faults, {dict(injected)}")


def test_all_or_nothing_of_a_group(laboratory, record_property):
    """Three registrations in one transaction: each is told the truth, and none is made twice."""
    college = register.Caller(organisation_id=1, reference="SAND01", rights=access.ALL, user_name="J")
    details = {"verification_type": "2", "ability_to_share": "1", "gender": "2", "date_of_birth": "2001-02-03",
               "last_known_post_code": "AB1 2DE"}  # fmt: skip

    def applications(people):
        for person in people:
            names = {name: person[name] for name in ("given_name", "family_name")}
            request = model.RegisterSingleLearnerRqst(
                learner=model.LearnerToRegister(**details, **names), org_password="-" * 16, user_name="J"
            )
            call = register.Call(
                register=laboratory.register, request_id="0", caller=college, operation="registerSingleLearner"
            )
            yield registering.applied(call, request)

    def call(people, at=-1, fault=None):
        asked, before = list(applications(people)), laboratory.sizes()
        with laboratory.steps.armed(at, fault) as steps:
            together.make_together(laboratory.register, lambda: asked)
        return asked, effect(before, laboratory.sizes()), steps

    def three():
        return [next(laboratory.people) for _ in range(3)]

    call(three())
    _, whole, steps = call(three())
    assert whole["learner"] == whole["audit"] == 3
    injected, turn = collections.Counter(), itertools.cycle(laboratory.kinds.items())
    for number in range(steps.made):
        for kind, fault in ways(laboratory.kinds, turn).items():
            what, people = f"{kind} at step {number}", three()
            asked, found, steps = call(people, number, fault)
            assert steps.failed, what
            injected[steps.failed] += 1
            laboratory.assert_clean()
            failed = [isinstance(one.outcome, Exception) for one in asked]
            lost = steps.failed == "commit" and kind in ("answer lost", "unanswered")
            if any(failed):
                assert all(failed), what
                assert found in ([whole, {}] if lost else [{}]), what
            else:
                assert found == whole, what
            assert [one.call.audited for one in asked] == [not one for one in failed], what
            again, _, _ = call(people)
            if any(isinstance(one.outcome, Exception) for one in again):
                # As of single calls: a connection that was lost while it lay in the pool.
                assert (kind, steps.failed) == ("connection lost", "rollback"), what
                again, _, _ = call(people)
            codes = {one.outcome.response_code for one in again}
            assert codes == ({"WSRC0021"} if found == whole else {"WSRC0005"}), what
    record_property("injected", dict(injected))
    print(f"{laboratory.engine.dialect.name} group: {sum(injected.values())} faults, {dict(injected)}")


@pytest.fixture
def college(laboratory):
    """The id of an organisation of its own."""
    reference = f"TEST{next(_NUMBERS):02}"
    with engines.write(laboratory.engine) as conn:
        return organisations.add(conn, organisation_ref=reference, ukprn=f"{reference}00", name=reference,
                                 password_hash="-", rights=access.ALL)  # fmt: skip


def test_each_learner_of_a_batch_once(laboratory, college, record_property):
    """A worker claims a batch, does its steps and finishes it: whatever fails, each learner is done once."""
    doing = worker.Worker(laboratory.register)
    while doing.run_one():  # what other tests submitted
        pass

    def submit():
        people = [next(laboratory.people) for _ in range(2)]
        return people, batches.submit(laboratory.engine, college, people)

    def work(at=-1, fault=None):
        people, job = submit()
        before = laboratory.sizes()
        with laboratory.steps.armed(at, fault) as steps:
            with contextlib.suppress(sa.exc.DBAPIError):
                doing.run_one()
        laboratory.assert_clean()
        with laboratory.observer.begin() as conn:  # no need to wait until it is tried again
            conn.execute(sa.update(tables_jobs.job).values(lease_until=0.0).where(tables_jobs.job.c.finished_at.is_(None)))
        until = 20
        while doing.run_one():
            until -= 1
            assert until, "the batch does not end"
        results = batches.results(laboratory.engine, job)
        assert [result.code for result in results] == ["RC001", "RC001"]
        assert len({result.uln for result in results}) == 2
        return effect(before, laboratory.sizes()), steps

    work()
    whole, steps = work()
    injected, turn = collections.Counter(), itertools.cycle(laboratory.kinds.items())
    for number in range(steps.made):
        for kind, fault in ways(laboratory.kinds, turn).items():
            found, steps = work(number, fault)
            injected[steps.failed] += 1
            assert found == whole, f"{kind} at step {number}"
    record_property("injected", dict(injected))
    print(f"{laboratory.engine.dialect.name} batch worker: {sum(injected.values())} faults, {dict(injected)}")


def test_each_audit_row_once(laboratory, record_property):
    """The group of rows that a find leaves to be written, and its sealing: whatever fails, each row is there once."""
    writer = audit.AuditWriter(laboratory.engine, flush_seconds=60)

    def write(at=-1, fault=None):
        name = f"request {next(_NUMBERS)}"
        entry = dict(at=datetime.datetime.now(datetime.UTC), organisation_id=None, reference="-", user_name="J", code="-",
                     operation="learnerByULN", duration_us=1)  # fmt: skip
        for number in range(3):
            writer.add(audit.Entry(request_id=f"{name}/{number}", **entry))
        with laboratory.steps.armed(at, fault) as steps, contextlib.suppress(sa.exc.DBAPIError):
            writer.flush()
            while auditchain.seal(laboratory.engine, None, datetime.datetime.now(datetime.UTC)):
                pass
        laboratory.assert_clean()
        until = 3
        while until:
            with contextlib.suppress(sa.exc.DBAPIError):
                writer.flush()
                break
            until -= 1
        with laboratory.observer.connect() as conn:
            found = conn.execute(sa.select(tables.audit.c.request_id).where(tables.audit.c.request_id.like(f"{name}/%")))
            return sorted(found.scalars()), [f"{name}/{number}" for number in range(3)], steps

    write()
    *_, steps = write()
    injected, turn = collections.Counter(), itertools.cycle(laboratory.kinds.items())
    for number in range(steps.made):
        for kind, fault in ways(laboratory.kinds, turn).items():
            found, wanted, steps = write(number, fault)
            injected[steps.failed] += 1
            assert found == wanted, f"{kind} at step {number}"
    writer.close()
    while auditchain.seal(laboratory.engine, None, datetime.datetime.now(datetime.UTC)):
        pass
    problems = []
    auditverify.verify(laboratory.engine, {}, problems.append)
    assert problems == []
    record_property("injected", dict(injected))
    print(f"{laboratory.engine.dialect.name} audit: {sum(injected.values())} faults, {dict(injected)}")
