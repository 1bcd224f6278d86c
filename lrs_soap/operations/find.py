"""learnerByULN, learnerByDemographics and retrieveULNs."""

from lrs_soap import errors, model
from lrs_soap.codes import FindType, LearnerStatus, ResponseCode
from lrs_soap.operations import ahead, replies
from lrs_soap.register import Call
from lrs_soap.rules import dates, matching, uln
from lrs_soap.store import learners, searches


def learner_by_uln(call: Call, request: model.LearnerByULNRqst) -> model.FindLearnerResp:
    """Finds the learner of a ULN for a caller who knows the names.

    P: both names must be the learner's, or, of a merged ULN, those of its record or of the master: nothing of a
    learner is given to one who does not know them. D: the reply echoes what was asked (P: ULN and the two names).
    """
    found, code = [], ResponseCode.NO_MATCH
    with call.reading() as connection:
        stored = ahead.by_uln(call, connection, request.uln) if uln.is_valid(request.uln) else None
        if stored is not None and stored.learner_status != LearnerStatus.DELETED:
            found = replies.with_masters(connection, [stored])
        if found:
            master, substituted = found[0]
            known = matching.names_known(request.given_name, request.family_name, stored)
            if substituted:
                known = max(known, matching.names_known(request.given_name, request.family_name, master))
            if known is matching.NamesKnown.EQUAL:
                code = ResponseCode.MASTER_SUBSTITUTED if substituted else ResponseCode.EXACT_MATCH
            elif known is matching.NamesKnown.SIMILAR:
                code = ResponseCode.POSSIBLE_MATCH
            else:
                found = []
        learners_found = _show(call, connection, request.find_type, found)
    call.code = code
    return model.FindLearnerResp(
        response_code=code,
        uln=request.uln,
        family_name=request.family_name,
        given_name=request.given_name,
        learner=learners_found,
    )


def learner_by_demographics(call: Call, request: model.LearnerByDemographicsRqst) -> model.FindLearnerResp:
    """Finds learners by the five demographics, narrowed by the optional ones.

    D: the reply echoes the five as sent, whatever was found. Raises InvalidRequest for a date that is none.
    """
    if not dates.is_real(request.date_of_birth):
        raise errors.InvalidRequest("DateOfBirth is not a date of the calendar.", reason="unreal-date")
    limit = call.register.settings.possible_limit
    with call.reading() as connection:
        exact = ahead.by_details(call, connection, request)
        if exact is not None:
            code, found = ResponseCode.EXACT_MATCH, [(exact, False)]
        else:
            first = ahead.first_candidates(call, connection, request)
            decision = replies.decided(connection, _query(request), first, limit)
            code, found = decision.outcome, replies.matched(connection, decision)
            if decision.matches and not found:
                code = ResponseCode.NO_MATCH
            elif code == ResponseCode.EXACT_MATCH and found[0][1]:
                code = ResponseCode.MASTER_SUBSTITUTED
        learners_found = _show(call, connection, request.find_type, found)
    call.code = code
    if call.register.settings.find_before_register:
        with call.writing() as connection:
            searches.remember(connection, call.caller.organisation_id, matching.identity(request), code, call.at)
    return model.FindLearnerResp(
        response_code=code,
        family_name=request.family_name,
        given_name=request.given_name,
        date_of_birth=request.date_of_birth,
        gender=request.gender,
        last_known_post_code=request.last_known_post_code,
        learner=learners_found,
    )


def _query(request: model.LearnerByDemographicsRqst) -> matching.Query:
    return matching.Query(
        given_name=request.given_name,
        family_name=request.family_name,
        date_of_birth=request.date_of_birth,
        gender=request.gender,
        last_known_post_code=request.last_known_post_code,
        previous_family_name=request.previous_family_name or None,
        school_at_age16=request.school_at_age16 or None,
        place_of_birth=request.place_of_birth or None,
        email_address=request.email_address or None,
    )


def _show(call: Call, connection, find_type: str, found) -> tuple[model.Learner, ...]:
    """The learners of a find's reply. D: FUL returns them. P: CHK returns the code and the echo only."""
    if find_type != FindType.FULL:
        return ()
    call.touch(*[stored.uln for stored, _ in found])
    return tuple([replies.learner(connection, stored, substituted) for stored, substituted in found])


def retrieve_ulns(call: Call, request: model.RetrieveULNsRqst) -> model.RetrieveULNsResp:
    """Says of each ULN what the register holds, in the order asked.

    P: WSRC0004 with the learner's data; WSRC0022 with MasterULN and the master's data; WSRC0001 alone.
    """
    asked = request.ulns_to_retrieve.uln
    with call.reading() as connection:
        held = learners.by_ulns(connection, [number for number in dict.fromkeys(asked) if uln.is_valid(number)])
        rows = {number: _retrieved(call, connection, number, held.get(number)) for number in dict.fromkeys(asked)}
    call.code = ResponseCode.EXACT_MATCH if call.ulns else ResponseCode.NO_MATCH
    return model.RetrieveULNsResp(
        retrieved_ulns=model.MIAPRetrievedULNs(verified_uln=tuple(rows[number] for number in asked))
    )


def _retrieved(call: Call, connection, number: str, stored) -> model.MIAPRetrievedULN:
    found = replies.with_masters(connection, [stored] if stored else [])
    if not found:
        return model.MIAPRetrievedULN(uln=number, response_code=ResponseCode.NO_MATCH)
    current, substituted = found[0]
    call.touch(number, current.uln)
    return model.MIAPRetrievedULN(
        uln=number,
        master_uln=current.uln if substituted else None,
        response_code=ResponseCode.MASTER_SUBSTITUTED if substituted else ResponseCode.EXACT_MATCH,
        family_name=current.family_name,
        given_name=current.given_name,
        date_of_birth=current.date_of_birth,
        gender=current.gender,
    )
