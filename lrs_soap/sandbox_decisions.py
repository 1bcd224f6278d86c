"""What operators decided about the sandbox's learners, so that its reports have rows. All of it is invented (P)."""

import datetime
from collections.abc import Iterable, Sequence

from sqlalchemy.engine import Connection

from lrs_soap.codes import LearnerStatus
from lrs_soap.register import ENGLAND
from lrs_soap.rules.merging import Event
from lrs_soap.store import learners, merges

OPERATOR = "Sandbox Operator"

# A merge that was undone: the learner, the master, and the two days.
_MISTAKE = ("4123001008", "4123002853", "2023-01-09", "2023-01-16")


def insert(connection: Connection, rows: Sequence[learners.StoredLearner], organisation_id: int) -> None:
    """Adds the decision behind each learner of `rows` that is merged away or deleted, at noon of its LastUpdatedDate,
    and a merge that was undone. The organisation's reports are to show them: it knows these learners from now on."""
    decisions = list(_decisions({row.uln: row for row in rows}))
    for decision in decisions:
        merges.record(connection, decision)
    merges.add_to_scope(connection, organisation_id, [decision.uln for decision in decisions])


def _decisions(held: dict[str, learners.StoredLearner]) -> Iterable[merges.Decision]:
    merged, master, begun, undone = _MISTAKE
    yield _decision(Event.MERGED, begun, "They looked like one person.", held[merged], held[master])
    yield _decision(Event.UNMERGED, undone, "They are two people.", held[merged], held[master])
    for learner in held.values():
        if learner.learner_status == LearnerStatus.MERGED:
            master = held[learner.master_uln]
            yield _decision(Event.MERGED, learner.last_updated_date, "Registered twice.", learner, master)
        elif learner.learner_status == LearnerStatus.DELETED:
            yield _decision(Event.DELETED, learner.last_updated_date, "Registered by mistake.", learner)


def _decision(
    event: Event, day: str, reason: str, learner: learners.StoredLearner, master: learners.StoredLearner | None = None
) -> merges.Decision:
    at = datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time(12), ENGLAND)
    return merges.decision(event, learner, master, at=at, user_name=OPERATOR, reason=reason)
