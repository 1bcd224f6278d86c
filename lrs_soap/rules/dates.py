"""Dates as they stand on the wire, yyyy-MM-dd, and the ages that registration asks for."""

import datetime

OLDEST = 110
"""P: nobody over this age, in completed years, is registered."""


def is_real(text: str) -> bool:
    """Whether `text` (yyyy-MM-dd) is a day that was: the schema's MIAPDate also takes 1900-02-29. (P: WSEC0001)"""
    if len(text) != 10:  # fromisoformat also reads 19000228 and 1900-W01-1
        return False
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def age(date_of_birth: str, today: datetime.date) -> int:
    """Completed years at `today`; negative before birth. Raises ValueError when the date is not real."""
    born = datetime.date.fromisoformat(date_of_birth)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
