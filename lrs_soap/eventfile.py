"""Reads a CSV file of learning events. docs/record.md says what such a file looks like.

Headings are the contract's element names, and ULN; every value is judged by the facets that the XSDs give its element.
The file streams: no function holds more of it than one row.
"""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lrs_soap import contract, model
from lrs_soap.batchfile import encodings, facets, layout, problems, scanner
from lrs_soap.batchfile.problems import Effect, Problem
from lrs_soap.rules import dates, uln
from lrs_soap.rules.record import Source

ULN, SOURCE = "ULN", "Source"
EXCEPTION_COLUMNS = ("Line", "Reason")
"""What an exceptions file has behind the columns of its file; ignored when it is loaded in its turn."""

FIELDS = contract.TYPES["MIAPLearningEvent"].fields
_ULN_FIELD = next(field for field in contract.TYPES["MIAPLearnerRecord"].fields if field.name == ULN)
_REQUIRED = (ULN, *(field.name for field in FIELDS if field.min_occurs))
_KNOWN = {name.lower(): name for name in (ULN, SOURCE, *(field.name for field in FIELDS), *EXCEPTION_COLUMNS)}
_DELIMITERS = (",", ";", "\t")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_ADVICE = {
    "MIAPULN": "Write ten digits, the first not 0",
    "MIAPUKPRN": "Write the provider's UKPRN: eight letters and digits",
    "MIAPDateTime": "Write it as yyyy-MM-dd hh:mm:ss, for example 2025-09-04 16:30:00",
}
_TEMPLATE = "docs/record.md names them"


@dataclasses.dataclass(slots=True)
class Row:
    """A row of the file. number: of data rows, from 1. texts: as they stand there. event: None if there are problems."""

    number: int
    line: int
    texts: list[str]
    uln: str = ""
    source: str = ""
    event: model.MIAPLearningEvent | None = None
    problems: list[Problem] = dataclasses.field(default_factory=list)


class EventFile:
    """A file whose headings are right. `headings` are as they stand in the file.

    Raises problems.Unreadable for an encoding that cannot be read and for headings that leave nothing to go by;
    OSError when the file cannot be read.
    """

    def __init__(self, path: Path, source: Source | None = None):
        self._path, self._source, self._codec = path, source, encodings.detect(path)
        first = next(encodings.lines(path, self._codec), None)
        if first is None:
            raise _unreadable("empty", "The file is empty", f"Put the headings into its first line: {_TEMPLATE}")
        self._delimiter = max(_DELIMITERS, key=lambda d: sum(_named(part) is not None for part in first.text.split(d)))
        heading = next(self._rows())
        if heading.quote is not None:
            raise problems.Unreadable(heading.quote)
        self.headings = heading.values
        self._columns = _columns(heading, source)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """The rows behind the first `after` data rows, each with everything that is wrong with it by itself.

        Empty lines are no rows. Raises problems.Unreadable where the file cannot be read further.
        """
        number, rows = 0, self._rows()
        next(rows)
        for scanned in rows:
            if scanned.empty:
                continue
            number += 1
            if number > after:
                yield self._row(number, scanned)

    def _rows(self) -> Iterator[scanner.Row]:
        return scanner.rows(encodings.lines(self._path, self._codec), self._delimiter)

    def _row(self, number: int, scanned: scanner.Row) -> Row:
        row = Row(number, scanned.line, scanned.values)
        if scanned.quote is not None:
            row.problems.append(scanned.quote)
            return row
        if len(scanned.values) != len(self._columns):
            few = len(scanned.values) < len(self._columns)
            row.problems.append(_problem(
                scanned.line, "columns",
                f"The row has {len(scanned.values)} values where the headings are {len(self._columns)}",
                "Write an empty value for each column that is not used" if few else
                "Put quotes around a value that holds a comma, and remove values after the last column",
            ))  # fmt: skip
            return row
        values: dict[str, Any] = {}
        texts = dict(zip(self._columns, scanned.values))
        row.uln, row.source = texts[ULN], texts.get(SOURCE) or str(self._source or "")
        row.problems.extend(self._judge(scanned, texts, values))
        if not row.problems:
            row.event = model.MIAPLearningEvent(**values)
        return row

    def _judge(self, scanned: scanner.Row, texts: dict[str, str], values: dict[str, Any]) -> Iterator[Problem]:
        """Every problem of the row's values; `values` gets those of the event."""
        places = {column: index for index, column in enumerate(self._columns)}

        def problem(column: str, rule: str, message: str, advice: str) -> Problem:
            index = places[column]
            return Problem(
                line=scanned.places[index][0], column=column, cell=f"{layout.letter(index + 1)}{scanned.number}",
                value=texts[column], rule=rule, message=message, advice=advice, effect=Effect.LEARNER,
            )  # fmt: skip

        if wrong := _uln_error(texts[ULN]):
            yield problem(ULN, *wrong)
        if wrong := self._source_error(texts.get(SOURCE, "")):
            yield problem(SOURCE, *wrong) if SOURCE in places else _problem(scanned.line, *wrong)
        for field in FIELDS:
            if field.name in places:
                value, wrong = judge(texts[field.name], field)
                values[field.attribute] = value
                if wrong:
                    yield problem(field.name, *wrong)

    def _source_error(self, text: str) -> tuple[str, str, str] | None:
        if text and text not in Source._value2member_map_:
            return "source", "The value is not a source of learning events", f"Write {' or '.join(Source)}"
        if text and self._source and text != self._source:
            message = f"The row is of {text} where the file is loaded as {self._source}"
            return "source", message, f"Load it with the others of {text}, or leave out --source"
        if not text and not self._source:
            return "source", "Nothing says where the row comes from", f"Write {' or '.join(Source)}, or give --source"
        return None


