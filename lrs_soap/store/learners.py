"""The learners of the register: every query about them, by name."""

import dataclasses
import datetime
import enum
import functools
import itertools
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap import frozen
from lrs_soap.codes import LearnerStatus
from lrs_soap.rules import matching
from lrs_soap.store import identities, masters, reading, statements, tables, writing


@frozen.quick
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredLearner:
    """A learner as the register keeps it: the stored fields of the contract's Learner, and the master's ULN.

    Texts are as they were sent; ULNs are ten digits, dates yyyy-MM-dd. master_uln is set on a learner merged away;
    is_master says that others were merged into this one; it is no value of the learner, and comes with every read.
    """

    uln: str
    version_number: int
    learner_status: str
    master_uln: str | None = None
    is_master: bool = dataclasses.field(default=False, compare=False)  # kept by `masters`
    created_date: str
    last_updated_date: str
    title: str | None = None
    given_name: str
    middle_other_name: str | None = None
    family_name: str
    preferred_given_name: str | None = None
    previous_family_name: str | None = None
    family_name_at_age16: str | None = None
    school_at_age16: str | None = None
    last_known_address_line1: str | None = None
    last_known_address_line2: str | None = None
    last_known_address_town: str | None = None
    last_known_address_county_or_city: str | None = None
    last_known_post_code: str
    date_of_address_capture: str | None = None
    date_of_birth: str
    place_of_birth: str | None = None
    gender: str
    email_address: str | None = None
    nationality: str | None = None
    scottish_candidate_number: str | None = None
    verification_type: str | None = None
    other_verification_description: str | None = None
    tier_level: str | None = None
    ability_to_share: str
    notes: str | None = None


class Candidate(typing.NamedTuple):
    """What a decision looks at of a learner: the values of `matching.Candidate`."""

    uln: str
    master_uln: str | None
    given_name: str
    family_name: str
    date_of_birth: str
    gender: str
    last_known_post_code: str
    preferred_given_name: str | None
    previous_family_name: str | None
    family_name_at_age16: str | None
    school_at_age16: str | None
    place_of_birth: str | None
    email_address: str | None


FEW = 20
"""Of so many candidates the whole learners are read: quicker than reading those that match once more."""


class Replaced(enum.Enum):
    """What came of `replace`."""

    DONE = enum.auto()
    STALE = enum.auto()  # another version is stored than the one to be replaced, or none
    IDENTITY_TAKEN = enum.auto()  # the five identifying fields would be those of another live learner


FIELDS = tuple(field.name for field in dataclasses.fields(StoredLearner) if field.name != "is_master")
"""The values of a StoredLearner: every attribute that a write writes."""

_KEYS = tuple(field.name for field in dataclasses.fields(matching.StoredKeys))
_T = tables.learner

READ = (*FIELDS, "is_master")
"""What is read of a learner, in the order of `stored`."""

_LEARNER = sa.select(*(_T.c[name] for name in READ))
_CANDIDATE = sa.select(*(_T.c[name] for name in Candidate._fields))
_BY_ULN = _LEARNER.where(_T.c.uln == sa.bindparam("uln"))
_BY_ULN_FOR_UPDATE = _BY_ULN.with_for_update()  # SQLite, where a writer is alone, leaves it out
OF_ULNS = statements.among(_T.c.uln, "ulns")
"""That a learner is among `ulns`, numbers. By the name of the database."""

_BY_ULNS = {name: _LEARNER.where(among) for name, among in OF_ULNS.items()}
WITH_KEYS = ("postcode_key", "date_of_birth", "family_key", "given_key")
"""The columns in which learners whose details are equal are equal."""


def _for_each(given: sa.TableValuedAlias, found: sa.Lateral, condition: sa.ColumnElement[bool]) -> sa.Select:
    """On PostgreSQL: what is found for each of `given`, one by one, whatever the planner thinks of the arrays; and the
    number of that one, `place`."""
    return sa.select(*(found.c[name] for name in READ), given.c.place).join_from(given, found, condition)


def _with_keys(value: Callable[[str], sa.ColumnElement[str]]) -> tuple[sa.Select, Callable[[sa.FromClause], sa.ColumnElement[bool]]]:
    """On PostgreSQL: learners with the postcode and the birth date, and what of them must be true besides. The index that begins
    with these two finds fewest others; OFFSET keeps the planner to it."""
    some = sa.select(*(_T.c[name] for name in dict.fromkeys((*READ, *WITH_KEYS))))
    some = some.where(*(_T.c[name] == value(name) for name in WITH_KEYS[:2])).offset(sa.literal_column("0"))
    return some, lambda found: sa.and_(
        *(found.c[name] == value(name) for name in WITH_KEYS[2:]), found.c.learner_status != LearnerStatus.DELETED.value
    )


