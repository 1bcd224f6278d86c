"""Batches as jobs in the register's database: submitted, claimed by workers, finished, read.

A worker holds a job by a lease: a random token and a time, on the database's clock, until which no other worker may
claim the job. Every transaction of a worker starts with `hold`, which locks the job's row, renews the lease, and fails
if the token is no longer the job's. So what a worker that lost its job still tries to write is never committed, and a
clock that is set may let two workers go on with one job, of which one gets nothing done.
"""

import dataclasses
import datetime
import secrets
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.ext import compiler
from sqlalchemy.sql import functions

from lrs_soap import errors
from lrs_soap.codes import JobStatus
from lrs_soap.store import tables_jobs

_J = tables_jobs.job
_L = tables_jobs.job_learner
_R = tables_jobs.job_result


class LostLease(errors.LrsError):
    """Another worker has taken the job over."""


class _Clock(functions.FunctionElement):
    """The database's clock in seconds: the machines that workers run on need not agree about the time."""

    type = sa.Double()
    inherit_cache = True


@compiler.compiles(_Clock, "postgresql")
def _postgresql_clock(_element, _compiler, **_options):
    return "extract(epoch FROM clock_timestamp())::float8"


@compiler.compiles(_Clock, "sqlite")
def _sqlite_clock(_element, _compiler, **_options):
    return "(julianday('now') - 2440587.5) * 86400.0"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A batch. operation: what submitted it; job_type: FUL, CHK or None; size: how many learners; the rest is what
    the audit says of who submitted it. lease: the token of the worker that claimed it."""

    id: int
    operation: str
    job_type: str | None
    organisation_id: int
    reference: str
    user_name: str
    request_id: str
    size: int
    status: str
    submitted_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    lease: str | None
    attempts: int


class Result(NamedTuple):
    """What came of one learner. code: a ReturnCode, or of a verification its code; uln: the learner's, if it may be
    told; given: of a verification, the other values to give back, by attribute."""

    code: str
    uln: str | None = None
    given: dict[str, Any] | None = None


class Sent(NamedTuple):
    """A learner of a job: its number, from 0; what was sent, by attribute; and what came of it, if anything yet."""

    position: int
    values: dict[str, str]
    result: Result | None


_JOB = [_J.c[field.name] for field in dataclasses.fields(Job)]
_SECONDS = sa.bindparam("seconds", type_=sa.Double)
# A lease that ends later than any that is given now was given before the clock was set back. The minute is for workers
# whose leases are somewhat longer, and for jobs that are kept back. A lease without an end (math.inf) stays one.
_FROM_ANOTHER_TIME = sa.and_(
    _J.c.lease_until > _Clock() + _SECONDS + sa.literal_column("60.0", sa.Double),
    _J.c.lease_until < sa.literal_column("1e300", sa.Double),
)
_OPEN = sa.and_(
    _J.c.finished_at.is_(None),
    sa.or_(_J.c.lease_until <= _Clock(), _FROM_ANOTHER_TIME),
)
_NEXT = sa.select(_J.c.id).where(_OPEN).order_by(_J.c.id).limit(1)
_CLAIM = (
    sa.update(_J)
    # SQLite, where a writer is alone, leaves FOR UPDATE out.
    .where(_J.c.id == _NEXT.with_for_update(skip_locked=True).scalar_subquery())
    .values(
        status=JobStatus.IN_PROGRESS.value,
        started_at=sa.func.coalesce(_J.c.started_at, sa.bindparam("at", type_=_J.c.started_at.type)),
        lease=sa.bindparam("token"),
        lease_until=_Clock() + _SECONDS,
        attempts=_J.c.attempts + 1,
    )
    .returning(*_JOB)
)
_HELD = sa.and_(_J.c.id == sa.bindparam("of_job"), _J.c.lease == sa.bindparam("of_lease"), _J.c.finished_at.is_(None))
# That the count of attempts starts anew is undone with the transaction if that fails.
_HOLD = sa.update(_J).where(_HELD).values(lease_until=_Clock() + _SECONDS, attempts=0)
_FINISH = (
    sa.update(_J)
    .where(_HELD)
    .values(status=sa.bindparam("to_status"), finished_at=sa.bindparam("at", type_=_J.c.finished_at.type), lease=None)
)
_RELEASE = (
    sa.update(_J)
    .where(_HELD)
    .values(lease=None, lease_until=_Clock() + _SECONDS,
            attempts=_J.c.attempts - sa.bindparam("uncounted"))
)  # fmt: skip
_BY_ID = sa.select(*_JOB).where(
    _J.c.id == sa.bindparam("job"),
    _J.c.organisation_id == sa.bindparam("organisation"),
    _J.c.operation == sa.bindparam("of_operation"),
)
_FROM, _TO = sa.bindparam("start", type_=sa.Integer), sa.bindparam("end", type_=sa.Integer)
# Both tables are read by the same range of their keys: however a database joins them, it reads no more than is asked
# for. With a range of one only, PostgreSQL joined every learner asked for with every result of the job.
_SOME = (
    sa.select(_L.c.position, _L.c.sent, _R.c.code, _R.c.uln, _R.c.given)
    .outerjoin(_R, sa.and_(
        _R.c.job_id == sa.bindparam("job"), _R.c.position >= _FROM, _R.c.position < _TO, _R.c.position == _L.c.position
    ))
    .where(_L.c.job_id == sa.bindparam("job"), _L.c.position >= _FROM, _L.c.position < _TO)
    .order_by(_L.c.position)
)  # fmt: skip
_DONE = sa.select(sa.func.coalesce(sa.func.max(_R.c.position) + 1, 0)).where(_R.c.job_id == sa.bindparam("job"))
_FINISHED = (
    sa.select(_J.c.id).where(_J.c.finished_at < sa.bindparam("before", type_=_J.c.finished_at.type))
    .order_by(_J.c.id).limit(sa.bindparam("most"))
)  # fmt: skip
_FORGET = tuple(
    sa.delete(table).where(column.in_(sa.bindparam("jobs", expanding=True)))
    for table, column in ((_R, _R.c.job_id), (_L, _L.c.job_id), (_J, _J.c.id))
)
_INSERT = sa.insert(_J).returning(_J.c.id)
_INSERT_LEARNERS = sa.insert(_L)
_INSERT_RESULTS = sa.insert(_R)


def add(
    conn: Connection,
    operation: str,
    learners: Sequence[dict[str, str]],
    *,
    job_type: str | None,
    organisation_id: int,
    reference: str,
    user_name: str,
    request_id: str,
    at: datetime.datetime,
    job_id: int | None = None,
) -> int:
    """Stores a batch, its learners in the order given, and gives its JobID; it waits once the transaction commits.

    job_id: a JobID to take instead of the next one, for a sandbox.
    """
    values = {
        "operation": operation, "job_type": job_type, "organisation_id": organisation_id, "reference": reference,
        "user_name": user_name, "request_id": request_id, "size": len(learners), "status": JobStatus.WAITING.value,
        "submitted_at": at, "lease_until": 0.0, "attempts": 0,
    } | ({} if job_id is None else {"id": job_id})  # fmt: skip
    job = conn.execute(_INSERT, values).scalar_one()
    conn.execute(_INSERT_LEARNERS, [{"job_id": job, "position": n, "sent": sent} for n, sent in enumerate(learners)])
    return job


def is_waiting(conn: Connection, lease_seconds: float) -> bool:
    """Whether there is a job to claim for lease_seconds."""
    return conn.execute(_NEXT, {"seconds": lease_seconds}).first() is not None


def claim(conn: Connection, lease_seconds: float, at: datetime.datetime) -> Job | None:
    """The oldest job that no worker holds, held by the caller for lease_seconds; None if there is none.

    Workers that claim at once get different jobs. `attempts` counts the claim until a learner is finished.
    """
    row = conn.execute(_CLAIM, {"token": secrets.token_hex(16), "seconds": lease_seconds, "at": at}).first()
    return Job(**row._asdict()) if row is not None else None


def hold(conn: Connection, job: Job, lease_seconds: float) -> None:
    """Locks the job until the transaction ends and renews its lease. Raises LostLease if it is no longer the caller's."""
    if not conn.execute(_HOLD, {"of_job": job.id, "of_lease": job.lease, "seconds": lease_seconds}).rowcount:
        raise LostLease()


