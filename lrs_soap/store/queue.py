"""How many batches wait, and for how long."""

import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.codes import JobStatus
from lrs_soap.store import reading
from lrs_soap.store.tables_jobs import job

_UNFINISHED = (
    sa.select(job.c.status, sa.func.count().label("number"), sa.func.min(job.c.submitted_at).label("oldest"))
    .where(job.c.finished_at.is_(None)).group_by(job.c.status)
)  # fmt: skip


class Queue(NamedTuple):
    """The unfinished batches of a register. oldest_seconds: since the oldest of them was submitted."""

    waiting: int = 0
    in_progress: int = 0
    oldest_seconds: float = 0.0


def length(conn: reading.Reader | Connection, now: datetime.datetime) -> Queue:
    """The queue as it is now, from the index of unfinished batches."""
    rows = conn.execute(_UNFINISHED).all()
    waiting = sum(row.number for row in rows if row.status == JobStatus.WAITING.value)
    oldest = min((row.oldest for row in rows), default=now)
    age = (now - oldest).total_seconds()
    return Queue(waiting, sum(row.number for row in rows) - waiting, max(age, 0.0))
