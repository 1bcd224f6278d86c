"""submitBatchRegistration, submitVerifyBatch, and the outputs of both; `batch_step` does what was submitted."""

import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any

from lrs_soap import model
from lrs_soap.codes import JobStatus, ResponseCode
from lrs_soap.register import ENGLAND, Call
from lrs_soap.rules import batch
from lrs_soap.store import jobs

REGISTRATION = "submitBatchRegistration"
VERIFICATION = "submitVerifyBatch"

REFUSED = 0
"""P: the JobID of a batch that was not taken; the element is mandatory."""

_PAGE = 500
_OUTCOME = {JobStatus.SUCCESSFUL: ResponseCode.BATCH_SUCCESSFUL, JobStatus.FAILED: ResponseCode.BATCH_FAILED}


def submit_batch_registration(call: Call, request: model.BatchRegistrationRqst) -> model.BatchRegistrationResp:
    """Takes a batch (WSRC0007 with its JobID), unless LearnerRecordCount is not the number sent (WSRC0017)."""
    code, job_id = _submit(call, request, REGISTRATION, ResponseCode.BATCH_COUNT_MISMATCH)
    return model.BatchRegistrationResp(response_code=code, job_id=job_id)


def submit_verify_batch(call: Call, request: model.VerifyBatchRqst) -> model.VerifyBatchResp:
    """Takes a batch to verify (P: WSRC0007 too), unless LearnerRecordCount is not the number sent (WSRC0030)."""
    code, job_id = _submit(call, request, VERIFICATION, ResponseCode.VERIFY_COUNT_MISMATCH)
    return model.VerifyBatchResp(response_code=code, job_id=job_id)


def _submit(call: Call, request: Any, operation: str, mismatch: ResponseCode) -> tuple[ResponseCode, int]:
    if request.learner_record_count != len(request.learner):
        call.code = mismatch
        return mismatch, REFUSED
    with call.writing() as connection:
        job_id = jobs.add(
            connection,
            operation,
            [_sent(learner) for learner in request.learner],
            job_type=getattr(request, "job_type", None),
            organisation_id=call.caller.organisation_id,
            reference=call.reference,
            user_name=call.user_name,
            request_id=call.request_id,
            at=call.at,
        )
        call.code = ResponseCode.BATCH_SUBMITTED
    return ResponseCode.BATCH_SUBMITTED, job_id


def _sent(learner: Any) -> dict[str, str]:
    """The elements that were there, as they were: also the empty ones."""
    values = ((field.name, getattr(learner, field.name)) for field in dataclasses.fields(learner))
    return {name: value for name, value in values if value is not None}


def get_batch_registration_output(call: Call, request: model.BatchOutputRqst) -> model.BatchOutputResp:
    """What became of a batch: WSRC0008 while it is worked on, then WSRC0009 with every learner in the order sent.

    P: WSRC0018 for a JobID that is not one of the caller's own registration batches, with the time of the call as both
    of the mandatory times. P: while unfinished, JobFinishedDateTime repeats JobStartedDateTime, and before the start
    both are the time of submission. P: WSRC0010 comes with the learners that were finished before the batch failed.
    """
    with call.reading() as connection:
        job = jobs.of_organisation(connection, request.job_id, call.caller.organisation_id, REGISTRATION)
        call.code = _code(job)
        if job is None:
            now = _moment(call.at)
            return model.BatchOutputResp(response_code=call.code, job_started_date_time=now, job_finished_date_time=now)
        found = jobs.learners(connection, job.id, 0, job.size) if job.finished_at else []
    learners = tuple(_output(learner) for learner in found if learner.result is not None)
    call.touch(*(learner.result.uln for learner in found if learner.result is not None and learner.result.uln))
    started = _moment(job.started_at or job.submitted_at)
    return model.BatchOutputResp(
        response_code=call.code,
        job_status=job.status,
        job_started_date_time=started,
        job_finished_date_time=_moment(job.finished_at) if job.finished_at else started,
        learner=learners,
        **(batch.counts(learner.return_code for learner in learners) if job.finished_at else {}),
    )


def _output(learner: jobs.Sent) -> model.OutputBatchLearner:
    """D: the values as sent, with the ReturnCode. P: the ULN that was found or given takes the place of the one sent."""
    values = learner.values | ({"uln": learner.result.uln} if learner.result.uln else {})
    return model.OutputBatchLearner(**values, return_code=learner.result.code)


def get_verify_batch_output(call: Call, request: model.VerifyBatchOutputRqst) -> model.VerifyBatchOutputResp:
    """What became of a batch to verify, as for a registration batch. P: times that are not there yet are left out."""
    with call.reading() as connection:
        job = jobs.of_organisation(connection, request.job_id, call.caller.organisation_id, VERIFICATION)
    call.code = _code(job)
    if job is None:
        return model.VerifyBatchOutputResp(response_code=call.code)
    return model.VerifyBatchOutputResp(
        response_code=call.code,
        job_status=job.status,
        job_started_date_time=_moment(job.started_at) if job.started_at else None,
        job_finished_date_time=_moment(job.finished_at) if job.finished_at else None,
        verified_learner=_Verified(call, job) if job.finished_at else (),
    )


class _Verified:
    """The verified learners of a finished job, read page by page as the reply is written: there may be 5,000."""

    def __init__(self, call: Call, job: jobs.Job):
        self._call = call
        self._job = job

    def __iter__(self) -> Iterator[model.MIAPVerifiedBatchLearner]:
        for start in range(0, self._job.size, _PAGE):
            # Nothing changes a finished job, so that the pages belong together.
            with self._call.reading() as connection:
                page = jobs.learners(connection, self._job.id, start, _PAGE)
            for learner in page:
                if learner.result is not None:
                    yield self._verified(learner)

    def _verified(self, learner: jobs.Sent) -> model.MIAPVerifiedBatchLearner:
        sent, result = learner.values, learner.result
        if result.uln:
            self._call.touch(sent["uln"], result.uln)
        return model.MIAPVerifiedBatchLearner(
            mis_identifier=sent.get("mis_identifier"),
            searched_uln=sent["uln"],
            searched_family_name=sent["family_name"],
            searched_given_name=sent["given_name"],
            searched_date_of_birth=sent.get("date_of_birth") or None,
            searched_gender=sent.get("gender") or None,
            response_code=result.code,
            uln=result.uln,
            **(result.given or {}),
        )


def _code(job: jobs.Job | None) -> ResponseCode:
    if job is None:
        return ResponseCode.UNKNOWN_JOB
    return _OUTCOME.get(job.status, ResponseCode.BATCH_NOT_FINISHED)


def _moment(at: datetime.datetime) -> str:
    """A MIAPDateTime: England's time, as all dates of the service."""
    return at.astimezone(ENGLAND).strftime("%Y-%m-%d %H:%M:%S")
