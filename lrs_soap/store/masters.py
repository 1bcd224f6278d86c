"""Which learners are masters: `learner.is_master`, kept right whenever a `master_uln` changes, so that no read asks."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.store import tables

_T = tables.learner
_STORED_FOR_UPDATE = sa.select(_T.c.is_master).where(_T.c.uln == sa.bindparam("uln")).with_for_update()
_MERGED_INTO = sa.select(_T.c.uln).where(_T.c.master_uln == sa.bindparam("uln"))
_SET = sa.update(_T).where(_T.c.uln == sa.bindparam("of_uln")).values(is_master=sa.bindparam("is_master"))


def keep(conn: Connection, *ulns: str | None) -> None:
    """Sets is_master of these learners to whether any learner has them as its master now. None is no learner.

    They stay locked until the transaction ends, and are locked in the order of their ULNs.
    """
    for uln in sorted(set(ulns) - {None}):
        # Locked before looked: who merges another into it, or unmerges one, has committed then, or looks after us.
        stored = conn.execute(_STORED_FOR_UPDATE, {"uln": uln}).scalar()
        is_master = conn.execute(_MERGED_INTO, {"uln": uln}).first() is not None
        if stored != is_master:
            conn.execute(_SET, {"of_uln": uln, "is_master": is_master})
