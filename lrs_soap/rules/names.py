"""How names and postcodes are compared. Every choice here is ours (P) but for postcodes (D)."""

import functools
import unicodedata
from collections.abc import Collection

import jellyfish
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from lrs_soap.rules import nicknames

# Letters that no Unicode decomposition takes apart, as an English keyboard writes them.
_PLAIN = {
    "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th",
    "ħ": "h", "ŧ": "t", "ŋ": "n", "ı": "i",
}
# Modifier letters that people type for an apostrophe (Hawaiian okina, Arabic ain and hamza, primes); Unicode calls
# them letters. Every other mark that is no letter, digit or vowel sign goes by its category.
_APOSTROPHES = frozenset("ʹʺʻʼʽʾʿˈˊˋ")
_DROPPED = frozenset("PZSC")
_KEPT_IN_CACHE = 0x2000


class _Folding(dict):
    """A str.translate table that works out each character once."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if code < _KEPT_IN_CACHE:  # the scripts names are written in; not one entry for each ideograph
            self[code] = folded
        return folded


def _fold_character(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(
        _PLAIN.get(c, c)
        for c in decomposed
        if not unicodedata.combining(c) and unicodedata.category(c)[0] not in _DROPPED and c not in _APOSTROPHES
    )


_FOLDING = _Folding()


@functools.lru_cache(8192)  # candidates of one search share most of their names
def fold(text: str | None) -> str:
    """What is left of a name when two spellings are compared: no case, accents, spaces, hyphens, apostrophes or any
    other punctuation (P: so "St. John" equals "St John"). Equal results mean equal names.

    A name of nothing but punctuation stays as it is, for "-" and "." are two names. Empty only for blank text or None.
    """
    if not text:
        return ""
    return text.translate(_FOLDING) or "".join(text.split())


@functools.lru_cache(8192)
def fold_postcode(text: str | None) -> str:
    """A postcode without spaces and case. (D)"""
    return "".join(text.split()).upper() if text else ""


def sound(text: str | None) -> str:
    """A key that names pronounced alike share (Metaphone of the folded name). Names it has no sound for, as those in
    other scripts than Latin, are their own key. Empty only where `fold` is."""
    folded = fold(text)
    return (jellyfish.metaphone(folded) if folded.isascii() else "") or folded


_MOST_SLIPS = 3


def alike(a: str, b: str) -> bool:
    """Whether one folded name is likely a misspelling of the other (P); also true of equal names.

    One slip (a letter wrong, missing, too many, or two neighbours exchanged) from four letters on; shorter names only
    with neighbours exchanged. Two slips from eight letters on, or from six if they sound alike; three from eight if
    they sound alike and begin alike. Jean, Joan and June are three people.
    """
    if a == b:
        return True
    longest = max(len(a), len(b))
    slips = OSA.distance(a, b, score_cutoff=_MOST_SLIPS)
    if slips == 1:
        return longest >= 4 or sorted(a) == sorted(b)
    if slips == 2:
        return longest >= 8 or (longest >= 6 and sound(a) == sound(b))
    return slips == 3 and longest >= 8 and sound(a) == sound(b) and JaroWinkler.similarity(a, b) >= 0.85


def alike_among(name: str, others: Collection[str]) -> set[str]:
    """Those of very many folded names that are `alike` a folded name."""
    near = process.extract(name, others, scorer=OSA.distance, score_cutoff=_MOST_SLIPS, limit=None)
    return {other for other, _, _ in near if alike(name, other)}


def same_given(a: str, b: str) -> bool:
    """Whether two folded given names are forms of one: equal, or a name and its diminutive or other spelling. (P)"""
    return a == b or not nicknames.GROUPS_OF.get(a, frozenset()).isdisjoint(nicknames.GROUPS_OF.get(b, ()))


def forms(name: str) -> set[str]:
    """Every folded given name that is the `same_given` as this one."""
    return {name}.union(*(nicknames.GROUPS[number] for number in nicknames.GROUPS_OF.get(name, ())))


def alike_given(a: str, b: str) -> bool:
    """As `alike`, but two names in common use are never one misspelt: twins are called Ella and Elsa. (P)"""
    return a == b or (not (a in nicknames.COMMON and b in nicknames.COMMON) and alike(a, b))
