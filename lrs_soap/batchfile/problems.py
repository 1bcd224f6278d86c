"""What a batch file can have wrong, as the Validator Tool tells it."""

import dataclasses
import enum

from lrs_soap import errors

SHOWN = 200


class Effect(str, enum.Enum):
    """What becomes of the file or the learner because of a problem."""

    FILE = "file"
    """Nothing of the file can be sent."""
    LEARNER = "learner"
    """This learner cannot be sent; the others can."""
    SERVICE = "service"
    """It can be sent; the service may refuse the learner."""

    def __str__(self) -> str:
        return self.value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    line: of the file, from 1. rule: the word for the rule that is broken. advice: what to do. column: the heading or
    element it is about. cell: where a spreadsheet shows the value ("U17"; CSV only). position: the character of the
    line, from 1, where that is more exact. value: what stands there and nothing else of the learner; None when the
    problem is not about a value.
    """

    line: int
    rule: str
    message: str
    advice: str
    effect: Effect
    column: str | None = None
    cell: str | None = None
    position: int | None = None
    value: str | None = None

    def place(self) -> str:
        """Where it is, in words."""
        parts = [f"line {self.line}"]
        if self.position is not None:
            parts.append(f"character {self.position}")
        if self.column:
            parts.append(f"{self.column} (cell {self.cell})" if self.cell else self.column)
        return ", ".join(parts)

    def shown(self) -> str | None:
        """The value on one line, and if it is long its beginning and its length."""
        if self.value is None:
            return None
        text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in self.value[:SHOWN])
        more = len(self.value) - SHOWN
        return f'"{text}"' if more <= 0 else f'"{text}"... and {more:,} characters more'


class Unreadable(errors.LrsError):
    """The file cannot be read as a batch file.

    `problem` says where and why. The message leaves out the value.
    """

    def __init__(self, problem: Problem):
        super().__init__(f"{problem.place()}: {problem.message}. {problem.advice}")
        self.problem = problem
