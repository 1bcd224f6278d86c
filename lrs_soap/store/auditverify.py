"""Verifying the audit trail: every hash made anew from the rows, and everything that does not fit named."""

import contextlib
import dataclasses
import datetime
import enum
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from lrs_soap.rules import chain
from lrs_soap.store import auditchain, auditprune, tables, tables_audit
from lrs_soap.store import engine as engines

_PAGE_ROWS = 5_000
_PAGE_BLOCKS = 1_000
_MOST_STRAYS = 1_000

_A = tables.audit
_L = tables.audit_learner
_U = tables_audit.audit_unsealed
_B = tables_audit.audit_block
_R = tables_audit.audit_block_row

_BLOCKS = (
    sa.select(*auditchain.BLOCK).where(_B.c.number > sa.bindparam("after")).order_by(_B.c.number).limit(_PAGE_BLOCKS)
)
_OF_BLOCKS = _R.c.block.between(sa.bindparam("first"), sa.bindparam("last"))
_ROWS = (
    sa.select(_R.c.block, _R.c.audit_id, _R.c.hash, *auditchain.ROW)
    .outerjoin(_A, _A.c.id == _R.c.audit_id)
    .where(_OF_BLOCKS)
    .order_by(_R.c.block, _R.c.audit_id)
)
_LEARNERS = (
    sa.select(_L.c.audit_id, _L.c.uln)
    .join(_R, _R.c.audit_id == _L.c.audit_id)
    .where(_OF_BLOCKS)
    .order_by(_L.c.audit_id, _L.c.uln)
)
_STRAYS = (
    sa.select(_A.c.id)
    .outerjoin(_R, _R.c.audit_id == _A.c.id)
    .outerjoin(_U, _U.c.audit_id == _A.c.id)
    .where(_R.c.audit_id.is_(None), _U.c.audit_id.is_(None))
    .order_by(_A.c.id)
    .limit(_MOST_STRAYS)
)
_WAITING = sa.select(sa.func.count(), sa.func.min(_A.c.at)).select_from(_U.join(_A, _A.c.id == _U.c.audit_id))
_LOST = (
    sa.select(_U.c.audit_id).outerjoin(_A, _A.c.id == _U.c.audit_id).where(_A.c.id.is_(None))
    .order_by(_U.c.audit_id).limit(_MOST_STRAYS)
)  # fmt: skip
_BEYOND = sa.select(_R.c.block).where(_R.c.block > sa.bindparam("last")).distinct().limit(_MOST_STRAYS)