def record(conn: Connection, job: Job, start: int, results: Iterable[Result]) -> None:
    """Adds the results of the learners from number `start`. After `hold`, in the transaction of their effects."""
    rows = [
        {"job_id": job.id, "position": position, "code": str(result.code), "uln": result.uln, "given": result.given}
        for position, result in enumerate(results, start)
    ]
    if rows:
        conn.execute(_INSERT_RESULTS, rows)


def finish(conn: Connection, job: Job, status: JobStatus, at: datetime.datetime) -> None:
    """Ends the job. After `hold`."""
    conn.execute(_FINISH, {"of_job": job.id, "of_lease": job.lease, "to_status": status.value, "at": at})


def release(conn: Connection, job: Job, *, after_seconds: float = 0.0, counted: bool = False) -> None:
    """Gives the job back for others to claim, after_seconds from now. counted: the claim counts as a failed attempt.
    Does nothing if another worker has it."""
    values = {"of_job": job.id, "of_lease": job.lease, "seconds": after_seconds}
    conn.execute(_RELEASE, values | {"uncounted": 0 if counted or job.attempts == 0 else 1})


def done(conn: Connection, job_id: int) -> int:
    """How many learners of a job have their result: they are finished in order."""
    return conn.execute(_DONE, {"job": job_id}).scalar_one()


def of_organisation(conn: Connection, job_id: int, organisation_id: int, operation: str) -> Job | None:
    """The job with this JobID if that organisation submitted it with that operation, else None."""
    values = {"job": job_id, "organisation": organisation_id, "of_operation": operation}
    row = conn.execute(_BY_ID, values).first()
    return Job(**row._asdict()) if row is not None else None


def learners(conn: Connection, job_id: int, start: int, n: int) -> list[Sent]:
    """At most `n` learners of a job from number `start`, in the order sent."""
    return [
        Sent(row.position, row.sent, Result(row.code, row.uln, row.given) if row.code is not None else None)
        for row in conn.execute(_SOME, {"job": job_id, "start": start, "end": start + n})
    ]


def forget(conn: Connection, before: datetime.datetime, most: int) -> int:
    """Removes jobs that ended before that moment, with their learners and results; gives how many, `most` at most."""
    found = conn.execute(_FINISHED, {"before": before, "most": most}).scalars().all()
    for statement in _FORGET if found else ():
        conn.execute(statement, {"jobs": found})
    return len(found)
