import datetime
import threading
import time

import pytest
import sqlalchemy as sa
from support import batches

from lrs_soap.codes import JobStatus
from lrs_soap.rules import matching
from lrs_soap.store import bulk, contents, jobs, learners, matches, tables
from lrs_soap.store import engine as engines

NOW = batches.NOW
LATER = NOW + datetime.timedelta(minutes=5)


@pytest.fixture
def college(engine):
    return batches.college(engine)


@pytest.fixture
def job_id(engine, college):
    return batches.submit(engine, college, [{"given_name": f"Ann {n} ", "notes": ""} for n in range(3)])


def claim(engine, seconds=60.0):
    with engines.write(engine) as connection:
        return jobs.claim(connection, seconds, LATER)


def hold(engine, job):
    with engines.write(engine) as connection:
        jobs.hold(connection, job, 60.0)


def is_waiting(engine):
    with engines.read(engine) as connection:
        return jobs.is_waiting(connection, 60.0)


def held(engine, job_id, organisation_id):
    with engines.read(engine) as connection:
        return jobs.of_organisation(connection, job_id, organisation_id, "submitBatchRegistration")


def test_a_job_comes_back_as_it_was_submitted(engine, college, job_id):
    job = held(engine, job_id, college)
    assert (job.status, job.size, job.job_type, job.submitted_at) == ("Waiting", 3, "FUL", NOW)
    assert job.started_at is None and job.finished_at is None
    with engines.read(engine) as connection:
        found = jobs.learners(connection, job_id, 0, 10)
        assert [learner.values for learner in found] == [{"given_name": f"Ann {n} ", "notes": ""} for n in range(3)]
        assert [(learner.position, learner.result) for learner in found] == [(0, None), (1, None), (2, None)]
        assert [learner.position for learner in jobs.learners(connection, job_id, 1, 1)] == [1]


def test_a_job_is_its_organisations_and_of_its_operation(engine, college, job_id):
    other = batches.college(engine, "TEST39")
    verification = batches.submit(engine, college, [{"uln": "9276308686"}], job_type=None)
    assert held(engine, job_id, other) is None
    assert held(engine, verification, college) is None
    assert held(engine, job_id + 100, college) is None
    assert held(engine, -(2**63), college) is None
    assert held(engine, 2**63 - 1, college) is None


def test_a_submission_that_fails_leaves_no_job(engine, college):
    with pytest.raises(RuntimeError), engines.write(engine) as connection:
        jobs.add(connection, "submitBatchRegistration", [{}], job_type="FUL", organisation_id=college, reference="r",
                 user_name="u", request_id="r", at=NOW)  # fmt: skip
        raise RuntimeError
    assert not is_waiting(engine)


def test_numbers_are_never_used_again(engine, college, job_id):
    with engines.write(engine) as connection:
        contents.clear(connection)
    assert batches.submit(engine, college, [{}]) > job_id


def test_jobs_are_claimed_oldest_first_and_once(engine, college, job_id):
    second = batches.submit(engine, college, [{}])
    first_claim, second_claim = claim(engine), claim(engine)
    assert [first_claim.id, second_claim.id] == [job_id, second]
    assert first_claim.lease != second_claim.lease
    assert (first_claim.status, first_claim.started_at, first_claim.attempts) == ("InProgress", LATER, 1)
    assert claim(engine) is None
    assert not is_waiting(engine)


def test_a_claim_passes_by_a_job_that_is_being_claimed(postgresql_databases):
    url = postgresql_databases.migrated()
    engine = engines.create(url, lock_timeout=1.0)
    college = batches.college(engine)
    one, two = (batches.submit(engine, college, [{}]) for _ in range(2))
    with engines.write(engine) as connection:
        assert jobs.claim(connection, 60.0, NOW).id == one
        assert claim(engine).id == two
        assert claim(engine) is None
    engine.dispose()
    postgresql_databases.drop(url)


def test_many_workers_claim_different_jobs(engine, college):
    wanted = {batches.submit(engine, college, [{}]) for _ in range(24)}
    claimed, start = [], threading.Barrier(6)

    def work():
        start.wait()
        for _ in range(4):
            claimed.append(claim(engine).id)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(wanted)


def test_a_lease_that_ran_out_lets_another_in_and_the_first_out(engine, job_id):
    first = claim(engine, seconds=0.05)
    deadline = time.monotonic() + 10
    while not is_waiting(engine):
        assert time.monotonic() < deadline
    second = claim(engine)
    assert (second.id, second.attempts, second.started_at) == (job_id, 2, LATER)
    with pytest.raises(jobs.LostLease):
        hold(engine, first)
    hold(engine, second)
    with engines.write(engine) as connection:
        jobs.release(connection, first)  # not its to release
    assert not is_waiting(engine)


