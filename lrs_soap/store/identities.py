"""The statements by which live learners claim their identities (`matching.identity`), and give them up."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lrs_soap.store import tables

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

DELETE = sa.delete(_I).where(_I.c.uln == sa.bindparam("of_uln"))
DELETE_OTHERS = DELETE.where(_I.c.identity != sa.bindparam("kept"))


def _insert_claiming() -> sa.Insert:
    values = {name: sa.bindparam(name, type_=_I.c[name].type) for name in ("identity", "uln")}
    claimed = _claim(postgresql).values(**values).returning(_I.c.uln).cte("claimed")
    columns = [column for column in _T.c if column.server_default is None]
    given = sa.select(*(sa.bindparam(column.name, type_=column.type) for column in columns)).select_from(claimed)
    return sa.insert(_T).from_select([column.name for column in columns], given)


INSERT_CLAIMING = _insert_claiming()
"""Claims the identity and adds the learner, in one round trip of PostgreSQL; writes no row if another has it."""
