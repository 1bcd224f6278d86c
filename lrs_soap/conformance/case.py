"""What a case is: the thing it proves, where that is written, and the function that finds out."""

import dataclasses
import enum
from collections.abc import Callable
from typing import Any


class Part(enum.StrEnum):
    """The three parts of the suite."""

    PROFILE = "Basic Profile"
    CONTRACT = "Contract"
    BEHAVIOUR = "Behaviour"


class Verdict(enum.StrEnum):
    """How a case ended. ERROR: the case itself broke, which says nothing about the service."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"
    ERROR = "error"


class Failed(Exception):
    """The service does not do what the case asks; the message says what it did instead."""


class NotRun(Exception):
    """The case cannot be decided here; the message says why."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to prove.

    id: stable and unique, made of words. title: the statement that is proved. clause: where it is written: an assertion
    of WS-I Basic Profile 1.1, a part of the contract, or a section of the service's behaviour. basis: "D" documented or
    recorded, "P" this project's own rule. writes: it may register or change something. needs: roles of the target file
    without which it cannot run. last: it looks at what the others received. run: raises Failed or NotRun.
    """

    id: str
    part: Part
    title: str
    clause: str
    basis: str = "D"
    writes: bool = False
    needs: tuple[str, ...] = ()
    last: bool = False
    run: Callable[[Any], None]


class Book(list[Case]):
    """The cases of one module, in the order in which they are written."""

    def __init__(self, part: Part):
        super().__init__()
        self.part = part

    def case(self, id: str, clause: str, basis: str = "D", **more: Any) -> Callable:
        """Decorates the function that runs the case; the first line of its docstring is the title."""

        def decorate(function: Callable[[Any], None]) -> Callable[[Any], None]:
            self.add(id, (function.__doc__ or "").strip().splitlines()[0].rstrip("."), clause, function, basis, **more)
            return function

        return decorate

    def add(self, id: str, title: str, clause: str, run: Callable, basis: str = "D", **more: Any) -> None:
        """Adds a case that was made from data."""
        self.append(Case(id=id, part=self.part, title=title, clause=clause, basis=basis, run=run, **more))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a case ended, why, what was sent and received for it, and how long it took in seconds."""

    case: Case
    verdict: Verdict
    reason: str
    exchanges: tuple[Any, ...]
    seconds: float


def require(condition: object, message: str) -> None:
    """Raises Failed with `message` unless `condition` holds."""
    if not condition:
        raise Failed(message)


def equal(found: object, wanted: object, what: str) -> None:
    """Raises Failed unless both are equal; `what` names the thing."""
    if found != wanted:
        raise Failed(f"{what}: {brief(wanted)} was expected, {brief(found)} was found")


def brief(value: object, limit: int = 200) -> str:
    """`value` as a message may show it: of bounded length, in one line."""
    text = " ".join((value if isinstance(value, str) else repr(value)).split()) or "nothing"
    return text if len(text) <= limit else text[: limit - 3] + "..."
