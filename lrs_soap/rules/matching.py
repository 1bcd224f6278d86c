"""Every match decision is made here.

A search names five things of a person: given name, family name, date of birth, gender, last known postcode. Each is
compared with a candidate's and ends up as one letter:

    =   equal, as `names.fold` and `names.fold_postcode` compare
    n   another name of the same person: preferred given name or nickname; previous family name or the one at 16
    ~   a slip: a likely misspelling; day and month exchanged, or one digit of the date wrong
    ?   nothing known: gender 0 or 9 on one side only; a postcode that is equal but ZZ99 ("not known")
    x   different

D  All five equal is an exact match; a live learner goes before one that was merged away.
P  Otherwise the first row of RULES that takes all five letters makes a possible match, the rows standing best first,
   and only if no more than MOST_MISTAKES of the five are off. No row: no match. What the rows say together: with the
   right date of birth and both names alike, the postcode does not matter; with a slip in the date it has to be the
   same; with another date, never. docs/matching.md gives the reason for each row.
"""

import dataclasses
import enum
import typing

from lrs_soap import codes
from lrs_soap.rules import keys, likeness, names
from lrs_soap.rules.keys import INDEXES, Details, Lookup, StoredKeys, identity, lookups, stored_keys

__all__ = [
    "EXACT", "INDEXES", "MOST_MISTAKES", "MOST_POSSIBLES", "OPTIONAL_FIELDS", "RULES",
    "Candidate", "Decision", "Details", "Lookup", "Match", "NamesKnown", "Query", "Rule", "StoredKeys",
    "decide", "identity", "lookups", "names_known", "stored_keys",
]  # fmt: skip

MOST_MISTAKES = 2
"""P: a learner with more than two of the five fields off is not a possible match. Names in each other's place count
once: both values are right."""

MOST_POSSIBLES = 5
"""P: how many possible matches are given unless a setting says otherwise (a later service gave 10)."""


class Rule(typing.NamedTuple):
    """A row: the letters that each field may have. `swapped` compares each name with the other field's."""

    name: str
    swapped: bool
    given: str
    family: str
    born: str
    postcode: str
    gender: str


NO, YES = False, True
EXACT = "exact"

RULES = (
    #    name                              swapped given family born postcode gender
    Rule("moved house",                        NO,  "=",  "=",  "=",  "x",    "="),
    Rule("another gender",                     NO,  "=",  "=",  "=",  "=?",   "?x"),
    Rule("moved house, another gender",        NO,  "=",  "=",  "=",  "x",    "?x"),
    Rule("known by another given name",        NO,  "n",  "=",  "=",  "=?x",  "=?x"),
    Rule("known by another family name",       NO,  "=",  "n",  "=",  "=?x",  "=?x"),
    Rule("family name misspelt",               NO,  "=",  "~",  "=",  "=?x",  "=?x"),
    Rule("given name misspelt",                NO,  "~",  "=",  "=",  "=?x",  "=?"),
    Rule("both names off",                     NO,  "n~", "n~", "=",  "=?",   "="),
    Rule("names swapped",                      YES, "=",  "=",  "=",  "=?x",  "=?x"),
    Rule("names swapped, one off",             YES, "=n~", "=n~", "=", "=",   "="),
    Rule("date of birth slipped",              NO,  "=",  "=",  "~",  "=",    "=?x"),
    Rule("date of birth slipped, names swapped", YES, "=", "=", "~",  "=",    "="),
    Rule("date of birth and family name off",  NO,  "=",  "n~", "~",  "=",    "="),
    Rule("date of birth and given name off",   NO,  "n~", "=",  "~",  "=",    "="),
)  # fmt: skip