class Kind(enum.StrEnum):
    """What is wrong."""

    ROW_MISSING = "row missing"
    ROW_CHANGED = "row changed"
    ROW_OUTSIDE = "row outside the chain"
    BLOCK_MISSING = "block missing"
    BLOCK_CHANGED = "block changed"
    BLOCK_ROWS = "rows of a block changed"
    KEY = "key"
    PRUNE = "removal"
    HEAD = "head"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that does not fit. block, audit_id: where, as far as it can be told."""

    kind: Kind
    message: str
    block: int | None = None
    audit_id: int | None = None


@dataclasses.dataclass(slots=True, kw_only=True)
class Summary:
    """What was verified. rows: in blocks and still there; waiting: not sealed yet, the oldest of waiting_since;
    keyed: blocks sealed with a key; pruned: removals by policy."""

    head: str
    blocks: int = 0
    keyed: int = 0
    rows: int = 0
    waiting: int = 0
    waiting_since: datetime.datetime | None = None
    pruned_blocks: int = 0
    pruned_rows: int = 0
    pruned: list[chain.Prune] = dataclasses.field(default_factory=list)
    problems: int = 0


def verify(
    engine: Engine,
    keys: Mapping[str, bytes],
    report: Callable[[Problem], None],
    *,
    expect: chain.Head | None = None,
    must_be_keyed: bool = False,
) -> Summary:
    """Makes the whole chain anew and reports what does not fit, in one state of the register while others write.

    keys: audit keys by `chain.key_name`; expect: a head that was kept elsewhere and must be in the chain;
    must_be_keyed: the newest block must have a key, and every block after the first that has one.
    """
    with _one_state(engine) as conn:
        return _Verification(conn, keys, report, expect, must_be_keyed).run()


@contextlib.contextmanager
def _one_state(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as conn:
        if conn.dialect.name == "postgresql":
            conn = conn.execution_options(isolation_level="REPEATABLE READ")
            engines.take_time(conn)
        yield conn
        conn.rollback()


class _Verification:
    def __init__(self, conn, keys, report, expect, must_be_keyed):
        self._conn = conn
        self._keys = {chain.PLAIN: None} | dict(keys)
        self._report = report
        self._expect = expect
        self._must_be_keyed = must_be_keyed
        self._previous = chain.Head(0, chain.START)
        self._unknown_keys: set[str] = set()
        self._last_keyed = False
        self._pruned_until = 0
        self.summary = Summary(head="")

    def run(self) -> Summary:
        self._check_prunes()
        head = auditchain.head(self._conn)
        self.summary.head = str(head)
        expected_seen = self._expect is None or (self._expect.number == 0 and self._expect.hash == chain.START)
        for page in self._pages():
            for block in page:
                self._check_block(block)
                expected_seen |= self._expect == self._previous
            self._check_rows([block for block in page if block.number > self._pruned_until])
        if not expected_seen:
            self._wrong(Kind.HEAD, f"the expected head {self._expect.number} is not in the chain: its end was cut off or "
                        "made anew", block=self._expect.number)  # fmt: skip
        if self._must_be_keyed and self.summary.blocks and not self._last_keyed:
            self._wrong(Kind.KEY, "the newest block was sealed without a key", block=head.number)
        self._check_rest(head.number)
        return self.summary

    def _wrong(self, kind: Kind, message: str, block: int | None = None, audit_id: int | None = None) -> None:
        self.summary.problems += 1
        self._report(Problem(kind=kind, message=message, block=block, audit_id=audit_id))

    def _key(self, name: str, block: int | None) -> tuple[bool, bytes | None]:
        """Whether the key of that name is there, and the key; reports one that is not, once."""
        if name in self._keys:
            return True, self._keys[name]
        if name not in self._unknown_keys:
            self._unknown_keys.add(name)
            self._wrong(Kind.KEY, f"the key {name} was not given, so what it sealed cannot be verified", block=block)
        return False, None

    def _check_prunes(self) -> None:
        for prune in auditprune.prunes(self._conn):
            known, key = self._key(prune.key_name, prune.first_block)
            right = not known or chain.prune_hash(key, prune) == prune.hash
            if not right or prune.first_block != self._pruned_until + 1 or prune.last_block < prune.first_block:
                self._wrong(Kind.PRUNE, f"the record of a removal of {prune.at.isoformat()} is not genuine",
                            block=prune.first_block)  # fmt: skip
                continue
            if self._must_be_keyed and prune.key_name == chain.PLAIN:
                self._wrong(Kind.KEY, "the record of a removal has no key", block=prune.first_block)
            self._pruned_until = prune.last_block
            self.summary.pruned.append(prune)
            self.summary.pruned_blocks += prune.last_block - prune.first_block + 1
            self.summary.pruned_rows += prune.rows

    def _pages(self) -> Iterator[list[chain.Block]]:
        """The blocks in order, with about so many rows at a time as fit into memory easily."""
        after, page, rows = 0, [], 0
        while found := self._conn.execute(_BLOCKS, {"after": after}).all():
            for row in found:
                *values, digest, name, hash_ = row
                page.append(chain.Block(*values, bytes(digest), name, bytes(hash_)))
                rows += row.rows
                if rows >= _PAGE_ROWS:
                    yield page
                    page, rows = [], 0
            after = found[-1].number
        if page:
            yield page

    def _check_block(self, block: chain.Block) -> None:
        expected = self._previous.number + 1
        if block.number != expected:
            missing = f"block {expected} is" if block.number == expected + 1 else f"blocks {expected} to {block.number - 1} are"
            self._wrong(Kind.BLOCK_MISSING, f"{missing} missing", block=expected)
        else:
            known, key = self._key(block.key_name, block.number)
            if known and chain.block_hash(key, self._previous.hash, block) != block.hash:
                self._wrong(Kind.BLOCK_CHANGED, f"block {block.number} was changed, or does not follow the block before it",
                            block=block.number)  # fmt: skip
        keyed = block.key_name != chain.PLAIN
        if self._last_keyed and not keyed and self._must_be_keyed:
            self._wrong(Kind.KEY, f"block {block.number} was sealed without a key, the block before it with one",
                        block=block.number)  # fmt: skip
        self._last_keyed = keyed
        self.summary.blocks += 1
        self.summary.keyed += keyed
        self._previous = chain.Head(block.number, block.hash)

    def _check_rows(self, blocks: list[chain.Block]) -> None:
        if not blocks:
            return
        span = {"first": blocks[0].number, "last": blocks[-1].number}
        ulns = auditchain.by_row(self._conn.execute(_LEARNERS, span))
        rows = {number: list(group) for number, group in groupby(self._conn.execute(_ROWS, span), itemgetter(0))}
        for block in blocks:
            self._check_rows_of(block, rows.get(block.number, []), ulns)

    def _check_rows_of(self, block: chain.Block, rows: list, ulns: Mapping[int, list[str]]) -> None:
        known, key = self._key(block.key_name, block.number)
        sealed = [bytes(row[2]) for row in rows]
        if len(rows) != block.rows or chain.digest(sealed) != block.digest:
            self._wrong(Kind.BLOCK_ROWS, f"block {block.number} was sealed with {block.rows} rows; of those in it now "
                        f"({len(rows)}) some were added, removed or changed", block=block.number)  # fmt: skip
        for row, hash_ in zip(rows, sealed, strict=True):
            number = row[1]
            if row[3] is None:
                self._wrong(Kind.ROW_MISSING, f"row {number} is gone", block=block.number, audit_id=number)
                continue
            self.summary.rows += 1
            if known and chain.row_hash(key, row[3:], ulns.get(number, ())) != hash_:
                self._wrong(Kind.ROW_CHANGED, f"row {number} was changed, or the learners it names", block=block.number,
                            audit_id=number)  # fmt: skip

    def _check_rest(self, last: int) -> None:
        for (number,) in self._conn.execute(_BEYOND, {"last": last}):
            self._wrong(Kind.BLOCK_MISSING, f"block {number} is missing", block=number)
        for (number,) in self._conn.execute(_STRAYS):
            self._wrong(Kind.ROW_OUTSIDE, f"row {number} is in no block and does not wait for one", audit_id=number)
        for (number,) in self._conn.execute(_LOST):
            self._wrong(Kind.ROW_MISSING, f"row {number}, which was not sealed yet, is gone", audit_id=number)
        self.summary.waiting, self.summary.waiting_since = self._conn.execute(_WAITING).one()
