"""Which of the names that an index holds beside what a search looks for it may mean.

Very many learners may be born on one day under one name of a search, and nearly all of them have another other name. Their
names stand in the index; only who could match is looked at. P, as the choice of the keys; never narrower than `matching`.
"""

from collections.abc import Collection, Iterable, Set

from lrs_soap.rules import keys, names

Name = str | None


def given_keys(query: keys.Details, found: Collection[tuple[str, Name]]) -> set[str]:
    """Of learners under one of the family names that a search looks for, the given keys of all whom it may mean.

    found: the given key and the preferred given name of each.
    """
    sought, there = _sought(query), {key for key, _ in found}
    meant = _equal_or_cut(sought, there)
    for name in sought:
        meant |= names.forms(name) & there | names.alike_among(name, there)
    return meant | {key for key, preferred in found if preferred and names.fold(preferred) in sought}


def family_keys(query: keys.Details, previous: Name, found: Collection[tuple[str, Name, Name]]) -> set[str]:
    """Of learners under the given name of a search, the family keys of all whom it may mean.

    previous: the previous family name that the caller gave. found: of each the family key, the previous family name and that
    at 16.
    """
    sought, there = _sought(query), {key for key, *_ in found}
    known = sought | {names.fold(previous)} - {""}
    meant = _equal_or_cut(known, there)
    for name in sought:
        meant |= names.alike_among(name, there)
    return meant | {key for key, *earlier in found if _any_of(earlier, known)}


def _sought(query: keys.Details) -> set[str]:
    # Each of them in either place, for they may be swapped.
    return {names.fold(query.given_name), names.fold(query.family_name)}


def _equal_or_cut(sought: Set[str], there: Set[str]) -> set[str]:
    """The keys that are what is sought, and those that may be the beginning of anything."""
    return {key for key in there if len(key) >= keys.KEY_LENGTH} | sought & there


def _any_of(texts: Iterable[Name], known: Set[str]) -> bool:
    return any(text and names.fold(text) in known for text in texts)
