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

# Most learners that the searches of one batch step may find; of one search alone, most candidates it may have.
MOST_FOUND = 20_000
MOST_CANDIDATES = 1_000

_T = tables.learner
_I = tables.learner_identity
_INSERT = sa.insert(_T)
_CLAIM = identities.CLAIM["sqlite"].returning(_I.c.uln)
_BY_IDENTITIES = {
    name: sa.select(_I.c.identity, _I.c.uln).where(among)
    for name, among in {
        "sqlite": _I.c.identity.in_(sa.bindparam("identities", expanding=True)),
        "postgresql": statements.any_of(_I.c.identity, "identities"),
    }.items()
}

# One read of an index for each wanted pair of values; `wanted` is JSON, [search, value, value] a pair. CROSS JOIN on
# SQLite, LATERAL with OFFSET on PostgreSQL keep the planner from reading the whole table once for all of them instead.
_READ = {
    "sqlite": "SELECT json_extract(w.value, '$[0]') AS search, l.uln AS uln "
    "FROM json_each(:w{n}) AS w CROSS JOIN learner AS l "
    "WHERE l.{0} = json_extract(w.value, '$[1]') AND l.{1} = json_extract(w.value, '$[2]') "
    "AND l.learner_status <> '2'",
    "postgresql": "SELECT (w.value->>0)::int AS search, l.uln AS uln "
    "FROM json_array_elements(CAST(:w{n} AS json)) AS w CROSS JOIN LATERAL (SELECT uln FROM learner "
    "WHERE {0} = w.value->>1 AND {1} = w.value->>2 AND learner_status <> '2' OFFSET 0) AS l",
}
_CANDIDATES = {
    name: sa.text(
        " UNION ".join(read.format(*columns, n=n) for n, columns in enumerate(matching.READS)) + " LIMIT :most"
    ).columns(search=sa.Integer, uln=tables.Uln)
    for name, read in _READ.items()
}


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


def candidates(conn: Connection, lookups: Sequence[Iterable[matching.Lookup]]) -> list[list[str]]:
    """For each search, given by its `matching.lookups`, the ULNs of the learners that `matches.candidates` finds."""
    most = MOST_CANDIDATES if len(lookups) == 1 else MOST_FOUND
    wanted: dict[tuple[str, ...], list] = {columns: [] for columns in matching.READS}
    for search, reads in enumerate(lookups):
        for lookup in reads:
            wanted[lookup.columns].append([search, *lookup.values])
    values = {f"w{n}": json.dumps(pairs) for n, pairs in enumerate(wanted.values())}
    found: list[list[str]] = [[] for _ in lookups]
    rows = conn.execute(_CANDIDATES[conn.dialect.name], values | {"most": most}).all()
    if len(rows) == most and len(lookups) > 1:
        # One search has taken the others' room.
        half = len(lookups) // 2
        return candidates(conn, lookups[:half]) + candidates(conn, lookups[half:])
    for search, uln in rows:
        found[search].append(uln)
    return found


def by_identities(conn: Connection, identities: Collection[bytes]) -> dict[bytes, str]:
    """The ULNs of the live learners with these identities; identities that nobody has are left out."""
    if not identities:
        return {}
    found = conn.execute(_BY_IDENTITIES[conn.dialect.name], {"identities": list(identities)})
    return {bytes(row.identity): row.uln for row in found}


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
