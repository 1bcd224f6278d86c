"""How a learner of the register looks in a reply."""

import dataclasses
from collections.abc import Iterable

from sqlalchemy import Connection

from lrs_soap import model
from lrs_soap.codes import LearnerStatus
from lrs_soap.store import learners

_SHARED = tuple(
    field.name
    for field in dataclasses.fields(model.Learner)
    if field.name not in ("master_substituted", "linked_ulns", "notes")
)


def learner(connection: Connection, stored: learners.StoredLearner, substituted: bool = False) -> model.Learner:
    """`stored` as the contract's Learner.

    D: LinkedULNs and Notes are always present, if empty; MasterSubstituted is there only as Y. P: LinkedULNs lists
    every ULN merged into this learner, also when the learner was found directly.
    """
    values = {name: getattr(stored, name) for name in _SHARED}
    linked = learners.linked_ulns(connection, stored.uln) if stored.is_master else ()
    return model.Learner(
        **values,
        master_substituted="Y" if substituted else None,
        linked_ulns=model.MIAPLinkedULN(uln=tuple(linked)),
        notes=stored.notes or "",
    )


def with_masters(
    connection: Connection, found: Iterable[learners.StoredLearner]
) -> list[tuple[learners.StoredLearner, bool]]:
    """Each learner found, or the master it was merged into, with whether that was a substitution.

    Order is kept; a learner reached in two ways appears once; one whose master was deleted does not appear.
    """
    result: dict[str, tuple[learners.StoredLearner, bool]] = {}
    for stored in found:
        current = learners.master_of(connection, stored)
        if current.learner_status == LearnerStatus.ACTIVE:
            result.setdefault(current.uln, (current, current.uln != stored.uln))
    return list(result.values())


def candidates(connection: Connection, lookups: Iterable) -> list[learners.StoredLearner]:
    """The learners that a search's keys lead to; one merged away names the master at the end of its chain.

    P: one whose master was deleted is as good as deleted itself, and left out.
    """
    found = []
    for stored in learners.candidates(connection, lookups):
        if stored.learner_status == LearnerStatus.MERGED:
            master = learners.master_of(connection, stored)
            if master.learner_status != LearnerStatus.ACTIVE:
                continue
            stored = dataclasses.replace(stored, master_uln=master.uln)
        found.append(stored)
    return found
