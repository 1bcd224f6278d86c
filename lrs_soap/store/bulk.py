"""Many learners in few round trips, for batches."""

import dataclasses
import json
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.rules import matching
from lrs_soap.store import identities, learners, tables

# Most learners that the searches of one batch step may find; of one search alone, most candidates it may have.
MOST_FOUND = 20_000
MOST_CANDIDATES = 1_000

_KEYS = tuple(field.name for field in dataclasses.fields(matching.StoredKeys))
_INSERT = sa.insert(tables.learner)
_I = tables.learner_identity
_BY_IDENTITIES = sa.select(_I.c.identity, _I.c.uln).where(_I.c.identity.in_(sa.bindparam("identities", expanding=True)))

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
        " UNION ".join(read.format(*columns, n=n) for n, columns in enumerate(matching.INDEXES)) + " LIMIT :most"
    ).columns(search=sa.Integer, uln=tables.Uln)
    for name, read in _READ.items()
}


def candidates(conn: Connection, lookups: Sequence[Iterable[matching.Lookup]]) -> list[list[str]]:
    """For each search, given by its `matching.lookups`, the ULNs of the learners that `learners.candidates` finds."""
    most = MOST_CANDIDATES if len(lookups) == 1 else MOST_FOUND
    wanted: dict[tuple[str, ...], list] = {columns: [] for columns in matching.INDEXES}
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
    return {bytes(row.identity): row.uln for row in conn.execute(_BY_IDENTITIES, {"identities": list(identities)})}


def insert(conn: Connection, new: Sequence[learners.StoredLearner]) -> bool:
    """Adds live learners; False if another live learner has the identity of one of them: then roll back.

    Identities are claimed in one order everywhere, so that two batches wait for each other where they could deadlock.
    """
    claims = sorted(({"identity": matching.identity(one), "uln": one.uln} for one in new), key=lambda c: c["identity"])
    if conn.execute(identities.CLAIM[conn.dialect.name], claims).rowcount != len(new):
        return False
    rows = []
    for one in new:
        keys = matching.stored_keys(one)
        rows.append({name: getattr(one, name) for name in learners.FIELDS} | {name: getattr(keys, name) for name in _KEYS})
    conn.execute(_INSERT, rows)
    return True
