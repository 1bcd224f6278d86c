"""Merges, unmerges, deletions and restorations: what was decided, and the reports of it."""

import dataclasses
import datetime
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.rules.merging import Event
from lrs_soap.store import learners, tables, tables_merges


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an operator decided, when and why, with the learner, and the master of a merge or unmerge, as they were.

    user_name: the operator; ULNs are ten digits, dates yyyy-MM-dd.
    """

    event: str
    at: datetime.datetime
    user_name: str
    reason: str
    uln: str
    family_name: str
    given_name: str
    date_of_birth: str
    master_uln: str | None = None
    master_family_name: str | None = None
    master_given_name: str | None = None
    master_date_of_birth: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a learner that was replaced: when, by whom, and its values by the names of StoredLearner.

    organisation_ref: the organisation whose call replaced it; None when an operator did.
    """

    version_number: int
    replaced_at: datetime.datetime
    organisation_ref: str | None
    user_name: str
    learner: dict


_FIELDS = tuple(field.name for field in dataclasses.fields(Decision))
_SIDE = ("uln", "family_name", "given_name", "date_of_birth")
_D = tables_merges.learner_decision
_H = tables.learner_history
_SCOPE = tables.organisation_learner

_INSERT = sa.insert(_D)
_DECISIONS = sa.select(*(_D.c[name] for name in _FIELDS))
_OF_LEARNER = _DECISIONS.where(
    sa.or_(_D.c.uln == sa.bindparam("uln"), _D.c.master_uln == sa.bindparam("uln"))
).order_by(_D.c.id)


def _in_scope(column: sa.Column) -> sa.Exists:
    # P: a learner that the organisation registered, updated or found.
    return sa.exists().where(_SCOPE.c.organisation_id == sa.bindparam("organisation_id"), _SCOPE.c.uln == column)


_IN_PERIOD = _DECISIONS.where(
    _D.c.event == sa.bindparam("event"), _D.c.at >= sa.bindparam("since"), _D.c.at < sa.bindparam("until")
).order_by(_D.c.at, _D.c.id)
# P: a merge concerns whoever knows either side.
_MERGES = _IN_PERIOD.where(sa.or_(_in_scope(_D.c.uln), _in_scope(_D.c.master_uln)))
_later = _D.alias("later")
_RESTORED = sa.exists().where(
    _later.c.uln == _D.c.uln, _later.c.event == Event.RESTORED.value, _later.c.id > _D.c.id
)
# P: a deletion that was undone is not reported: the report has no place to say so, and the learner is there.
_DELETIONS = _IN_PERIOD.where(_in_scope(_D.c.uln), ~_RESTORED)

_VERSIONS = (
    sa.select(
        _H.c.version_number, _H.c.replaced_at, tables.organisation.c.organisation_ref, _H.c.user_name, _H.c.learner
    )
    .outerjoin(tables.organisation, tables.organisation.c.id == _H.c.organisation_id)
    .where(_H.c.uln == sa.bindparam("uln"))
    .order_by(_H.c.version_number)
)


def decision(
    event: Event,
    learner: learners.StoredLearner,
    master: learners.StoredLearner | None = None,
    *,
    at: datetime.datetime,
    user_name: str,
    reason: str,
) -> Decision:
    """A decision about the learner, and the master of a merge or unmerge, as they are given here."""
    values = {name: getattr(learner, name) for name in _SIDE}
    if master is not None:
        values |= {f"master_{name}": getattr(master, name) for name in _SIDE}
    return Decision(event=event.value, at=at, user_name=user_name, reason=reason, **values)


def record(conn: Connection, decision: Decision) -> None:
    """Adds a decision."""
    conn.execute(_INSERT, {name: getattr(decision, name) for name in _FIELDS})


def add_to_scope(conn: Connection, organisation_id: int, ulns: Iterable[str]) -> None:
    """Lets the organisation's reports show these learners, as if it had found them; it must not know them yet."""
    rows = [{"organisation_id": organisation_id, "uln": uln} for uln in dict.fromkeys(ulns)]
    conn.execute(sa.insert(_SCOPE), rows)


def of_learner(conn: Connection, uln: str) -> list[Decision]:
    """Every decision about the learner, or about one merged into it, in the order they were taken."""
    return [_stored(row) for row in conn.execute(_OF_LEARNER, {"uln": uln})]


def merges(
    conn: Connection, event: Event, organisation_id: int, since: datetime.datetime, until: datetime.datetime
) -> list[Decision]:
    """The merges or unmerges (`event`) from `since` to before `until` that concern the organisation, oldest first."""
    return _report(conn, _MERGES, event, organisation_id, since, until)


def deletions(
    conn: Connection, organisation_id: int, since: datetime.datetime, until: datetime.datetime
) -> list[Decision]:
    """The deletions from `since` to before `until` that concern the organisation and still stand, oldest first."""
    return _report(conn, _DELETIONS, Event.DELETED, organisation_id, since, until)


def versions(conn: Connection, uln: str) -> list[Version]:
    """The versions of a learner before the current one, oldest first."""
    return [Version(**row._asdict()) for row in conn.execute(_VERSIONS, {"uln": uln})]


def _report(conn, statement, event, organisation_id, since, until) -> list[Decision]:
    values = {"event": event.value, "organisation_id": organisation_id, "since": since, "until": until}
    return [_stored(row) for row in conn.execute(statement, values)]


def _stored(row: Sequence) -> Decision:
    return Decision(**dict(zip(_FIELDS, row)))
