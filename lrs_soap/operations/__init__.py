"""The operation table: which function answers which operation of the WSDL, and the right it takes."""

from collections.abc import Callable
from typing import Any, NamedTuple

from lrs_soap.operations import batch, find, record, register, reports, verify
from lrs_soap.rules.access import Right


class Operation(NamedTuple):
    """One operation: `function(call, request) -> reply` and the right the caller needs (P).

    quick: it only reads a few rows, so that a worker need not hand it to a thread. apply: of an operation whose effects
    may be made together, `apply(call, request)` gives what `together` takes, or the reply if there is nothing to do.
    """

    function: Callable[..., Any]
    right: Right
    quick: bool = False
    apply: Callable[..., Any] | None = None


TABLE: dict[str, Operation] = {
    "learnerByULN": Operation(find.learner_by_uln, Right.FIND, quick=True),
    "learnerByDemographics": Operation(find.learner_by_demographics, Right.FIND, quick=True),
    "registerSingleLearner": Operation(register.register_single_learner, Right.REGISTER, apply=register.applied),
    "updateSingleLearner": Operation(register.update_single_learner, Right.UPDATE, apply=register.change),
    "getMergedUnmergedULNsReport": Operation(reports.get_merged_unmerged_ulns_report, Right.REPORT),
    "getDeletedULNsReport": Operation(reports.get_deleted_ulns_report, Right.REPORT),
    "submitBatchRegistration": Operation(batch.submit_batch_registration, Right.BATCH),
    "getBatchRegistrationOutput": Operation(batch.get_batch_registration_output, Right.BATCH),
    "submitVerifyBatch": Operation(batch.submit_verify_batch, Right.VERIFY),
    "getVerifyBatchOutput": Operation(batch.get_verify_batch_output, Right.VERIFY),
    "retrieveULNs": Operation(find.retrieve_ulns, Right.FIND, quick=True),
    "verifyLearner": Operation(verify.verify_learner, Right.VERIFY, quick=True),
    "getLearnerRecord": Operation(record.get_learner_record, Right.RECORD),
}
