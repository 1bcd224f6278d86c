"""The partitions of the audit trail on PostgreSQL: ranges of row numbers, the same in each of its three large tables.

The keeper makes them ahead; `auditprune` drops one when a removal covers all of its rows. Row numbers rise with time, so
a partition is a stretch of time, and no key of the trail needs the time in it. What finds no partition goes to the
default one. SQLite has no partitions: there every function here finds nothing to do.
"""

import re
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap import errors
from lrs_soap.store import engine as engines
from lrs_soap.store import tables, tables_audit

ROWS = 10_000_000
"""P: the rows of a partition: its indexes fit into memory, and seven years of a busy register are some hundred."""

class TrailInUse(errors.LrsError):
    """Somebody reads the whole audit trail (verify, export, a backup): try again when they have ended."""


_TABLES = (tables.audit, tables.audit_learner, tables_audit.audit_block_row)

# Any number that no other user of a PostgreSQL server locks: "LRS" and "part" in ASCII.
_LOCK = 0x4C5253_70617274

_BOUND = re.compile(r"FOR VALUES FROM \((?:MINVALUE|'(\d+)')\) TO \('(\d+)'\)")
_TRY_LOCK = sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))
# Who waits for a table keeps all who come later waiting too: so we give up soon, and before a deadlock is looked for.
_IMPATIENT = sa.text("SET LOCAL lock_timeout = '500ms'")
_LOCK_ALL = sa.text(f"LOCK TABLE {', '.join(table.name for table in _TABLES)} IN ACCESS EXCLUSIVE MODE")
_PARTITIONS = sa.text(
    "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = to_regclass('audit')"
)
_NEWEST = sa.text("SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('audit', 'id')::regclass), 0)")
_ASTRAY = sa.text("SELECT coalesce(max(id), 0) FROM audit_default")
_A, _R = tables.audit, tables_audit.audit_block_row


def _of(number: sa.Column) -> sa.ColumnElement[bool]:
    return sa.and_(number >= sa.bindparam("first"), number < sa.bindparam("end"))


_LAST_BLOCK = sa.select(sa.func.max(_R.c.block)).where(_of(_R.c.audit_id))
_STAYS = (
    sa.select(_A.c.id).outerjoin(_R, sa.and_(_R.c.audit_id == _A.c.id, _of(_R.c.audit_id)))
    .where(_of(_A.c.id), sa.or_(_R.c.block.is_(None), _R.c.block > sa.bindparam("last"))).limit(1)
)  # fmt: skip


class Partition(NamedTuple):
    """The rows from number `first` to before `end`; suffix: what the names of its tables end in."""

    suffix: str
    first: int
    end: int


def partitions(conn: Connection) -> list[Partition]:
    """The partitions in the order of their rows, without the default one."""
    if conn.dialect.name != "postgresql":
        return []
    bounds = ((name.removeprefix("audit_"), _BOUND.fullmatch(bound)) for name, bound in conn.execute(_PARTITIONS))
    return sorted((Partition(suffix, int(found[1] or 0), int(found[2])) for suffix, found in bounds if found),
                  key=lambda one: one.end)  # fmt: skip


def make_ahead(conn: Connection, rows: int = ROWS) -> list[Partition]:
    """Makes partitions until the rows of a whole one are still to come, and gives those it made.

    Needs a transaction of its own. Rows that went to the default partition stay there. Raises the database's error
    when somebody keeps the trail for longer than half a second: it is for the next attempt then.
    """
    if conn.dialect.name != "postgresql" or not conn.execute(_TRY_LOCK).scalar():
        return []
    conn.execute(_IMPATIENT)
    made: list[Partition] = []
    newest = conn.execute(_NEWEST).scalar_one()
    end = max((one.end for one in partitions(conn)), default=0)
    if end <= newest:
        end = max(end, conn.execute(_ASTRAY).scalar_one() + 1, newest + 1)
        end += -end % rows
    while end - newest <= rows:
        made.append(_make(conn, Partition(str(end), end, end + rows)))
        end += rows
    return made


def _make(conn: Connection, new: Partition) -> Partition:
    for table in _TABLES:
        name = f"{table.name}_{new.suffix}"
        # Attached, and not made as a partition at once, as that would keep everybody from the trail meanwhile.
        conn.execute(sa.text(f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL)"))
        conn.execute(sa.text(f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES FROM ({new.first}) TO ({new.end})"))
        # Row triggers are handed down to partitions; those of statements are not.
        conn.execute(sa.text(f"CREATE TRIGGER {table.name}_append_only BEFORE UPDATE OR TRUNCATE ON {name} "
                             f"FOR EACH STATEMENT EXECUTE FUNCTION {table.name}_is_append_only()"))  # fmt: skip
    return new


def last_block_of_oldest(conn: Connection) -> int | None:
    """The last block with rows of the oldest partition; None if that may still get rows, or there are no partitions."""
    oldest = next(iter(_closed(conn)), None)
    return oldest and conn.execute(_LAST_BLOCK, {"first": oldest.first, "end": oldest.end}).scalar()


def drop_covered(conn: Connection, last_block: int) -> list[Partition]:
    """Drops the partitions that hold nothing but rows of the blocks up to this one, and gives them.

    A row that comes late for a partition that is gone is kept in the default one. Raises TrailInUse.
    """
    covered = [one for one in _closed(conn) if _is_covered(conn, one, last_block)]
    if not covered:
        return []
    conn.execute(_IMPATIENT)
    try:
        conn.execute(_LOCK_ALL)
    except sa.exc.OperationalError as error:
        if engines.is_locked(error):
            raise TrailInUse() from None
        raise
    # Looked at again: a row may have been committed before we were alone.
    dropped = [one for one in covered if _is_covered(conn, one, last_block)]
    for one in dropped:
        for table in _TABLES:
            conn.execute(sa.text(f"DROP TABLE {table.name}_{one.suffix}"))
    return dropped


def _closed(conn: Connection) -> list[Partition]:
    found = partitions(conn)
    newest = conn.execute(_NEWEST).scalar_one() if found else 0
    return [one for one in found if one.end <= newest]


def _is_covered(conn: Connection, one: Partition, last_block: int) -> bool:
    engines.take_time(conn)
    return conn.execute(_STAYS, {"first": one.first, "end": one.end, "last": last_block}).first() is None
