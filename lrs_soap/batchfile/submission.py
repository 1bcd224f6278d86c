"""Sends a batch file through the web service, in calls of up to 200 learners, and can go on where it stopped.

P: a learner that the web service's schema would not take stays behind, so that it cannot fail the call of 200 it
would have been in; it appears in the output with RC010 or RC011 all the same.

A call whose answer was lost is made again. That registers nobody twice: the service finds those it has registered.
"""

import datetime
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lrs_soap import errors, model
from lrs_soap.batchfile import layout, problems, source, state, validation
from lrs_soap.codes import BatchJobType, ResponseCode


class Refused(errors.LrsError):
    """The file cannot be submitted.

    `problems` says why.
    """

    def __init__(self, found: list[problems.Problem]):
        super().__init__(f"the file cannot be submitted: {len(found)} errors, see `lrs-soap batch validate`")
        self.problems = found


class CallRefused(errors.LrsError):
    """The service did not take a batch. `code` is its ResponseCode."""

    def __init__(self, code: str):
        super().__init__(f"the service did not take the batch: {code} {getattr(code, 'meaning', '')}".rstrip())
        self.code = code


class Progress(NamedTuple):
    """How far a submission is. again: whether the call was made before and its answer lost."""

    done: int
    total: int
    again: bool = False


def begin(
    file: Path, caller: dict[str, str | None], job_type: BatchJobType, today: datetime.date, strict: bool = False
) -> state.State:
    """The state of the submission of `file`: a new one, or that of one that was interrupted.

    caller: organisation_ref and ukprn of the connection, and its url. today: the day on which ages count.
    strict: whether one wrong learner stops all. Raises Refused when the file, as a whole, has errors, and
    state.StateError when it is being submitted by another caller or in another way.
    """
    held = state.load(file)
    if held is not None:
        if held.caller != caller or held.job_type != job_type:
            raise state.StateError(
                f"{file.name} was submitted before, as another organisation, to another service or with another job "
                f"type. Go on in the same way, or remove {state.path_of(file).name} to submit it anew"
            )
        return held
    started = state.State(state.digest(file), caller, str(job_type), today.isoformat())
    stopping = set(problems.Effect) if strict else {problems.Effect.FILE}
    found, sendable = [], 0
    for item in validation.examine(file, today, job_type):
        if isinstance(item, problems.Problem):
            if item.effect in stopping:
                found.append(item)
        elif isinstance(item, tuple):
            started.learners += 1
            sendable += is_sendable(item[1])
    if found:
        raise Refused(found)
    whole, rest = divmod(sendable, layout.PER_CALL)
    started.calls = [state.Call(layout.PER_CALL) for _ in range(whole)] + ([state.Call(rest)] if rest else [])
    return started


def is_sendable(found: list[problems.Problem]) -> bool:
    """Whether a learner with these problems can be sent."""
    return not any(problem.effect is problems.Effect.LEARNER for problem in found)


def judged(file: Path, held: state.State) -> Iterator[tuple[source.Learner, list[problems.Problem]]]:
    """The learners of the file, each with its problems, judged as on the day the file was submitted."""
    today = datetime.date.fromisoformat(held.today)
    for item in validation.examine(file, today, BatchJobType(held.job_type)):
        if isinstance(item, tuple):
            yield item


Submit = Callable[[Sequence[model.BatchLearner], str], model.BatchRegistrationResp]


def send(file: Path, held: state.State, submit: Submit) -> Iterator[Progress]:
    """Makes the calls of `held` that have no answer yet, and says after each how far it is.

    submit: LrsClient.submit_batch_registration or its like. Raises CallRefused, and what `submit` raises; either way
    the same call goes on from there another time.
    """
    total, done = sum(call.count for call in held.calls), 0
    learners = (learner.model() for learner, found in judged(file, held) if is_sendable(found))
    for call in held.calls:
        batch = list(itertools.islice(learners, call.count))
        done += call.count
        if call.job_id is None:
            again, call.asked = call.asked, True
            state.save(file, held)
            reply = submit(batch, held.job_type)
            if reply.response_code != ResponseCode.BATCH_SUBMITTED:
                raise CallRefused(reply.response_code)
            call.job_id = reply.job_id
            state.save(file, held)
            yield Progress(done, total, again)
    held.complete = True
    state.save(file, held)
