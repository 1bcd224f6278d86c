"""The operational hours of the service: outside them every call ends in WSEC0004.

That there are such hours, and the fault, are D; how they are written down and that the default is "always" are P.
"""

import dataclasses
import datetime
import re
import zoneinfo

ZONE = "Europe/London"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ALLOWED = (
    '"always", or days and times of Europe/London such as "Mon-Fri 08:00-18:00" or "Mon-Thu 08:00-18:00; Sat 09:00-12:00"'
)
_PERIOD = re.compile(r"(?P<days>[A-Za-z,\- ]+?)\s+(?P<opens>\d{1,2}:\d{2})\s*-\s*(?P<closes>\d{1,2}:\d{2})")
_MINUTES_A_DAY = 24 * 60


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """Days of the week (0 is Monday) on which the service is open from one minute of the day up to another."""

    days: frozenset[int]
    opens: int
    closes: int


@dataclasses.dataclass(frozen=True, slots=True)
class Hours:
    """When the service answers. `text` is how it was written; no periods means always."""

    text: str
    periods: tuple[Period, ...] = ()

    @property
    def is_always(self) -> bool:
        """Whether there is no moment at which the service does not answer."""
        return not self.periods

    def open_at(self, moment: datetime.datetime) -> bool:
        """Whether the service answers at `moment`, a datetime with a time zone. A period ends before its last minute:
        "08:00-18:00" is open at 17:59:59 and closed at 18:00. Raises ValueError for a moment without a time zone."""
        if moment.tzinfo is None:
            raise ValueError("operational hours need a moment with a time zone")
        if self.is_always:
            return True
        local = moment.astimezone(zoneinfo.ZoneInfo(ZONE))
        minute = local.hour * 60 + local.minute
        return any(local.weekday() in p.days and p.opens <= minute < p.closes for p in self.periods)

    def __str__(self) -> str:
        return self.text


ALWAYS = Hours("always")


def parse(text: str) -> Hours:
    """The hours that `text` describes: periods separated by ";", each of days ("Mon-Fri", "Mon,Wed", "Sat") and two
    times, the first before the second ("00:00-24:00" is a whole day). Raises ValueError saying what is wrong."""
    if text.strip().lower() == ALWAYS.text:
        return ALWAYS
    return Hours(text.strip(), tuple(_period(part.strip()) for part in text.split(";")))


def _period(text: str) -> Period:
    match = _PERIOD.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not days and two times")
    opens, closes = _minute(match["opens"]), _minute(match["closes"])
    if opens >= closes:
        raise ValueError(f"{match['opens']} is not before {match['closes']}: write a night as two periods")
    return Period(frozenset(_days(match["days"])), opens, closes)


def _days(text: str):
    for part in text.split(","):
        first, _, last = part.partition("-")
        start = _day(first)
        end = _day(last) if last else start
        # "Sat-Mon" goes over the end of the week.
        yield from ((start + step) % 7 for step in range((end - start) % 7 + 1))


def _day(text: str) -> int:
    name = text.strip().capitalize()
    if name not in DAYS:
        raise ValueError(f"{text.strip()!r} is not a day: allowed are {', '.join(DAYS)}")
    return DAYS.index(name)


def _minute(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    if minutes > 59 or hours * 60 + minutes > _MINUTES_A_DAY:
        raise ValueError(f"{text} is not a time of day from 00:00 to 24:00")
    return hours * 60 + minutes
