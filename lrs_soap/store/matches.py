"""The learners whom a search may mean: those with the same details, and candidates for a decision."""

import dataclasses
import functools
import itertools
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.codes import LearnerStatus
from lrs_soap.rules import matching, narrowing
from lrs_soap.store import learners, reading, statements, tables


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

SOME = 50
"""Of those who are likely so many are read first: a crowd of more is mostly known for one by these."""

MOST = 1_000
"""So many candidates of a search are looked at."""


_T = tables.learner
_CANDIDATE = sa.select(*(_T.c[name] for name in Candidate._fields))
WITH_KEYS = ("postcode_key", "date_of_birth", "family_key", "given_key")
"""The columns in which learners whose details are equal are equal."""


def _for_each(given: sa.TableValuedAlias, found: sa.Lateral, condition: sa.ColumnElement[bool]) -> sa.Select:
    """On PostgreSQL: what is found for each of `given`, one by one, whatever the planner thinks of the arrays; and the
    number of that one, `place`."""
    return sa.select(*(found.c[name] for name in learners.READ), given.c.place).join_from(given, found, condition)


def _with_keys(value: Callable[[str], sa.ColumnElement[str]]) -> tuple[sa.Select, Callable[[sa.FromClause], sa.ColumnElement[bool]]]:
    """On PostgreSQL: learners with the postcode and the birth date, and what of them must be true besides. The index that begins
    with these two finds fewest others; OFFSET keeps the planner to it."""
    some = sa.select(*(_T.c[name] for name in dict.fromkeys((*learners.READ, *WITH_KEYS))))
    some = some.where(*(_T.c[name] == value(name) for name in WITH_KEYS[:2])).offset(sa.literal_column("0"))
    return some, lambda found: sa.and_(
        *(found.c[name] == value(name) for name in WITH_KEYS[2:]), found.c.learner_status != LearnerStatus.DELETED.value
    )


def _by_keys() -> dict[str, sa.Select]:
    some, is_one = _with_keys(sa.bindparam)
    found = some.subquery("found")
    direct = learners.LEARNER.where(
        *(_T.c[name] == sa.bindparam(name) for name in WITH_KEYS), _T.c.learner_status != LearnerStatus.DELETED.value
    )
    return {"sqlite": direct, "postgresql": sa.select(*(found.c[name] for name in learners.READ)).where(is_one(found))}


def _by_keys_of_all() -> sa.Select:
    given = statements.arrays("given", "place", **{name: _T.c[name] for name in WITH_KEYS})
    some, is_one = _with_keys(lambda name: given.c[name])
    found = some.lateral("found")
    return _for_each(given, found, is_one(found))


# Learners stand one page further than the index, where the table of identities would be two pages more.
_BY_KEYS = _by_keys()

BY_KEYS_OF_ALL = _by_keys_of_all()
"""On PostgreSQL: the learners, live or merged away, who have the same WITH_KEYS as any of some, given as arrays."""


def by_details(conn: Connection, details: matching.Details) -> learners.StoredLearner | None:
    """The live learner who is an exact match of these five details."""
    rows = conn.execute(_BY_KEYS[conn.dialect.name], dict(zip(WITH_KEYS, _keys_of(details), strict=True)))
    return next((learner for learner in map(learners.stored, rows) if _is(learner, details)), None)


def by_details_of_all(reader: reading.Reader, wanted: Sequence[matching.Details]) -> list[learners.StoredLearner | None]:
    """`by_details` of each, in one round trip. On PostgreSQL."""
    arrays = dict(zip(WITH_KEYS, zip(*map(_keys_of, wanted), strict=True), strict=True))
    found: list[learners.StoredLearner | None] = [None] * len(wanted)
    for *row, place in reader.execute(BY_KEYS_OF_ALL, arrays):
        learner = learners.stored(row)
        if _is(learner, wanted[place - 1]):
            found[place - 1] = learner
    return found


def _is(learner: learners.StoredLearner, details: matching.Details) -> bool:
    return learner.learner_status == LearnerStatus.ACTIVE and matching.same(learner, details)


def _keys_of(details: matching.Details) -> tuple[str, str, str, str]:
    keys = matching.stored_keys(details)
    return keys.postcode_key, details.date_of_birth, keys.family_key, keys.given_key


def first_candidates(conn: Connection, lookups: Iterable[matching.Lookup]) -> list[learners.StoredLearner]:
    """The learners that any of the `matching.lookups` finds, each once, live or merged away but never deleted; if they are more
    than FEW, some FEW + 1 of them.

    One round trip, whatever the number of lookups; each of them is the read of an index.
    """
    return list(map(learners.stored, _read(conn, lookups, FEW + 1, whole=True)))


def first_candidates_of_all(
    conn: Connection, searches: Sequence[Iterable[matching.Lookup]]
) -> list[list[learners.StoredLearner]]:
    """The `first_candidates` of each of these searches: on PostgreSQL in one round trip."""
    if conn.dialect.name == "sqlite":
        return [first_candidates(conn, lookups) for lookups in searches]
    searches = [tuple(lookups) for lookups in searches]
    found: list[list[learners.StoredLearner]] = [[] for _ in searches]
    form, sought = _form(searches)
    if form:
        for *row, place in conn.execute(_candidates_of_all(form), sought | {"limit": FEW + 1}):
            found[place - 1].append(learners.stored(row))
    return found


