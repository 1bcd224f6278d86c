"""rules.registering: dates on leap days, and when a search lets its caller register."""

import datetime
import types

import pytest

from lrs_soap.codes import ResponseCode
from lrs_soap.rules import registering

LEAP_DAY = datetime.date(2028, 2, 29)


@pytest.mark.parametrize(
    ("born", "today", "told"),
    [
        ("2028-02-29", LEAP_DAY, None),
        ("2028-03-01", LEAP_DAY, "future"),
        ("2027-02-29", LEAP_DAY, "calendar"),
        ("1917-03-01", LEAP_DAY, None),  # 110 until tomorrow
        ("1917-02-28", LEAP_DAY, "older"),
        ("1916-02-29", datetime.date(2027, 2, 28), None),  # 111 only when 28 February is over
        ("1916-02-29", datetime.date(2027, 3, 1), "older"),
    ],
)
def test_dates_of_birth(born, today, told):
    found = registering.date_error(types.SimpleNamespace(date_of_birth=born, date_of_address_capture=None), today)
    assert found is None if told is None else told in found


@pytest.mark.parametrize(
    ("code", "age", "allows"),
    [
        (ResponseCode.NO_MATCH, 0.0, True),
        (ResponseCode.NO_MATCH, 3600.0, True),
        (ResponseCode.NO_MATCH, 3600.1, False),
        (ResponseCode.POSSIBLE_MATCH, 59.9, False),
        (ResponseCode.POSSIBLE_MATCH, 60.0, True),
        # The clock was set back since the search: it is recent, but nobody knows that the possibles were looked at.
        (ResponseCode.NO_MATCH, -3600.0, True),
        (ResponseCode.POSSIBLE_MATCH, -3600.0, False),
    ],
)
def test_a_search_allows_a_registration(code, age, allows):
    assert registering.search_allows(code, age, max_age=3600, min_age=60) is allows
