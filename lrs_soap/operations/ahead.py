"""What calls that have come together will ask for, read in one round trip, and the candidates of their searches in another.

A find on PostgreSQL waits for its learner, and PostgreSQL for the next find: of one row, most of the time is the way there and
back. Each call then finds what was read for it; what it asks for besides, or what was not read, it reads itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lrs_soap.register import Call
from lrs_soap.rules import matching
from lrs_soap.store import learners, matches

BY_ULN: Mapping[str, Callable[[Any], str]] = {
    "learnerByULN": lambda request: request.uln,
    "verifyLearner": lambda request: request.learner_to_verify.uln,
}
"""By operation, the ULN of the learner that a request asks for first."""

BY_DETAILS = frozenset(("learnerByDemographics",))
"""The operations whose requests ask for the learner who is an exact match first, and then for candidates."""

# In `Call.ahead`, besides ULNs.
_EXACT, _CANDIDATES = "exact", "candidates"


def pays(opened: sa.Engine) -> bool:
    """Whether reading ahead is quicker than each call's own read: not on SQLite, where there is no way to go."""
    return opened.dialect.name == "postgresql"


def read(asked: Sequence[tuple[Call, Any]]) -> None:
    """Gives each of these calls, all of one register and with one `position`, the learner that its request asks for first, and
    each search that finds none its candidates, if there are several calls.

    What the database refuses now is left to the calls, each of which meets it by itself.
    """
    ulns = [(call, BY_ULN[call.operation](request)) for call, request in asked if call.operation in BY_ULN]
    searches = [(call, request) for call, request in asked if call.operation in BY_DETAILS]
    if len(ulns) + len(searches) < 2:
        return
    try:
        with asked[0][0].reading() as connection:
            if ulns:
                held = learners.by_ulns(connection, {uln for _, uln in ulns})
                for call, uln in ulns:
                    call.ahead = {uln: held.get(uln)}
            if searches:
                _read_searches(connection, searches)
    except sa.exc.DBAPIError:
        return


def _read_searches(connection, searches: Sequence[tuple[Call, matching.Details]]) -> None:
    exact = matches.by_details_of_all(connection, [request for _, request in searches])
    more = []
    for (call, request), learner in zip(searches, exact, strict=True):
        call.ahead = {_EXACT: learner}
        if learner is None:
            more.append((call, matching.lookups(request)))
    if more:
        held = matches.first_candidates_of_all(connection, [lookups for _, lookups in more])
        for (call, _), found in zip(more, held, strict=True):
            call.ahead[_CANDIDATES] = found


def by_uln(call: Call, connection, uln: str) -> learners.StoredLearner | None:
    """`learners.by_uln`, perhaps read before."""
    return call.ahead[uln] if uln in call.ahead else learners.by_uln(connection, uln)


def by_details(call: Call, connection, details: matching.Details) -> learners.StoredLearner | None:
    """`matches.by_details` of the call's request, perhaps read before."""
    return call.ahead[_EXACT] if _EXACT in call.ahead else matches.by_details(connection, details)


def first_candidates(call: Call, connection, details: matching.Details) -> list[learners.StoredLearner]:
    """`matches.first_candidates` of the call's request, perhaps read before."""
    if _CANDIDATES in call.ahead:
        return call.ahead[_CANDIDATES]
    return matches.first_candidates(connection, matching.lookups(details))
