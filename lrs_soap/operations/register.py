"""registerSingleLearner and updateSingleLearner."""

import dataclasses
import datetime

from lrs_soap import errors, model
from lrs_soap.codes import LearnerStatus, ResponseCode
from lrs_soap.operations import replies
from lrs_soap.register import Call
from lrs_soap.rules import matching, registering
from lrs_soap.store import learners, searches, ulns

_DETAILS = tuple(field.name for field in dataclasses.fields(model.LearnerToRegister))


def _details(learner) -> dict[str, str | None]:
    return {name: getattr(learner, name) for name in _DETAILS}


def register_single_learner(call: Call, request: model.RegisterSingleLearnerRqst) -> model.RegisterSingleLearnerResp:
    """Gives a new learner a ULN (WSRC0005), unless the same person is there already (WSRC0021, P: without the ULN).

    The database's constraint on the five folded details decides between callers who register the same person at
    once. Raises InvalidRequest for impossible dates.
    """
    wanted = request.learner
    if error := registering.date_error(wanted, call.today):
        raise errors.InvalidRequest(error, reason="unreal-date")
    if not registering.is_sufficient(wanted.verification_type, wanted.other_verification_description):
        return _registered(call, ResponseCode.INSUFFICIENT_DATA)
    with call.writing() as connection:
        if not _was_searched(call, connection, wanted) or _merged_away(connection, wanted):
            return _registered(call, ResponseCode.NOT_REGISTERED)
        new = new_learner(ulns.issue(connection)[0], registering.registered(_details(wanted)), call.today)
        if not learners.insert(connection, new, matching.identity(new), matching.stored_keys(new)):
            return _registered(call, ResponseCode.NOT_REGISTERED)
        call.touch(new.uln)
        return _registered(call, ResponseCode.REGISTERED, new.uln)


def _registered(call: Call, code: ResponseCode, uln: str | None = None) -> model.RegisterSingleLearnerResp:
    call.code = code
    return model.RegisterSingleLearnerResp(response_code=code, uln=uln)


def new_learner(uln: str, details: dict[str, str | None], today: datetime.date) -> learners.StoredLearner:
    """The first version of a learner with these details."""
    return learners.StoredLearner(
        **details,
        uln=uln,
        created_date=today.isoformat(),
        last_updated_date=today.isoformat(),
        tier_level=registering.tier_level(details["verification_type"]).value,
        learner_status=LearnerStatus.ACTIVE.value,
        version_number=1,
        master_uln=None,
    )


def _was_searched(call: Call, connection, wanted: model.LearnerToRegister) -> bool:
    """D: the historic service wanted a recent search with the same details first. P: a setting, off by default."""
    settings = call.register.settings
    if not settings.find_before_register:
        return True
    search = searches.last(connection, call.caller.organisation_id, matching.identity(wanted))
    return search is not None and registering.search_allows(
        search.code,
        (call.at - search.at).total_seconds(),
        max_age=settings.search_max_age_seconds,
        min_age=settings.search_min_age_seconds,
    )


def _merged_away(connection, wanted: model.LearnerToRegister) -> bool:
    """P: someone whose details equal a record merged away is there already, under the master's ULN."""
    query = matching.Query(**{field.name: getattr(wanted, field.name) for field in dataclasses.fields(matching.Query)})
    decision = matching.decide(query, replies.candidates(connection, matching.lookups(query)))
    return decision.outcome == ResponseCode.EXACT_MATCH


def update_single_learner(call: Call, request: model.UpdateLearnerRqst) -> model.UpdateLearnerResp:
    """Replaces a learner's details by a new version (WSRC0006) and keeps the old one as history.

    The checks stand in the documented order. Raises InvalidRequest for impossible dates.
    """
    wanted = request.learner
    if error := registering.date_error(wanted, call.today):
        raise errors.InvalidRequest(error, reason="unreal-date")
    with call.writing() as connection:
        call.code = _update(call, connection, wanted)
    return model.UpdateLearnerResp(response_code=call.code)


def _update(call: Call, connection, wanted: model.LearnerToUpdate) -> ResponseCode:
    old = learners.by_uln(connection, wanted.uln, for_update=True)
    if old is None or old.learner_status == LearnerStatus.DELETED:
        return ResponseCode.ULN_NOT_FOUND
    if old.learner_status == LearnerStatus.MERGED:
        return ResponseCode.MASTER_SUBSTITUTED
    if old.version_number != wanted.version_number:
        return ResponseCode.STALE_VERSION
    if not registering.may_change_sharing(old.ability_to_share, wanted.ability_to_share):
        return ResponseCode.INVALID_ABILITY_TO_SHARE
    new = dataclasses.replace(
        old,
        **registering.updated(_details(wanted)),
        tier_level=registering.tier_level(wanted.verification_type).value,
    )
    if not registering.is_sufficient(new.verification_type, new.other_verification_description):
        return ResponseCode.INSUFFICIENT_DATA
    if new == old:
        return ResponseCode.NO_CHANGES
    new = dataclasses.replace(new, version_number=old.version_number + 1, last_updated_date=call.today.isoformat())
    outcome = learners.replace(connection, old, new, changed_by=call.caller.organisation_id, user_name=call.user_name)
    if outcome is learners.Replaced.IDENTITY_TAKEN:
        return ResponseCode.NOT_REGISTERED
    call.touch(new.uln)
    return ResponseCode.UPDATED
