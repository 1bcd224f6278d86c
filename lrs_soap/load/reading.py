"""The rows of a piece of a file: their values column by column, their lines, and what is wrong with them."""

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

from lrs_soap.batchfile.problems import Effect, Problem
from lrs_soap.load.layout import Layout

Wrong = tuple[str, str, str]
"""Rule, message, advice."""


class Rejected(NamedTuple):
    """A row that cannot be loaded, as it stands in the file."""

    line: int
    texts: Sequence[str]
    problems: Sequence[Problem]


class Rows:
    """The rows of whole lines of a file, the first of which is `line`.

    columns: by heading, the values of the rows that have as many values as there are headings; lines: those rows' lines.
    count: all rows, whatever their length. problems: by the place of the row in the columns.
    """

    def __init__(self, where: Layout, text: str, line: int):
        self.problems: dict[int, list[Problem]] = {}
        self._rejected: list[Rejected] = []
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=where.delimiter)
        self._rows = list(reader)
        self.count, self.lines = len(self._rows), range(line, line + len(self._rows))
        if reader.line_num != self.count or set(map(len, self._rows)) != {len(where.columns)}:
            # Not every line is a row of the right length.
            self._sort_out(where, text, line)
        self.columns = dict(zip(where.columns, zip(*self._rows)))

    def _sort_out(self, where: Layout, text: str, line: int) -> None:
        self._rows, self.lines, self.count, width, before = [], [], 0, len(where.columns), 0
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=where.delimiter)
        for row in reader:
            at, before = line + before, reader.line_num
            if not row:
                continue
            self.count += 1
            if len(row) == width:
                self._rows.append(row)
                self.lines.append(at)
            else:
                problem = _problem(at, None, None, (
                    "columns", f"The row has {len(row)} values where the headings are {width}",
                    "Write an empty value for each column that is not used, quotes around one that holds a separator",
                ))  # fmt: skip
                self._rejected.append(Rejected(at, row, [problem]))

    def note(self, index: int, column: str, value: str, wrong: Wrong) -> None:
        """Keeps what is wrong with a value of a row."""
        self.problems.setdefault(index, []).append(_problem(self.lines[index], column, value, wrong))

    def good(self) -> tuple[dict[str, Sequence[str]], Sequence[int]]:
        """The columns and lines of the rows that nothing is wrong with."""
        if not self.problems:
            return self.columns, self.lines
        good = [index for index in range(len(self._rows)) if index not in self.problems]
        columns = {name: [column[index] for index in good] for name, column in self.columns.items()}
        return columns, [self.lines[index] for index in good]

    def rejected(self) -> list[Rejected]:
        """Every row with a problem, in the order of the file."""
        bad = [Rejected(self.lines[index], self._rows[index], found) for index, found in self.problems.items()]
        return sorted(self._rejected + bad)


def _problem(line: int, column: str | None, value: str | None, wrong: Wrong) -> Problem:
    rule, message, advice = wrong
    return Problem(line=line, column=column, value=value, rule=rule, message=message, advice=advice, effect=Effect.LEARNER)
