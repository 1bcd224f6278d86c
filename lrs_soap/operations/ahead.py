"""What calls that have come together will ask for, read in one round trip, and the candidates of their searches in another.

A find on PostgreSQL waits for its learner, and PostgreSQL for the next find: of one row, most of the time is the way there and
back. Each call then finds what was read for it; what it asks for besides, or what was not read, it reads itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lrs_soap.register import Call
from lrs_soap.rules import matching
from lrs_soap.store import engine, learners

Key = str | bytes
"""A ULN, or a `matching.identity`."""

FIRST: Mapping[str, Callable[[Any], Key]] = {
    "learnerByULN": lambda request: request.uln,
    "verifyLearner": lambda request: request.learner_to_verify.uln,
    "learnerByDemographics": matching.identity,
}
"""By operation, the learner that a request asks for first."""


def pays(opened: sa.Engine) -> bool:
    """Whether reading ahead is quicker than each call's own read: not on SQLite, where there is no way to go."""
    return opened.dialect.name == "postgresql"


def read(asked: Sequence[tuple[Call, Any]]) -> None:
    """Gives each of these calls, all of one register, the learner that its request asks for first, and each search that has
    none its candidates, if there are several calls.

    What the database refuses now is left to the calls, each of which meets it by itself.
    """
    wanted = [(call, FIRST[call.operation](request), request) for call, request in asked if call.operation in FIRST]
    if len(wanted) < 2:
        return
    try:
        with engine.read(wanted[0][0].register.engine) as connection:
            found = learners.of_keys(connection, [key for _, key, _ in wanted])
            for call, key, _ in wanted:
                call.ahead = {key: found.get(key)}
            searches = [(call, matching.lookups(request)) for call, key, request in wanted if _finds_none(key, found)]
            if len(searches) > 1:
                held = learners.candidates_of_all(connection, [lookups for _, lookups in searches])
                for (call, lookups), candidates in zip(searches, held, strict=True):
                    call.ahead[lookups] = candidates
    except sa.exc.DBAPIError:
        return


def _finds_none(key: Key, found: Mapping[Key, learners.StoredLearner]) -> bool:
    return isinstance(key, bytes) and key not in found


def by_uln(call: Call, connection, uln: str) -> learners.StoredLearner | None:
    """`learners.by_uln`, perhaps read before."""
    return call.ahead[uln] if uln in call.ahead else learners.by_uln(connection, uln)


def by_identity(call: Call, connection, identity: bytes) -> learners.StoredLearner | None:
    """`learners.by_identity`, perhaps read before."""
    return call.ahead[identity] if identity in call.ahead else learners.by_identity(connection, identity)


def candidates(
    call: Call, connection, lookups: tuple[matching.Lookup, ...]
) -> Sequence[learners.StoredLearner | learners.Candidate]:
    """`learners.candidates`, perhaps read before."""
    return call.ahead[lookups] if lookups in call.ahead else learners.candidates(connection, lookups)
