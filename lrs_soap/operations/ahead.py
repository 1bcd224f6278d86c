"""What calls that have come together will ask for first, read in one round trip.

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
    """Gives each of these calls, all of one register, the learner that its request asks for first, if there are several.

    What the database refuses now is left to the calls, each of which meets it by itself.
    """
    wanted = [(call, FIRST[call.operation](request)) for call, request in asked if call.operation in FIRST]
    if len(wanted) < 2:
        return
    keys = [key for _, key in wanted]
    try:
        with engine.read(wanted[0][0].register.engine) as connection:
            found = learners.of_keys(connection, keys)
    except sa.exc.DBAPIError:
        return
    for call, key in wanted:
        call.ahead = {key: found.get(key)}


def by_uln(call: Call, connection, uln: str) -> learners.StoredLearner | None:
    """`learners.by_uln`, perhaps read before."""
    return call.ahead[uln] if uln in call.ahead else learners.by_uln(connection, uln)


def by_identity(call: Call, connection, identity: bytes) -> learners.StoredLearner | None:
    """`learners.by_identity`, perhaps read before."""
    return call.ahead[identity] if identity in call.ahead else learners.by_identity(connection, identity)
