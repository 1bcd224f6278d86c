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

from lrs_soap import codes, frozen
from lrs_soap.rules import keys, likeness, names
from lrs_soap.rules.keys import (
    INDEXES, READS, Details, Lookup, StoredKeys, exact_lookup, identity, lookups, same, stored_keys,
)  # fmt: skip

__all__ = [
    "EXACT", "INDEXES", "MOST_MISTAKES", "MOST_POSSIBLES", "OPTIONAL_FIELDS", "READS", "RULES",
    "Candidate", "Decision", "Details", "Lookup", "Match", "NamesKnown", "Query", "Rule", "StoredKeys",
    "are_too_many", "decide", "exact_lookup", "identity", "lookups", "names_known", "same", "stored_keys",
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


@frozen.quick
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
    """A candidate that a row of RULES takes."""

    mistakes: int
    row: int
    agreeing: int  # of the optional fields
    learner: Candidate

    @property
    def person(self) -> str:
        """The ULN that is theirs now."""
        return self.learner.master_uln or self.learner.uln

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
    judge, asked = _Judge(query).judge, _asked(query)
    exact, found = [], []
    for learner in candidates:
        verdict = judge(learner)
        if verdict is None:
            continue
        mistakes, row = verdict
        if mistakes:
            found.append(_Found(mistakes, row, _compared(asked, learner).count("=") if asked else 0, learner))
        else:
            exact.append(learner)
    if exact:
        best = min(exact, key=lambda learner: (learner.master_uln is not None, learner.uln))
        return Decision(codes.ResponseCode.EXACT_MATCH, (Match(best, EXACT),))
    if not asked and len({one.person for one in found}) > limit:
        return Decision(codes.ResponseCode.TOO_MANY_MATCHES)
    possibles = _one_for_each_person(found)
    if len(possibles) > limit:
        possibles = _narrow(asked, possibles)
    if len(possibles) > limit:
        return Decision(codes.ResponseCode.TOO_MANY_MATCHES)
    if possibles:
        matches = tuple(Match(possible.learner, RULES[possible.row].name) for possible in possibles)
        return Decision(codes.ResponseCode.POSSIBLE_MATCH, matches)
    return Decision(codes.ResponseCode.NO_MATCH)


def are_too_many(query: Query, some: typing.Iterable[Candidate], limit: int = MOST_POSSIBLES) -> bool:
    """Whether some candidates of a search are enough to say that there are too many, unless an exact match is among the others:
    nothing that the caller gave could narrow them."""
    return not _asked(query) and decide(query, some, limit).outcome == codes.ResponseCode.TOO_MANY_MATCHES


_Verdict = tuple[int, int]
"""The mistakes of a candidate, none for an exact match, and the row of RULES that takes it."""

_UNSEEN: typing.Any = object()


class _Judge:
    """What judges the candidates of one search, most of which share names: the same names are compared once."""

    __slots__ = ("_fields", "_previous", "_orders", "_verdicts")

    def __init__(self, query: Query):
        self._fields = keys.fields(query)
        self._previous = names.fold(query.previous_family_name)
        self._orders: dict[tuple, tuple] = {}
        self._verdicts: dict[tuple, _Verdict | None] = {}

    def judge(self, learner: Candidate) -> _Verdict | None:
        """The mistakes and the first row of RULES that takes them, with the names in their place or else swapped."""
        _, _, date, code, place = self._fields
        born = likeness.born(date, learner.date_of_birth or "")
        postcode = likeness.postcode(place, names.fold_postcode(learner.last_known_post_code))
        if born == "x" or (born == "~" and postcode != "="):
            return None  # no row takes these; most candidates end here
        stored = (
            learner.given_name,
            learner.preferred_given_name,
            learner.family_name,
            learner.previous_family_name,
            learner.family_name_at_age16,
        )
        orders = self._orders.get(stored)
        if orders is None:
            orders = self._orders[stored] = self._compared(*stored)
        if not orders:
            return None
        letters = orders, born, postcode, likeness.gender(code, learner.gender or "")
        verdict = self._verdicts.get(letters, _UNSEEN)
        if verdict is _UNSEEN:
            verdict = self._verdicts[letters] = _verdict(*letters)
        return verdict

    def _compared(self, *stored: str | None) -> tuple[tuple[bool, str, str], ...]:
        """The letters of both names in their place, and swapped, where neither name is another."""
        given_name, family_name = self._fields[:2]
        orders = []
        for swapped, one, other, previous in (
            (NO, given_name, family_name, self._previous),
            (YES, family_name, given_name, ""),
        ):
            given = likeness.given(one, *stored[:2])
            if given != "x" and (family := likeness.family(other, *stored[2:], previous)) != "x":
                orders.append((swapped, given, family))
        return tuple(orders)


def _verdict(orders: tuple[tuple[bool, str, str], ...], born: str, postcode: str, gender: str) -> _Verdict | None:
    off = (born != "=") + (postcode == "x") + (gender != "=")
    for swapped, given, family in orders:
        mistakes = swapped + (given != "=") + (family != "=") + off
        if not mistakes:
            return 0, -1
        if mistakes > MOST_MISTAKES:
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
        person = possible.person
        if person not in people or (possible.learner.uln == person and people[person].learner.uln != person):
            people[person] = possible  # a key keeps its first place when its value is replaced
    return list(people.values())


def _asked(query: Query) -> list[tuple[str, str]]:
    """The optional fields that the caller gave, folded."""
    given = ((field, names.fold(getattr(query, field))) for field in OPTIONAL_FIELDS)
    return [(field, value) for field, value in given if value]


def _compared(asked: list[tuple[str, str]], learner: Candidate) -> str:
    """A letter for each of the optional fields asked for."""
    stored = ((value, names.fold(getattr(learner, field))) for field, value in asked)
    return "".join("?" if not other else "=" if value == other else "x" for value, other in stored)


def _narrow(asked: list[tuple[str, str]], possibles: list[_Found]) -> list[_Found]:
    """P: drop those whose optional field is another than the caller gave; of the rest, if some agree in one, only
    these stay."""
    rest = [possible for possible in possibles if "x" not in _compared(asked, possible.learner)]
    return [possible for possible in rest if possible.agreeing] or rest or possibles


class NamesKnown(enum.IntEnum):
    """How far two names sent with a ULN are those of its learner; the greater, the nearer."""

    NO = 0
    SIMILAR = 1
    EQUAL = 2


def names_known(given_name: str, family_name: str, learner: Candidate) -> NamesKnown:
    """Whether a caller knows the learner's names (P): given or preferred, and family, previous or the one at 16, are
    EQUAL; with one of them only similar (nickname, misspelling), SIMILAR. What else is NO gets nothing of a learner."""
    if given_name == learner.given_name and family_name == learner.family_name:
        return NamesKnown.EQUAL  # as most callers know them
    given, family = names.fold(given_name), names.fold(family_name)
    letters = (
        likeness.given(given, learner.given_name, learner.preferred_given_name),
        likeness.family(family, learner.family_name, learner.previous_family_name, learner.family_name_at_age16),
    )
    equal_given = letters[0] == "=" or given == names.fold(learner.preferred_given_name)
    equal_family = letters[1] in "=n"
    if equal_given and equal_family:
        return NamesKnown.EQUAL
    if (equal_given and letters[1] == "~") or (equal_family and letters[0] in "n~"):
        return NamesKnown.SIMILAR
    return NamesKnown.NO
