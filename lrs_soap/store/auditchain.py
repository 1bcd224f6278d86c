"""Sealing the audit trail: rows that were committed are put into blocks, each bound to the one before.

Rows are written unsealed, so that no call waits for the chain. A trigger notes each in `audit_unsealed`, in the same
transaction; the sealer takes from there, so that a row is never missed, whenever its transaction commits. One sealer
works at a time: on PostgreSQL it holds an advisory lock, on SQLite the only writer's place.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from lrs_soap.rules import chain
from lrs_soap.store import engine as engines
from lrs_soap.store import tables, tables_audit

BLOCK_ROWS = 2_000
"""The most rows of a block: few enough that SQLite's writers do not wait long for it."""

# Any number that no other user of a PostgreSQL server locks: "LRS" and "seal" in ASCII.
_SEALING_LOCK = 0x4C5253_7365616C

_A = tables.audit
_L = tables.audit_learner
_U = tables_audit.audit_unsealed
_B = tables_audit.audit_block
_R = tables_audit.audit_block_row

ROW = [_A.c[name] for name in ("id", "at", "request_id", "organisation_id", "reference", "user_name", "operation",
                               "code", "duration_us")]  # fmt: skip
"""The columns of a row of the trail, in the order of `chain.row_hash`."""

BLOCK = [_B.c[name] for name in ("number", "sealed_at", "newest", "rows", "digest", "key_name", "hash")]
"""The columns of a block, in the order of `chain.Block`."""

_HEAD = sa.select(_B.c.number, _B.c.hash).order_by(_B.c.number.desc()).limit(1)
_WAITING = sa.select(*ROW).join(_U, _U.c.audit_id == _A.c.id).order_by(_A.c.id).limit(sa.bindparam("most"))
_LEARNERS = (
    sa.select(_L.c.audit_id, _L.c.uln)
    .join(_U, _U.c.audit_id == _L.c.audit_id)
    .where(_L.c.audit_id.between(sa.bindparam("first"), sa.bindparam("last")))
    .order_by(_L.c.audit_id, _L.c.uln)
)
_INSERT_BLOCK = sa.insert(_B)
_INSERT_ROWS = sa.insert(_R)
_TAKE = sa.delete(_U).where(_U.c.audit_id.in_(sa.select(_R.c.audit_id).where(_R.c.block == sa.bindparam("number"))))
_TRY_LOCK = sa.select(sa.func.pg_try_advisory_xact_lock(_SEALING_LOCK))


class _Draft(NamedTuple):
    block: chain.Block
    hashes: dict[int, bytes]  # of the rows, by id


def head(conn: Connection) -> chain.Head:
    """The end of the chain; number 0 while there is no block."""
    row = conn.execute(_HEAD).first()
    return chain.Head(row.number, bytes(row.hash)) if row is not None else chain.Head(0, chain.START)


def seal(engine: Engine, key: bytes | None, at: datetime.datetime, most: int = BLOCK_ROWS) -> int:
    """Seals the rows that wait, at most so many, in one block, and gives how many; 0 if none waits or another is at it.

    key: the audit key, or None to seal without one. A sealer that is killed leaves everything as it was.
    """
    if engine.dialect.name == "sqlite":
        # Reading and hashing before writing: others write meanwhile. The rows read cannot change; only another
        # sealer can have taken them, and then the head is another.
        with engines.read(engine) as conn:
            draft = _draft(conn, key, at, most)
        if draft is None:
            return 0
        with engines.write(engine) as conn:
            return _store(conn, draft) if head(conn).number == draft.block.number - 1 else 0
    with engines.write(engine) as conn:
        if not conn.execute(_TRY_LOCK).scalar():
            return 0
        draft = _draft(conn, key, at, most)
        return 0 if draft is None else _store(conn, draft)


def row_hashes(key: bytes | None, rows: Iterable[Sequence], ulns: Mapping[int, list[str]]) -> dict[int, bytes]:
    """The hash of each row (as `ROW`) by its id. ulns: those of the rows that name any."""
    return {row[0]: chain.row_hash(key, row, ulns.get(row[0], ())) for row in rows}


def by_row(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    """ULNs by the id of the row, of (id, ULN) in order."""
    found: dict[int, list[str]] = {}
    for number, uln in pairs:
        found.setdefault(number, []).append(uln)
    return found


def _draft(conn: Connection, key: bytes | None, at: datetime.datetime, most: int) -> _Draft | None:
    previous = head(conn)
    rows = conn.execute(_WAITING, {"most": most}).all()
    if not rows:
        return None
    learners = conn.execute(_LEARNERS, {"first": rows[0].id, "last": rows[-1].id})
    hashes = row_hashes(key, rows, by_row(learners))
    return _Draft(chain.sealed(key, previous, at, max(row.at for row in rows), list(hashes.values())), hashes)


def _store(conn: Connection, draft: _Draft) -> int:
    block, hashes = draft
    conn.execute(_INSERT_BLOCK, {column.name: getattr(block, column.name) for column in BLOCK})
    conn.execute(_INSERT_ROWS, [{"block": block.number, "audit_id": id_, "hash": hash_} for id_, hash_ in hashes.items()])
    conn.execute(_TAKE, {"number": block.number})
    return len(hashes)
