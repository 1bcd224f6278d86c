"""The exceptions file of a load: the rows that were not loaded, as they stood, each with its line and the reasons.

It can be corrected and loaded in its turn. It is written on as a load goes on, and cut back to what the database knows
of when a load is resumed.
"""

import contextlib
import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lrs_soap import eventfile, filemodes


def is_intact(path: Path, length: int) -> bool:
    """Whether the file still has the first `length` bytes that a load has written."""
    return path.exists() and path.stat().st_size >= length


@contextlib.contextmanager
def writing(path: Path | None, headings: list[str], length: int) -> Iterator["Writer"]:
    """A Writer that goes on behind `length` bytes; 0 begins anew and removes a file that is there."""
    if path is not None and length == 0:
        path.unlink(missing_ok=True)
    writer = Writer(path, headings, length)
    try:
        yield writer
    finally:
        writer.close()


class Writer:
    """Writes to the exceptions file, which it makes with the first row; without a path it writes nothing."""

    def __init__(self, path: Path | None, headings: list[str], length: int):
        self._path, self._length, self._file = path, length, None
        self._kept = [index for index, text in enumerate(headings) if text.strip() not in eventfile.EXCEPTION_COLUMNS]
        self._headings = [headings[index] for index in self._kept]

    def write(self, rows: Iterable[eventfile.Row]) -> None:
        """Adds rows, with their problems."""
        if self._path is None:
            return
        for row in rows:
            if self._file is None:
                self._open()
            texts = [row.texts[index] if index < len(row.texts) else "" for index in self._kept]
            self._rows.writerow([*texts, row.line, " ".join(_reason(problem) for problem in row.problems)])

    def flush(self) -> int:
        """Puts what was written on the disk and gives the length of the file."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._length = os.fstat(self._file.fileno()).st_size
        return self._length

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def _open(self) -> None:
        # It holds what the loaded file held: nobody else need read it.
        number = filemodes.open_private(self._path, 0)
        os.ftruncate(number, self._length)
        os.lseek(number, 0, os.SEEK_END)
        # Excel takes a CSV file for UTF-8 only if it begins with a byte order mark.
        self._file = os.fdopen(number, "w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, quoting=csv.QUOTE_ALL)
        if self._length == 0:
            self._file.write("\N{BYTE ORDER MARK}")
            self._rows.writerow([*self._headings, *eventfile.EXCEPTION_COLUMNS])


def _reason(problem) -> str:
    return f"{problem.column}: {problem.message}. {problem.advice}." if problem.column else f"{problem.message}. {problem.advice}."
