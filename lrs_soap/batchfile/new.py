"""Makes correct batch files: an empty one, or one from any CSV file whose columns are named."""

import datetime
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from lrs_soap import errors
from lrs_soap.batchfile import encodings, layout, scanner, writing

_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?: 0?0:00(?::00)?)?", re.ASCII)
_DATES = frozenset(heading for heading, field in layout.FIELD_OF.items() if field.simple.name.startswith("MIAPDate"))


class NotMapped(errors.LrsError):
    """The columns do not fit."""


def write(
    path: Path, ukprn: str, rows: Iterable[Mapping[str, str]] = (), count: int = 0
) -> None:
    """Writes a file to `path`, whose name it is given. rows: values by heading; count: how many there are.

    Without rows the file has one data row, which holds the file's own values and waits for the first learner.
    """
    own = writing.file_values(path.name, ukprn, count)
    with writing.rows(path, layout.COLUMNS) as writer:
        for row in rows if count else ({},):
            writer.writerow((*own, *(row.get(column, "") for column in layout.LEARNER_COLUMNS)))
            own = writing.NO_FILE_VALUES


class Table:
    """A CSV file of any layout: its first row names the columns.

    mapping: the file's column for each heading of the format. Columns that have a heading's name, in any case, need
    none. Raises NotMapped when a name is not one of the format's or of the file's, problems.Unreadable when the file
    cannot be read. P: dates as day/month/year are rewritten, because that is how Excel shows them in England.
    """

    def __init__(self, path: Path, mapping: Mapping[str, str]):
        self._path, self._codec = path, encodings.detect(path)
        first = next(encodings.lines(path, self._codec), None)
        if first is None:
            raise NotMapped(f"{path.name} is empty")
        self._delimiter = max(",;\t", key=first.text.count)
        names = [name.strip() for name in next(self._rows()).values]
        unknown = [heading for heading in mapping if heading not in layout.LEARNER_COLUMNS]
        if unknown:
            raise NotMapped(f"{', '.join(unknown)}: not a heading of a learner's values; they are: "
                            f"{', '.join(layout.LEARNER_COLUMNS)}")
        absent = [name for name in mapping.values() if name not in names]
        if absent:
            raise NotMapped(f"{path.name} has no column {', '.join(absent)}; it has: {', '.join(names)}")
        folded = {name.lower(): index for index, name in enumerate(names)}
        self.columns = {heading: folded[heading.lower()] for heading in layout.LEARNER_COLUMNS
                        if heading.lower() in folded}  # fmt: skip
        self.columns |= {heading: names.index(name) for heading, name in mapping.items()}
        if not self.columns:
            raise NotMapped(f"no column of {path.name} is named; it has: {', '.join(names)}")
        self.unused = [name for index, name in enumerate(names) if index not in self.columns.values()]

    def _rows(self):
        return scanner.rows(encodings.lines(self._path, self._codec), self._delimiter)

    def __iter__(self):
        rows = self._rows()
        next(rows)
        for row in rows:
            if row.quote is not None:
                raise NotMapped(f"{row.quote.place()}: {row.quote.message}")
            if not row.empty:
                yield {
                    heading: _value(heading, row.values[index])
                    for heading, index in self.columns.items() if index < len(row.values)
                }  # fmt: skip


def _value(heading: str, text: str) -> str:
    text = text.strip()
    found = _DAY_FIRST.fullmatch(text) if heading in _DATES else None
    if found:
        try:
            return datetime.date(int(found[3]), int(found[2]), int(found[1])).isoformat()
        except ValueError:
            return text
    return text
