"""How a learner of the register looks in a reply."""

import dataclasses
import operator
from collections.abc import Iterable

from sqlalchemy import Connection

from lrs_soap import frozen, model
from lrs_soap.codes import LearnerStatus
from lrs_soap.rules import matching
from lrs_soap.store import learners, matches

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


def decided(
    connection: Connection, query: matching.Query, first: list[learners.StoredLearner], limit: int
) -> matching.Decision:
    """What a search finds among the learners that its keys lead to, of whom `matches.first_candidates` are there.

    limit: the most possible matches. Of a crowd no more are read than show that they are too many in any case.
    """
    some = _current(connection, first)
    if len(first) <= matches.FEW:
        return matching.decide(query, some, limit)
    exact = matching.exact_lookup(query)
    likely = matches.likely_candidates(connection, query)
    while exact is None or not matching.are_too_many(query, some, limit):
        found, is_all = next(likely)
        some = _current(connection, found)
        if is_all:
            return matching.decide(query, some, limit)
    return matching.decide(query, some + _current(connection, matches.candidates(connection, [exact])), limit)


def _current(
    connection: Connection, found: Iterable[learners.StoredLearner | matches.Candidate]
) -> list[learners.StoredLearner | matches.Candidate]:
    """The candidates; one merged away names the master at the end of its chain.

    P: one whose master was deleted is as good as deleted itself, and left out.
    """
    current = []
    for candidate in found:
        if candidate.master_uln is not None:
            master = learners.by_uln(connection, candidate.master_uln)
            master = master and learners.master_of(connection, master)
            if master is None or master.learner_status != LearnerStatus.ACTIVE:
                continue
            candidate = matches.merged_into(candidate, master.uln)
        current.append(candidate)
    return current


def matched(connection: Connection, decision: matching.Decision) -> list[tuple[learners.StoredLearner, bool]]:
    """The learners of what was `decided`, best first, each as `with_masters` gives it."""
    found = [match.learner for match in decision.matches]
    if not all(isinstance(one, learners.StoredLearner) for one in found):
        held = learners.by_ulns(connection, [one.uln for one in found])
        found = [held[one.uln] for one in found if one.uln in held]
    return with_masters(connection, found)
