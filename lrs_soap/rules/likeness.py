"""How one field of a search compares with a learner's: the letters that the table in `matching` is written in.

=  equal;  n  another name of the same person;  ~  a slip;  ?  nothing known;  x  different.  All P but "=".
"""

from lrs_soap import codes
from lrs_soap.rules import names

UNKNOWN_GENDERS = (codes.Gender("0"), codes.Gender("9"))
UNKNOWN_POSTCODES = "ZZ99"
"""Postcodes that begin so say that none is known: being equal, they prove nothing. (P)"""


def given(name: str, learner) -> str:
    """A folded given name against the learner's: `=`, `n` (preferred given name, nickname), `~` or `x`."""
    stored = names.fold(learner.given_name)
    if name == stored:
        return "="
    if name == names.fold(learner.preferred_given_name) or names.same_given(name, stored):
        return "n"
    return "~" if names.alike_given(name, stored) else "x"


def family(name: str, learner, previous: str = "") -> str:
    """A folded family name, and the previous one if the caller knows it, against the learner's: `=`, `n` (previous
    family name or that at 16, on either side), `~` or `x`."""
    stored = names.fold(learner.family_name)
    if name == stored:
        return "="
    earlier = (names.fold(learner.previous_family_name), names.fold(learner.family_name_at_age16))
    if name in earlier or (previous and (previous == stored or previous in earlier)):
        return "n"
    return "~" if names.alike(name, stored) else "x"


def born(date: str, stored: str) -> str:
    """Dates of birth, yyyy-MM-dd: `=`, `~` (day and month exchanged, or one digit wrong) or `x`."""
    if date == stored:
        return "="
    exchanged = f"{date[:4]}-{date[8:]}-{date[5:7]}"
    wrong_digits = sum(a != b for a, b in zip(date, stored, strict=False))
    return "~" if exchanged == stored or (wrong_digits == 1 and len(date) == len(stored)) else "x"


def postcode(code: str, stored: str) -> str:
    """Folded postcodes: `=`, `?` (equal, but not a place) or `x`."""
    if code != stored:
        return "x"
    return "?" if code.startswith(UNKNOWN_POSTCODES) else "="


def gender(code: str, stored: str) -> str:
    """Gender codes: `=`, `?` (one of the two is not known or not specified) or `x`."""
    if code == stored:
        return "="
    return "?" if code in UNKNOWN_GENDERS or stored in UNKNOWN_GENDERS else "x"