def test_holding_renews_the_lease(engine, job_id):
    job = claim(engine, seconds=0.05)
    hold(engine, job)
    time.sleep(0.1)
    assert not is_waiting(engine)


def clock_set_back(engine, seconds):
    """The leases that there are, as they look after the database's clock was set back."""
    with engines.write(engine) as connection:
        connection.execute(sa.text("UPDATE job SET lease_until = lease_until + :seconds"), {"seconds": seconds})


def test_a_clock_that_was_set_back_does_not_keep_a_dead_workers_job(engine, job_id):
    first = claim(engine)
    clock_set_back(engine, 30)
    assert not is_waiting(engine), "as long as it may be held, it is"
    clock_set_back(engine, 3600)
    assert is_waiting(engine)
    second = claim(engine)
    assert (second.id, second.attempts) == (job_id, 2)
    assert not is_waiting(engine)
    with pytest.raises(jobs.LostLease):
        hold(engine, first)  # also one that was not dead writes nothing more


def test_a_clock_that_was_set_forward_lets_another_in_and_the_first_out(engine, job_id):
    first = claim(engine)
    clock_set_back(engine, -3600)
    second = claim(engine)
    assert second.id == job_id
    with pytest.raises(jobs.LostLease):
        hold(engine, first)
    hold(engine, second)


def test_a_held_job_waits_for_no_claim_before_its_transaction_ends(engine, job_id):
    job = claim(engine, seconds=0.05)
    with engines.write(engine) as connection:
        jobs.hold(connection, job, 0.0)  # a lease that is over at once: only the transaction protects
        if engine.dialect.name == "postgresql":  # on SQLite no other could begin to write
            assert claim(engine) is None
    assert claim(engine).id == job_id


def test_attempts_count_claims_until_a_learner_is_finished(engine, job_id):
    for attempt in (1, 2, 3):
        job = claim(engine, seconds=0.0)
        assert job.attempts == attempt
    with pytest.raises(RuntimeError), engines.write(engine) as connection:
        jobs.hold(connection, job, 0.0)
        raise RuntimeError  # nothing finished
    job = claim(engine, seconds=0.0)
    assert job.attempts == 4
    with engines.write(engine) as connection:
        jobs.hold(connection, job, 0.0)
        jobs.record(connection, job, 0, [jobs.Result("RC001")])
    assert claim(engine).attempts == 1


@pytest.mark.parametrize("counted, attempts", [(False, 1), (True, 2)])
def test_a_released_job_can_be_claimed_at_once(engine, job_id, counted, attempts):
    job = claim(engine)
    with engines.write(engine) as connection:
        jobs.release(connection, job, counted=counted)
    assert claim(engine).attempts == attempts


def test_a_released_job_can_be_kept_back(engine, job_id):
    job = claim(engine)
    with engines.write(engine) as connection:
        jobs.release(connection, job, after_seconds=60.0, counted=True)
    assert claim(engine) is None


def test_results_are_kept_once_and_in_order(engine, college, job_id):
    job = claim(engine)
    given = {"given_name": "Ann", "failure_flag": ["VRF1"]}
    with engines.write(engine) as connection:
        jobs.hold(connection, job, 60.0)
        jobs.record(connection, job, 0, [jobs.Result("RC001", "9276308686"), jobs.Result("RC007")])
        assert jobs.done(connection, job_id) == 2
        jobs.record(connection, job, 2, [jobs.Result("WSVRC003", "9276308686", given)])
        assert jobs.done(connection, job_id) == 3
        jobs.finish(connection, job, JobStatus.SUCCESSFUL, LATER)
    assert batches.results(engine, job_id) == [
        ("RC001", "9276308686", None), ("RC007", None, None), ("WSVRC003", "9276308686", given),
    ]  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError), engines.write(engine) as connection:
        jobs.record(connection, job, 2, [jobs.Result("RC001")])
    finished = held(engine, job_id, college)
    assert (finished.status, finished.finished_at, finished.lease) == ("Successful", LATER, None)
    with pytest.raises(jobs.LostLease):
        hold(engine, job)
    assert not is_waiting(engine)


# Many learners at once


def stored(number, **values):
    person = {name: value for name, value in PEOPLE[number].items() if name != "mis_identifier"}
    return learners.StoredLearner(
        **{"learner_status": "1"} | person | values, uln=str(1_000_000_000 + number), version_number=1,
        created_date="2026-01-01", last_updated_date="2026-01-01",
    )  # fmt: skip


def insert(connection, new):
    """The ULNs of those who were added."""
    return bulk.insert(connection, [bulk.newcomer(one) for one in new], [one.uln for one in new])


PEOPLE = [person for person, _ in zip(batches.people(), range(40), strict=False)]


FIVE = ("given_name", "family_name", "date_of_birth", "gender", "last_known_post_code")


