"""Loading and resetting the sandbox, on both databases."""

import concurrent.futures
import dataclasses
import datetime
import re

import pytest
import sqlalchemy as sa
from support import tables as documents

from lrs_soap import codes, contract, passwords, sandbox
from lrs_soap.rules import access, matching, registering, uln
from lrs_soap.store import audit, jobs, learners, matches, organisations, tables
from lrs_soap.store import engine as engines

LEARNERS = sandbox.stored_learners()


# What the first job of fixtures/jobs.json does.
UPDATED = "4123030008"
REGISTERED = 1


def count(engine, table) -> int:
    with engines.read(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()


def test_a_new_database_is_loaded_once(engine):
    assert sandbox.load(engine) is True
    assert sandbox.load(engine) is False
    with engines.read(engine) as connection:
        first, second = organisations.list_all(connection)
        stored = learners.by_ulns(connection, [learner.uln for learner in LEARNERS])
    assert (first.organisation_ref, first.ukprn, first.rights) == ("SAND01", "SAND0001", access.ALL)
    assert (second.organisation_ref, second.ukprn) == ("SAND02", "SAND0002")
    assert access.render(second.rights) == "find verify report"
    assert passwords.verify_password(first.password_hash, "sandbox-password")
    assert passwords.verify_password(second.password_hash, "awarding-body-02")
    assert first.sandbox and second.sandbox
    assert stored.pop(UPDATED).email_address == "hector.batchelor@example.org"
    assert stored == {learner.uln: learner for learner in LEARNERS if learner.uln != UPDATED}


def test_servers_that_start_at_once_load_once(engine):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: sandbox.load(engine), range(4)))
    assert sorted(results) == [False, False, False, True]
    assert count(engine, tables.learner) == len(LEARNERS) + REGISTERED


def test_a_database_that_is_in_use_is_left_alone(engine):
    with engines.write(engine) as connection:
        add_organisation(connection)
    assert sandbox.load(engine) is False
    assert count(engine, tables.learner) == 0


def test_jobs_that_are_never_to_finish_are_claimed_by_nobody(engine):
    sandbox.load(engine)
    with engines.write(engine) as connection:
        assert jobs.claim(connection, 30.0, datetime.datetime.now(datetime.UTC)) is None


def add_organisation(connection) -> None:
    organisations.add(
        connection, organisation_ref="REAL01", ukprn="10000001", name="A college",
        password_hash=passwords.hash_password("a" * 16), rights=access.ALL,
    )  # fmt: skip


def test_a_reset_brings_back_what_was_there_at_first(engine):
    sandbox.load(engine)
    changed = next(learner for learner in LEARNERS if learner.learner_status == codes.LearnerStatus.ACTIVE)
    with engines.write(engine) as connection:
        organisation = organisations.by_reference(connection, "SAND01", None)
        organisations.disable(connection, organisation.id)
        organisations.set_password(connection, organisation.id, passwords.hash_password("b" * 16))
        new = dataclasses.replace(changed, given_name="Other", version_number=changed.version_number + 1)
        learners.replace(connection, changed, new, changed_by=organisation.id, user_name="me")
        audit.write(connection, [entry(organisation.id, changed.uln)])
    sandbox.reset(engine)
    with engines.read(engine) as connection:
        organisation = organisations.by_reference(connection, "SAND01", None)
        assert learners.by_uln(connection, changed.uln) == changed
        assert matches.by_details(connection, changed) == changed
    assert organisation.disabled_at is None
    assert passwords.verify_password(organisation.password_hash, "sandbox-password")
    assert count(engine, tables.learner) == len(LEARNERS) + REGISTERED
    with engines.read(engine) as connection:
        replaced = connection.execute(sa.select(tables.learner_history.c.uln)).scalars()
        assert list(replaced) == [UPDATED]
    assert count(engine, tables.audit) == 1


def entry(organisation_id: int, touched: str) -> audit.Entry:
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    return audit.Entry(
        at=at, request_id="r", organisation_id=organisation_id, reference="SAND01", user_name="me",
        operation="updateSingleLearner", code="WSRC0006", ulns=(touched,), duration_us=1,
    )  # fmt: skip


def test_a_reset_makes_a_sandbox_of_an_empty_database(engine):
    sandbox.reset(engine)
    assert count(engine, tables.learner) == len(LEARNERS) + REGISTERED


def test_a_reset_refuses_a_register_of_others(engine):
    sandbox.load(engine)
    with engines.write(engine) as connection:
        add_organisation(connection)
    with pytest.raises(sandbox.NotASandbox):
        sandbox.reset(engine)
    assert count(engine, tables.organisation) == 3


def test_a_reset_refuses_learners_without_an_organisation(engine):
    with engines.write(engine) as connection:
        learner = LEARNERS[0]
        learners.insert(connection, learner, matching.identity(learner), matching.stored_keys(learner))
    with pytest.raises(sandbox.NotASandbox):
        sandbox.reset(engine)
    assert count(engine, tables.learner) == 1


# The files


def test_the_learners_are_valid_and_have_valid_ulns():
    types = {field.attribute: field.simple for field in contract.TYPES["Learner"].fields}
    for learner in LEARNERS:
        assert uln.is_valid(learner.uln)
        for name, value in dataclasses.asdict(learner).items():
            simple = types.get(name)
            if value is not None and simple is not None and simple.patterns:
                assert any(re.fullmatch(pattern, str(value)) for pattern in simple.patterns), (learner.uln, name)
        assert learner.tier_level == registering.tier_level(learner.verification_type)


def test_learners_merged_away_have_masters_and_no_others_do():
    by_uln = {learner.uln: learner for learner in LEARNERS}
    assert len(by_uln) == len(LEARNERS)
    for learner in LEARNERS:
        assert (learner.master_uln is not None) == (learner.learner_status == codes.LearnerStatus.MERGED)
        if learner.master_uln:
            assert learner.master_uln in by_uln


def test_the_announcement_says_all_one_needs():
    text = sandbox.announcement("http://127.0.0.1:8080/x", "sqlite:///file")
    organisation, _ = sandbox.published_organisations()
    for expected in ("http://127.0.0.1:8080/x?wsdl", *map(organisation.get, ("organisation_ref", "ukprn", "password")),
                     LEARNERS[0].uln, LEARNERS[0].family_name, "sqlite:///file", "NO REAL DATA", "curl "):  # fmt: skip
        assert expected in text


@pytest.mark.parametrize("name", sorted(documents.DOCUMENTS))
def test_the_tables_in_the_documents_are_those_of_the_fixtures(name):
    advice = "run: python tests/support/tables.py"
    assert (documents.ROOT / name).read_text(encoding="utf-8") == documents.current(name), advice
