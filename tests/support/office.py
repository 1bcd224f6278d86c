"""A college that submits batches and reads their output, and a worker that does them when told to."""

import contextlib
import dataclasses
from collections.abc import Iterator

from support import batches
from support import desk as desks

from lrs_soap import binding, contract, model, worker
from lrs_soap.operations import batch
from lrs_soap.register import Call

REQUEST = {"org_password": "-" * 16, "user_name": "J. College"}
PEOPLE = [person for person, _ in zip(batches.people(), range(200), strict=False)]


class Office:
    """The college is that of `desk`."""

    def __init__(self, desk):
        self.desk, self.register, self.engine = desk, desk.register, desk.register.engine
        self.worker = worker.Worker(desk.register)

    def call(self, function, request, operation, caller=None):
        call = Call(register=self.register, request_id="0", caller=caller or self.desk.college, at=batches.NOW,
                    operation=operation, reference="TEST38", user_name="J. College")  # fmt: skip
        reply = function(call, request)
        # What the wire would send: the reply is written, and judged by the schema.
        text = binding.element_encoder(contract.OPERATIONS[operation].response)(reply)
        call.finish()
        return call, reply, text

    def submit(self, *sent, job_type="FUL", count=None):
        request = model.BatchRegistrationRqst(
            job_type=job_type, learner_record_count=len(sent) if count is None else count,
            learner=tuple(model.BatchLearner(**one) for one in sent), **REQUEST,
        )  # fmt: skip
        return self.call(batch.submit_batch_registration, request, "submitBatchRegistration")[1]

    def submit_to_verify(self, *sent, count=None):
        request = model.VerifyBatchRqst(
            learner_record_count=len(sent) if count is None else count,
            learner=tuple(model.MIAPBatchLearnerToVerify(**one) for one in sent), **REQUEST,
        )  # fmt: skip
        return self.call(batch.submit_verify_batch, request, "submitVerifyBatch")[1]

    def output(self, job_id, **more):
        return self.call(batch.get_batch_registration_output, model.BatchOutputRqst(job_id=job_id, **REQUEST),
                         "getBatchRegistrationOutput", **more)[1]  # fmt: skip

    def verify_output(self, job_id, **more):
        reply = self.call(batch.get_verify_batch_output, model.VerifyBatchOutputRqst(job_id=job_id, **REQUEST),
                          "getVerifyBatchOutput", **more)[1]  # fmt: skip
        return dataclasses.replace(reply, verified_learner=tuple(reply.verified_learner))

    def work(self):
        while self.worker.run_one():
            pass

    def done(self, *sent, job_type="FUL"):
        """The learners of the output of a batch with these learners."""
        job_id = self.submit(*sent, job_type=job_type).job_id
        self.work()
        reply = self.output(job_id)
        assert reply.response_code == "WSRC0009"
        return reply.learner

    def codes(self, *sent, job_type="FUL"):
        return [learner.return_code for learner in self.done(*sent, job_type=job_type)]


@contextlib.contextmanager
def opened(url: str) -> Iterator[Office]:
    """An office at the register of the URL, closed at the end."""
    with desks.opened(url) as desk:
        yield Office(desk)
