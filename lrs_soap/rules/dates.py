"""Dates as they stand on the wire, yyyy-MM-dd, and the ages that registration asks for."""

import datetime

OLDEST = 110
"""P: nobody over this age, in completed years, is registered."""

YOUNGEST_IN_BATCH = 13
"""D: a batch (RC011) takes learners from this age on."""


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


def may_register(date_of_birth: str, today: datetime.date) -> bool:
    """Whether somebody born on `date_of_birth` (yyyy-MM-dd) may be registered: a real day, not in the future, and an
    age of at most OLDEST. (P: else WSEC0001)"""
    return is_real(date_of_birth) and date_of_birth <= today.isoformat() and age(date_of_birth, today) <= OLDEST


def may_register_in_batch(date_of_birth: str, today: datetime.date) -> bool:
    """As `may_register`, and of at least YOUNGEST_IN_BATCH years. (D: else RC011)"""
    return may_register(date_of_birth, today) and age(date_of_birth, today) >= YOUNGEST_IN_BATCH
