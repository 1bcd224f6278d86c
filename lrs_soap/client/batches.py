"""The whole way of a batch in one call.

`python -m lrs_soap.client.asyncgen` makes aiobatches.py from this file.
"""

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lrs_soap import contract, model
from lrs_soap.client import failures, operations
from lrs_soap.codes import BatchJobType, ResponseCode

PER_CALL = contract.TYPES["BatchRegistrationRqst"].fields[-1].max_occurs
AHEAD = 5  # P: calls submitted before the first result is asked for, so that the service always has work

# P: seconds between two looks at a job: it begins with the first and grows by half to the longest.
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 15.0


class Batches(operations.Operations):
    """The part of LrsClient that is about whole batches."""

    def finished(
        self,
        output: Callable[[int], Any],
        job_id: int,
        patience: float = 3600,
        sleep: Callable[[float], Any] = time.sleep,
    ) -> Any:
        """The output of a job once it is finished, successfully or not.

        output: get_batch_registration_output or get_verify_batch_output. patience: seconds to wait in all; the pauses
        grow from FIRST_PAUSE to LONGEST_PAUSE. Raises LrsBatchUnfinished when it takes longer.
        """
        waited, pause = 0.0, FIRST_PAUSE
        while True:
            reply = output(job_id)
            if reply.response_code != ResponseCode.BATCH_NOT_FINISHED:
                return reply
            if waited >= patience:
                raise failures.LrsBatchUnfinished(job_id, patience)
            pause = min(pause, patience - waited)
            sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, LONGEST_PAUSE)

    def run_batch(
        self,
        learners: Iterable[model.BatchLearner],
        job_type: str = BatchJobType.FULL,
        *,
        patience: float = 3600,
        sleep: Callable[[float], Any] = time.sleep,
    ) -> Iterator[model.OutputBatchLearner]:
        """Submits any number of learners, waits, and yields what became of each, in their order.

        They are sent in calls of up to 200, a few calls ahead of the results, so memory does not grow with their
        number. patience: seconds to wait for one call's job. Raises LrsBatchRefused (a batch was not taken),
        LrsBatchFailed (WSRC0010) and LrsBatchUnfinished, besides what any call raises; the jobs submitted until then
        stand.
        """
        learners, waiting = iter(learners), deque()
        while True:
            while len(waiting) < AHEAD and (batch := tuple(itertools.islice(learners, PER_CALL))):
                reply = self.submit_batch_registration(batch, job_type)
                if reply.response_code != ResponseCode.BATCH_SUBMITTED:
                    raise failures.LrsBatchRefused(reply.response_code)
                waiting.append(reply.job_id)
            if not waiting:
                return
            job_id = waiting.popleft()
            output = self.finished(self.get_batch_registration_output, job_id, patience, sleep)
            if output.response_code != ResponseCode.BATCH_SUCCESSFUL:
                raise failures.LrsBatchFailed(job_id, output.response_code)
            yield from output.learner