def candidates(conn: Connection, lookups: Iterable[matching.Lookup], limit: int = MOST) -> list[Candidate]:
    """What decisions look at of all learners that the lookups find, as of `first_candidates`. limit: the most given, for values
    that far too many people share."""
    return _read(conn, lookups, limit, whole=False)


def likely_candidates(conn: Connection, query: matching.Query) -> Iterator[tuple[list[Candidate], bool]]:
    """The `candidates` of all `matching.lookups` of a search but for those whose names it cannot mean (`narrowing`): for searches
    that lead to very many. Their names are read from the indexes alone.

    SOME of them, and then MOST if there are more than asked for; with each whether they are all that will be given.
    """
    keys, exact = matching.stored_keys(query), matching.exact_lookup(query)
    sought = {"born": query.date_of_birth, "given": keys.given_key, "family": keys.family_key}
    found: tuple[list, list, list] = ([], [], [])
    for read, *names in conn.execute(_NAMES, sought):
        found[read].append(names)
    sought |= {
        "postcode": exact and exact.values[0],
        "given_keys": sorted(narrowing.given_keys(query, [names[:2] for names in found[0]])),
        "swapped_keys": sorted(narrowing.given_keys(query, [names[:2] for names in found[1]])),
        "family_keys": sorted(narrowing.family_keys(query, query.previous_family_name, found[2])),
    }
    likely = conn.execute(_LIKELY[conn.dialect.name], sought | {"limit": SOME}).all()
    yield likely, len(likely) < SOME
    if len(likely) == SOME:
        yield conn.execute(_LIKELY[conn.dialect.name], sought | {"limit": MOST}).all(), True


def _read(conn: Connection, lookups: Iterable[matching.Lookup], limit: int, whole: bool) -> list:
    lookups = tuple(lookups)
    if not lookups:
        return []
    form, sought = _form([lookups])
    values = {name: value for name, (value,) in sought.items()}
    return conn.execute(_candidates(form, conn.dialect.name, whole), values | {"limit": limit}).all()


_MOST_NAMES = 10_000
"""So many names are looked at of those who are born on one day under the names of a search."""

_BORN, _GIVEN, _FAMILY, _POSTCODE = (sa.bindparam(name, type_=sa.Text) for name in ("born", "given", "family", "postcode"))


def _names() -> sa.Select:
    given = (_T.c.given_key, _T.c.preferred_given_name, sa.null())
    family = (_T.c.family_key, _T.c.previous_family_name, _T.c.family_name_at_age16)
    reads = ((given, _T.c.family_key == _FAMILY), (given, _T.c.family_key == _GIVEN), (family, _T.c.given_key == _GIVEN))
    born = _T.c.date_of_birth == _BORN
    # The same names once: they come in the order of the index.
    return sa.union_all(
        *(sa.select(sa.literal_column(str(n)), *names).where(born, by).distinct() for n, (names, by) in enumerate(reads))
    ).limit(_MOST_NAMES)


_NAMES = _names()
"""What stands in the indexes beside the birth date and one name of a search. With its family name, 0, or its given name as one, 1:
given key and preferred given name; with its given name, 2: family key, previous family name and that at 16."""


def _likely(database: str) -> sa.Select:
    born, live = _T.c.date_of_birth == _BORN, _T.c.learner_status != LearnerStatus.DELETED.value
    given, swapped = (statements.among(_T.c.given_key, name)[database] for name in ("given_keys", "swapped_keys"))
    family = statements.among(_T.c.family_key, "family_keys")[database]
    at_home = [_T.c.family_key == _FAMILY, _T.c.family_key == _GIVEN, _T.c.given_key == _GIVEN, born]
    found = [
        sa.and_(born, _T.c.family_key == _FAMILY, given),
        sa.and_(born, _T.c.family_key == _GIVEN, swapped),
        sa.and_(born, _T.c.given_key == _GIVEN, family),
        *(sa.and_(_T.c.postcode_key == _POSTCODE, each) for each in at_home),
    ]
    return _CANDIDATE.where(sa.or_(*found), live).limit(sa.bindparam("limit"))


_LIKELY = {database: _likely(database) for database in ("sqlite", "postgresql")}

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
    return (learners.LEARNER if whole else _CANDIDATE).where(found).limit(sa.bindparam("limit"))


@functools.lru_cache(maxsize=64)
def _candidates_of_all(form: _Form) -> sa.Select:
    names = dict.fromkeys(f"v{number}" for _, numbers in form for number in numbers)
    given = statements.arrays("given", "place", **{name: sa.column(name, sa.Text) for name in names})
    found = learners.LEARNER.where(_found(form, "postgresql", lambda name: given.c[name])).limit(sa.bindparam("limit"))
    return _for_each(given, found.lateral("found"), sa.true())


def merged_into(learner: learners.StoredLearner | Candidate, uln: str) -> learners.StoredLearner | Candidate:
    """One of the candidates with another master."""
    if isinstance(learner, learners.StoredLearner):
        return dataclasses.replace(learner, master_uln=uln)
    return Candidate(*learner)._replace(master_uln=uln)
