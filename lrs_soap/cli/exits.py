"""The exit codes of every command, and how an exception becomes one."""

import contextlib
import enum
import functools
import json

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
    NEGATIVE = 1, "answered, but not with that: no match, possible matches only, not registered, not a ULN"
    USAGE = 2, "the command, a setting or a value given is not valid; nothing was sent or changed"
    FAULT = 3, "the service answered with a fault (its ErrorCode is shown)"
    UNREACHABLE = 4, "the service could not be reached, or did not answer in time"
    UNEXPECTED_REPLY = 5, "something answered, but not as the LearnerService does"
    DATABASE = 6, "the register's database could not be used"


TABLE = "\n".join(f"  {code.value}  {code.meaning}" for code in Exit)


class Failure(click.ClickException):
    """Ends the command with `code`; `message` goes to standard error, or as {"error": ...} to standard output."""

    def __init__(self, message: str, code: Exit):
        super().__init__(message)
        self.exit_code = int(code)

    def show(self, file=None) -> None:
        ctx = click.get_current_context(silent=True)
        if ctx and ctx.params.get("as_json"):
            click.echo(json.dumps({"error": {"exit_code": self.exit_code, "message": self.message}}))
        else:
            super().show(file)


def handles(*, unusable: Exit = Exit.USAGE):
    """Decorates a command: an LrsError that leaves it ends it with `unusable` and the error's message."""

    def decorate(function):
        @functools.wraps(function)
        def command(*args, **kwargs):
            with failing(unusable):
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
