"""What the readers of both forms give: the file's own values, learners, and what kept them from being read."""

import dataclasses
from pathlib import Path

from lrs_soap import model
from lrs_soap.batchfile import layout, problems


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """A value and where it stands."""

    text: str
    line: int
    column: str
    cell: str | None = None

    def problem(self, rule: str, message: str, advice: str, effect: problems.Effect) -> problems.Problem:
        """That something is wrong with this value."""
        return problems.Problem(
            line=self.line, column=self.column, cell=self.cell, value=self.text or None,
            rule=rule, message=message, advice=advice, effect=effect,
        )  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class FileValues:
    """What a file says of itself. name: that of the file on disk. values: by heading. line: where they stand."""

    name: str
    line: int
    values: dict[str, Value]


@dataclasses.dataclass(frozen=True, slots=True)
class Learner:
    """A learner of the file. number: of learners, from 1. values: by attribute of the contract's BatchLearner, without
    empty ones. unreadable: why it could not be read in full, if so."""

    number: int
    line: int
    values: dict[str, Value]
    unreadable: tuple[problems.Problem, ...] = ()

    def model(self) -> model.BatchLearner:
        """The learner as the web service takes it; P: an empty value is an absent element, which changes nothing."""
        return model.BatchLearner(**{attribute: value.text for attribute, value in self.values.items()})

    def text(self, attribute: str) -> str:
        """The value, "" when there is none."""
        return self.values[attribute].text if attribute in self.values else ""

    def missing(self, attribute: str) -> Value:
        """The place of a value that is not there."""
        return Value("", self.line, layout.HEADING_OF[attribute])


Item = problems.Problem | FileValues | Learner


def kind(path: Path) -> str:
    """"XML" or "CSV", by what the file begins with rather than by its name, which may be wrong."""
    with path.open("rb") as file:
        head = file.read(512).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return "XML" if head.startswith(b"<") else "CSV"
