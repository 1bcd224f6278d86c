"""Pages of a large SQLite register that a writer will need, read before its turn.

Among millions of learners nearly every page that a registration touches is one that nobody has touched for long, so it comes from the
disk; and while a writer waits for the disk, all the others wait for the writer. So each reads them before it has its turn,
when only its own callers wait: from then on the operating system has them in memory.
"""

import json
import os
from collections.abc import Collection, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from lrs_soap.rules import matching
from lrs_soap.store import bulk, engine, reading, statements, tables, ulns

LARGE = 256 << 20
"""Bytes from which on a file is not counted on to be in memory as a whole. (P)"""

# Numbers that others draw before us: a group of another process, or a step of a batch.
_AHEAD = 16

_NEXT = sa.select(tables.uln_issue.c.next_index)
_IDENTITY = sa.select(tables.learner_identity.c.uln).where(tables.learner_identity.c.identity == sa.bindparam("identity"))
_HISTORY = sa.select(tables.learner_history.c.uln).where(statements.among(tables.learner_history.c.uln, "ulns")["sqlite"])
_SCOPE = sa.select(tables.organisation_learner.c.uln).where(
    tables.organisation_learner.c.organisation_id == sa.bindparam("organisation"),
    statements.among(tables.organisation_learner.c.uln, "ulns")["sqlite"],
)


def _entries() -> sa.TextualSelect:
    """Where in each index learners stand, or would; `wanted` is JSON, a list of their _KEYS each."""
    equal = " AND ".join(f"{name} = json_extract(w.value, '$[{n}]')" for n, name in enumerate(_KEYS))
    counts = [f"(SELECT count(*) FROM learner INDEXED BY {tables.index_name(index)} WHERE {equal})" for index in matching.INDEXES]
    return sa.text(f"SELECT {' + '.join(counts)} AS number FROM json_each(:wanted) AS w").columns(number=sa.Integer)


_KEYS = ("postcode_key", "date_of_birth", "family_key", "given_key")
_ENTRIES = _entries()


class Warming:
    """What reads ahead for the writers of a register; on PostgreSQL, where they do not wait for each other, nothing."""

    def __init__(self, of: Engine):
        self._engine = of
        self._file = of.url.database if of.dialect.name == "sqlite" else None
        self._until = 0  # the numbers before this one were read ahead

    def read(self, new: Sequence[tuple[int, bulk.Newcomer]], changed: Collection[tuple[int, str]] = ()) -> None:
        """Reads what adding these learners will touch, and changing those; each with the id of the organisation that wants it.

        Raises what the database raises.
        """
        if not self._is_large():
            return
        with engine.read(self._engine) as conn:
            numbers = self._numbers(conn, len(new)) if new else []
            if new:
                conn.execute(_ENTRIES, {"wanted": json.dumps([[one.values[name] for name in _KEYS] for _, one in new])})
            for _, one in new:
                conn.execute(_IDENTITY, {"identity": one.identity})
            old = [uln for _, uln in changed]
            if numbers or old:
                ulns.held(conn, numbers + old)
            if old:
                conn.execute(_HISTORY, {"ulns": list(map(int, old))})
            for organisation, touched in _by_organisation(new, numbers, changed):
                conn.execute(_SCOPE, {"organisation": organisation, "ulns": touched})

    def _is_large(self) -> bool:
        try:
            return self._file is not None and os.stat(self._file).st_size >= LARGE
        except OSError:
            return False  # in memory, or gone: the writer will say so

    def _numbers(self, conn: reading.Reader, number: int) -> list[str]:
        """The ULNs that come next, but for those that were read ahead before."""
        first = conn.execute(_NEXT).scalar_one()
        start, self._until = max(first, self._until), max(self._until, first + number + _AHEAD)
        return ulns.drawn(conn, range(start, self._until))


def _by_organisation(new, numbers: list[str], changed) -> Iterator[tuple[int, list[int]]]:
    touched: dict[int, list[int]] = {organisation: list(map(int, numbers)) for organisation, _ in new}
    for organisation, uln in changed:
        touched.setdefault(organisation, []).append(int(uln))
    return iter(touched.items())
