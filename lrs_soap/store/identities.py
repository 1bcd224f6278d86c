"""The statements by which live learners claim their identities (`matching.identity`), and give them up."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lrs_soap.store import statements, tables

_T = tables.learner
_I = tables.learner_identity
_DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}


def _claim(dialect) -> sa.Insert:
    return dialect.insert(_I).on_conflict_do_nothing(index_elements=["identity"])


def _claim_or_keep(dialect) -> sa.Insert:
    insert = dialect.insert(_I)
    keep = {"uln": insert.excluded.uln}
    return insert.on_conflict_do_update(index_elements=["identity"], set_=keep, where=_I.c.uln == insert.excluded.uln)


CLAIM = {name: _claim(dialect) for name, dialect in _DIALECTS.items()}
"""Writes no row if another learner has the identity. By the name of the database."""

CLAIM_OR_KEEP = {name: _claim_or_keep(dialect) for name, dialect in _DIALECTS.items()}
"""The same, but content if the learner has it already."""

RELEASE = sa.delete(_I).where(_I.c.identity == sa.bindparam("released"), _I.c.uln == sa.bindparam("of_uln"))
"""Gives an identity up, if it is this learner's."""


def _insert_claiming() -> sa.Insert:
    columns = [column for column in _T.c if column.server_default is None]
    arrays = statements.arrays("given", "ordinal", identity=_I.c.identity, **{column.name: column for column in columns})
    given = sa.select(*arrays.c).cte("given")
    # Looked for one by one, whatever the planner thinks of the arrays.
    holder = sa.select(_T.c.uln).where(_T.c.uln == given.c.uln).scalar_subquery()
    first = sa.select(given.c.identity, given.c.uln).where(holder.is_(None)).order_by(given.c.ordinal)
    claimed = _claim(postgresql).from_select(["identity", "uln"], first).returning(_I.c.uln).cte("claimed")
    rows = sa.select(*(given.c[column.name] for column in columns)).join_from(given, claimed, claimed.c.uln == given.c.uln)
    return sa.insert(_T).from_select([column.name for column in columns], rows).returning(_T.c.uln)


INSERT_CLAIMING = _insert_claiming()
"""Claims the identities of learners given as arrays and adds those of them who have theirs, in one round trip of
PostgreSQL; gives back their ULNs. Of whose ULN is in use nothing is written."""
