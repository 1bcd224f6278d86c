"""Learning events, and who may see a learner's record: values in, values out.

The 34 fields are the contract's. P: everything decided about them here is ours, since the historic service left the
message and no rule of how its data came in; docs/record.md says it for callers and for those who load files.
"""

import enum
import hashlib
import re
from collections.abc import Iterable

from lrs_soap import model
from lrs_soap.codes import AbilityToShare, UserType
from lrs_soap.rules import matching


class Source(str, enum.Enum):
    """D: where learning events come from."""

    ILR = "ILR"
    """Individualised Learner Record: further education."""
    NPD = "NPD"
    """National Pupil Database: schools."""

    def __str__(self) -> str:
        return self.value


KEY = (
    "achievement_provider_ukprn",
    "awarding_organisation_code",
    "framework_code",
    "programme_code",
    "qualification_type_code",
    "subject_code",
    "academic_year",
    "collection_type",
    "retake_indicator",
    "participation_start_date",
)
"""P: two rows of one learner and one source that agree in these are the same event, told at different times."""


def key(source: str, event: model.MIAPLearningEvent) -> bytes:
    """16 bytes that are equal for two rows of one learner exactly when they are the same event."""
    values = (source, *(getattr(event, name) or "" for name in KEY))
    # Lengths before the values: no value can be read as the end of one and the beginning of the next.
    text = "".join(f"{len(value)}:{value}" for value in values)
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()


class Verdict(str, enum.Enum):
    """What becomes of a row of a file."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"  # a later return is stored already
    CONFLICT = "conflict"  # another version is stored, and nothing says which of the two is later

    def __str__(self) -> str:
        return self.value


def decide(stored: model.MIAPLearningEvent | None, new: model.MIAPLearningEvent) -> Verdict:
    """What becomes of `new` where `stored` is the same event in the register, if it is there.

    P: the later of two versions stays, whichever is loaded first: by ReturnNumber, IncrementNumber and
    LastUpdatedDateTime, in that order.
    """
    if stored is None:
        return Verdict.ADDED
    if new == stored:
        return Verdict.UNCHANGED
    if _told(new) == _told(stored):
        return Verdict.CONFLICT
    return Verdict.REPLACED if _told(new) > _told(stored) else Verdict.SUPERSEDED


_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


def _told(event: model.MIAPLearningEvent) -> tuple[int, int, str]:
    """When an event was told. P: of a ReturnNumber such as R04 the number counts; without one it is the earliest."""
    number = _NUMBER.search(event.return_number)
    return int(number[0]) if number else -1, event.increment_number, event.last_updated_date_time


def in_order(events: Iterable[model.MIAPLearningEvent]) -> tuple[model.MIAPLearningEvent, ...]:
    """The events as a record shows them.

    P: the latest academic year first; within it the latest date (of the award, else the assessment, the end, the
    start); then by qualification, subject and provider, and at last by every other field, so that the order is always
    the same.
    """
    return tuple(sorted(sorted(events, key=_named), key=_when, reverse=True))


def _when(event: model.MIAPLearningEvent) -> tuple[str, str]:
    date = (
        event.achievement_award_date
        or event.assessment_date
        or event.participation_end_date
        or event.participation_start_date
    )
    return event.academic_year, date or ""


def _named(event: model.MIAPLearningEvent) -> tuple:
    first = (event.qualification_title, event.subject_title, event.achievement_provider_ukprn)
    # An absent value is not comparable with a text or a number, but with an empty tuple.
    rest = (getattr(event, name) for name in event.__slots__)
    return first, tuple(() if value is None else (value,) for value in rest)


def is_verified(claim: matching.Details, *records: matching.Details) -> bool:
    """Whether the five demographics are those of one of the records, as in an exact match.

    records: the record of the ULN, and the master it was merged into. P: the details of either verify, as in a find by
    ULN; all five must be the same record's, else WSEC0208.
    """
    wanted = matching.identity(claim)
    return any(matching.identity(record) == wanted for record in records)


def may_see(ability_to_share: str, user_type: str) -> bool:
    """Whether the record may be shown. P: to the learner always; to others when the learner has seen the privacy
    notice and may share (AbilityToShare 1), else WSEC0206."""
    return user_type == UserType.LEARNER or ability_to_share == AbilityToShare.SHARE
