"""Writes what became of a submitted file: the output file, and the exceptions file of the learners to look at."""

import collections
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

from lrs_soap import codes, errors, model
from lrs_soap.batchfile import layout, problems, source, state, submission, writing
from lrs_soap.codes import ResponseCode

# D: RC001-005 are outcomes, RC006-011 exceptions.
OUTCOMES = frozenset({
    codes.ReturnCode.REGISTERED, codes.ReturnCode.FOUND, codes.ReturnCode.UPDATED, codes.ReturnCode.MASTER_SUBSTITUTED,
    codes.ReturnCode.NOT_FOUND,
})  # fmt: skip
_FAILED = "the batch of this learner failed: submit it in a new file"


class Unfinished(errors.LrsError):
    """The service has not finished all batches of the file."""

    def __init__(self, job_id: int):
        super().__init__(f"the service has not finished job {job_id}: try again later, or use --wait")
        self.job_id = job_id


class Mismatch(errors.LrsError):
    """The output of a job is not that of the learners sent."""

    def __init__(self, job_id: int):
        super().__init__(f"the output of job {job_id} does not have the learners that were sent, in their order")


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """A learner of the file with what became of it. code: "" when its batch failed. reason: of ours, why not sent."""

    line: int
    learner: model.BatchLearner
    code: str
    reason: str = ""


def paths(file: Path, directory: Path | None = None) -> tuple[Path, Path]:
    """Where the output file and the exceptions file of `file` go: beside it, or into `directory`. P: their names."""
    directory = directory or file.parent
    return directory / f"{file.stem}_OUTPUT.CSV", directory / f"{file.stem}_EXCEPTIONS.CSV"


def write(
    file: Path, held: state.State, fetch: Callable[[int], model.BatchOutputResp], directory: Path | None = None
) -> collections.Counter:
    """Writes both files and gives the number of learners for each ReturnCode ("" for those of a failed batch).

    fetch: LrsClient.get_batch_registration_output or its like. Raises Unfinished, and Mismatch; nothing is written
    then.
    """
    output, exceptions = paths(file, directory)
    counts: collections.Counter = collections.Counter()
    own = writing.file_values(file.name, held.caller.get("ukprn") or "", held.learners)
    with (
        writing.rows(output, layout.OUTPUT_COLUMNS) as all_rows,
        writing.rows(exceptions, layout.EXCEPTION_COLUMNS) as exception_rows,
    ):
        for result in results(file, held, fetch):
            counts[result.code] += 1
            row = (*own, *writing.learner_values(result.learner), result.code)
            all_rows.writerow(row)
            own = writing.NO_FILE_VALUES
            if result.code not in OUTCOMES:
                meaning = getattr(result.code, "meaning", "No result")
                exception_rows.writerow((*writing.NO_FILE_VALUES, *row[len(own):], meaning, result.line, result.reason))
    return counts


def results(
    file: Path, held: state.State, fetch: Callable[[int], model.BatchOutputResp]
) -> Iterator[Result]:
    """What became of each learner of the file, in its order. Raises Unfinished and Mismatch."""
    answered = _answered(held, fetch)
    for learner, found in submission.judged(file, held):
        if submission.is_sendable(found):
            job_id, answer = next(answered, (None, None))
            if job_id is None:
                raise state.StateError("the submission is not complete: submit the file again to go on")
            if answer is None:
                yield Result(learner.line, learner.model(), "", _FAILED)
            elif (answer.mis_identifier or "") != learner.text("mis_identifier"):
                raise Mismatch(job_id)
            else:
                yield Result(learner.line, answer, _code(answer.return_code))
        else:
            yield Result(learner.line, _as_read(learner), return_code(found), _reason(found))


def return_code(found: list[problems.Problem]) -> codes.ReturnCode:
    """P: the code of a learner that was not sent, as the service would have answered: RC010 when mandatory values are
    empty and nothing else is wrong, else RC011."""
    rules = {problem.rule for problem in found if problem.effect is problems.Effect.LEARNER}
    return codes.ReturnCode.MANDATORY_EMPTY if rules == {"mandatory"} else codes.ReturnCode.INCORRECT_FORMAT


def _answered(held: state.State, fetch) -> Iterator[tuple[int, model.OutputBatchLearner | None]]:
    for call in held.calls:
        if call.job_id is None:
            return
        reply = fetch(call.job_id)
        if reply.response_code == ResponseCode.BATCH_NOT_FINISHED:
            raise Unfinished(call.job_id)
        if reply.response_code not in (ResponseCode.BATCH_SUCCESSFUL, ResponseCode.BATCH_FAILED):
            raise submission.CallRefused(reply.response_code)
        missing = call.count - len(reply.learner)
        # A batch that failed has the learners that were finished until then.
        if missing < 0 or (missing and reply.response_code == ResponseCode.BATCH_SUCCESSFUL):
            raise Mismatch(call.job_id)
        yield from ((call.job_id, learner) for learner in (*reply.learner, *(None,) * missing))


def _code(text: str) -> str:
    return codes.ReturnCode(text) if text in codes.ReturnCode._value2member_map_ else text


def _as_read(learner: source.Learner) -> model.BatchLearner:
    given = {attribute: value.text for attribute, value in learner.values.items()}
    return model.BatchLearner(**{"given_name": "", "family_name": ""} | given)


def _reason(found: list[problems.Problem]) -> str:
    return "; ".join(
        f"{problem.column + ': ' if problem.column else ''}{problem.message}"
        for problem in found if problem.effect is problems.Effect.LEARNER
    )  # fmt: skip