def judge(text: str, field: contract.Field) -> tuple[str | int | None, tuple[str, str, str] | None]:
    """The value that `text` is for an element of the contract, and None or what is wrong: rule, message, advice.

    P: an empty value of an optional element is an absent one.
    """
    simple = field.simple
    if text == "":
        if field.min_occurs == 0:
            return None, None
        if simple.base == "string" and (not simple.patterns or any(re.fullmatch(p, "") for p in simple.patterns)):
            return "", None
        return None, ("mandatory", "The value is mandatory", _ADVICE.get(simple.name, "Fill it in"))
    if simple.base != "string":
        if _INTEGER.fullmatch(text) and simple.min_inclusive <= int(text) <= simple.max_inclusive:
            return int(text), None
        return None, ("number", "The value is not a whole number", "Write digits only")
    if simple.name == "MIAPDateTime":
        return text, _moment_error(text, field)
    wrong = facets.error(text, field)
    if wrong is None:
        return text, None
    rule, message, advice, _ = wrong
    return text, (rule, message, _ADVICE.get(simple.name, advice))


def _moment_error(text: str, field: contract.Field) -> tuple[str, str, str] | None:
    if not any(re.fullmatch(pattern, text, re.ASCII) for pattern in field.simple.patterns):
        return "date-time", "This is not a date and time", _ADVICE["MIAPDateTime"]
    if not dates.is_real(text[:10]):
        return "date-time", "The calendar has no such day", "Correct the day: that year had no 29 February"
    return None


def _uln_error(text: str) -> tuple[str, str, str] | None:
    _, wrong = judge(text, _ULN_FIELD)
    if wrong is None and not uln.is_valid(text):
        advice = "Compare it with the learner's: a digit is wrong, or two have changed places"
        return "uln", "The check digit of the ULN is wrong", advice
    return wrong


def _named(text: str) -> str | None:
    return _KNOWN.get(text.strip(' "\r\n').lower())


def _columns(heading: scanner.Row, source: Source | None) -> list[str]:
    """The column of each heading, whatever its case and place. Raises problems.Unreadable."""
    columns = []
    for text, (line, _) in zip(heading.values, heading.places):
        column = _named(text)
        if column is None or column in columns:
            what = "is not one of a file of learning events" if column is None else "stands twice"
            raise problems.Unreadable(Problem(line=line, column=text, rule="heading", message=f"The heading {what}",
                                              advice="Correct it, or remove the column", effect=Effect.FILE))
        columns.append(column)
    missing = [name for name in _REQUIRED if name not in columns]
    if missing:
        raise _unreadable("heading", f"The file lacks {', '.join(missing)}", "Add a column for each")
    if source is None and SOURCE not in columns:
        raise _unreadable("source", "Nothing says where the events come from", "Give --source, or add a column Source")
    return columns


def _problem(line: int, rule: str, message: str, advice: str, effect: Effect = Effect.LEARNER) -> Problem:
    return Problem(line=line, rule=rule, message=message, advice=advice, effect=effect)


def _unreadable(rule: str, message: str, advice: str) -> problems.Unreadable:
    return problems.Unreadable(_problem(1, rule, message, advice, Effect.FILE))
