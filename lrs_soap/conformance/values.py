"""For each simple type of the contract: values at the bounds of its facets, on both sides.

Which of them the type takes is not said here: the contract's schema judges, and the service has to agree.
"""

import re

from lrs_soap import contract
from lrs_soap.conformance import messages

_DATES = ("1800-01-01", "2099-12-31", "2000-02-29", "2004-02-29", "1799-12-31", "2100-01-01", "2001-02-29", "2001-04-31",
          "2001-13-01", "2001-00-10", "2001-1-1", "01-01-2001", "2001-01-01Z")  # fmt: skip
_POSTCODES = ("M1 1AA", "SW1A 1AA", "ls62ab", "LS6 2AB   ", "LS6 2CB", "LS6  2AB", "6LS 2AB", "BFPO 1", "bfpo1234",
              "BFPO 12345", "GIR 0AA", "L6 2AB    ", "L6 2AB     ")  # fmt: skip
# What the patterns of a type leave to think of; lengths and ranges are made below.
EDGES = {
    "MIAPDate": _DATES,
    "MIAPDateNillable": _DATES,
    "MIAPFindDate": _DATES,
    "MIAPPostCode": _POSTCODES,
    "MIAPPostCodeNillable": _POSTCODES,
    "MIAPEmail": ("a@bb.uk", "a.b+c@bb-cc.dd.museum", "a@b.uk", "a@bb", "a@bb.c", "a@bb.abcdefg", "a b@bb.uk", "a..b@cc.uk",
                  "@bb.uk", "a" * 247 + "@bb.uk", "a" * 248 + "@bb.uk", "a" * 249 + "@bb.uk"),
    "MIAPULN": ("1000000000", "9999999999", "0999999999", "100000000", "10000000000", "12345678X0"),
    "MIAPULNNillable": ("1000000000", "9999999999", "0999999999", "100000000", "10000000000"),
    "MIAPUKPRN": ("abcdEF09", "1234567", "123456789", "1234567é", "1234 678"),
    "MIAPOrganisationRef": ("abEF09", "12345", "1234567", "12 456"),
    "MIAPScottishCandidateNumber": ("000000000", "12345678", "1234567890", "12345678A"),
    "MIAPGender": ("0", "1", "2", "9", "3", "8", "M", "12"),
    "MIAPGenderNillable": ("0", "9", "3", "M"),
    "MIAPVerificationType": ("0", "7", "999", "8", "99", "9999"),
    "MIAPAbilityToShare": ("0", "1", "2", "3", "Y"),
    "MIAPFindType": ("FUL", "CHK", "ful", "ALL"),
    "MIAPBatchJobType": ("FUL", "CHK", "chk", "ALL"),
    "MIAPUserType": ("LNR", "ORG", "SER", "lnr", "XXX"),
    "MIAPContactType": ("FTF", "TEL", "PST", "WEB", "EML", "NKN", "SMS"),
}  # fmt: skip
_NUMBERS = ("", "x", "1.0", "+1", "007")
_NOT_BLANK = r"[\s]*[\S][\s\S]*"


def at_the_bounds(kind: contract.SimpleType) -> list[str]:
    """The values, without doubles, in a fixed order."""
    if kind.base != "string":
        low, high = kind.min_inclusive, kind.max_inclusive
        return [*map(str, (low, high, low - 1, high + 1)), *_NUMBERS]
    made = list(EDGES.get(kind.name, ()))
    blank = not kind.patterns or kind.patterns == (_NOT_BLANK,)
    lengths = {bound + step for bound in (kind.min_length, kind.max_length) if bound is not None for step in (-1, 0, 1)}
    for length in sorted(length for length in lengths if length >= 0):
        made.append((example(kind) * length)[:length] if not blank else "x" * length)
    if blank:
        # Characters are counted, not bytes; names are more than ASCII; and markup stays text.
        longest = kind.max_length or 20
        made += ["é" * longest, "Ł" * longest, "<&>\"' ]]>"[:longest]]
    if kind.patterns == (_NOT_BLANK,):
        made += [" " * (kind.min_length or 1), " " * ((kind.min_length or 1) - 1) + "x"]
    return list(dict.fromkeys([*made, ""]))


def example(kind: contract.SimpleType) -> str:
    """A text that the type takes, or part of one."""
    return messages.EXAMPLES.get(kind.name) or "x"


def shown(value: str) -> str:
    """A value as a message may show it."""
    text = re.sub(r"(.)\1{15,}", lambda found: f"{found[1]}{{{len(found[0])}}}", value)
    return repr(text)
