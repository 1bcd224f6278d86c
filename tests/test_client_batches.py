"""LrsClient.run_batch and the four batch methods, without a network."""

import pytest

from lrs_soap import client, codes, model
from lrs_soap.client import batches

TIME = "2026-11-23 09:15:00"


class Service(batches.Batches):
    """Answers as a service that finishes each job at the n-th look."""

    def __init__(self, looks=1, code="WSRC0009", submit_code="WSRC0007"):
        self.looks, self.code, self.submit_code = looks, code, submit_code
        self.jobs, self.looked, self.log = [], {}, []

    def call(self, operation, **parameters):
        self.log.append(operation)
        if operation.startswith("submit"):
            self.jobs.append(parameters)
            return model.BatchRegistrationResp(response_code=self.submit_code, job_id=len(self.jobs))
        job = parameters["job_id"]
        self.looked[job] = self.looked.get(job, 0) + 1
        done = self.looked[job] >= self.looks
        return model.BatchOutputResp(
            response_code=self.code if done else "WSRC0008", job_started_date_time=TIME, job_finished_date_time=TIME,
            learner=tuple(
                model.OutputBatchLearner(mis_identifier=one.mis_identifier, given_name="A", family_name="B",
                                         return_code=codes.ReturnCode.REGISTERED)
                for one in self.jobs[job - 1]["learner"]
            ) if done else (),
        )  # fmt: skip


def people(count):
    return (model.BatchLearner(mis_identifier=str(n), given_name="A", family_name="B") for n in range(count))


def test_results_come_in_order_from_calls_of_200():
    service = Service(looks=3)
    got = [one.mis_identifier for one in service.run_batch(people(1450), "CHK", sleep=lambda _: None)]
    assert got == [str(n) for n in range(1450)]
    assert [job["learner_record_count"] for job in service.jobs] == [200] * 7 + [50]
    assert {job["job_type"] for job in service.jobs} == {"CHK"}


def test_it_does_not_run_far_ahead():
    service, taken = Service(), 0

    def endless():
        nonlocal taken
        for one in people(10**9):
            taken += 1
            yield one

    next(service.run_batch(endless(), sleep=lambda _: None))
    assert taken == batches.AHEAD * batches.PER_CALL


def test_pauses_grow_and_end():
    pauses = []
    with pytest.raises(client.LrsBatchUnfinished) as caught:
        list(Service(looks=10**9).run_batch(people(1), patience=120, sleep=pauses.append))
    assert caught.value.job_id == 1
    assert sum(pauses) == pytest.approx(120)
    assert pauses[0] == batches.FIRST_PAUSE
    assert max(pauses) == batches.LONGEST_PAUSE
    assert len(pauses) < 30


def test_what_goes_wrong_has_its_exception():
    with pytest.raises(client.LrsBatchRefused) as refused:
        list(Service(submit_code=codes.ResponseCode.BATCH_COUNT_MISMATCH).run_batch(people(1)))
    assert refused.value.code is codes.ResponseCode.BATCH_COUNT_MISMATCH
    with pytest.raises(client.LrsBatchFailed) as failed:
        list(Service(code=codes.ResponseCode.BATCH_FAILED).run_batch(people(1)))
    assert (failed.value.job_id, failed.value.code) == (1, "WSRC0010")


def test_nobody_is_no_call():
    service = Service()
    assert list(service.run_batch(())) == []
    assert service.log == []


def test_verify_batches():
    service = Service()
    learner = model.MIAPBatchLearnerToVerify(uln="9276308686", family_name="B", given_name="A")
    service.submit_verify_batch([learner], "a@example.org")
    assert service.jobs == [{"learner_record_count": 1, "org_email": "a@example.org", "learner": (learner,)}]
    assert service.log == ["submitVerifyBatch"]
