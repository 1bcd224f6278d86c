"""The whole register, row by row, for what looks at all of it."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from lrs_soap.codes import LearnerStatus
from lrs_soap.store import engine as engines
from lrs_soap.store import tables

_AT_ONCE = 5_000


def live(engine: Engine, columns: Sequence[str]) -> Iterator[sa.Row]:
    """These columns of every live learner, as they were when the first was read, in the order of ULNs; memory does not
    grow with the register. It may take longer than any call may."""
    learner = tables.learner
    wanted = sa.select(*(learner.c[name] for name in columns)).order_by(learner.c.uln)
    wanted = wanted.where(learner.c.learner_status == LearnerStatus.ACTIVE.value)
    with engine.connect() as conn:
        engines.take_time(conn)
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield from conn.execution_options(yield_per=_AT_ONCE).execute(wanted)


def count(engine: Engine) -> int:
    """How many live learners there are."""
    learner = tables.learner
    with engine.connect() as conn:
        wanted = sa.select(sa.func.count()).where(learner.c.learner_status == LearnerStatus.ACTIVE.value)
        return conn.execute(wanted).scalar_one()
