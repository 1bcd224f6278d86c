"""How entries of the audit trail become rows: `audit`, the learners of each, and the scope of organisations' reports."""

import datetime
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from lrs_soap.store import statements, tables, writing

COLUMNS = ("at", "request_id", "organisation_id", "reference", "user_name", "operation", "code", "duration_us")
"""What is given of a row of `audit`."""

_A = tables.audit
_L = tables.audit_learner
_S = tables.organisation_learner

_INSERT = sa.insert(_A)
_LAST = sa.select(sa.func.last_insert_rowid())
_BETWEEN = sa.select(_A.c.request_id, _A.c.operation).where(
    _A.c.at.between(sa.bindparam("first", type_=_A.c.at.type), sa.bindparam("last", type_=_A.c.at.type))
)
_INSERT_LEARNERS = sa.insert(_L)
_INSERT_SCOPE = sqlite.insert(_S).on_conflict_do_nothing()


def _at_once() -> sa.Insert:
    # Numbers first: what was inserted is not seen by the other parts of the statement.
    given = statements.arrays("given", "ordinal", **{name: _A.c[name] for name in COLUMNS})
    # The sequence by its name: PostgreSQL would look up for every row which one the column's is.
    number = sa.func.nextval(sa.literal_column("'audit_id_seq'::regclass"))
    entry = sa.select(number.label("id"), *given.c).cte("entry")
    touched = statements.arrays("touched", None, entry_number=_A.c.id, uln=_L.c.uln)
    rows = sa.insert(_A).from_select(["id", *COLUMNS], sa.select(entry.c.id, *(entry.c[name] for name in COLUMNS)))
    named = sa.select(entry.c.id, touched.c.uln).join_from(touched, entry, entry.c.ordinal == touched.c.entry_number)
    scope = statements.arrays("scope", "ordinal", scope_organisation=_S.c.organisation_id, scope_uln=_S.c.uln)
    return (
        postgresql.insert(_S)
        .from_select(
            ["organisation_id", "uln"],
            sa.select(scope.c.scope_organisation, scope.c.scope_uln).order_by(scope.c.ordinal),
        )
        .on_conflict_do_nothing()
        .add_cte(rows.cte("audited"), sa.insert(_L).from_select(["audit_id", "uln"], named).cte("named"))
    )


_AT_ONCE = _at_once()


def add(
    conn: Connection, rows: statements.Columns, touched: Sequence[tuple[int, str]], scope: Sequence[tuple[int, str]]
) -> None:
    """Adds rows, of which COLUMNS are given, one at least. touched: (number of the row, from 0; ULN), each pair once; scope:
    (organisation's id, ULN).

    On PostgreSQL it costs a registration of a few statements no round trip: it goes with the commit.
    """
    if conn.dialect.name == "postgresql":
        writing.later(conn, _AT_ONCE, {
            **rows,
            "entry_number": [number + 1 for number, _ in touched],
            "uln": [uln for _, uln in touched],
            "scope_organisation": [organisation for organisation, _ in scope],
            "scope_uln": [uln for _, uln in scope],
        })  # fmt: skip
        return
    writing.execute_many(conn, _INSERT, rows)
    if touched:
        # Nobody else writes meanwhile, so the numbers of these rows follow each other. To have SQLite give them back would
        # give the interpreter away at every row.
        first = conn.execute(_LAST).scalar_one() - rows.number + 1
        writing.execute_many(conn, _INSERT_LEARNERS, statements.Columns(
            audit_id=[first + number for number, _ in touched], uln=[uln for _, uln in touched],
        ))  # fmt: skip
    if scope:
        writing.execute_many(conn, _INSERT_SCOPE, statements.Columns(
            organisation_id=[organisation for organisation, _ in scope], uln=[uln for _, uln in scope],
        ))  # fmt: skip


def between(conn: Connection, first: datetime.datetime, last: datetime.datetime) -> set[tuple[str, str]]:
    """The calls of the rows from that moment to this, both included: (request_id, operation)."""
    return set(map(tuple, conn.execute(_BETWEEN, {"first": first, "last": last})))
