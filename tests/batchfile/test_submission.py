"""Sending a file: calls of 200, what stays behind, and going on after an interruption at any point."""

import datetime

import pytest
from support import batchfiles

from lrs_soap import model
from lrs_soap.batchfile import outputs, problems, state, submission
from lrs_soap.codes import BatchJobType, ResponseCode, ReturnCode

TODAY = datetime.date(2026, 11, 23)
CALLER = {"url": "http://x", "organisation_ref": None, "ukprn": "SAND0001"}
FIELDS = tuple(model.BatchLearner.__dataclass_fields__)
TIME = "2026-11-23 09:15:00"


class Killed(Exception):
    """The process dies here."""


class Service:
    """Keeps what it is sent; dies before or after keeping the n-th call."""

    def __init__(self):
        self.jobs, self.die, self.calls, self.code = {}, None, 0, ResponseCode.BATCH_SUBMITTED

    def submit(self, learners, job_type):
        self.calls += 1
        if self.die == ("before", self.calls):
            raise Killed
        if self.code is not ResponseCode.BATCH_SUBMITTED:
            return model.BatchRegistrationResp(response_code=self.code, job_id=0)
        self.jobs[len(self.jobs) + 1] = tuple(learners)
        if self.die == ("after", self.calls):
            raise Killed
        return model.BatchRegistrationResp(response_code=ResponseCode.BATCH_SUBMITTED, job_id=len(self.jobs))

    def output(self, job_id, code=ResponseCode.BATCH_SUCCESSFUL, keep=None):
        learners = () if code is ResponseCode.BATCH_NOT_FINISHED else self.jobs[job_id][:keep]
        return model.BatchOutputResp(
            response_code=code, job_started_date_time=TIME, job_finished_date_time=TIME,
            learner=tuple(
                model.OutputBatchLearner(
                    **{name: getattr(one, name) for name in FIELDS} | {"uln": "9276308686"},
                    return_code=ReturnCode.REGISTERED,
                ) for one in learners
            ),
        )  # fmt: skip


def begin(file, caller=CALLER, job_type=BatchJobType.FULL, **more):
    return submission.begin(file, caller, job_type, TODAY, **more)


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("when", ["before", "after"])
def test_it_goes_on_where_it_was_interrupted(tmp_path, when, call):
    file = batchfiles.write(tmp_path, 450, n5={"Gender": "x"})
    service = Service()
    service.die = when, call
    with pytest.raises(Killed):
        list(submission.send(file, begin(file), service.submit))
    service.die = None
    steps = list(submission.send(file, begin(file), service.submit))
    assert [step.again for step in steps] == [True] + [False] * (3 - call)
    assert steps[-1][:2] == (449, 449)
    held = state.load(file)
    assert held.complete
    sent = [one.mis_identifier for job in held.job_ids for one in service.jobs[job]]
    assert sent == [f"MIS-{n:06}" for n in range(1, 451) if n != 5]
    assert [len(service.jobs[job]) for job in held.job_ids] == [200, 200, 49]
    assert len(service.jobs) == (4 if when == "after" else 3)
    assert list(submission.send(file, held, service.submit)) == []
    assert "MIS-" not in state.path_of(file).read_text()


def test_a_changed_file_or_caller_does_not_go_on(tmp_path):
    file = batchfiles.write(tmp_path, 3)
    list(submission.send(file, begin(file), Service().submit))
    with pytest.raises(state.StateError, match="another organisation"):
        begin(file, CALLER | {"ukprn": "SAND0002"})
    with pytest.raises(state.StateError, match="job type"):
        begin(file, job_type=BatchJobType.CHECK)
    batchfiles.write(tmp_path, 4)
    with pytest.raises(state.StateError, match="has changed"):
        begin(file)
    state.path_of(file).write_text("{")
    with pytest.raises(state.StateError, match="cannot be read"):
        begin(file)


def test_what_stops_a_submission(tmp_path):
    file = batchfiles.write(tmp_path, 3, n2={"Gender": "x"})
    with pytest.raises(submission.Refused) as caught:
        begin(file, strict=True)
    assert [problem.rule for problem in caught.value.problems] == ["format"]
    file.write_bytes(file.read_bytes().replace(b'"3"', b'"4"', 1))
    with pytest.raises(submission.Refused) as caught:
        begin(file)
    assert [problem.effect for problem in caught.value.problems] == [problems.Effect.FILE]
    assert state.load(file) is None


def test_a_refused_call_is_made_again_another_time(tmp_path):
    file, service = batchfiles.write(tmp_path, 3), Service()
    service.code = ResponseCode.BATCH_COUNT_MISMATCH
    with pytest.raises(submission.CallRefused) as caught:
        list(submission.send(file, begin(file), service.submit))
    assert caught.value.code is ResponseCode.BATCH_COUNT_MISMATCH
    service.code = ResponseCode.BATCH_SUBMITTED
    assert list(submission.send(file, begin(file), service.submit)) == [(3, 3, True)]


def submitted(tmp_path):
    file = batchfiles.write(tmp_path, 250, n2={"Gender": "x", "GivenName": ""}, n3={"FamilyName": ""})
    service = Service()
    held = begin(file)
    list(submission.send(file, held, service.submit))
    return file, service, held


def test_output(tmp_path):
    file, service, held = submitted(tmp_path)
    assert outputs.write(file, held, service.output) == {"RC001": 248, "RC011": 1, "RC010": 1}
    results = list(outputs.results(file, held, service.output))
    assert [result.line for result in results] == list(range(2, 252))
    assert results[1].learner.gender == "x"
    assert results[1].reason == (
        "Gender: The value does not have the format of the column; GivenName: The value is mandatory"
    )


def test_output_of_unfinished_failed_and_foreign_jobs(tmp_path):
    file, service, held = submitted(tmp_path)
    with pytest.raises(outputs.Unfinished):
        outputs.write(file, held, lambda job: service.output(job, ResponseCode.BATCH_NOT_FINISHED))
    with pytest.raises(submission.CallRefused):
        outputs.write(file, held, lambda job: service.output(job, ResponseCode.UNKNOWN_JOB))
    with pytest.raises(outputs.Mismatch):
        outputs.write(file, held, lambda job: service.output(3 - job))
    assert [path for path in tmp_path.iterdir() if "PUT" in path.name or path.name.startswith(".")] == []
    counts = outputs.write(file, held, lambda job: service.output(job, ResponseCode.BATCH_FAILED, keep=40))
    assert counts == {"RC001": 80, "RC010": 1, "RC011": 1, "": 168}
