"""Options that are a date or a length of time."""

import datetime

import click

from lrs_soap.register import ENGLAND
from lrs_soap.rules import passwords


class Day(click.ParamType):
    """A date, as the moment it begins in England, or with end=True the moment it is over."""

    name = "yyyy-mm-dd"

    def __init__(self, end: bool = False):
        self._end = end

    def convert(self, value, param, ctx):
        if isinstance(value, datetime.datetime):
            return value
        try:
            day = datetime.date.fromisoformat(value)
            day += datetime.timedelta(days=1 if self._end else 0)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a date such as 2027-08-31", param, ctx)
        return datetime.datetime.combine(day, datetime.time(), ENGLAND)


class Duration(click.ParamType):
    """A length of time such as 7d; the longest is given."""

    name = "time"

    def __init__(self, longest: datetime.timedelta):
        self._longest = longest

    def convert(self, value, param, ctx):
        if isinstance(value, datetime.timedelta):
            return value
        try:
            found = passwords.duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if found > self._longest:
            self.fail(f"{value!r} is longer than {self._longest.days} days", param, ctx)
        return found


def last_day(end: datetime.datetime | None) -> str | None:
    """The last day before `end`, which a date given as `Day(end=True)` comes back as; None for no end."""
    if end is None:
        return None
    return (end.astimezone(ENGLAND) - datetime.timedelta(microseconds=1)).date().isoformat()


def first_day(start: datetime.datetime | None) -> str | None:
    """The day of `start` in England; None for no start."""
    return None if start is None else start.astimezone(ENGLAND).date().isoformat()
