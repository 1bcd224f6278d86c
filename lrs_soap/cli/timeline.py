"""A learner's history as one list: its versions and what operators decided, in the order it happened."""

import dataclasses

from lrs_soap.register import ENGLAND
from lrs_soap.store import learners, merges

# What a decision changes of a learner; a version that differs in nothing else is told by the decision.
_DECIDED = {"learner_status", "master_uln"}
_COUNTED = {"version_number", "last_updated_date"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened. at: ISO 8601, England's time; a date alone for the creation.

    event: created, updated, or a word of rules.merging.Event; changed: the values an update changed, by their names.
    """

    at: str
    event: str
    version_number: int | None = None
    user_name: str | None = None
    organisation_ref: str | None = None
    reason: str | None = None
    changed: tuple[str, ...] | None = None
    uln: str | None = None
    master_uln: str | None = None


def steps(
    learner: learners.StoredLearner, versions: list[merges.Version], decisions: list[merges.Decision]
) -> list[Step]:
    """The history of `learner`, oldest first. `decisions` about learners merged into it are part of it."""
    dated = [(decision.at, _decided(decision)) for decision in decisions]
    current = {name: getattr(learner, name) for name in learners.FIELDS}
    values = [version.learner for version in versions] + [current]
    for version, before, after in zip(versions, values, values[1:]):
        # In the order of the contract: PostgreSQL's JSONB keeps its own.
        changed = tuple(name for name in current if before.get(name) != after.get(name) and name not in _COUNTED)
        if changed and set(changed) <= _DECIDED:
            continue
        dated.append((version.replaced_at, Step(
            at=_time(version.replaced_at), event="updated", version_number=after["version_number"],
            user_name=version.user_name, organisation_ref=version.organisation_ref, changed=changed,
        )))  # fmt: skip
    created = Step(at=learner.created_date, event="created", uln=learner.uln)
    return [created, *(step for _, step in sorted(dated, key=lambda pair: pair[0]))]


def row(step: Step) -> list[str]:
    """The step as a table has it: when, what, version, by, reason."""
    what = step.event
    if step.changed:
        what = f"updated {', '.join(step.changed)}"
    elif step.master_uln:
        what = f"{step.event} {step.uln} {'from' if step.event == 'unmerged' else 'into'} {step.master_uln}"
    by = " ".join(filter(None, (step.organisation_ref, step.user_name)))
    version = "" if step.version_number is None else str(step.version_number)
    return [step.at.replace("T", " "), what, version, by, step.reason or ""]


def _decided(decision: merges.Decision) -> Step:
    return Step(at=_time(decision.at), event=decision.event, user_name=decision.user_name, reason=decision.reason,
                uln=decision.uln, master_uln=decision.master_uln)  # fmt: skip


def _time(moment) -> str:
    return moment.astimezone(ENGLAND).isoformat(timespec="seconds")
