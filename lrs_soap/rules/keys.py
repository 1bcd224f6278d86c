"""What of a learner is written down so that a search finds it: its identity, and the keys of the indexes.

P: the choice of the keys is ours. `matching` decides on what they find; modules outside of rules use them from there.
"""

import dataclasses
import hashlib
import typing

from lrs_soap.rules import likeness, names


class Details(typing.Protocol):
    """The five fields that identify a person: of a search, a learner to register, or a stored learner."""

    given_name: str
    family_name: str
    date_of_birth: str
    gender: str
    last_known_post_code: str


def identity(details: Details) -> bytes:
    """16 bytes that are equal for two sets of details exactly when those are an exact match of each other. (D)"""
    return identity_of(fields(details))


def identity_of(folded: tuple[str, str, str, str, str]) -> bytes:
    """`identity` of what `fields` has given."""
    # Lengths before the values: no value can be read as the end of one and the beginning of the next.
    given, family, born, gender, postcode = folded
    text = (
        f"{len(given)}:{given}{len(family)}:{family}{len(born)}:{born}{len(gender)}:{gender}{len(postcode)}:{postcode}"
    )
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()


def fields(details: Details) -> tuple[str, str, str, str, str]:
    """The five fields as they are compared; absent ones are empty."""
    return (
        names.fold(details.given_name),
        names.fold(details.family_name),
        details.date_of_birth or "",
        details.gender or "",
        names.fold_postcode(details.last_known_post_code),
    )


def same(one: Details, other: Details) -> bool:
    """Whether two sets of details are an exact match of each other. (D)"""
    return fields(one) == fields(other)


KEY_LENGTH = 16
"""How much of a folded name is stored as its key; enough to tell names apart in one day's births."""


@dataclasses.dataclass(frozen=True, slots=True)
class StoredKeys:
    """The columns stored beside a learner for `lookups` to find: short folded texts."""

    given_key: str
    family_key: str
    postcode_key: str


class Lookup(typing.NamedTuple):
    """A read of one index: the rows whose `columns`, one of READS, equal `values`."""

    columns: tuple[str, ...]
    values: tuple[str, ...]


BORN_FAMILY = ("date_of_birth", "family_key")
BORN_GIVEN = ("date_of_birth", "given_key")
POSTCODE_BORN = ("postcode_key", "date_of_birth")
POSTCODE_FAMILY = ("postcode_key", "family_key")
POSTCODE_GIVEN = ("postcode_key", "given_key")

# Every learner that RULES can take has the date of birth or the postcode of the search, and one more of date,
# postcode and the two names: so these five lose nothing, and none reads a name or a date alone.
READS = (BORN_FAMILY, BORN_GIVEN, POSTCODE_BORN, POSTCODE_FAMILY, POSTCODE_GIVEN)


class Index(typing.NamedTuple):
    """An index of learners: the columns it is named after, and those in it `beside` them, by which `narrowing` tells who of very
    many could match before any of them is looked at."""

    columns: tuple[str, ...]
    beside: tuple[str, ...] = ()


# Those that begin with a postcode share an index: so few people live at one that the rest is looked for among all of
# them, on one page, and each index less is a page less for every learner that is added.
INDEXES = (
    Index(BORN_FAMILY, ("given_key", "preferred_given_name")),
    Index(BORN_GIVEN, ("family_key", "previous_family_name", "family_name_at_age16")),
    Index(("postcode_key", "date_of_birth", "family_key", "given_key")),
)


def stored_keys(learner: Details) -> StoredKeys:
    """The keys to store beside a learner, to be renewed whenever its details change."""
    return StoredKeys(
        given_key=names.fold(learner.given_name)[:KEY_LENGTH],
        family_key=names.fold(learner.family_name)[:KEY_LENGTH],
        postcode_key=names.fold_postcode(learner.last_known_post_code),
    )


def lookups(query: Details) -> tuple[Lookup, ...]:
    """The index reads, at most seven, that together find every learner `decide` can take as a match of the search."""
    keys, born = stored_keys(query), query.date_of_birth
    reads = [
        Lookup(BORN_FAMILY, (born, keys.family_key)),
        Lookup(BORN_GIVEN, (born, keys.given_key)),
        Lookup(BORN_FAMILY, (born, keys.given_key)),  # names swapped
    ]
    if not keys.postcode_key.startswith(likeness.UNKNOWN_POSTCODES):
        reads += [
            Lookup(POSTCODE_BORN, (keys.postcode_key, born)),
            Lookup(POSTCODE_FAMILY, (keys.postcode_key, keys.family_key)),
            Lookup(POSTCODE_GIVEN, (keys.postcode_key, keys.given_key)),
            Lookup(POSTCODE_FAMILY, (keys.postcode_key, keys.given_key)),  # names swapped
        ]
    return tuple(dict.fromkeys(reads))


def exact_lookup(query: Details) -> Lookup | None:
    """The one of `lookups` that by itself finds every exact match of the search; None if its postcode is no place."""
    return next((lookup for lookup in lookups(query) if lookup.columns == POSTCODE_BORN), None)
