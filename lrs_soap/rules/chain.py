"""The chain that makes changes of the audit trail show: what is hashed, in which form (P: all of it is ours).

Rows of the trail are sealed in blocks. A block's hash covers the hash of the block before it and, through a digest,
the hash of each of its rows; so nothing sealed can be changed, removed, added or moved without another hash at the
end. With a key the hashes are HMAC-SHA-256, and only who has the key can make them; without one they are SHA-256,
and who may write to the database can make the whole chain anew: then only a head kept elsewhere tells.
"""

import dataclasses
import datetime
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence

START = bytes(32)
"""What stands for the hash before the first block."""

PLAIN = ""
"""The key_name of what was hashed without a key."""


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """A block of the chain. number: from 1, without gaps; rows: how many; newest: the latest `at` of its rows;
    digest: see `digest`; key_name: see `key_name`."""

    number: int
    sealed_at: datetime.datetime
    newest: datetime.datetime
    rows: int
    digest: bytes
    key_name: str
    hash: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True)
class Prune:
    """The record of a removal by policy: the rows of the blocks first_block to last_block, all older than
    `older_than`; by whom, when and why."""

    at: datetime.datetime
    user_name: str
    reason: str
    older_than: datetime.datetime
    first_block: int
    last_block: int
    rows: int
    key_name: str
    hash: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: the newest block and its hash. Written `17:9f86...`; of an empty chain `0:0000...`."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """The head that `str` wrote. Raises ValueError."""
        number, _, digits = text.strip().partition(":")
        found = bytes.fromhex(digits)
        if not number.isdecimal() or len(found) != len(START):
            raise ValueError("a head is written NUMBER:HASH, as `lrs-soap audit head` prints it")
        return cls(int(number), found)


def key_name(key: bytes | None) -> str:
    """What a block says of the key it was sealed with: it tells keys apart and gives nothing of them away."""
    return PLAIN if key is None else hmac.digest(key, b"lrs-soap audit key name", "sha256").hex()[:16]


def row_hash(key: bytes | None, row: Sequence, ulns: Iterable[str]) -> bytes:
    """The hash of a row. row: id, at, request_id, organisation_id, reference, user_name, operation, code,
    duration_us; ulns: the learners it names, in the order of their numbers."""
    number, at, *rest = row
    return _hash(key, "row", number, _moment(at), *rest, *ulns)


def digest(hashes: Iterable[bytes]) -> bytes:
    """Of the hashes of a block's rows, in the order of their ids."""
    return hashlib.sha256(b"".join(hashes)).digest()


def block_hash(key: bytes | None, previous: bytes, block: Block) -> bytes:
    """The hash of a block. previous: the hash of the block before it, or `START`."""
    return _hash(key, "block", previous.hex(), block.number, _moment(block.sealed_at), _moment(block.newest),
                 block.rows, block.digest.hex(), block.key_name)  # fmt: skip


def prune_hash(key: bytes | None, prune: Prune) -> bytes:
    """The hash of the record of a removal."""
    return _hash(key, "prune", _moment(prune.at), prune.user_name, prune.reason, _moment(prune.older_than),
                 prune.first_block, prune.last_block, prune.rows, prune.key_name)  # fmt: skip


def sealed(key: bytes | None, previous: Head, at: datetime.datetime, newest: datetime.datetime,
           hashes: Sequence[bytes]) -> Block:  # fmt: skip
    """The block that follows `previous` and holds the rows with these hashes."""
    block = Block(previous.number + 1, at, newest, len(hashes), digest(hashes), key_name(key))
    return dataclasses.replace(block, hash=block_hash(key, previous.hash, block))


def _moment(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).isoformat(timespec="microseconds")


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


def _hash(key: bytes | None, *values: str | int | None) -> bytes:
    # A JSON array: no two lists of values are written alike.
    text = _encode(values).encode()
    return hashlib.sha256(text).digest() if key is None else hmac.digest(key, text, "sha256")
