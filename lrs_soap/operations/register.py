"""registerSingleLearner and updateSingleLearner."""

import dataclasses
import datetime
import functools

from lrs_soap import errors, model
from lrs_soap.codes import LearnerStatus, ResponseCode
from lrs_soap.operations import together
from lrs_soap.register import Call
from lrs_soap.rules import registering
from lrs_soap.store import bulk, learners

_DETAILS = tuple(field.name for field in dataclasses.fields(model.LearnerToRegister))


def _details(learner) -> dict[str, str | None]:
    return {name: getattr(learner, name) for name in _DETAILS}


def register_single_learner(call: Call, request: model.RegisterSingleLearnerRqst) -> model.RegisterSingleLearnerResp:
    """Gives a new learner a ULN (WSRC0005), unless the same person is there already (WSRC0021, P: without the ULN).

    The database's constraint on the five folded details decides between callers who register the same person at
    once. Raises InvalidRequest for impossible dates.
    """
    return _made(applied(call, request))


def _made(wanted: together.Wanted | together.Reply) -> together.Reply:
    if isinstance(wanted, together.Wanted):
        together.make_together(wanted.call.register, lambda: [wanted])
        wanted = wanted.outcome
    if isinstance(wanted, Exception):
        raise wanted
    return wanted


def applied(
    call: Call, request: model.RegisterSingleLearnerRqst
) -> together.Application | model.RegisterSingleLearnerResp:
    """What of a registration needs no database: the learner as it would be stored, or the reply if the data do not
    suffice. Raises InvalidRequest for impossible dates."""
    wanted = request.learner
    if error := registering.date_error(wanted, call.today):
        raise errors.InvalidRequest(error, reason="unreal-date")
    if not registering.is_sufficient(wanted.verification_type, wanted.other_verification_description):
        call.code = ResponseCode.INSUFFICIENT_DATA
        return model.RegisterSingleLearnerResp(response_code=call.code)
    new = new_learner("", registering.registered(_details(wanted)), call.today)
    return together.Application(call, bulk.newcomer(new))


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


def update_single_learner(call: Call, request: model.UpdateLearnerRqst) -> model.UpdateLearnerResp:
    """Replaces a learner's details by a new version (WSRC0006) and keeps the old one as history.

    The checks stand in the documented order. Raises InvalidRequest for impossible dates.
    """
    return _made(change(call, request))


def change(call: Call, request: model.UpdateLearnerRqst) -> together.Change:
    """What of an update needs no database. Raises InvalidRequest for impossible dates."""
    wanted = request.learner
    if error := registering.date_error(wanted, call.today):
        raise errors.InvalidRequest(error, reason="unreal-date")
    return together.Change(call, wanted.uln, functools.partial(_updated, wanted, call.today))


def _updated(
    wanted: model.LearnerToUpdate, today: datetime.date, old: learners.StoredLearner | None
) -> tuple[ResponseCode, learners.StoredLearner | None]:
    if old is None or old.learner_status == LearnerStatus.DELETED:
        return ResponseCode.ULN_NOT_FOUND, None
    if old.learner_status == LearnerStatus.MERGED:
        return ResponseCode.MASTER_SUBSTITUTED, None
    if old.version_number != wanted.version_number:
        return ResponseCode.STALE_VERSION, None
    if not registering.may_change_sharing(old.ability_to_share, wanted.ability_to_share):
        return ResponseCode.INVALID_ABILITY_TO_SHARE, None
    new = dataclasses.replace(
        old,
        **registering.updated(_details(wanted)),
        tier_level=registering.tier_level(wanted.verification_type).value,
    )
    if not registering.is_sufficient(new.verification_type, new.other_verification_description):
        return ResponseCode.INSUFFICIENT_DATA, None
    if new == old:
        return ResponseCode.NO_CHANGES, None
    new = dataclasses.replace(new, version_number=old.version_number + 1, last_updated_date=today.isoformat())
    return ResponseCode.UPDATED, new
