"""Everything that the register holds about one ULN, for the person whose it is."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.rules import matching, record
from lrs_soap.store import (
    auditsearch,
    events,
    learners,
    merges,
    tables,
    tables_events,
    tables_jobs,
)
from lrs_soap.store import engine as engines

_O = tables.organisation
_S = tables.search
_J = tables_jobs.job
_L = tables_jobs.job_learner
_R = tables_jobs.job_result
_LOOK = tables_events.record_look
_SCOPE = tables.organisation_learner

_ULN = sa.bindparam("uln", type_=tables.Uln)
_KNOWN_TO = (
    sa.select(_O.c.organisation_ref, _O.c.name)
    .join(_SCOPE, _SCOPE.c.organisation_id == _O.c.id)
    .where(_SCOPE.c.uln == _ULN)
    .order_by(_O.c.organisation_ref)
)
_SEARCHES = (
    sa.select(_O.c.organisation_ref, _S.c.code, _S.c.at)
    .join(_O, _O.c.id == _S.c.organisation_id)
    .where(_S.c.identity == sa.bindparam("identity"))
    .order_by(_S.c.at)
)
# Reads every batch that is kept: it happens seldom, and an index would be paid for by every batch.
_BATCHES = (
    sa.select(_J.c.id, _J.c.operation, _J.c.submitted_at, _O.c.organisation_ref, _J.c.user_name, _L.c.position, _L.c.sent,
              _R.c.code, _R.c.uln, _R.c.given)
    .select_from(_L)
    .join(_J, _J.c.id == _L.c.job_id)
    .join(_O, _O.c.id == _J.c.organisation_id)
    .outerjoin(_R, sa.and_(_R.c.job_id == _L.c.job_id, _R.c.position == _L.c.position))
    .where(sa.or_(_R.c.uln == _ULN, _L.c.sent["uln"].as_string() == sa.bindparam("digits", type_=sa.Text)))
    .order_by(_J.c.id, _L.c.position)
)  # fmt: skip
_LOOKS = sa.select(_LOOK.c.user_type, _LOOK.c.lnr_contact_type).where(_LOOK.c.request_id == sa.bindparam("request_id"))


def held(conn: Connection, uln: str) -> dict[str, Any] | None:
    """What is held about a ULN, by kind, each in the order it came about; None if there is no learner of it.

    P: of another learner, with whom this one was merged or from whom it was parted, only the ULN: the two may have
    been two people.
    """
    learner = learners.by_uln(conn, uln)
    if learner is None:
        return None
    engines.take_time(conn)
    return {
        "learner": {name: getattr(learner, name) for name in learners.FIELDS},
        "linked_ulns": learners.linked_ulns(conn, uln),
        "earlier_versions": [dataclasses.asdict(version) for version in merges.versions(conn, uln)],
        "decisions": [_decision(decision, uln) for decision in merges.of_learner(conn, uln)],
        "learning_events": [dataclasses.asdict(event) for event in record.in_order(events.of_ulns(conn, [uln]))],
        "batches": [row._asdict() for row in conn.execute(_BATCHES, {"uln": uln, "digits": uln})],
        "known_to": [row._asdict() for row in conn.execute(_KNOWN_TO, {"uln": uln})],
        "searches": [row._asdict() for row in conn.execute(_SEARCHES, {"identity": matching.identity(learner)})],
        "audit": list(_audit(conn, uln)),
    }


def _decision(decision: merges.Decision, uln: str) -> dict[str, Any]:
    values = dataclasses.asdict(decision)
    other = "" if decision.uln != uln else "master_"
    return {name: value for name, value in values.items()
            if name not in (f"{other}family_name", f"{other}given_name", f"{other}date_of_birth")}  # fmt: skip


def _audit(conn: Connection, uln: str) -> Iterator[dict[str, Any]]:
    """The calls that showed or changed the learner; of other learners that the same call named, nothing."""
    for row in auditsearch.search(conn, auditsearch.Wanted(uln=uln)):
        values = dataclasses.asdict(row)
        del values["ulns"]
        looks = [look._asdict() for look in conn.execute(_LOOKS, {"request_id": row.request_id})]
        yield values | ({"as": looks} if looks else {})
