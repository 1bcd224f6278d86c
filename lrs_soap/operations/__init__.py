"""The operation table: which function answers which operation of the WSDL, and the right it takes."""

from collections.abc import Callable
from typing import Any, NamedTuple

from lrs_soap import contract, errors
from lrs_soap.operations import find, register, verify
from lrs_soap.rules.access import Right


class Operation(NamedTuple):
    """One operation: `function(call, request) -> reply` and the right the caller needs (P)."""

    function: Callable[..., Any]
    right: Right


TABLE: dict[str, Operation] = {
    "learnerByULN": Operation(find.learner_by_uln, Right.FIND),
    "learnerByDemographics": Operation(find.learner_by_demographics, Right.FIND),
    "registerSingleLearner": Operation(register.register_single_learner, Right.REGISTER),
    "updateSingleLearner": Operation(register.update_single_learner, Right.UPDATE),
    "retrieveULNs": Operation(find.retrieve_ulns, Right.FIND),
    "verifyLearner": Operation(verify.verify_learner, Right.VERIFY),
}


def _not_yet(call: Any, request: Any) -> Any:
    raise errors.UnknownRequest("The operation is not supported.")


for _name in contract.OPERATIONS:
    TABLE.setdefault(_name, Operation(_not_yet, Right.BATCH))
