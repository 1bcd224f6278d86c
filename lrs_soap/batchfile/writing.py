"""Writes batch files: D all values quoted, CR LF, UTF-8 (P: with a byte order mark, so that Excel reads it as such)."""

import contextlib
import csv
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lrs_soap import model
from lrs_soap.batchfile import layout


@contextlib.contextmanager
def rows(path: Path, columns: Sequence[str]) -> Iterator["csv.Writer"]:
    """A csv writer of a new file with the headings `columns`; the file appears at `path` whole, or not at all.

    Raises OSError when it cannot be written.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(columns)
        yield writer


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path whose file takes the place of `path` when the block ends well, durable and in one step."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def file_values(name: str, ukprn: str, count: int) -> tuple[str, ...]:
    """The values of the file's own columns, for its first data row."""
    return layout.VERSION, name, ukprn, str(count)


NO_FILE_VALUES = ("",) * len(layout.FILE_COLUMNS)


def learner_values(learner: model.BatchLearner) -> tuple[str, ...]:
    """A learner's values in the order of the columns."""
    return tuple(getattr(learner, field.attribute) or "" for field in layout.FIELDS)
