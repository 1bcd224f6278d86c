"""Whether the details sent with a ULN are its learner's: verifyLearner, one or a batch of them."""

import typing

from lrs_soap import codes
from lrs_soap.codes import FailureFlag, VerificationCode
from lrs_soap.rules import matching, names


class Claim(typing.Protocol):
    """What a caller says of a learner; date of birth and gender are None or empty when not supplied."""

    given_name: str
    family_name: str
    date_of_birth: str | None
    gender: str | None


class Verification(typing.NamedTuple):
    """The answer, and for NO_MATCH the reasons in the order of the table."""

    code: codes.VerificationCode
    flags: tuple[codes.FailureFlag, ...] = ()


def decide(claim: Claim, learner: matching.Candidate | None, linked: bool = False) -> Verification:
    """Whether `claim` is `learner`, which is None where the ULN is unknown or deleted; `linked` where the ULN was
    merged away.

    D  MATCH: every supplied value equal. SIMILAR: the names similar, the rest equal. The linked forms for a merged ULN.
    P  Names are similar when a find by ULN would take them: `matching.names_known`.
    """
    if learner is None:
        return Verification(VerificationCode.ULN_NOT_FOUND)
    flags = _flags(claim, learner)
    if not flags:
        return Verification(VerificationCode.LINKED_MATCH if linked else VerificationCode.MATCH)
    known = matching.names_known(claim.given_name, claim.family_name, learner) is not matching.NamesKnown.NO
    if known and not {FailureFlag.DATE_OF_BIRTH, FailureFlag.GENDER}.intersection(flags):
        return Verification(VerificationCode.SIMILAR_LINKED if linked else VerificationCode.SIMILAR)
    return Verification(VerificationCode.NO_MATCH, flags)


def _flags(claim: Claim, learner: matching.Candidate) -> tuple[codes.FailureFlag, ...]:
    """D what each flag compares. P the other two comparisons of a name count only where its own fails."""
    given, family = names.fold(claim.given_name), names.fold(claim.family_name)
    stored_given, stored_family = names.fold(learner.given_name), names.fold(learner.family_name)
    previous = names.fold(learner.previous_family_name)
    given_differs, family_differs = given != stored_given, family != stored_family
    failures = {
        FailureFlag.GIVEN_NAME: given_differs,
        FailureFlag.GIVEN_NAME_AS_FAMILY: given_differs and given != stored_family,
        FailureFlag.GIVEN_NAME_AS_PREVIOUS: given_differs and given != previous,
        FailureFlag.FAMILY_NAME_AS_GIVEN: family_differs and family != stored_given,
        FailureFlag.FAMILY_NAME: family_differs,
        FailureFlag.FAMILY_NAME_AS_PREVIOUS: family_differs and family != previous,
        FailureFlag.DATE_OF_BIRTH: bool(claim.date_of_birth) and claim.date_of_birth != learner.date_of_birth,
        FailureFlag.GENDER: bool(claim.gender) and claim.gender != learner.gender,
    }
    return tuple(flag for flag, failed in failures.items() if failed)
