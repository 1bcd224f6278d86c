"""Writing rows of the audit trail to a file, one at a time."""

import contextlib
import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from lrs_soap import filemodes

# A program that opens the file must not take what a caller wrote as its name for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@contextlib.contextmanager
def opened(target: str) -> Iterator[IO[str]]:
    """The file to write, which only its owner may read; `-` is standard output."""
    if target == "-":
        yield sys.stdout
        return
    with open(filemodes.open_private(target, os.O_TRUNC), "w", encoding="utf-8", newline="") as file:
        yield file


def as_lines(file: IO[str], _fields: Sequence[str], rows: Iterable[dict[str, Any]]) -> int:
    """Writes a JSON object a line; gives how many."""
    count = 0
    for count, row in enumerate(rows, 1):
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def as_csv(file: IO[str], fields: Sequence[str], rows: Iterable[dict[str, Any]]) -> int:
    """Writes CSV with headings; gives how many rows. ULNs of a row stand in one cell, with spaces between them."""
    writer, count = csv.writer(file), 0
    writer.writerow(fields)
    for count, row in enumerate(rows, 1):
        writer.writerow([_cell(row.get(name)) for name in fields])
    return count


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


WRITERS = {"jsonl": as_lines, "csv": as_csv}
