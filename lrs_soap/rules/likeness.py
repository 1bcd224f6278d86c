"""How one field of a search compares with a learner's: the letters that the table in `matching` is written in.

=  equal;  n  another name of the same person;  ~  a slip;  ?  nothing known;  x  different.  All P but "=".
"""

from lrs_soap import codes
from lrs_soap.rules import names

UNKNOWN_GENDERS = (codes.Gender("0"), codes.Gender("9"))
UNKNOWN_POSTCODES = "ZZ99"
"""Postcodes that begin so say that none is known: being equal, they prove nothing. (P)"""


def given(name: str, stored: str, preferred: str | None) -> str:
    """A folded given name against a learner's given and preferred ones: `=`, `n` (preferred given name, nickname), `~` or
    `x`."""
    stored = names.fold(stored)
    if name == stored:
        return "="
    if name == names.fold(preferred) or names.same_given(name, stored):
        return "n"
    return "~" if names.alike_given(name, stored) else "x"


def family(name: str, stored: str, previous: str | None, at_age16: str | None, known: str = "") -> str:
    """A folded family name, and the previous one if the caller knows it (known), against a learner's family name, its
    previous one and that at 16: `=`, `n` (an earlier name on either side), `~` or `x`."""
    stored = names.fold(stored)
    if name == stored:
        return "="
    earlier = (names.fold(previous), names.fold(at_age16))
    if name in earlier or (known and (known == stored or known in earlier)):
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
