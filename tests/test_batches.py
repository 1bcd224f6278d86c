"""Batches from submission to output, worked on by a worker in this process, on both databases."""

import dataclasses
import datetime

import pytest
import sqlalchemy as sa
from support import batches
from support import desk as desks
from support import office as offices
from support.office import PEOPLE, REQUEST

from lrs_soap import model, worker
from lrs_soap.operations import batch, merging
from lrs_soap.store import engine as engines
from lrs_soap.store import jobs, matches, tables


@pytest.fixture
def office(database_url):
    with offices.opened(database_url) as opened:
        yield opened


def count(engine, table):
    with engines.read(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()


# Submission and output


def test_a_batch_from_submission_to_output(office):
    submitted = office.submit(PEOPLE[0] | {"notes": "", "title": " Ms "}, PEOPLE[1])
    assert submitted.response_code == "WSRC0007" and submitted.job_id > 0
    waiting = office.output(submitted.job_id)
    assert (waiting.response_code, waiting.job_status, waiting.learner) == ("WSRC0008", "Waiting", ())
    assert waiting.job_started_date_time == waiting.job_finished_date_time == "2026-11-23 12:00:00"
    assert waiting.new_learners_count is None
    office.work()
    done = office.output(submitted.job_id)
    assert (done.response_code, done.job_status) == ("WSRC0009", "Successful")
    counts = (done.new_learners_count, done.exists_updated_learners_count, done.possible_match_learners_count,
              done.learners_not_found_count, done.rejected_learners_count)  # fmt: skip
    assert counts == (2, 0, 0, 0, 0)
    first, second = done.learner
    assert dataclasses.asdict(first) == dataclasses.asdict(model.BatchLearner(**PEOPLE[0], notes="", title=" Ms ")) | {
        "uln": first.uln, "return_code": "RC001",
    }  # fmt: skip
    assert second.mis_identifier == PEOPLE[1]["mis_identifier"] and second.uln != first.uln
    assert office.desk.held(first.uln).notes is None
    assert office.output(submitted.job_id) == done


def test_while_a_batch_is_worked_on(office):
    job_id = office.submit(PEOPLE[0]).job_id
    started = batches.NOW + datetime.timedelta(hours=1)
    with engines.write(office.engine) as connection:
        jobs.claim(connection, 60.0, started)
    waiting = office.output(job_id)
    assert (waiting.response_code, waiting.job_status) == ("WSRC0008", "InProgress")
    assert waiting.job_started_date_time == waiting.job_finished_date_time == "2026-11-23 13:00:00"


def test_a_wrong_count_is_refused(office):
    assert office.submit(PEOPLE[0], count=2) == model.BatchRegistrationResp(response_code="WSRC0017", job_id=0)
    one = {"uln": "9276308686", "family_name": "A", "given_name": "B"}
    assert office.submit_to_verify(one, count=2) == model.VerifyBatchResp(response_code="WSRC0030", job_id=0)
    assert not office.worker.run_one()


def test_only_the_organisation_that_submitted_reads_a_job(office):
    other = office.desk.organisation("TEST39")
    job_id = office.submit(PEOPLE[0]).job_id
    verification = office.submit_to_verify({"uln": "9276308686", "family_name": "A", "given_name": "B"}).job_id
    office.work()
    for unknown in (office.output(job_id, caller=other), office.output(verification), office.output(job_id + 9)):
        assert unknown == model.BatchOutputResp(
            response_code="WSRC0018", job_started_date_time="2026-11-23 12:00:00", job_finished_date_time="2026-11-23 12:00:00"
        )
    for job, caller in ((verification, other), (job_id, None), (verification + 9, None)):
        assert office.verify_output(job, caller=caller) == model.VerifyBatchOutputResp(response_code="WSRC0018")


def test_a_verify_batch(office):
    uln = office.desk.new(desks.ANN)
    ann = {"uln": uln, "family_name": "ARCHER", "given_name": "Ann", "mis_identifier": "a b "}
    wrong = ann | {"given_name": "Peter", "date_of_birth": "1999-01-01", "gender": ""}
    job_id = office.submit_to_verify(ann, wrong, ann | {"uln": "9276308686"}).job_id
    assert office.verify_output(job_id) == model.VerifyBatchOutputResp(response_code="WSRC0008", job_status="Waiting")
    office.work()
    done = office.verify_output(job_id)
    assert (done.response_code, done.job_status) == ("WSRC0009", "Successful")
    assert done.job_started_date_time and done.job_finished_date_time
    match, other, unknown = done.verified_learner
    asked = {"mis_identifier": "a b ", "searched_uln": uln, "searched_family_name": "ARCHER"}
    assert match == model.MIAPVerifiedBatchLearner(
        **asked, searched_given_name="Ann", response_code="WSVRC001", uln=uln,
        **{name: desks.ANN[name] for name in ("family_name", "given_name", "date_of_birth", "gender")},
    )  # fmt: skip
    assert dataclasses.replace(other, failure_flag=tuple(other.failure_flag)) == model.MIAPVerifiedBatchLearner(
        **asked, searched_given_name="Peter", searched_date_of_birth="1999-01-01", response_code="WSVRC005",
        failure_flag=("VRF1", "VRF2", "VRF3", "VRF7"),
    )  # fmt: skip
    assert (unknown.response_code, unknown.uln) == ("WSVRC006", None)


def test_a_verify_output_of_5000_is_read_page_by_page(office, monkeypatch):
    uln = office.desk.new(desks.ANN)
    sent = [{"uln": uln, "family_name": "Archer", "given_name": "Ann", "mis_identifier": str(n)} for n in range(5000)]
    job_id = batches.submit(office.engine, office.desk.college.organisation_id, sent, job_type=None)
    office.work()
    sizes, read = [], jobs.learners
    monkeypatch.setattr(jobs, "learners", lambda *args: sizes.append(len(page := read(*args))) or page)
    call, _, text = office.call(batch.get_verify_batch_output, model.VerifyBatchOutputRqst(job_id=job_id, **REQUEST),
                                "getVerifyBatchOutput")  # fmt: skip
    assert max(sizes) <= 500 and sum(sizes) == 5000
    places = [text.index(f"<MISIdentifier>{n}</MISIdentifier>") for n in range(0, 5000, 499)]
    assert places == sorted(places) and text.count("<VerifiedLearner>") == text.count("WSVRC001") == 5000
    assert list(call.ulns) == [uln]


# What becomes of learners


def test_every_return_code(office):
    uln = office.desk.new(desks.ANN)
    merged = office.desk.new(desks.MARY)
    office.desk.merge(merged, uln)
    crowd = [desks.KIT | {"last_known_post_code": f"B{n} 1AA"} for n in range(1, 7)]
    for one in crowd:
        office.desk.new(one)
    known = {"ability_to_share": "1", "verification_type": "2"}
    sent = [
        PEOPLE[0],
        desks.ANN | known,
        desks.ANN | known | {"title": "Dr"},
        desks.MARY | known,
        {"uln": "9276308686", "given_name": "A", "family_name": "B"},
        PEOPLE[1] | {"verification_type": ""},
        desks.ANN | known | {"last_known_post_code": "B99 1AA"},
        desks.KIT | known,
        {"uln": uln, "given_name": "Peter", "family_name": "Other"},
        desks.ANN | {"gender": ""},
        desks.ANN | {"date_of_birth": "2020-01-01"},
    ]
    learners_out = office.done(*sent)
    assert [learner.return_code for learner in learners_out] == [f"RC{n:03}" for n in range(1, 12)]
    assert [learner.uln for learner in learners_out[1:5]] == [uln, uln, uln, "9276308686"]
    assert [learner.uln for learner in learners_out[5:]] == [None, None, None, uln, None, None]
    assert office.codes(*sent, job_type="CHK") == ["RC002"] * 3 + ["RC004"] + ["RC005"] * 2 + [f"RC{n:03}" for n in range(7, 12)]


def test_of_a_crowd_the_one_who_is_meant_is_found(office, monkeypatch):
    """However many share name and birth date, and however few of them are looked at."""
    monkeypatch.setattr(matches, "FEW", 3)
    monkeypatch.setattr(matches, "SOME", 4)
    monkeypatch.setattr(matches, "MOST", 6)
    crowd = [office.desk.new(desks.KIT | {"last_known_post_code": f"B{n} 1AA"}) for n in range(1, 11)]
    known = desks.KIT | {"ability_to_share": "1", "verification_type": "2"}
    sent = [known | {"last_known_post_code": f"B{n} 1AA", "notes": "x"} for n in (1, 10)]
    learners_out = office.done(*sent, known | {"last_known_post_code": "M99 1AA"}, PEOPLE[0])
    assert [(one.return_code, one.uln) for one in learners_out[:3]] == [("RC003", crowd[0]), ("RC003", crowd[9]), ("RC008", None)]
    assert learners_out[3].return_code == "RC001"


def test_checking_changes_nothing(office):
    uln = office.desk.new(desks.ANN)
    before = office.desk.held(uln), count(office.engine, tables.learner)
    assert office.codes(PEOPLE[0], desks.ANN | {"uln": uln, "notes": "new"}, job_type="CHK") == ["RC005", "RC002"]
    assert (office.desk.held(uln), count(office.engine, tables.learner)) == before


def test_an_update_keeps_history_and_tier(office):
    uln = office.desk.new(desks.ANN)
    (learner,) = office.done({"uln": uln, "given_name": "Ann", "family_name": "Archer", "verification_type": "1",
                              "last_known_post_code": "M1 1AA"})  # fmt: skip
    assert (learner.return_code, learner.uln) == ("RC003", uln)
    held = office.desk.held(uln)
    assert (held.version_number, held.tier_level, held.last_known_post_code) == (2, "1", "M1 1AA")
    assert count(office.engine, tables.learner_history) == 1
    assert office.desk.by_demographics(desks.ANN | {"last_known_post_code": "M1 1AA"}).response_code == "WSRC0004"
    assert office.desk.by_demographics(desks.ANN).response_code == "WSRC0003"


def test_a_postcode_that_is_anothers_is_only_a_possible_match(office):
    uln, other = office.desk.new(desks.ANN), office.desk.new(desks.ANN | {"last_known_post_code": "M1 1AA"})
    move = {"uln": uln, "given_name": "Ann", "family_name": "Archer", "last_known_post_code": "M1 1AA"}
    assert office.codes(move, PEOPLE[0]) == ["RC007", "RC001"]
    assert office.desk.held(uln).version_number == office.desk.held(other).version_number == 1


@pytest.mark.parametrize("step", [1, 2, 3, 50])
def test_what_comes_out_does_not_depend_on_the_steps(office, monkeypatch, step):
    """Each learner of a batch sees what those before it did, in the same step or in another."""
    monkeypatch.setattr(worker, "STEP", step)
    one, known = PEOPLE[0], {"ability_to_share": "1", "verification_type": "2"}
    uln = office.desk.new(desks.ANN)
    office.desk.new(desks.KIT)
    sent = [
        one,
        one,  # there by now
        one | {"notes": "new"},
        one | {"notes": "newer"},
        one | {"last_known_post_code": "M1 1AA"},  # a possible match of the one just registered
        PEOPLE[1],
        {"uln": uln, "given_name": "Ann", "family_name": "Archer", "last_known_post_code": "M2 2BB"},
        desks.ANN | known | {"last_known_post_code": "m22bb"},  # where she is now
        desks.ANN | known,  # where she was
        {"uln": uln, "given_name": "Ann", "family_name": "Archer", "title": "Dr"},
        PEOPLE[2],
    ]
    found = office.done(*sent)
    assert [learner.return_code for learner in found] == [
        "RC001", "RC002", "RC003", "RC003", "RC007", "RC001", "RC003", "RC002", "RC007", "RC003", "RC001",
    ]  # fmt: skip
    assert len({learner.uln for learner in found[:4]}) == 1
    assert (office.desk.held(found[0].uln).notes, office.desk.held(found[0].uln).version_number) == ("newer", 3)
    assert office.desk.held(uln).version_number == 3


def test_a_deleted_master_stands_in_nobodys_way(office):
    uln, merged = office.desk.new(desks.ANN), office.desk.new(desks.MARY)
    office.desk.merge(merged, uln)
    office.desk.decide(merging.delete, uln)
    known = {"ability_to_share": "1", "verification_type": "2"}
    assert office.codes(desks.MARY | known, {"uln": merged} | desks.ANN, {"uln": uln} | desks.ANN) == [
        "RC001", "RC005", "RC005",
    ]  # fmt: skip


def test_what_a_batch_did_is_audited_step_by_step(office, monkeypatch):
    monkeypatch.setattr(worker, "STEP", 2)
    found = office.done(*PEOPLE[:3], {"uln": "9276308686", "given_name": "A", "family_name": "B"})
    with engines.read(office.engine) as connection:
        rows = connection.execute(sa.select(tables.audit).order_by(tables.audit.c.id)).all()
        touched = connection.execute(sa.select(tables.audit_learner)).all()
        scope = set(connection.execute(sa.select(tables.organisation_learner.c.uln)).scalars())
    steps = [row for row in rows if row.operation == "submitBatchRegistration" and row.code == "InProgress"]
    job_id = steps[0].request_id.split("/")[1]
    assert [row.request_id for row in steps] == [f"0/{job_id}/0-1", f"0/{job_id}/2-3"]
    assert {(row.organisation_id, row.reference, row.user_name) for row in steps} == {
        (office.desk.college.organisation_id, "TEST38", "J. College")
    }
    ulns = [learner.uln for learner in found]
    assert {(row.audit_id, row.uln) for row in touched if row.audit_id in {step.id for step in steps}} == {
        (steps[0].id, ulns[0]), (steps[0].id, ulns[1]), (steps[1].id, ulns[2]),
    }  # fmt: skip
    assert scope == set(ulns[:3])
    assert rows[0].code == "WSRC0007" and rows[0].operation == "submitBatchRegistration"
