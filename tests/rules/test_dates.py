"""rules.dates: days that were, and ages in completed years."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs_soap.rules import dates


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("2000-02-29", True),
        ("1900-02-29", False),  # the schema takes it
        ("1999-02-29", False),
        ("1999-12-31", True),
        ("1999-13-01", False),
        ("19991231", False),
        ("1999-W01-1", False),
        ("1999-1-1", False),
        ("", False),
    ],
)
def test_is_real(text, real):
    assert dates.is_real(text) is real


@given(st.dates())
def test_every_day_is_real(day):
    assert dates.is_real(day.isoformat())


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        ("2000-06-15", datetime.date(2026, 6, 14), 25),
        ("2000-06-15", datetime.date(2026, 6, 15), 26),
        ("2000-02-29", datetime.date(2026, 2, 28), 25),
        ("2000-02-29", datetime.date(2026, 3, 1), 26),
        ("2012-02-29", datetime.date(2025, 2, 28), 12),
        ("2012-02-29", datetime.date(2025, 3, 1), 13),
        ("1916-02-29", datetime.date(2026, 2, 28), dates.OLDEST - 1),
        ("1916-02-29", datetime.date(2026, 3, 1), dates.OLDEST),
        ("1916-02-29", datetime.date(2028, 2, 28), dates.OLDEST + 1),
        ("1916-02-29", datetime.date(2028, 2, 29), dates.OLDEST + 2),
        ("2000-03-01", datetime.date(2028, 2, 29), 27),
        ("2026-06-15", datetime.date(2026, 6, 14), -1),
        ("1916-06-15", datetime.date(2026, 6, 15), dates.OLDEST),
        ("1915-06-15", datetime.date(2026, 6, 15), dates.OLDEST + 1),
    ],
)
def test_age(born, today, age):
    assert dates.age(born, today) == age
