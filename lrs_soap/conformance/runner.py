"""Runs cases against an endpoint: in threads, with whatever goes wrong in one kept to that one."""

import contextlib
import fnmatch
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from lrs_soap.conformance import case, talk

Verdict = case.Verdict
# P: after so many requests in a row without a reply the rest of a run would only wait.
MOST_SILENCE = 20


def chosen(
    cases: Iterable[case.Case], *, documented_only: bool = False, only: Sequence[str] = ()
) -> list[case.Case]:
    """The cases to run. documented_only: without those of basis P. only: patterns of ids or names of parts, any of which
    must fit."""
    found = [row for row in cases if not (documented_only and row.basis == "P")]
    return [row for row in found if not only or any(_fits(row, pattern) for pattern in only)]


def _fits(row: case.Case, pattern: str) -> bool:
    return fnmatch.fnmatchcase(row.id, pattern) or row.part.lower() == pattern.lower()


def obstacle(row: case.Case, session: talk.Session) -> str:
    """Why a case cannot run on this target in this mode, or nothing."""
    if session.read_only and row.writes:
        return "it would register or change something, and this run is read-only"
    if session.silence >= MOST_SILENCE:
        return f"the service had stopped answering: {MOST_SILENCE} requests in a row had no reply"
    if missing := [role for role in row.needs if not session.target.has(role)]:
        return f"the target file does not say: {', '.join(missing)}"
    return ""


def run(
    cases: Sequence[case.Case],
    session: talk.Session,
    *,
    parallel: int = 4,
    done: Callable[[case.Result], None] = lambda result: None,
) -> list[case.Result]:
    """The results, in the order of `cases`. parallel: cases at a time. done: called for each result as it comes."""

    def one(row: case.Case) -> case.Result:
        result = _run(row, session)
        done(result)
        return result

    results = {}
    with contextlib.closing(session.wire):
        for group in ([row for row in cases if not row.last], [row for row in cases if row.last]):
            with ThreadPoolExecutor(max(1, parallel), thread_name_prefix="case") as threads:
                results |= {result.case.id: result for result in threads.map(one, group)}
    return [results[row.id] for row in cases]


def _run(row: case.Case, session: talk.Session) -> case.Result:
    conversation = talk.Talk(session)
    started = time.monotonic()
    verdict, reason = Verdict.PASSED, ""
    try:
        if reason := obstacle(row, session):
            verdict = Verdict.NOT_RUN
        else:
            row.run(conversation)
    except case.Failed as failure:
        verdict, reason = Verdict.FAILED, str(failure)
    except case.NotRun as obstacle_met:
        verdict, reason = Verdict.NOT_RUN, str(obstacle_met)
    except Exception as error:
        # Where, not what: an exception may quote what was sent.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        verdict, reason = Verdict.ERROR, f"the case broke: {type(error).__name__} at {frame.name}, line {frame.lineno}"
    exchanges = tuple(conversation.exchanges)
    return case.Result(case=row, verdict=verdict, reason=reason, exchanges=exchanges, seconds=time.monotonic() - started)