def _by_keys() -> dict[str, sa.Select]:
    some, is_one = _with_keys(sa.bindparam)
    found = some.subquery("found")
    direct = _LEARNER.where(
        *(_T.c[name] == sa.bindparam(name) for name in WITH_KEYS), _T.c.learner_status != LearnerStatus.DELETED.value
    )
    return {"sqlite": direct, "postgresql": sa.select(*(found.c[name] for name in READ)).where(is_one(found))}


def _by_keys_of_all() -> sa.Select:
    given = statements.arrays("given", "place", **{name: _T.c[name] for name in WITH_KEYS})
    some, is_one = _with_keys(lambda name: given.c[name])
    found = some.lateral("found")
    return _for_each(given, found, is_one(found))


# Learners stand one page further than the index, where the table of identities would be two pages more.
_BY_KEYS = _by_keys()

BY_KEYS_OF_ALL = _by_keys_of_all()
"""On PostgreSQL: the learners, live or merged away, who have the same WITH_KEYS as any of some, given as arrays."""

_VERSION_FOR_UPDATE = sa.select(_T.c.version_number).where(_T.c.uln == sa.bindparam("uln")).with_for_update()

_MERGED_INTO = sa.select(_T.c.uln).where(_T.c.master_uln == sa.bindparam("master"))

_INSERT = sa.insert(_T)
_UPDATE = (
    sa.update(_T)
    .where(_T.c.uln == sa.bindparam("of_uln"), _T.c.version_number == sa.bindparam("of_version"))
    .values({name: sa.bindparam(name) for name in (*FIELDS, *_KEYS) if name != "uln"})
)
_INSERT_HISTORY = sa.insert(tables.learner_history)


stored = frozen.maker(StoredLearner, READ)


def by_uln(conn: Connection, uln: str, for_update: bool = False) -> StoredLearner | None:
    """The learner of a ULN, live, merged away or deleted.

    for_update: keep others from changing it until the transaction ends.
    """
    row = conn.execute(_BY_ULN_FOR_UPDATE if for_update else _BY_ULN, {"uln": uln}).first()
    return stored(row) if row is not None else None


def by_ulns(conn: Connection, ulns: Iterable[str]) -> dict[str, StoredLearner]:
    """The learners of these ULNs, by ULN; those that do not exist are left out."""
    rows = conn.execute(_BY_ULNS[conn.dialect.name], {"ulns": [int(uln) for uln in ulns]})
    return {learner.uln: learner for learner in map(stored, rows)}


def by_details(conn: Connection, details: matching.Details) -> StoredLearner | None:
    """The live learner who is an exact match of these five details."""
    rows = conn.execute(_BY_KEYS[conn.dialect.name], dict(zip(WITH_KEYS, _keys_of(details), strict=True)))
    return next((learner for learner in map(stored, rows) if _is(learner, details)), None)


def by_details_of_all(reader: reading.Reader, wanted: Sequence[matching.Details]) -> list[StoredLearner | None]:
    """`by_details` of each, in one round trip. On PostgreSQL."""
    arrays = dict(zip(WITH_KEYS, zip(*map(_keys_of, wanted), strict=True), strict=True))
    found: list[StoredLearner | None] = [None] * len(wanted)
    for *row, place in reader.execute(BY_KEYS_OF_ALL, arrays):
        learner = stored(row)
        if _is(learner, wanted[place - 1]):
            found[place - 1] = learner
    return found


def _is(learner: StoredLearner, details: matching.Details) -> bool:
    return learner.learner_status == LearnerStatus.ACTIVE and matching.same(learner, details)


def _keys_of(details: matching.Details) -> tuple[str, str, str, str]:
    keys = matching.stored_keys(details)
    return keys.postcode_key, details.date_of_birth, keys.family_key, keys.given_key


def first_candidates(conn: Connection, lookups: Iterable[matching.Lookup]) -> list[StoredLearner]:
    """The learners that any of the `matching.lookups` finds, each once, live or merged away but never deleted; if they are more
    than FEW, some FEW + 1 of them.

    One round trip, whatever the number of lookups; each of them is the read of an index.
    """
    return list(map(stored, _read(conn, lookups, FEW + 1, whole=True)))


def first_candidates_of_all(
    reader: reading.Reader, searches: Sequence[Iterable[matching.Lookup]]
) -> list[list[StoredLearner]]:
    """The `first_candidates` of each of these searches, in one round trip. On PostgreSQL."""
    searches = [tuple(lookups) for lookups in searches]
    form, sought = _form(searches)
    found: list[list[StoredLearner]] = [[] for _ in searches]
    for *row, place in reader.execute(_candidates_of_all(form), sought | {"limit": FEW + 1}):
        found[place - 1].append(stored(row))
    return found