def query(learner, **values):
    return matching.Query(**{name: getattr(learner, name) for name in FIVE} | values)


def five(learner, **values):
    return {name: getattr(learner, name) for name in FIVE} | values


def claimed(connection):
    """The ULNs by the identities that they have."""
    rows = connection.execute(sa.select(tables.learner_identity.c.identity, tables.learner_identity.c.uln))
    return {bytes(identity): uln for identity, uln in rows}


def test_bulk_insert_is_found_as_single_inserts_are(engine):
    new = [stored(number) for number in range(len(PEOPLE))]
    with engines.write(engine) as connection:
        assert insert(connection, new) == {one.uln for one in new}
    with engines.read(engine) as connection:
        assert learners.by_ulns(connection, [one.uln for one in new]) == {one.uln: one for one in new}
        assert claimed(connection) == {matching.identity(one): one.uln for one in new}
        searches = [query(new[3]), query(new[4], last_known_post_code="M1 1AA"), query(new[5], date_of_birth="1950-01-01"),
                    query(new[6], family_name="Nobody", given_name="None", last_known_post_code="ZZ99 9ZZ")]  # fmt: skip
        lookups = [matching.lookups(search) for search in searches]
        for found, reads in zip(matches.first_candidates_of_all(connection, lookups), lookups, strict=True):
            assert sorted(one.uln for one in found) == sorted(one.uln for one in matches.candidates(connection, reads))
        assert new[3] in matches.first_candidates_of_all(connection, lookups)[0]
        nothing, something = matches.first_candidates_of_all(connection, [(), lookups[0]])
        assert nothing == [] and new[3] in something
        assert matches.first_candidates_of_all(connection, []) == []
        assert matches.first_candidates_of_all(connection, [()]) == [[]]


def test_bulk_insert_adds_all_but_those_who_are_there(engine):
    twin = stored(2, **{name: value for name, value in PEOPLE[1].items() if name != "mis_identifier"})
    with engines.write(engine) as connection:
        assert insert(connection, []) == set()
        assert insert(connection, [stored(1)]) == {stored(1).uln}
        assert insert(connection, [twin, stored(3)]) == {stored(3).uln}
        assert insert(connection, [twin]) == set()
    with engines.read(engine) as connection:
        assert set(learners.by_ulns(connection, [stored(n).uln for n in (1, 2, 3)])) == {stored(1).uln, stored(3).uln}


@pytest.mark.parametrize("number", range(0, 40, 3))
def test_whose_number_is_in_use_is_not_added_and_all_others_are(engine, number):
    """However the rows are parted into statements."""
    new = [stored(n) for n in range(len(PEOPLE))]
    there = stored(number, given_name="Somebody", family_name="Else", date_of_birth="1950-01-01")
    others = {one.uln for one in new} - {there.uln}
    with engines.write(engine) as connection:
        assert insert(connection, [there]) == {there.uln}
        assert insert(connection, new) == others
    with engines.read(engine) as connection:
        held = learners.by_ulns(connection, [one.uln for one in new])
        assert held == {one.uln: one for one in new} | {there.uln: there}
        for one in new:
            found = matches.by_details(connection, one)
            assert found == (None if one.uln == there.uln else one)
        assert set(claimed(connection).values()) == others | {there.uln}


def test_a_person_is_found_by_equal_details(engine):
    one, cut = stored(1, gender="1"), "Wolfeschlegelsteinhausen"
    others = [
        stored(2, **five(one, last_known_post_code="M1 1AA")), stored(3, **five(one, gender="2")),
        stored(4, **five(one, given_name="Nobody")), stored(5, family_name=cut + "a"), stored(6, family_name=cut + "b"),
    ]  # fmt: skip
    with engines.write(engine) as connection:
        insert(connection, [one, *others])
        asked = [stored(0, **five(one, given_name=one.given_name.upper() + " ")), others[3], stored(9)]
        found = bulk.equal(connection, list(map(bulk.newcomer, asked)))
        assert found == {matching.identity(one): [one], matching.identity(others[3]): [others[3]]}
        merged = stored(7, **five(one), learner_status="0", master_uln=one.uln)
        deleted = stored(8, **five(one), learner_status="2")
        for gone in (merged, deleted):
            learners.insert(connection, gone, matching.identity(gone), matching.stored_keys(gone))
        (equal,) = bulk.equal(connection, [bulk.newcomer(one)]).values()
        assert sorted(stored.uln for stored in equal) == [one.uln, merged.uln]
        assert bulk.equal(connection, []) == {}


def test_deleted_learners_are_no_candidates(engine):
    one = stored(1)
    with engines.write(engine) as connection:
        insert(connection, [one])
        connection.execute(sa.text("UPDATE learner SET learner_status = '2'"))
        assert matches.first_candidates_of_all(connection, [matching.lookups(query(one))]) == [[]]
