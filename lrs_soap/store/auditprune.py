"""Removing old rows of the audit trail by policy: whole blocks from the beginning, with a record that stays.

The blocks and their hashes stay too, so that the chain still holds; triggers let rows go only when a record names
their block (migration r0006).
"""

import dataclasses
import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.rules import chain
from lrs_soap.store import auditpartitions, tables, tables_audit, tables_events

STEP_ROWS = 10_000
"""About how many rows one transaction removes: SQLite's writers wait for it."""

_PAGE_BLOCKS = 5_000

_A = tables.audit
_L = tables.audit_learner
_B = tables_audit.audit_block
_R = tables_audit.audit_block_row
_P = tables_audit.audit_prune
_LOOK = tables_events.record_look

_FIELDS = tuple(field.name for field in dataclasses.fields(chain.Prune))
_ALL = sa.select(*(_P.c[name] for name in _FIELDS)).order_by(_P.c.first_block, _P.c.id)
_UNTIL = sa.select(sa.func.coalesce(sa.func.max(_P.c.last_block), 0))
_NEXT = (
    sa.select(_B.c.number, _B.c.newest, _B.c.rows)
    .where(_B.c.number > sa.bindparam("after"))
    .order_by(_B.c.number)
    .limit(_PAGE_BLOCKS)
)
_SPAN = sa.select(sa.func.max(_B.c.newest), sa.func.sum(_B.c.rows)).where(
    _B.c.number > sa.bindparam("after"), _B.c.number <= sa.bindparam("last")
)
_INSERT = sa.insert(_P)
_ROWS = sa.select(_R.c.audit_id).where(_R.c.block.between(sa.bindparam("first"), sa.bindparam("last")))
# Looks at records belong to rows of the trail by their request.
_DELETE_LOOKS = sa.delete(_LOOK).where(_LOOK.c.request_id.in_(sa.select(_A.c.request_id).where(_A.c.id.in_(_ROWS))))
# In this order: the triggers look a row's block up.
_DELETES = (
    sa.delete(_L).where(_L.c.audit_id.in_(_ROWS)),
    sa.delete(_A).where(_A.c.id.in_(_ROWS)),
    sa.delete(_R).where(_R.c.block.between(sa.bindparam("first"), sa.bindparam("last"))),
)


class Due(NamedTuple):
    """What may go next: the blocks from first to last, with so many rows."""

    first: int
    last: int
    rows: int


def prunes(conn: Connection) -> list[chain.Prune]:
    """The records of removals, in the order of their blocks."""
    return [chain.Prune(*row[:-1], bytes(row[-1])) for row in conn.execute(_ALL)]


def due(conn: Connection, older_than: datetime.datetime, most_rows: int = STEP_ROWS) -> Due | None:
    """The oldest blocks all of whose rows are older than that moment; None if there is none.

    They are those of the oldest partition, which can be dropped whole, or of about most_rows rows.
    """
    after = conn.execute(_UNTIL).scalar_one()
    whole = auditpartitions.last_block_of_oldest(conn)
    if whole is not None and whole > after:
        newest, rows = conn.execute(_SPAN, {"after": after, "last": whole}).first()
        if newest < older_than:
            return Due(after + 1, whole, rows)
    last, rows = after, 0
    for block in conn.execute(_NEXT, {"after": after}):
        if block.newest >= older_than or rows >= most_rows:
            break
        last, rows = block.number, rows + block.rows
    return Due(after + 1, last, rows) if last > after else None


def prune(
    conn: Connection,
    which: Due,
    key: bytes | None,
    *,
    user_name: str,
    reason: str,
    older_than: datetime.datetime,
    at: datetime.datetime,
) -> chain.Prune:
    """Removes the rows of these blocks and keeps the record of it, with the hash that only the audit key makes.

    Partitions with no other rows go as they are; then TrailInUse may be raised.
    """
    record = chain.Prune(at, user_name, reason, older_than, *which, chain.key_name(key))
    record = dataclasses.replace(record, hash=chain.prune_hash(key, record))
    conn.execute(_INSERT, dataclasses.asdict(record))
    span = {"first": which.first, "last": which.last}
    conn.execute(_DELETE_LOOKS, span)
    auditpartitions.drop_covered(conn, which.last)
    for statement in _DELETES:
        conn.execute(statement, span)
    return record
