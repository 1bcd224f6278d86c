"""Many learners in few round trips, for batches."""

import dataclasses
import json
import operator
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.rules import matching
from lrs_soap.store import identities, learners, matches, statements, tables, ulns, writing

_T = tables.learner
_I = tables.learner_identity
_INSERT = sa.insert(_T)
_CLAIM = identities.CLAIM["sqlite"].returning(_I.c.uln)

# Equal details have equal keys. The index of postcode and birth is the one that finds fewest others beside them; the unary
# plus keeps SQLite to it.
_EQUAL_ON_SQLITE = sa.text(
    f"SELECT {', '.join(f'learner.{column}' for column in learners.READ)} FROM json_each(:wanted) AS w CROSS JOIN learner "
    "WHERE learner.postcode_key = json_extract(w.value, '$[0]') AND learner.date_of_birth = json_extract(w.value, '$[1]') "
    "AND +learner.family_key = json_extract(w.value, '$[2]') AND +learner.given_key = json_extract(w.value, '$[3]') "
    "AND learner.learner_status <> '2'"
).columns(*(_T.c[column] for column in learners.READ))


@dataclasses.dataclass(frozen=True, slots=True)
class Newcomer:
    """A live learner that only wants its ULN to be written: the `matching.identity`, and the values of the row."""

    identity: bytes
    values: dict[str, Any]


def newcomer(learner: learners.StoredLearner) -> Newcomer:
    """The learner, whatever its ULN, as `insert` takes it."""
    return Newcomer(matching.identity(learner), learners.values(learner, matching.stored_keys(learner)))


def equal(conn: Connection, new: Sequence[Newcomer]) -> dict[bytes, list[learners.StoredLearner]]:
    """The learners, live or merged away but never deleted, whose five details equal those of one of `new`, by their
    `matching.identity`."""
    return _equal(new, conn.execute(*_equal_to(conn, new)))


def equal_and_drawn(conn: writing.Writer, new: Sequence[Newcomer]) -> tuple[dict[bytes, list[learners.StoredLearner]], list[str]]:
    """`equal`, and ULNs drawn for `register` in the same round trip: one for each identity of `new` that nobody has, none on
    SQLite, where drawing makes no round trip."""
    if conn.dialect.name == "sqlite":
        return equal(conn, new), []
    rows, numbers = conn.execute_all(_equal_to(conn, new), ulns.drawing({one.identity for one in new}))
    return _equal(new, rows), ulns.drawn(conn, numbers.scalars())


def _equal_to(conn: Connection, new: Sequence[Newcomer]) -> ulns.Asked:
    if conn.dialect.name == "postgresql":
        return matches.BY_KEYS_OF_ALL, {name: [one.values[name] for one in new] for name in matches.WITH_KEYS}
    return _EQUAL_ON_SQLITE, {"wanted": json.dumps([[one.values[name] for name in matches.WITH_KEYS] for one in new])}


def _equal(new: Sequence[Newcomer], rows: Iterable[tuple]) -> dict[bytes, list[learners.StoredLearner]]:
    # Keys are cut off, and of another gender is another person.
    found: dict[bytes, dict[str, learners.StoredLearner]] = {one.identity: {} for one in new}
    for learner in (learners.stored(row[: len(learners.READ)]) for row in rows):
        if (others := found.get(matching.identity(learner))) is not None:
            others[learner.uln] = learner
    return {identity: list(others.values()) for identity, others in found.items() if others}


def register(conn: Connection, new: Sequence[Newcomer], drawn: Sequence[str] = ()) -> list[str | None]:
    """Adds live learners under new ULNs; gives that of each, None for who is the same person as another live learner.

    drawn: ULNs that were drawn for them. Those that were loaded from elsewhere are skipped, and if they are too few,
    more are drawn. Raises what `rules.uln.Issuer` raises when none are left.
    """
    given: list[str | None] = [None] * len(new)
    waiting, numbers = list(range(len(new))), list(drawn)
    while waiting:
        if len(numbers) < len(waiting):
            numbers += ulns.draw(conn, len(waiting) - len(numbers))
        tried = dict(zip(waiting, numbers))
        added = insert(conn, [new[place] for place in waiting], list(tried.values()))
        given = [tried[place] if tried.get(place) in added else uln for place, uln in enumerate(given)]
        left = [place for place in waiting if given[place] is None]
        held = ulns.held(conn, [tried[place] for place in left]) if left else set()
        waiting, numbers = [place for place in left if tried[place] in held], []
    return given


def insert(conn: Connection, new: Sequence[Newcomer], numbers: Sequence[str]) -> set[str]:
    """Adds live learners under these ULNs; gives the ULNs of those that were added. Of who is the same person as another
    live learner, or whose ULN is in use, nothing is written: the second of two callers waits for the first to commit.

    Identities are claimed in one order everywhere, so that two transactions wait for each other where they could
    deadlock. Raises sqlalchemy.exc.IntegrityError if a ULN comes into use meanwhile.
    """
    if not new:
        return set()
    rows = [{**one.values, "identity": one.identity, "uln": uln} for one, uln in zip(new, numbers, strict=True)]
    rows.sort(key=operator.itemgetter("identity"))
    if conn.dialect.name == "postgresql":
        arrays = {name: [row[name] for row in rows] for name in rows[0]}
        return set(conn.execute(identities.INSERT_CLAIMING, arrays).scalars())
    held = ulns.held(conn, numbers)
    claims = [{"identity": row["identity"], "uln": row["uln"]} for row in rows if row["uln"] not in held]
    if not claims:
        return set()
    claimed = set(conn.execute(_CLAIM, claims).scalars())
    added = [row for row in rows if row["uln"] in claimed]
    if added:
        conn.execute(_INSERT, [{name: value for name, value in row.items() if name != "identity"} for row in added])
    return claimed
