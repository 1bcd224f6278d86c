"""getMergedUnmergedULNsReport and getDeletedULNsReport."""

import datetime

from lrs_soap import errors, model
from lrs_soap.codes import ResponseCode
from lrs_soap.register import ENGLAND, Call
from lrs_soap.rules import reporting
from lrs_soap.rules.merging import Event
from lrs_soap.store import merges


def get_merged_unmerged_ulns_report(call: Call, request: model.ULNReportRqst) -> model.ULNReportResp:
    """The merges and unmerges of a period that concern the caller (WSRC0023), or that there were none (WSRC0024).

    P: a merge that was undone stays in the list of merges, and the unmerge is in the other: both happened. Raises
    InvalidRequest for dates that make no period.
    """
    since, until = _period(call, request)
    with call.reading() as connection:
        merged, unmerged = (
            merges.merges(connection, event, call.caller.organisation_id, since, until)
            for event in (Event.MERGED, Event.UNMERGED)
        )
    for row in (*merged, *unmerged):
        call.touch(row.uln, row.master_uln)
    return _reply(
        call,
        request,
        merged_learners=model.MIAPMergedLearners(merged_learner=tuple(map(_merged, merged))) if merged else None,
        unmerged_learners=(
            model.MIAPUnmergedLearners(unmerged_learner=tuple(map(_unmerged, unmerged))) if unmerged else None
        ),
    )


def get_deleted_ulns_report(call: Call, request: model.ULNReportRqst) -> model.ULNReportResp:
    """The deletions of a period that concern the caller (WSRC0023), or that there were none (WSRC0024).

    P: a deletion that was undone is not listed. Raises InvalidRequest for dates that make no period.
    """
    since, until = _period(call, request)
    with call.reading() as connection:
        rows = merges.deletions(connection, call.caller.organisation_id, since, until)
    call.touch(*(row.uln for row in rows))
    deleted = tuple(model.MIAPDeletedLearner(uln=row.uln, deleted_date=_date(row)) for row in rows)
    return _reply(
        call, request, deleted_learners=model.MIAPDeletedLearners(deleted_learner=deleted) if deleted else None
    )


def _period(call: Call, request: model.ULNReportRqst) -> tuple[datetime.datetime, datetime.datetime]:
    if error := reporting.date_error(request.from_date, request.to_date, call.today):
        raise errors.InvalidRequest(error, reason="report-dates")
    return reporting.moments(request.from_date, request.to_date, call.today, ENGLAND)


def _reply(call: Call, request: model.ULNReportRqst, **lists) -> model.ULNReportResp:
    """P: FromDate and ToDate as sent; a list without rows is left out, and the report without lists."""
    found = any(lists.values())
    call.code = ResponseCode.REPORT_FOUND if found else ResponseCode.REPORT_EMPTY
    return model.ULNReportResp(
        response_code=call.code,
        from_date=request.from_date,
        to_date=request.to_date,
        uln_report=model.MIAPULNReport(**lists) if found else None,
    )


def _date(row: merges.Decision) -> str:
    """P: the day in England."""
    return row.at.astimezone(ENGLAND).date().isoformat()


def _master(row: merges.Decision) -> dict[str, str]:
    return {
        "master_uln": row.master_uln,
        "master_family_name": row.master_family_name,
        "master_given_name": row.master_given_name,
        "master_date_of_birth": row.master_date_of_birth,
    }


def _merged(row: merges.Decision) -> model.MIAPMergedLearner:
    return model.MIAPMergedLearner(
        **_master(row),
        merged_uln=row.uln,
        merged_family_name=row.family_name,
        merged_given_name=row.given_name,
        merged_date_of_birth=row.date_of_birth,
        merged_date=_date(row),
    )


def _unmerged(row: merges.Decision) -> model.MIAPUnmergedLearner:
    return model.MIAPUnmergedLearner(
        **_master(row),
        unmerged_uln=row.uln,
        unmerged_family_name=row.family_name,
        unmerged_given_name=row.given_name,
        unmerged_date_of_birth=row.date_of_birth,
        unmerged_date=_date(row),
    )