class Candidate(keys.Details, typing.Protocol):
    """A stored learner; `master_uln` is None while the learner is live. Dates are yyyy-MM-dd."""

    uln: str
    master_uln: str | None
    preferred_given_name: str | None
    previous_family_name: str | None
    family_name_at_age16: str | None
    school_at_age16: str | None
    place_of_birth: str | None
    email_address: str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search: the five fields and, where the caller gave them, the optional four."""

    given_name: str
    family_name: str
    date_of_birth: str
    gender: str
    last_known_post_code: str
    previous_family_name: str | None = None
    school_at_age16: str | None = None
    place_of_birth: str | None = None
    email_address: str | None = None


OPTIONAL_FIELDS = ("previous_family_name", "school_at_age16", "place_of_birth", "email_address")


class Match(typing.NamedTuple):
    """A learner that the search may mean, and the name of the rule that says so."""

    learner: Candidate
    rule: str


class Decision(typing.NamedTuple):
    """EXACT_MATCH with one match, POSSIBLE_MATCH with one to `limit` of them, best first, or TOO_MANY_MATCHES or
    NO_MATCH with none."""

    outcome: codes.ResponseCode
    matches: tuple[Match, ...] = ()


class _Found(typing.NamedTuple):
    mistakes: int
    row: int
    agreeing: int
    learner: Candidate

    def order(self) -> tuple:
        """Best first: fewest mistakes, then the order of RULES, then most optional fields; else always the same."""
        return self.mistakes, self.row, -self.agreeing, self.learner.uln


def decide(query: Query, candidates: typing.Iterable[Candidate], limit: int = MOST_POSSIBLES) -> Decision:
    """What the search finds among the candidates, which may hold a learner twice, in any order, but no deleted ones.

    An exact match that was merged away is returned with its `master_uln`: the caller substitutes the master (D). A
    possible match that was merged away counts once with its master, and the live one stands for both if it is a match
    itself (P); otherwise the caller substitutes the master here too. More than `limit` possibles are narrowed by the
    optional fields (P). `master_uln` must name a live learner, also after a chain of merges.
    """
    fields = keys.fields(query)
    previous = names.fold(query.previous_family_name)
    exact, found = [], []
    for learner in candidates:
        stored = keys.fields(learner)
        if fields == stored:
            exact.append(learner)
        elif (judged := _judge(fields, previous, stored, learner)) is not None:
            found.append(_Found(*judged, _agreement(query, learner), learner))
    if exact:
        best = min(exact, key=lambda learner: (learner.master_uln is not None, learner.uln))
        return Decision(codes.ResponseCode.EXACT_MATCH, (Match(best, EXACT),))
    possibles = _one_for_each_person(found)
    if len(possibles) > limit:
        possibles = _narrow(query, possibles)
    if len(possibles) > limit:
        return Decision(codes.ResponseCode.TOO_MANY_MATCHES)
    if possibles:
        matches = tuple(Match(possible.learner, RULES[possible.row].name) for possible in possibles)
        return Decision(codes.ResponseCode.POSSIBLE_MATCH, matches)
    return Decision(codes.ResponseCode.NO_MATCH)


def _judge(
    fields: tuple[str, ...], previous: str, stored: tuple[str, ...], learner: Candidate
) -> tuple[int, int] | None:
    """The mistakes and the first row of RULES that takes them, with the names in their place or else swapped."""
    given_name, family_name = fields[:2]
    born = likeness.born(fields[2], stored[2])
    postcode = likeness.postcode(fields[4], stored[4])
    if born == "x" or (born == "~" and postcode != "="):
        return None  # no row takes these; most candidates end here
    gender = likeness.gender(fields[3], stored[3])
    for swapped in (NO, YES):
        if swapped:
            given_name, family_name, previous = family_name, given_name, ""
        given = likeness.given(given_name, learner)
        family = likeness.family(family_name, learner, previous) if given != "x" else "x"
        mistakes = swapped + sum(letter != "=" for letter in (given, family, born, gender)) + (postcode == "x")
        if family == "x" or mistakes > MOST_MISTAKES:
            continue
        for row, rule in enumerate(RULES):
            if (
                rule.swapped == swapped
                and given in rule.given
                and family in rule.family
                and born in rule.born
                and postcode in rule.postcode
                and gender in rule.gender
            ):
                return mistakes, row
    return None


def _one_for_each_person(found: list[_Found]) -> list[_Found]:
    """Best first, a merged learner and its master once: in the better one's place, as the live learner if found."""
    people: dict[str, _Found] = {}
    for possible in sorted(found, key=_Found.order):
        person = possible.learner.master_uln or possible.learner.uln
        if person not in people or (possible.learner.uln == person and people[person].learner.uln != person):
            people[person] = possible  # a key keeps its first place when its value is replaced
    return list(people.values())


def _agreement(query: Query, learner: Candidate) -> int:
    """How many of the optional fields the caller gave are equal to the learner's."""
    return sum(_optional(query, learner, field) == "=" for field in OPTIONAL_FIELDS)


def _optional(query: Query, learner: Candidate, field: str) -> str:
    asked, stored = names.fold(getattr(query, field)), names.fold(getattr(learner, field))
    if not asked or not stored:
        return "?"
    return "=" if asked == stored else "x"


def _narrow(query: Query, possibles: list[_Found]) -> list[_Found]:
    """P: drop those whose optional field is another than the caller gave; of the rest, if some agree in one, only
    these stay."""
    rest = [
        possible
        for possible in possibles
        if all(_optional(query, possible.learner, field) != "x" for field in OPTIONAL_FIELDS)
    ]
    return [possible for possible in rest if possible.agreeing] or rest or possibles


class NamesKnown(enum.IntEnum):
    """How far two names sent with a ULN are those of its learner; the greater, the nearer."""

    NO = 0
    SIMILAR = 1
    EQUAL = 2


def names_known(given_name: str, family_name: str, learner: Candidate) -> NamesKnown:
    """Whether a caller knows the learner's names (P): given or preferred, and family, previous or the one at 16, are
    EQUAL; with one of them only similar (nickname, misspelling), SIMILAR. What else is NO gets nothing of a learner."""
    given, family = names.fold(given_name), names.fold(family_name)
    letters = likeness.given(given, learner), likeness.family(family, learner)
    equal_given = letters[0] == "=" or given == names.fold(learner.preferred_given_name)
    equal_family = letters[1] in "=n"
    if equal_given and equal_family:
        return NamesKnown.EQUAL
    if (equal_given and letters[1] == "~") or (equal_family and letters[0] in "n~"):
        return NamesKnown.SIMILAR
    return NamesKnown.NO
