"""The exit codes of every command, and how an exception becomes one."""

import contextlib
import enum
import functools
import json
from typing import Any

import click

from lrs_soap import errors


class Exit(enum.IntEnum):
    """How a command ended; `meaning` is the line that help and docs/cli.md show."""

    meaning: str

    def __new__(cls, number: int, meaning: str):
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member

    DONE = 0, "done: found, registered, updated, verified, or every number is a ULN"
    NEGATIVE = 1, "answered, but not with that: no match, possible matches only, not registered, ..."
    USAGE = 2, "the command, a setting or a value is not valid; nothing was sent or changed"
    FAULT = 3, "the service answered with a fault, whose ErrorCode is shown"
    UNREACHABLE = 4, "the service could not be reached, or did not answer in time"
    UNEXPECTED_REPLY = 5, "something answered, but not as a LearnerService does"
    UNUSABLE = 6, "the server could not start, or the register's database could not be used"


TABLE = "\n".join(f"  {code.value}  {code.meaning}" for code in Exit)


class Failure(click.ClickException):
    """Ends the command with `code`. `message` goes to standard error; with --json, `payload` to standard output."""

    def __init__(self, message: str, code: Exit, payload: dict[str, Any] | None = None):
        super().__init__(message)
        self.exit_code = int(code)
        # The context is closed when click shows the message.
        context = click.get_current_context(silent=True)
        self._json = bool(context and context.params.get("as_json"))
        self._payload = payload or {"error": {"exit_code": self.exit_code, "message": message}}

    def show(self, file=None) -> None:
        if self._json:
            click.echo(json.dumps(self._payload, indent=2, ensure_ascii=False))
        else:
            super().show(file)


def handles(code: Exit = Exit.USAGE):
    """Decorates a command: an LrsError that leaves it ends it with `code` and the error's message."""

    def decorate(function):
        @functools.wraps(function)
        def command(*args, **kwargs):
            with failing(code):
                return function(*args, **kwargs)

        return command

    return decorate


@contextlib.contextmanager
def failing(code: Exit):
    """Turns an LrsError of this block into a Failure with `code`."""
    try:
        yield
    except errors.LrsError as error:
        raise Failure(str(error), code) from error


def leave(code: Exit) -> None:
    """Ends the command with `code`."""
    click.get_current_context().exit(int(code))
