"""getLearnerRecord."""

import dataclasses

from lrs_soap import errors, model
from lrs_soap.codes import ResponseCode
from lrs_soap.operations import replies
from lrs_soap.register import Call
from lrs_soap.rules import dates, record, uln
from lrs_soap.store import events, learners

_FIELDS = tuple(f.name for f in dataclasses.fields(model.MIAPLearnerRecord) if f.name != "learning_events")


def get_learner_record(call: Call, request: model.LearnerRecordRqst) -> model.LearnerRecordResp:
    """Shows a learner's record and learning events to a caller who knows ULN and demographics.

    P: WSEC0208 unless all of them verify; WSEC0206 unless the learner asks or shares; else the record, a merged
    learner's being the master's (WSRC0022). The request is echoed. Raises InvalidRequest for a date that is none.

    P: a look is audited before it is answered, whatever the audit setting: with the ULNs it was about, and as whom and
    how it was asked for.
    """
    if not dates.is_real(request.date_of_birth):
        raise errors.InvalidRequest("DateOfBirth is not a date of the calendar.", reason="unreal-date")
    with call.writing() as connection:
        call.code, shown = _look(call, connection, request)
        events.note_look(connection, call.request_id, request.user_type, request.lnr_contact_type)
    return model.LearnerRecordResp(
        response_code=call.code,
        incoming_uln=request.uln,
        incoming_family_name=request.family_name,
        incoming_given_name=request.given_name,
        incoming_date_of_birth=request.date_of_birth,
        incoming_gender=request.gender,
        incoming_last_known_post_code=request.last_known_post_code,
        learner_record=shown,
    )


def _look(call: Call, connection, request) -> tuple[ResponseCode, model.MIAPLearnerRecord | None]:
    stored = learners.by_uln(connection, request.uln) if uln.is_valid(request.uln) else None
    found = replies.with_masters(connection, [stored] if stored else [])
    if not found:
        return ResponseCode.NOT_VERIFIED, None
    current, substituted = found[0]
    if not record.is_verified(request, stored, current):
        return ResponseCode.NOT_VERIFIED, None
    call.touch(stored.uln, current.uln)
    if not record.may_see(current.ability_to_share, request.user_type):
        return ResponseCode.NOT_SHARED, None
    code = ResponseCode.MASTER_SUBSTITUTED if substituted else ResponseCode.EXACT_MATCH
    return code, _record(connection, current)


def _record(connection, learner: learners.StoredLearner) -> model.MIAPLearnerRecord:
    """P: the events of every ULN merged into the learner are the learner's; LearningEvents is there also when empty."""
    found = events.of_ulns(connection, [learner.uln, *learners.linked_ulns(connection, learner.uln)])
    return model.MIAPLearnerRecord(
        **{name: getattr(learner, name) for name in _FIELDS},
        learning_events=model.MIAPLearningEvents(learning_event=record.in_order(found)),
    )
