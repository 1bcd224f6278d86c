"""How a learner of the register looks in a reply."""

import dataclasses
import operator
from collections.abc import Iterable

from sqlalchemy import Connection

from lrs_soap import frozen, model
from lrs_soap.codes import LearnerStatus
from lrs_soap.store import learners

_OURS = ("master_substituted", "linked_ulns", "notes")
_SHARED = tuple(field.name for field in dataclasses.fields(model.Learner) if field.name not in _OURS)
_shared = operator.attrgetter(*_SHARED)
_learner = frozen.maker(model.Learner, _SHARED + _OURS)
_NOT_LINKED = model.MIAPLinkedULN()


def learner(connection: Connection, stored: learners.StoredLearner, substituted: bool = False) -> model.Learner:
    """`stored` as the contract's Learner.

    D: LinkedULNs and Notes are always present, if empty; MasterSubstituted is there only as Y. P: LinkedULNs lists
    every ULN merged into this learner, also when the learner was found directly.
    """
    linked = _NOT_LINKED
    if stored.is_master:
        linked = model.MIAPLinkedULN(uln=tuple(learners.linked_ulns(connection, stored.uln)))
    return _learner((*_shared(stored), "Y" if substituted else None, linked, stored.notes or ""))


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
