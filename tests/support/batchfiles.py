"""Batch files for tests: of any length, with invented learners."""

import datetime
from pathlib import Path

from lrs_soap.batchfile import new

NAME = "LRB_SAND0001_231120260915.CSV"
_GIVEN = ("Amelia", "Oliver", "Isla", "Noah", "Ava", "George", "Mia", "Arthur", "Ivy", "Leo", "Zoë", "Siân")
_FAMILY = ("Smith", "Jones", "Taylor", "Brown", "Evans", "O'Neil", "Walsh", "Nguyen", "Patel", "Khan", "Lewis-Hall", "Ó")


def row(number: int, **more: str) -> dict[str, str]:
    """A learner that is different for each number, by heading."""
    born = datetime.date(1996, 1, 1) + datetime.timedelta(days=number * 7 % 4000)
    letters = "".join(chr(97 + number // 26**place % 26) for place in range(4))
    return {
        "MISIdentifier": f"MIS-{number:06}",
        "GivenName": f"{_GIVEN[number % len(_GIVEN)]}{letters}",
        "FamilyName": f"{_FAMILY[number // 7 % len(_FAMILY)]}{letters[::-1]}",
        "DateOfBirth": born.isoformat(),
        "Gender": "12"[number % 2],
        "LastKnownPostCode": f"LS{number % 29 + 1} {number % 9 + 1}AB",
        "AbilityToShare": "1",
        "VerificationType": "2",
    } | more


def write(directory: Path, count: int, name: str = NAME, **changed: dict[str, str]) -> Path:
    """A file of `count` learners; changed: other values for the learner of a number, as n7={"Gender": "5"}."""
    path = directory / name
    rows = (row(number, **changed.get(f"n{number}", {})) for number in range(1, count + 1))
    new.write(path, name.split("_")[1], rows, count)
    return path
