"""What becomes of each learner of a registration batch is decided here.

D  FUL and CHK; what RC006, RC010 and RC011 mean; the age of 13 to 110. P  all else:

    the learner sent                                                  FUL           CHK
    ----------------------------------------------------------------  ------------  ------
    a name empty; without ULN also another of the five searched for    RC010         RC010
    a ULN that fails its check, a date that is none or in the future,
      an age outside of 13 to 110                                      RC011         RC011
    with a ULN (9999999999, the ILR's "not yet known", is none)
      unknown or deleted                                               RC005         RC005
      merged away, names and other values of either record             RC004         RC004
      names equal (as a find by ULN compares them), date of birth and
        gender equal where sent: see "the learner itself"
      names only similar, the rest equal                               RC007         RC007
      anything else                                                    RC009         RC009
    without a ULN: a search with the five fields, the optional ones narrowing it
      exact: a record merged away                                      RC004         RC004
      exact: see "the learner itself"
      one to `limit` possible matches                                  RC007         RC007
      more                                                             RC008         RC008
      nobody, and AbilityToShare or VerificationType is empty, or
        VerificationType is 999 without a description                  RC006         RC005
      nobody                                                           RC001 new ULN RC005
    the learner itself
      nothing that is sent would change it                             RC002         RC002
      something would                                                  RC003 done    RC002
      but the change would leave VerificationType 999 undescribed      RC006         RC002
      but the new postcode makes the five those of another learner     RC007         RC002

An update by batch is cautious, for a file has no VersionNumber to say what its writer last saw. An empty value keeps
the stored one. The two names, date of birth and gender stay as registered: they had to agree already. An address
whose DateOfAddressCapture is before the stored one is not taken, nor AbilityToShare 0 once the notice was seen, nor
VerificationType 0.
"""

import collections
import datetime
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from lrs_soap import model
from lrs_soap.codes import BatchJobType, ResponseCode, ReturnCode, VerificationCode, VerificationType
from lrs_soap.rules import dates, matching, names, registering, uln, verify

YOUNGEST = 13
"""D: who is younger, in completed years, is not taken from a batch."""

NOT_YET_KNOWN = "9999999999"

SEARCHED = ("given_name", "family_name", "date_of_birth", "gender", "last_known_post_code")
_ADDRESS = (
    "last_known_address_line1", "last_known_address_line2", "last_known_address_town",
    "last_known_address_county_or_city", "last_known_post_code", "date_of_address_capture",
)  # fmt: skip
CHANGEABLE = (
    *_ADDRESS, "title", "middle_other_name", "preferred_given_name", "previous_family_name", "family_name_at_age16",
    "school_at_age16", "place_of_birth", "email_address", "nationality", "scottish_candidate_number",
    "ability_to_share", "verification_type", "other_verification_description", "notes",
)  # fmt: skip


class Outcome(NamedTuple):
    """What becomes of a learner. learner: the stored one that was found and may be told; changes: the values to set,
    for UPDATED."""

    code: ReturnCode
    learner: Any = None
    changes: Mapping[str, str] = MappingProxyType({})


def given_uln(learner: model.BatchLearner) -> str | None:
    """The ULN to look up, or None: then a search with the details it is."""
    return learner.uln if learner.uln and learner.uln != NOT_YET_KNOWN else None


def refusal(learner: model.BatchLearner, today: datetime.date) -> ReturnCode | None:
    """Why a learner is not even looked for, or None."""
    mandatory = ("given_name", "family_name") if given_uln(learner) else SEARCHED
    if not all((getattr(learner, name) or "").strip() for name in mandatory):
        return ReturnCode.MANDATORY_EMPTY
    if given_uln(learner) and not uln.is_valid(learner.uln):
        return ReturnCode.INCORRECT_FORMAT
    if learner.date_of_address_capture and not dates.is_real(learner.date_of_address_capture):
        return ReturnCode.INCORRECT_FORMAT
    if not learner.date_of_birth:
        return None
    if not dates.is_real(learner.date_of_birth):
        return ReturnCode.INCORRECT_FORMAT
    old_enough = YOUNGEST <= dates.age(learner.date_of_birth, today) <= dates.OLDEST
    return None if old_enough else ReturnCode.INCORRECT_FORMAT


def query(learner: model.BatchLearner) -> matching.Query:
    """The search for a learner without a ULN."""
    optional = {name: getattr(learner, name) or None for name in matching.OPTIONAL_FIELDS}
    return matching.Query(**{name: getattr(learner, name) for name in SEARCHED}, **optional)


