"""The period of a report: values in, values out."""

import datetime

from lrs_soap.rules import dates


def date_error(from_date: str, to_date: str | None, today: datetime.date) -> str | None:
    """What is wrong with the dates of a report (yyyy-MM-dd), or None.

    P: WSEC0001 for a date that the calendar does not have, and for a ToDate, by default today, before FromDate.
    """
    if not dates.is_real(from_date):
        return "FromDate is not a date of the calendar."
    if to_date is not None and not dates.is_real(to_date):
        return "ToDate is not a date of the calendar."
    if (to_date or today.isoformat()) < from_date:
        return "ToDate is before FromDate." if to_date else "FromDate is after today."
    return None


def moments(
    from_date: str, to_date: str | None, today: datetime.date, zone: datetime.tzinfo
) -> tuple[datetime.datetime, datetime.datetime]:
    """The first moment of FromDate, and the first after the end of ToDate, by the calendar of `zone`.

    P: both days belong to the period; without ToDate it ends with today.
    """
    last = datetime.date.fromisoformat(to_date) if to_date else today
    first, after = datetime.date.fromisoformat(from_date), last + datetime.timedelta(days=1)
    return tuple(datetime.datetime.combine(day, datetime.time(), zone) for day in (first, after))
