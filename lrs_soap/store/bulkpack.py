"""What waits of a learner during a load, and how processes that know no database hand it over."""

import dataclasses
import marshal
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


def pack_sqlite(columns: Sequence[Sequence]) -> bytes:
    """Rows as `Load.add` takes them on SQLite, from the columns COLUMNS."""
    numbers = [at for at, name in enumerate(COLUMNS) if name in ("uln", "master_uln")]
    columns = list(columns)
    for at in numbers:
        columns[at] = [None if value is None else int(value) for value in columns[at]]
    return marshal.dumps(list(zip(*columns)), _UNSHARED)


_UNSHARED = 2  # the last version that does not look for values it has written before, which costs more than it saves
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
