"""What may be registered and updated: values in, values out."""

import datetime
from collections.abc import Mapping
from typing import Any

from lrs_soap.codes import AbilityToShare, ResponseCode, TierLevel, VerificationType
from lrs_soap.rules import dates

def date_error(details: Any, today: datetime.date) -> str | None:
    """What is wrong with the dates of a learner to register or update, or None.

    P: WSEC0001 for a date that the calendar does not have (the schema takes 1900-02-29), a date of birth in the
    future, and an age over 110. `details` has date_of_birth and date_of_address_capture as yyyy-MM-dd.
    """
    if not dates.is_real(details.date_of_birth):
        return "DateOfBirth is not a date of the calendar."
    if details.date_of_address_capture and not dates.is_real(details.date_of_address_capture):
        return "DateOfAddressCapture is not a date of the calendar."
    age = dates.age(details.date_of_birth, today)
    if age < 0:
        return "DateOfBirth is in the future."
    if age > dates.OLDEST:
        return f"DateOfBirth makes the learner older than {dates.OLDEST} years."
    return None


def is_sufficient(verification_type: str, other_verification_description: str | None) -> bool:
    """Whether the data suffices (D: VerificationType 999 needs OtherVerificationDescription, else WSRC0015)."""
    return verification_type != VerificationType.OTHER or bool((other_verification_description or "").strip())


def tier_level(verification_type: str) -> TierLevel:
    """P: tier 0 for verification 0, 1 for 1, 2 for the rest."""
    if verification_type == VerificationType.NOT_PROVIDED:
        return TierLevel.UNVERIFIED
    return TierLevel.SCHOOL if verification_type == VerificationType.SCHOOL else TierLevel.DOCUMENT


def may_change_sharing(old: str, new: str) -> bool:
    """Whether AbilityToShare may go from `old` to `new` (P: a notice once seen cannot be unseen, else WSRC0014)."""
    return new != AbilityToShare.NOTICE_NOT_SEEN or old == AbilityToShare.NOTICE_NOT_SEEN


def registered(details: Mapping[str, str | None]) -> dict[str, str | None]:
    """The values to store for a new learner: an empty element is the same as an absent one."""
    return {name: value or None for name, value in details.items()}


def updated(details: Mapping[str, str | None]) -> dict[str, str | None]:
    """The values an update sets. P: an omitted element keeps the stored value, an empty one clears it."""
    return {name: value or None for name, value in details.items() if value is not None}


def search_allows(code: str, age: float, *, max_age: float, min_age: float) -> bool:
    """Whether a search of `age` seconds ago that ended in `code` lets its caller register.

    D: a registration needs a search with the same details no older than a maximum and, after a possible match, no
    younger than a minimum (time to have looked at the possibles). P: both ages are settings.
    """
    return age <= max_age and (code != ResponseCode.POSSIBLE_MATCH or age >= min_age)
