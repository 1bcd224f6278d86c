"""rules.verify: every code, every flag."""

import dataclasses

import pytest

from lrs_soap.codes import VerificationCode
from lrs_soap.rules import verify


@dataclasses.dataclass(frozen=True)
class Person:
    given_name: str = "Susan"
    family_name: str = "Clarke"
    date_of_birth: str | None = "1990-05-17"
    gender: str | None = "2"
    preferred_given_name: str | None = "Sukie"
    previous_family_name: str | None = "Boyle"
    family_name_at_age16: str | None = "Adair"


LEARNER = Person()


@pytest.mark.parametrize(
    ("changes", "code", "flags"),
    [
        ({}, "WSVRC001", ""),
        ({"given_name": "SUSAN", "family_name": "clarke "}, "WSVRC001", ""),
        ({"date_of_birth": None, "gender": None}, "WSVRC001", ""),
        ({"date_of_birth": "", "gender": ""}, "WSVRC001", ""),
        ({"given_name": "Sue"}, "WSVRC003", ""),
        ({"given_name": "Sukie"}, "WSVRC003", ""),
        ({"family_name": "Clark"}, "WSVRC003", ""),
        ({"family_name": "Boyle"}, "WSVRC003", ""),
        ({"family_name": "Adair", "date_of_birth": None}, "WSVRC003", ""),
        ({"given_name": "Martin"}, "WSVRC005", "VRF1 VRF2 VRF3"),
        ({"given_name": "Clarke"}, "WSVRC005", "VRF1 VRF3"),
        ({"given_name": "Boyle"}, "WSVRC005", "VRF1 VRF2"),
        ({"family_name": "Jones"}, "WSVRC005", "VRF4 VRF5 VRF6"),
        ({"family_name": "Susan"}, "WSVRC005", "VRF5 VRF6"),
        ({"given_name": "Clarke", "family_name": "Susan"}, "WSVRC005", "VRF1 VRF3 VRF5 VRF6"),
        ({"family_name": "Boyle", "gender": "1"}, "WSVRC005", "VRF4 VRF5 VRF8"),
        ({"date_of_birth": "1990-05-18"}, "WSVRC005", "VRF7"),
        ({"gender": "1"}, "WSVRC005", "VRF8"),
        ({"given_name": "Sue", "date_of_birth": "1990-05-18"}, "WSVRC005", "VRF1 VRF2 VRF3 VRF7"),
        (
            {"given_name": "A", "family_name": "B", "date_of_birth": "1990-05-18", "gender": "9"},
            "WSVRC005",
            "VRF1 VRF2 VRF3 VRF4 VRF5 VRF6 VRF7 VRF8",
        ),
    ],
)
def test_codes_and_flags(changes, code, flags):
    decided = verify.decide(dataclasses.replace(LEARNER, **changes), LEARNER)
    assert decided.code == code
    assert " ".join(decided.flags) == flags


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, "WSVRC002"), ({"given_name": "Sue"}, "WSVRC004"), ({"given_name": "Martin"}, "WSVRC005")],
)
def test_linked_forms_of_a_merged_uln(changes, code):
    assert verify.decide(dataclasses.replace(LEARNER, **changes), LEARNER, linked=True).code == code


def test_without_a_previous_family_name_its_comparison_fails():
    learner = dataclasses.replace(LEARNER, previous_family_name=None)
    assert "VRF6" in verify.decide(dataclasses.replace(LEARNER, family_name="Jones"), learner).flags


def test_a_uln_that_is_not_found():
    assert verify.decide(LEARNER, None) == (VerificationCode.ULN_NOT_FOUND, ())
