"""How long an OrgPassword is good for: expiry, and the overlap in which the one before it still is.

P: the historic service left no record of either.
"""

import datetime
import re
from typing import NamedTuple

# P: how long before its end `lrs-soap org list` warns of a password.
WARN_BEFORE = datetime.timedelta(days=30)
# P: two passwords at once are for changing over, not for keeping.
LONGEST_OVERLAP = datetime.timedelta(days=90)

_DURATION = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Terms(NamedTuple):
    """What an organisation's passwords are bound by: the end of the current one (None: never), and the one before it
    with its end (None: there is none)."""

    expires_at: datetime.datetime | None = None
    former_hash: str | None = None
    former_until: datetime.datetime | None = None


NO_TERMS = Terms()


class Accepted(NamedTuple):
    """A hash, and whether a password that matches it is accepted; `until` when (None: without end)."""

    password_hash: str
    until: datetime.datetime | None
    expired: bool


def accepted(current_hash: str, terms: Terms, now: datetime.datetime) -> list[Accepted]:
    """The hashes to compare a password with: the current one, even if it has expired (whoever knows it is told
    nothing, but the log is), and the one before it while the overlap lasts."""
    rows = [Accepted(current_hash, terms.expires_at, terms.expires_at is not None and terms.expires_at <= now)]
    if terms.former_hash and terms.former_until is not None and now < terms.former_until:
        rows.append(Accepted(terms.former_hash, terms.former_until, False))
    return rows


def rotated(
    current_hash: str,
    terms: Terms,
    now: datetime.datetime,
    overlap: datetime.timedelta,
    expires_at: datetime.datetime | None,
) -> Terms:
    """The terms once a new password has come: the one it replaces is accepted for `overlap` more, but never longer
    than it would have been anyway. Any older one ends at once."""
    if not overlap:
        return Terms(expires_at)
    until = now + overlap if terms.expires_at is None else min(now + overlap, terms.expires_at)
    return Terms(expires_at, current_hash, until) if until > now else Terms(expires_at)


def duration(text: str) -> datetime.timedelta:
    """A time such as "7d", "12h" or "30m". Raises ValueError that says what is allowed."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a time such as 7d, 12h or 30m")
    return datetime.timedelta(**{_UNITS[found[2]]: int(found[1])})


def warning(terms: Terms, now: datetime.datetime) -> str:
    """What an operator should know about the password now; "" is nothing."""
    if terms.expires_at is None or terms.expires_at - now > WARN_BEFORE:
        return ""
    if terms.expires_at <= now:
        return "the OrgPassword has expired: every call is answered with WSEC0005"
    days = (terms.expires_at - now).days
    return f"the OrgPassword expires in less than {days + 1} day{'s' if days else ''}"
