"""What waits of a learner during a load, and how processes that know no database hand it over."""

import contextlib
import dataclasses
import sqlite3
from collections.abc import Sequence

from lrs_soap.rules import matching
from lrs_soap.store import learners

LEARNER = (
    *learners.FIELDS,
    *(field.name for field in dataclasses.fields(matching.StoredKeys)),
)
COLUMNS = ("line", "identity", *LEARNER)
"""What waits of a learner: the line it came from, its identity (None unless it is live), and the columns of `learner`."""

NUMBERS = {"line", "uln", "master_uln", "version_number"}
"""Columns that are numbers in the database."""


def _waiting(number: str, blob: str, line: str) -> str:
    kinds = {name: number if name in NUMBERS else blob if name == "identity" else "TEXT" for name in COLUMNS} | {"line": line}
    return ", ".join(f"{name} {kind}" for name, kind in kinds.items())


# On SQLite the line is the row's own number: whoever is turned away is found by it.
WAITING = {"sqlite": _waiting("INTEGER", "BLOB", "INTEGER PRIMARY KEY"), "postgresql": _waiting("BIGINT", "BYTEA", "BIGINT")}
"""The columns of the table in which rows wait, by the name of the database."""

SQLITE_PAGE = 65536
"""Bytes of a page of what waits on SQLite."""
_WAITING = f"CREATE TABLE waiting ({WAITING['sqlite']})"


def pack_sqlite(columns: Sequence[Sequence]) -> bytes:
    """Rows as `Load.add` takes them on SQLite, from the columns COLUMNS: a database with the table `waiting`, whose rows
    SQLite copies as they are. To bind their values costs the most of a load, so it is done by many processes."""
    given = {name: values for name, values in zip(COLUMNS, columns) if values.count(None) < len(values)}
    for name in given.keys() & {"uln", "master_uln"}:
        given[name] = [None if value is None else int(value) for value in given[name]]
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        made.execute(f"PRAGMA page_size = {SQLITE_PAGE}")
        made.execute("PRAGMA journal_mode = OFF")
        made.execute("BEGIN")
        made.execute(_WAITING)
        made.executemany(f"INSERT INTO waiting ({', '.join(given)}) VALUES ({', '.join('?' * len(given))})", zip(*given.values()))
        made.execute("COMMIT")
        return made.serialize()


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"


def pack_postgresql(columns: Sequence[Sequence]) -> bytes:
    """The same on PostgreSQL: the text that COPY reads."""
    texts = [_copied(name, values) for name, values in zip(COLUMNS, columns)]
    return ("\n".join(map("\t".join, zip(*texts))) + "\n").encode()


def _copied(name: str, values: Sequence) -> Sequence[str]:
    if name == "identity":
        return [_NULL if value is None else f"\\\\x{value.hex()}" for value in values]
    if name in NUMBERS:
        return [_NULL if value is None else str(value) for value in values]
    different = set(values)
    absent = None in different
    different.discard(None)
    text = "".join(different)
    if any(sign in text for sign in "\\\t\n\r"):
        return [_NULL if value is None else value.translate(_ESCAPES) for value in values]
    return [_NULL if value is None else value for value in values] if absent else values


PACK = {"sqlite": pack_sqlite, "postgresql": pack_postgresql}
"""By the name of the database: what makes bytes of columns. Functions of this module, so that processes can have them."""