def with_uln(job_type: str, learner: model.BatchLearner, stored: Any, current: Any) -> Outcome:
    """For a learner sent with a ULN. stored: the record of the ULN or None; current: the record itself or the live
    master it was merged into, None if that is deleted."""
    if stored is None or current is None:
        return Outcome(ReturnCode.NOT_FOUND)
    if stored.uln != current.uln:
        agreed = {_agreement(learner, record) for record in (stored, current)}
        if ReturnCode.FOUND in agreed:
            return Outcome(ReturnCode.MASTER_SUBSTITUTED, current)
        return Outcome(ReturnCode.POSSIBLE_MATCH if ReturnCode.POSSIBLE_MATCH in agreed else ReturnCode.DETAILS_DISAGREE)
    code = _agreement(learner, stored)
    return _found(job_type, learner, stored) if code is ReturnCode.FOUND else Outcome(code)


def _agreement(learner: model.BatchLearner, record: Any) -> ReturnCode:
    """FOUND, POSSIBLE_MATCH or DETAILS_DISAGREE."""
    verified = verify.decide(learner, record)
    if verified.code == VerificationCode.MATCH:
        return ReturnCode.FOUND
    if verified.code != VerificationCode.SIMILAR:
        return ReturnCode.DETAILS_DISAGREE
    known = matching.names_known(learner.given_name, learner.family_name, record)
    return ReturnCode.FOUND if known is matching.NamesKnown.EQUAL else ReturnCode.POSSIBLE_MATCH


def without_uln(job_type: str, learner: model.BatchLearner, decision: matching.Decision, current: Any) -> Outcome:
    """For a learner sent without a ULN. decision: of `matching.decide`; current: for an exact match that was merged
    away its live master, else the match itself."""
    if decision.outcome == ResponseCode.EXACT_MATCH:
        if decision.matches[0].learner.uln != current.uln:
            return Outcome(ReturnCode.MASTER_SUBSTITUTED, current)
        return _found(job_type, learner, current)
    if decision.outcome == ResponseCode.POSSIBLE_MATCH:
        return Outcome(ReturnCode.POSSIBLE_MATCH)
    if decision.outcome == ResponseCode.TOO_MANY_MATCHES:
        return Outcome(ReturnCode.TOO_MANY_MATCHES)
    if job_type != BatchJobType.FULL:
        return Outcome(ReturnCode.NOT_FOUND)
    described = registering.is_sufficient(learner.verification_type, learner.other_verification_description)
    if not (learner.ability_to_share and learner.verification_type and described):
        return Outcome(ReturnCode.INSUFFICIENT_DATA)
    return Outcome(ReturnCode.REGISTERED)


def _found(job_type: str, learner: model.BatchLearner, stored: Any) -> Outcome:
    new = changes(learner, stored) if job_type == BatchJobType.FULL else {}
    if not new:
        return Outcome(ReturnCode.FOUND, stored)
    verification_type = new.get("verification_type", stored.verification_type)
    description = new.get("other_verification_description", stored.other_verification_description)
    if not registering.is_sufficient(verification_type, description):
        return Outcome(ReturnCode.INSUFFICIENT_DATA)
    return Outcome(ReturnCode.UPDATED, stored, new)


def changes(learner: model.BatchLearner, stored: Any) -> dict[str, str]:
    """The values of `stored` that a FUL batch changes."""
    sent = {name: getattr(learner, name) for name in CHANGEABLE if getattr(learner, name)}
    captured, known = sent.get("date_of_address_capture"), stored.date_of_address_capture
    if captured and known and captured < known:
        sent = {name: value for name, value in sent.items() if name not in _ADDRESS}
    if not registering.may_change_sharing(stored.ability_to_share, sent.get("ability_to_share", stored.ability_to_share)):
        del sent["ability_to_share"]
    if sent.get("verification_type") == VerificationType.NOT_PROVIDED:
        del sent["verification_type"]
    if names.fold_postcode(sent.get("last_known_post_code")) == names.fold_postcode(stored.last_known_post_code):
        sent.pop("last_known_post_code", None)  # another way to write the same
    return {name: value for name, value in sent.items() if value != getattr(stored, name)}


_COUNTED = {
    "new_learners_count": {ReturnCode.REGISTERED},
    "exists_updated_learners_count": {ReturnCode.FOUND, ReturnCode.UPDATED, ReturnCode.MASTER_SUBSTITUTED},
    "possible_match_learners_count": {ReturnCode.POSSIBLE_MATCH, ReturnCode.TOO_MANY_MATCHES},
    "learners_not_found_count": {ReturnCode.NOT_FOUND},
}


def counts(return_codes: Iterable[str]) -> dict[str, int]:
    """The five counts of a registration batch's output, by the attributes of the reply. Rejected is the rest."""
    found = collections.Counter(return_codes)
    counted = {name: sum(found[code] for code in those) for name, those in _COUNTED.items()}
    return counted | {"rejected_learners_count": found.total() - sum(counted.values())}
