"""verifyLearner."""

from lrs_soap import model
from lrs_soap.codes import LearnerStatus, VerificationCode
from lrs_soap.operations import ahead, replies
from lrs_soap.register import Call
from lrs_soap.rules import uln, verify

# P: the stored values are given to a caller whose values agree with them, and to no other.
_GIVEN = {
    VerificationCode.MATCH,
    VerificationCode.LINKED_MATCH,
    VerificationCode.SIMILAR,
    VerificationCode.SIMILAR_LINKED,
}


def verify_learner(call: Call, request: model.VerifyLearnerRqst) -> model.VerifyLearnerResp:
    """Compares the values sent with the learner of the ULN. D: there is no ResponseCode above the verified learner."""
    asked = request.learner_to_verify
    with call.reading() as connection:
        stored = ahead.by_uln(call, connection, asked.uln) if uln.is_valid(asked.uln) else None
        found = replies.with_masters(connection, [stored] if stored else [])
    values = verified(asked, stored, found[0][0] if found else None)
    call.code = values["response_code"]
    if values["uln"]:
        call.touch(asked.uln, values["uln"])
    return model.VerifyLearnerResp(verified_learner=model.MIAPVerifiedLearner(**values))


def verified(asked, stored, current) -> dict:
    """The values of a verified learner in a reply, for one learner asked about.

    stored: the record of that ULN or None; current: the record itself, or the master it was merged into, or None when
    it was deleted. P: a merged record is compared as it was, and the ULN given is the master's.
    """
    values = {
        "searched_uln": asked.uln,
        "searched_family_name": asked.family_name,
        "searched_given_name": asked.given_name,
        "searched_date_of_birth": asked.date_of_birth or None,
        "searched_gender": asked.gender or None,
        "uln": None,
    }
    compared = stored if current is not None else None
    merged = compared is not None and stored.learner_status == LearnerStatus.MERGED
    code, flags = verify.decide(asked, compared, merged)
    values.update(response_code=code, failure_flag=flags)
    if code in _GIVEN:
        values.update(
            uln=current.uln,
            family_name=current.family_name,
            given_name=current.given_name,
            date_of_birth=current.date_of_birth,
            gender=current.gender,
        )
    return values
