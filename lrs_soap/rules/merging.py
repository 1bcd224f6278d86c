"""When a learner may be merged, unmerged, deleted and restored: values in, values out.

P: all of it is ours; the historic service left the codes and the two reports, but no rule of its back office.
docs/merges.md says what each decision means for callers.

A learner merged away points to its master and keeps its own values, so that an unmerge has nothing to guess. Only a
live learner is merged, and only into a live one: then no chain of merges can ever close into a circle.
"""

import dataclasses
import enum
import typing

from lrs_soap.codes import LearnerStatus


class Event(str, enum.Enum):
    """What an operator decided about a learner."""

    MERGED = "merged"
    UNMERGED = "unmerged"
    DELETED = "deleted"
    RESTORED = "restored"

    def __str__(self) -> str:
        return self.value


class Learner(typing.Protocol):
    """A learner of the register, a dataclass; master_uln is the learner it was merged into, if any."""

    uln: str
    learner_status: str
    master_uln: str | None
    version_number: int


def may_not_merge(merged: Learner, master: Learner, last: Learner) -> str | None:
    """Why `merged` may not be merged into `master`, and what to do instead; None if it may.

    last: where the master's own chain of merges ends; the master itself while it is live.
    """
    if merged.uln == master.uln:
        return f"{merged.uln} cannot be merged into itself: name two learners"
    if merged.learner_status == LearnerStatus.MERGED:
        return f"{merged.uln} was already merged into {merged.master_uln}: unmerge it first"
    for learner in (merged, master):
        if learner.learner_status == LearnerStatus.DELETED:
            return f"{learner.uln} was deleted: restore it first"
    if master.learner_status == LearnerStatus.MERGED:
        if last.uln == merged.uln:
            return (
                f"{master.uln} was merged into {master.master_uln}, whose chain of merges ends at {merged.uln}: to merge "
                f"the other way round, unmerge {master.uln} first"
            )
        return f"{master.uln} was itself merged into {master.master_uln}: merge {merged.uln} into {last.uln} instead"
    return None


def may_not_unmerge(learner: Learner) -> str | None:
    """Why the learner cannot be unmerged, or None."""
    if learner.learner_status == LearnerStatus.MERGED:
        return None
    return f"{learner.uln} is not merged into another learner: there is nothing to unmerge"


def may_not_delete(learner: Learner) -> str | None:
    """Why the learner may not be deleted, or None. P: deleting a master is allowed; those merged into it are then not
    found either, until it is restored or they are unmerged."""
    if learner.learner_status == LearnerStatus.DELETED:
        return f"{learner.uln} was already deleted"
    if learner.learner_status == LearnerStatus.MERGED:
        return f"{learner.uln} was merged into {learner.master_uln}: unmerge it first, or delete {learner.master_uln}"
    return None


def may_not_restore(learner: Learner) -> str | None:
    """Why the learner cannot be restored, or None."""
    if learner.learner_status == LearnerStatus.DELETED:
        return None
    return f"{learner.uln} is not deleted: there is nothing to restore"


def _next(learner, status: LearnerStatus, master_uln: str | None):
    # P: LastUpdatedDate stays, since no detail changed; the version grows, so that an update begun before is refused.
    return dataclasses.replace(
        learner,
        learner_status=status.value,
        master_uln=master_uln,
        version_number=learner.version_number + 1,
    )


def merged(learner, master: Learner):
    """The learner's next version, merged into `master`."""
    return _next(learner, LearnerStatus.MERGED, master.uln)


def deleted(learner):
    """The learner's next version, deleted."""
    return _next(learner, LearnerStatus.DELETED, None)


def live(learner):
    """The learner's next version, live again with the values it always had."""
    return _next(learner, LearnerStatus.ACTIVE, None)
