"""Every row of fixtures/outcomes.csv over HTTP, on both databases, each reply judged by lxml and xmlschema."""

import pytest
from support import outcomes, soap

from lrs_soap import codes, contract
from lrs_soap.rules import uln

# Not on demand: docs/sandbox.md says which setting gives WSEC0004; nobody foresees a WSEC0999.
NOT_IN_THE_SANDBOX = {codes.ErrorCode.OUT_OF_HOURS, codes.ErrorCode.UNEXPECTED_ERROR}

ROWS = outcomes.rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.case)
def test_a_row_of_the_table(sandbox, row):
    answer = soap.answer(sandbox.post(row.message))
    assert outcomes.said(answer) == row.expected, answer.texts("FurtherDetails")
    assert outcomes.shown(answer) == row.ulns
    if row.expected == [codes.ResponseCode.REGISTERED]:
        assert uln.is_valid(answer.text("ULN"))
    elif row.operation == "registerSingleLearner":
        assert answer.texts("ULN") == []
    if "afterwards" in row.changes:
        again = soap.answer(sandbox.post(row.message))
        assert outcomes.said(again) == [row.changes.split()[-1]]


@pytest.mark.parametrize("operation", contract.OPERATIONS)
def test_the_table_has_every_code_of_each_operation(operation):
    answered = {code for row in ROWS if row.operation == operation for code in row.expected}
    rows = codes.TABLE["response_codes"] + codes.TABLE["verification_codes"]
    documented = {row["code"] for row in rows if operation in row["used_by"]}
    assert answered & {row["code"] for row in rows} == documented


def test_the_table_has_every_failure_flag_return_code_and_fault():
    answered = {code for row in ROWS for code in row.expected}
    assert {code for code in answered if code.startswith("VRF")} == set(codes.FailureFlag)
    assert {code for code in answered if code.startswith("RC0")} == set(codes.ReturnCode)
    assert {code for code in answered if code.startswith("WSEC")} - set(codes.ResponseCode) == set(codes.ErrorCode) - NOT_IN_THE_SANDBOX


def test_cases_have_names_of_their_own_and_a_basis():
    names = [row.case for row in ROWS]
    assert len(names) == len(set(names))
    assert {row.basis for row in ROWS} == {"D", "P"}
