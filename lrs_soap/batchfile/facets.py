"""Judges one value by the facets that the XSDs give its element, in words for people rather than Xerces's."""

import datetime
import functools
import re

from lrs_soap import codes, contract
from lrs_soap.batchfile.problems import Effect
from lrs_soap.rules import dates

_DAY_FIRST = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})(?:[ T].*)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[/.\- ]?(\d{1,2})[/.\- ]?(\d{1,2})(?:[ T].*)?", re.ASCII)
_NAMED_MONTH = re.compile(r"(\d{1,2})[/.\- ]?([A-Za-z]{3})[a-z]*[/.\- ]?(\d{4}|\d{2})", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SERIAL = re.compile(r"\d{5}", re.ASCII)
# Excel counts days from here, because it believes in 1900-02-29.
_EXCEL_ZERO = datetime.date(1899, 12, 30)

# What XML 1.0 cannot carry.
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_NO_SUCH_DAY = "The calendar has no such day"

_ADVICE = {
    "MIAPULNNillable": "Write ten digits, the first not 0; leave it empty when there is none",
    "MIAPPostCodeNillable": 'Write a postcode of the United Kingdom such as "LS6 2AB"; "ZZ99 9ZZ" stands for an '
                            "unknown or foreign address",
    "MIAPEmail": "Write an address such as name@example.org, or leave it empty",
    "MIAPScottishCandidateNumber": "Write nine digits, with a 0 at the start if it has one, or leave it empty",
}  # fmt: skip


def error(value: str, field: contract.Field) -> tuple[str, str, str, Effect] | None:
    """The rule that `value` breaks, what is wrong, what to do, and the effect; None when nothing is wrong with it."""
    simple = field.simple
    wrong = _character(value) or _pattern(value, field) or _length(value, simple)
    if wrong:
        return *wrong, Effect.LEARNER
    if _is_date(simple) and value and not dates.is_real(value):
        # The schema takes 1900-02-29, so that it is the service that refuses it.
        return "date", _NO_SUCH_DAY, "Correct the day: that year had no 29 February", Effect.SERVICE
    return None


def _character(value: str) -> tuple[str, str, str] | None:
    found = _NOT_XML.search(value)
    if found is None:
        return None
    message = f"Character {found.start() + 1} is a control character (U+{ord(found[0]):04X})"
    return "character", message, "Delete it: it cannot be seen, and a copy from another program has brought it"


def _pattern(value: str, field: contract.Field) -> tuple[str, str, str] | None:
    simple = field.simple
    if not simple.patterns or any(pattern.fullmatch(value) for pattern in _patterns(simple.name)):
        return None
    if _is_date(simple):
        return "date", *_date(value)
    return "format", "The value does not have the format of the column", _advice(field)


def _length(value: str, simple: contract.SimpleType) -> tuple[str, str, str] | None:
    length = f"The value has {len(value):,} characters where"
    if simple.max_length is not None and len(value) > simple.max_length:
        return "length", f"{length} {simple.max_length:,} are allowed", "Shorten it"
    if simple.min_length is not None and len(value) < simple.min_length:
        return "length", f"{length} {simple.min_length:,} are needed", "Complete it"
    return None


def _is_date(simple: contract.SimpleType) -> bool:
    return simple.name.startswith("MIAPDate")


@functools.cache
def _patterns(name: str) -> tuple[re.Pattern, ...]:
    return tuple(re.compile(pattern, re.ASCII) for pattern in contract.SIMPLE_TYPES[name].patterns)


def _advice(field: contract.Field) -> str:
    table = getattr(codes, field.name, None)
    if table is not None:
        words = [f"{member} ({member.meaning[0].lower()}{member.meaning[1:]})" for member in table]
        return f"Write {', '.join(words[:-1])} or {words[-1]}"
    return _ADVICE.get(field.simple.name, "Write at least one character that is not a blank")


def _date(value: str) -> tuple[str, str]:
    """What is wrong with a date, and the same date as yyyy-MM-dd where there is one."""
    text = value.strip()
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = int(found[1]), int(found[2]), found[3]
        if len(year) == 2:
            return _two_digits("day/month/year")
        return _rewritten("The date is written day/month/year", int(year), month, day)
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
        return _rewritten("The date is not written yyyy-MM-dd", year, month, day)
    if (found := _NAMED_MONTH.fullmatch(text)) and found[2].lower() in _MONTHS:
        if len(found[3]) == 2:
            return _two_digits("with the name of the month")
        month = _MONTHS.index(found[2].lower()) + 1
        return _rewritten("The date is written with the name of the month", int(found[3]), month, int(found[1]))
    if _SERIAL.fullmatch(text):
        day = _EXCEL_ZERO + datetime.timedelta(days=int(text))
        return "The date is the number by which a spreadsheet keeps it", f"Format the column as text and write {day}"
    return "This is not a date", "Write it as yyyy-MM-dd, for example 2004-03-17"


def _two_digits(how: str) -> tuple[str, str]:
    return f"The date is written {how} and its year has two digits only", "Write it as yyyy-MM-dd with the whole year"


def _rewritten(what: str, year: int, month: int, day: int) -> tuple[str, str]:
    try:
        date = datetime.date(year, month, day)
    except ValueError:
        if "day/month" in what and day <= 12 < month:
            return "The date is written month/day/year", f"Write {year:04}-{day:02}-{month:02}, year-month-day"
        return _NO_SUCH_DAY, "Correct it, and write it as yyyy-MM-dd"
    if not 1800 <= year < 2100:
        return f"The year {year:04} is not between 1800 and 2099", "Correct it"
    return what, f"Write {date.isoformat()}"
