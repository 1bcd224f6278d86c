"""The headings of a file of learners: which columns there are, and which it may leave out."""

import csv
import dataclasses
from collections.abc import Sequence

from lrs_soap import contract
from lrs_soap.batchfile.problems import Effect, Problem, Unreadable

MASTER = "MasterULN"
REQUIRED = ("ULN", "GivenName", "FamilyName", "DateOfBirth", "Gender", "LastKnownPostCode")
DEFAULTED = ("CreatedDate", "LastUpdatedDate", "AbilityToShare", "LearnerStatus", "VersionNumber")
"""What the contract demands of a Learner but a file may leave out or empty; `rows` says what is put there."""
IGNORED = ("MasterSubstituted", "LinkedULNs", "Line", "Reason")
"""Derived from MasterULN; and what an exceptions file has behind the columns of its file."""

_FIELDS = {field.name: field for field in contract.TYPES["Learner"].fields if field.name not in IGNORED}
FIELDS = _FIELDS | {MASTER: dataclasses.replace(_FIELDS["ULN"], name=MASTER, attribute="master_uln", min_occurs=0)}
"""By heading: the contract's fields, and the master's ULN of a learner merged away."""

_KNOWN = {name.lower(): name for name in (*FIELDS, *IGNORED)}
_DELIMITERS = ",\t;"


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """columns: for each column of the file its heading, spelt as the contract does; headings: as the file does."""

    delimiter: str
    headings: tuple[str, ...]
    columns: tuple[str, ...]


def read(line: str) -> Layout:
    """The layout that the first line of a file says. Raises batchfile.problems.Unreadable."""
    if not line.strip():
        raise _unreadable("empty", "The file is empty", "Put the headings into its first line: docs/load.md names them")
    delimiter = max(_DELIMITERS, key=lambda sign: len(_named(_split(line, sign))))
    headings = _split(line, delimiter)
    columns = [_KNOWN.get(heading.strip().lower()) for heading in headings]
    if unknown := [heading for heading, column in zip(headings, columns) if column is None]:
        raise _unreadable("heading", f"There is no column {unknown[0]!r}",
                          "Use the names of the contract's Learner, as docs/load.md lists them")  # fmt: skip
    if twice := [column for column in columns if columns.count(column) > 1]:
        raise _unreadable("heading", f"The column {twice[0]} is there twice", "Remove or rename one of them")
    if missing := [column for column in REQUIRED if column not in columns]:
        raise _unreadable("heading", f"The column {missing[0]} is missing", "Add it: no learner is without")
    return Layout(delimiter, tuple(headings), tuple(columns))


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter))


def _named(headings: Sequence[str]) -> list[str]:
    return [heading for heading in headings if heading.strip().lower() in _KNOWN]


def _unreadable(rule: str, message: str, advice: str) -> Unreadable:
    return Unreadable(Problem(line=1, rule=rule, message=message, advice=advice, effect=Effect.FILE))
