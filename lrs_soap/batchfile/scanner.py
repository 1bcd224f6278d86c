"""CSV text to rows, with the place of every value and a word on every misplaced quote.

RFC 4180, read strictly and recovered from generously: a row whose quotes do not match is reported where the quote
opened, and reading goes on at the next line, so that one bad quote hides no more than its own row.
"""

import dataclasses
import re
from collections import deque
from collections.abc import Iterable, Iterator

from lrs_soap.batchfile import encodings, problems

MAX_VALUE_LINES = 500  # P: a quote still open after so many lines was never closed

_INSIDE = re.compile(r'[^"]*(?:""[^"]*)*+')


@dataclasses.dataclass(slots=True)
class Row:
    """A row of the file. number: of rows, from 1, as a spreadsheet counts. places: line and character of each value.
    quote: the problem that ends the values early, if there is one."""

    number: int
    line: int
    values: list[str]
    places: list[tuple[int, int]]
    quote: problems.Problem | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing stands in it, separators apart."""
        return not any(value.strip() for value in self.values) and self.quote is None


class _Misquoted(Exception):
    def __init__(self, line: int, column: int, index: int, message: str):
        self.line, self.column, self.index, self.message = line, column, index, message


class _Lines:
    """The lines of a file, of which those of the row at hand can be given back."""

    def __init__(self, lines: Iterable[encodings.Line]):
        self._source, self._back, self._taken = iter(lines), deque(), []

    def first(self) -> encodings.Line | None:
        """The line that the next row begins with."""
        self._taken.clear()
        return self.more()

    def more(self) -> encodings.Line | None:
        """The next line of the row."""
        line = self._back.popleft() if self._back else next(self._source, None)
        if line is not None:
            self._taken.append(line)
        return line

    def back(self, after: int) -> None:
        """Gives back the row's lines after the one of that number: what an open quote swallowed was rows."""
        self._back.extendleft(line for line in reversed(self._taken) if line.number > after)


def rows(lines: Iterable[encodings.Line], delimiter: str) -> Iterator[Row]:
    """The rows of `lines`, whose values `delimiter` separates."""
    source, number = _Lines(lines), 0
    while first := source.first():
        number += 1
        row = Row(number, first.number, [], [])
        try:
            _fill(row, first, source.more, delimiter)
        except _Misquoted as wrong:
            row.quote = _problem(row, wrong)
            source.back(wrong.line)
        yield row


def _fill(row: Row, line: encodings.Line, more, delimiter: str) -> None:
    plain = re.compile(f'[^{re.escape(delimiter)}\r\n]*')
    text, at = line.text, 0
    while True:
        opened = (line.number, at + 1)
        if text[at : at + 1] == '"':
            value, line, at = _quoted(row, line, at, more)
            text = line.text
            after = text[at : at + 1]
            if after not in (delimiter, "\r", "\n", ""):
                raise _Misquoted(*opened, len(row.values), f"A quote closes the value at character {at} of line "
                                 f"{line.number}, but more text follows it")
        else:
            value = plain.match(text, at)[0]
            at += len(value)
            if '"' in value:
                raise _Misquoted(*opened, len(row.values), "A quote stands inside a value that does not begin with one")
        row.values.append(value)
        row.places.append(opened)
        if text[at : at + 1] != delimiter:
            return
        at += 1


def _quoted(row: Row, line: encodings.Line, at: int, more) -> tuple[str, encodings.Line, int]:
    """The value of a quote that opens at `at`, and the line and index after the closing one."""
    opened, parts, at = (line.number, at + 1), [], at + 1
    while True:
        found = _INSIDE.match(line.text, at)
        parts.append(found[0])
        if found.end() < len(line.text):
            return "".join(parts).replace('""', '"'), line, found.end() + 1
        following = more() if len(parts) < MAX_VALUE_LINES else None
        if following is None:
            raise _Misquoted(*opened, len(row.values), "The quote that opens this value is never closed")
        line, at = following, 0


def _problem(row: Row, wrong: _Misquoted) -> problems.Problem:
    return problems.Problem(
        line=wrong.line, position=wrong.column, rule="quotes", message=wrong.message, effect=problems.Effect.LEARNER,
        advice='Put one quote (") before and one after the value, and write a quote inside it twice ("")',
    )  # fmt: skip
