"""Files of learning events for tests, made from the sandbox's."""

import csv
from pathlib import Path

from lrs_soap import contract, resources

FIELDS = [field.name for field in contract.TYPES["MIAPLearningEvent"].fields]
HEADINGS = ["ULN", "Source", *FIELDS]


def rows() -> list[dict[str, str]]:
    """The rows of fixtures/learning_events.csv."""
    with (resources.directory("fixtures") / "learning_events.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def row(**values: str) -> dict[str, str]:
    """The first of them, with other values."""
    return rows()[0] | values


def write(path: Path, rows, headings=None, encoding="utf-8", delimiter=",") -> Path:
    """Writes rows to a CSV file, with the columns of `headings` (default: all), and gives its path."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, headings or HEADINGS, extrasaction="ignore", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file that was written."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