def candidates(conn: Connection, lookups: Iterable[matching.Lookup], limit: int = 1_000) -> list[Candidate]:
    """What decisions look at of all learners that the lookups find, as of `first_candidates`. limit: the most given, for values
    that far too many people share."""
    return _read(conn, lookups, limit, whole=False)


def _read(conn: Connection, lookups: Iterable[matching.Lookup], limit: int, whole: bool) -> list:
    lookups = tuple(lookups)
    if not lookups:
        return []
    form, sought = _form([lookups])
    values = {name: value for name, (value,) in sought.items()}
    return conn.execute(_candidates(form, conn.dialect.name, whole), values | {"limit": limit}).all()


_Form = tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]
"""The columns of each read that some searches make of an index, and the numbers of its values: of the first column, and of
the second one or more, any of which may be."""


def _form(searches: Sequence[Sequence[matching.Lookup]]) -> tuple[_Form, dict[str, tuple[str | None, ...]]]:
    """What searches look for, and the values by name, one for each search. Values that are the same have one number, and
    lookups of the same columns, whose first value is the same, are one read."""
    reads: dict[tuple[str, ...], list[list[str]]] = {}
    for place, lookups in enumerate(searches):
        for columns, (first, second) in lookups:
            of_columns = reads.setdefault(columns, [[] for _ in searches])
            (of_columns[place] or of_columns[place].append(first) or of_columns[place]).append(second)
    numbers: dict[tuple[str | None, ...], int] = {}
    form = tuple([
        (columns, tuple([numbers.setdefault(values, len(numbers)) for values in itertools.zip_longest(*of_columns)]))
        for columns, of_columns in reads.items()
    ])  # fmt: skip
    return form, {f"v{number}": values for values, number in numbers.items()}


def _found(form: _Form, database: str, value: Callable[[str], sa.ColumnElement[str]]) -> sa.ColumnElement[bool]:
    # Both databases put together what the indexes find before they look at any learner, and then look at each once. One look
    # for two values is cheaper on PostgreSQL, two looks are on SQLite.
    reads = []
    for (column, other), (first, *others) in form:
        values = [value(f"v{number}") for number in others]
        found = [_T.c[other].in_(values)] if database == "postgresql" else [_T.c[other] == each for each in values]
        reads += [sa.and_(_T.c[column] == value(f"v{first}"), each) for each in found]
    return sa.and_(sa.or_(*reads), _T.c.learner_status != LearnerStatus.DELETED.value)


# A search has one of a few forms, so the statements are few.
@functools.lru_cache(maxsize=64)
def _candidates(form: _Form, database: str, whole: bool) -> sa.Select:
    found = _found(form, database, lambda name: sa.bindparam(name, type_=sa.Text))
    return (_LEARNER if whole else _CANDIDATE).where(found).limit(sa.bindparam("limit"))


@functools.lru_cache(maxsize=64)
def _candidates_of_all(form: _Form) -> sa.Select:
    names = dict.fromkeys(f"v{number}" for _, numbers in form for number in numbers)
    given = statements.arrays("given", "place", **{name: sa.column(name, sa.Text) for name in names})
    found = _LEARNER.where(_found(form, "postgresql", lambda name: given.c[name])).limit(sa.bindparam("limit"))
    return _for_each(given, found.lateral("found"), sa.true())


def merged_into(learner: StoredLearner | Candidate, uln: str) -> StoredLearner | Candidate:
    """One of the candidates with another master."""
    if isinstance(learner, StoredLearner):
        return dataclasses.replace(learner, master_uln=uln)
    return Candidate(*learner)._replace(master_uln=uln)


def linked_ulns(conn: Connection, uln: str) -> list[str]:
    """The ULNs merged into this one, directly or through others, in order."""
    # One index read for each of them: PostgreSQL plans a recursive query as a scan of every learner.
    linked: set[str] = set()
    masters = [uln]
    while masters:
        below = conn.execute(_MERGED_INTO, {"master": masters.pop()}).scalars()
        new = [found for found in below if found not in linked]
        linked.update(new)
        masters += new
    return sorted(linked - {uln})


def master_of(conn: Connection, learner: StoredLearner) -> StoredLearner:
    """The learner itself, or the one it was merged into, at the end of the chain.

    A chain that leads nowhere or in a circle ends at the last learner reached, which is then one merged away.
    """
    seen = {learner.uln}
    while learner.master_uln is not None and learner.master_uln not in seen:
        seen.add(learner.master_uln)
        master = by_uln(conn, learner.master_uln)
        if master is None:
            break
        learner = master
    return learner


