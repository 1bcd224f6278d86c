"""What an operator of the register decides about learners: merge, unmerge, delete, restore; and looking at them.

None of it is an operation of the WSDL: the command line calls it. Each function works in the transaction it is given
and writes its audit row there, so that no change is without one. docs/merges.md says what callers then see.
"""

import dataclasses
import datetime
import secrets
import time

from sqlalchemy import Connection

from lrs_soap import errors
from lrs_soap.rules import merging
from lrs_soap.rules.merging import Event
from lrs_soap.store import audit, learners, matches, merges


class Refused(errors.LrsError):
    """The learner cannot be changed so; the message says why and what to do instead."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who acts, when and why. The reason is kept with a decision, never in the audit."""

    user_name: str
    reason: str = ""
    at: datetime.datetime = dataclasses.field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    started: float = dataclasses.field(default_factory=time.perf_counter)


def merge(connection: Connection, merged_uln: str, master_uln: str, act: Act) -> learners.StoredLearner:
    """Merges one live learner into another and gives its new version; its identity is free from then on.

    Raises Refused.
    """
    merged, master = _both(connection, merged_uln, master_uln)
    _check(merging.may_not_merge(merged, master, learners.master_of(connection, master)))
    return _decide(connection, Event.MERGED, merged, merging.merged(merged, master), act, master)


def unmerge(connection: Connection, uln: str, act: Act) -> learners.StoredLearner:
    """Makes a learner that was merged away live again, with its own values and identity; those merged into it stay so.

    Raises Refused, also when another live learner took the identity meanwhile.
    """
    seen = _held(connection, uln)
    _check(merging.may_not_unmerge(seen))
    # The record names the learner it was merged into, not the end of the chain: so it pairs with that of the merge.
    merged, master = _both(connection, uln, seen.master_uln)
    if merged != seen:
        raise Refused(f"{uln} was changed by somebody else at this moment: look at it again first")
    return _decide(connection, Event.UNMERGED, merged, merging.live(merged), act, master)


def delete(connection: Connection, uln: str, act: Act) -> learners.StoredLearner:
    """Deletes a live learner: it is never found any more, nor are those merged into it (P). Raises Refused."""
    learner = _held(connection, uln, for_update=True)
    _check(merging.may_not_delete(learner))
    return _decide(connection, Event.DELETED, learner, merging.deleted(learner), act)


def restore(connection: Connection, uln: str, act: Act) -> learners.StoredLearner:
    """Makes a deleted learner live again. Raises Refused, also when another live learner took the identity meanwhile."""
    learner = _held(connection, uln, for_update=True)
    _check(merging.may_not_restore(learner))
    return _decide(connection, Event.RESTORED, learner, merging.live(learner), act)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A learner; `current` is the end of its chain of merges; linked_ulns are those merged into it."""

    learner: learners.StoredLearner
    current: learners.StoredLearner
    linked_ulns: tuple[str, ...]


def show(connection: Connection, uln: str, act: Act) -> Shown:
    """The learner of a ULN, whatever its status. The look is audited. Raises Refused when there is none."""
    learner = _held(connection, uln)
    _audit(connection, "show", act, learner.uln)
    return Shown(
        learner=learner,
        current=learners.master_of(connection, learner),
        linked_ulns=tuple(learners.linked_ulns(connection, uln)),
    )


def history(
    connection: Connection, uln: str, act: Act
) -> tuple[learners.StoredLearner, list[merges.Version], list[merges.Decision]]:
    """The learner, its earlier versions and the decisions about it. The look is audited. Raises Refused."""
    learner = _held(connection, uln)
    _audit(connection, "history", act, learner.uln)
    return learner, merges.versions(connection, uln), merges.of_learner(connection, uln)


_COMMANDS = {Event.MERGED: "merge", Event.UNMERGED: "unmerge", Event.DELETED: "delete", Event.RESTORED: "restore"}


def _held(connection: Connection, uln: str, for_update: bool = False) -> learners.StoredLearner:
    learner = learners.by_uln(connection, uln, for_update=for_update)
    if learner is None:
        raise Refused(f"there is no learner {uln}")
    return learner


def _both(connection: Connection, merged_uln: str, master_uln: str) -> tuple[learners.StoredLearner, ...]:
    # Locked in the order of their ULNs, by merges and unmerges alike, so that two cannot deadlock.
    held = {uln: _held(connection, uln, for_update=True) for uln in sorted({merged_uln, master_uln})}
    return held[merged_uln], held[master_uln]


def _check(refusal: str | None) -> None:
    if refusal:
        raise Refused(refusal)


def _decide(connection, event: Event, old, new, act: Act, master=None) -> learners.StoredLearner:
    if not act.reason.strip():
        raise Refused("give a reason: whoever looks into the history later has nothing else")
    outcome = learners.replace(connection, old, new, changed_by=None, user_name=act.user_name, at=act.at)
    if outcome is learners.Replaced.IDENTITY_TAKEN:
        other = matches.by_details(connection, new)
        raise Refused(
            f"{new.uln} cannot be live: {other.uln} is now registered with the same names, date of birth, gender and "
            f"postcode; correct, merge or delete {other.uln} first"
        )
    about = {"at": act.at, "user_name": act.user_name, "reason": act.reason.strip()}
    merges.record(connection, merges.decision(event, old, master, **about))
    _audit(connection, _COMMANDS[event], act, *([old.uln, master.uln] if master else [old.uln]))
    return new


def _audit(connection: Connection, command: str, act: Act, *ulns: str) -> None:
    entry = audit.Entry(
        at=act.at,
        request_id=secrets.token_hex(8),
        organisation_id=None,
        reference="",
        user_name=act.user_name,
        operation=f"learner {command}",
        code="done",
        ulns=ulns,
        duration_us=int((time.perf_counter() - act.started) * 1_000_000),
    )
    audit.write(connection, [entry])