def insert(conn: Connection, learner: StoredLearner, identity: bytes, keys: matching.StoredKeys) -> bool:
    """Adds a learner; False, and nothing is written, if another live learner has the identity.

    Callers who register the same person at once: the second waits for the first to commit, then gets False. A learner
    merged away or deleted is added without claiming its identity, and after its master. Raises
    sqlalchemy.exc.IntegrityError if the ULN is in use.
    """
    row = values(learner, keys)
    if learner.learner_status == LearnerStatus.ACTIVE:
        claim = identities.CLAIM[conn.dialect.name]
        if not conn.execute(claim, {"identity": identity, "uln": learner.uln}).rowcount:
            return False
    conn.execute(_INSERT, row)
    masters.keep(conn, learner.master_uln)
    return True


def replace(
    conn: Connection,
    old: StoredLearner,
    new: StoredLearner,
    *,
    changed_by: int | None,
    user_name: str,
    at: datetime.datetime | None = None,
) -> Replaced:
    """Makes `new` the learner's current version and keeps `old` as history; nothing is written unless DONE.

    old: the version read before, whose version_number must still be the stored one. new: of the same ULN, with its
    own version_number; if it is live it takes the identity of its details, else it gives its identity up.
    changed_by: the organisation's id; user_name: its user; at: when (default now). Where the two have different
    masters the caller has locked the learner and them in the order of their ULNs, so that two cannot deadlock.
    """
    kept = _identity(new)
    if kept == (had := _identity(old)):
        if not conn.execute(_UPDATE, _changes(old, new)).rowcount:
            return Replaced.STALE
    else:
        if conn.execute(_VERSION_FOR_UPDATE, {"uln": old.uln}).scalar() != old.version_number:
            return Replaced.STALE
        if kept is not None:
            claim = identities.CLAIM_OR_KEEP[conn.dialect.name]
            if not conn.execute(claim, {"identity": kept, "uln": new.uln}).rowcount:
                return Replaced.IDENTITY_TAKEN
        if had is not None:
            writing.later(conn, identities.RELEASE, {"released": had, "of_uln": old.uln})
        writing.later(conn, _UPDATE, _changes(old, new))
    if new.master_uln != old.master_uln:
        masters.keep(conn, old.master_uln, new.master_uln)
    writing.later(conn, _INSERT_HISTORY, _history(old, changed_by, user_name, at))
    return Replaced.DONE


def replace_details(
    conn: Connection,
    changes: Sequence[tuple[StoredLearner, StoredLearner]],
    *,
    changed_by: int | None,
    user_name: str,
) -> Replaced:
    """`replace` for several learners (old, new) at once, in one round trip, of whom none changes identity or master.

    STALE if another version of any of them is stored: then roll back, for the others are written.
    """
    if not changes:
        return Replaced.DONE
    if conn.execute(_UPDATE, [_changes(old, new) for old, new in changes]).rowcount != len(changes):
        return Replaced.STALE
    conn.execute(_INSERT_HISTORY, [_history(old, changed_by, user_name, None) for old, _ in changes])
    return Replaced.DONE


def keeps_identity(old: StoredLearner, new: StoredLearner) -> bool:
    """Whether a new version claims no identity and gives none up, and has the same master."""
    return new.master_uln == old.master_uln and _identity(new) == _identity(old)


def _identity(learner: StoredLearner) -> bytes | None:
    """The identity that the learner claims: only who is live has one."""
    return matching.identity(learner) if learner.learner_status == LearnerStatus.ACTIVE else None


def _changes(old: StoredLearner, new: StoredLearner) -> dict[str, Any]:
    row = values(new, matching.stored_keys(new))
    del row["uln"]
    return row | {"of_uln": old.uln, "of_version": old.version_number}


def _history(
    old: StoredLearner, changed_by: int | None, user_name: str, at: datetime.datetime | None
) -> dict[str, Any]:
    return {
        "uln": old.uln,
        "version_number": old.version_number,
        "replaced_at": at or datetime.datetime.now(datetime.UTC),
        "organisation_id": changed_by,
        "user_name": user_name,
        "learner": {name: getattr(old, name) for name in FIELDS},
    }


def values(learner: StoredLearner, keys: matching.StoredKeys) -> dict[str, Any]:
    """The row of a learner, by column."""
    return {name: getattr(learner, name) for name in FIELDS} | {name: getattr(keys, name) for name in _KEYS}
