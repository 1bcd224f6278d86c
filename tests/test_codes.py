"""wsdl/codes.json is the only home of codes: documents, enumerations, server and what is served all read it."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import codetables

import lrs_soap
from lrs_soap import codes, contract, resources

FILE = resources.directory("wsdl") / contract.CODES
TABLES = codetables.rows_by_table()
ROWS = [(table, row) for table, rows in TABLES.items() for row in rows]
CODE = re.compile(r"(WSRC|WSEC)\d{4}|WSVRC\d{3}|VRF\d|RC\d{3}")
# The simple types of the contract that list the codes of an enumeration.
LISTED = {
    "Gender": "MIAPGender", "VerificationType": "MIAPVerificationType", "AbilityToShare": "MIAPAbilityToShare",
    "TierLevel": "MIAPTierLevel", "LearnerStatus": "MIAPLearnerStatus", "FindType": "MIAPFindType",
    "BatchJobType": "MIAPBatchJobType", "UserType": "MIAPUserType", "ContactType": "MIAPContactType",
}  # fmt: skip


def test_the_document_is_current():
    advice = "run: python tests/support/codetables.py"
    assert codetables.DOCUMENT.read_text(encoding="utf-8") == codetables.current(), advice


def test_the_document_describes_the_format():
    described = set(re.findall(r"^\| `(\w+)` \|", codetables.DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    assert described == set(json.loads(FILE.read_bytes())) | {member for _, row in ROWS for member in row}


@pytest.mark.parametrize(("table", "row"), ROWS, ids=lambda value: value if isinstance(value, str) else value["code"])
def test_each_row_has_the_format(table, row):
    more = {"error_codes": {"actor"}, "response_codes": {"used_by"}, "verification_codes": {"used_by"}}
    assert row.keys() == {"code", "name", "basis", "meaning"} | more.get(table, set())
    assert re.fullmatch(r"[A-Z][A-Z_]*", row["name"])
    assert row["basis"] in codes.TABLE["basis"]
    assert row["meaning"] == row["meaning"].strip().removesuffix(".") != ""
    assert set(row.get("used_by", [])) <= set(contract.OPERATIONS)
    if "used_by" in row:
        assert row["used_by"]


@pytest.mark.parametrize("table", TABLES)
def test_codes_and_names_are_unique_in_their_table(table):
    for member in ("code", "name"):
        values = [row[member] for row in TABLES[table]]
        assert len(set(values)) == len(values)


def test_the_enumerations_hold_every_row_and_nothing_else():
    made = {name: kind for name, kind in vars(codes).items()
            if isinstance(kind, type) and issubclass(kind, codes.Code) and kind is not codes.Code}  # fmt: skip
    names = {"response_codes": "ResponseCode", "error_codes": "ErrorCode", "verification_codes": "VerificationCode",
             "failure_flags": "FailureFlag", "return_codes": "ReturnCode", "job_statuses": "JobStatus"}  # fmt: skip
    expected = {names.get(table, table.removeprefix("enumerations.")): rows for table, rows in TABLES.items()}
    assert made.keys() == expected.keys()
    for name, rows in expected.items():
        assert [(one.value, one.name, one.meaning, one.basis) for one in made[name]] == [
            (row["code"], row["name"], row["meaning"], row["basis"]) for row in rows
        ]


@pytest.mark.parametrize("name", LISTED)
def test_the_enumerations_are_those_of_the_schemas(name):
    (pattern,) = contract.SIMPLE_TYPES[LISTED[name]].patterns
    assert pattern.split("|") == [row["code"] for row in codes.TABLE["enumerations"][name]]


def test_every_enumeration_is_compared_with_the_schemas():
    assert LISTED.keys() == codes.TABLE["enumerations"].keys()


def test_no_code_is_written_in_the_program():
    """The conformance suite is left out: what it expects of any service must not follow from what ours says."""
    package = Path(lrs_soap.__file__).parent
    found = {}
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] in ("conformance", "wsdl", "fixtures"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.setdefault(path.name, []).append(node.value)
    assert found == {}


def test_another_table_makes_another_server(tmp_path):
    """With other words in a copy of codes.json, the enumerations, the fault and the served file have them."""
    shutil.copytree(FILE.parent, tmp_path / "wsdl")
    text = FILE.read_text(encoding="utf-8")
    changed = text.replace("The organisation could not be identified", "Nobody knows you").replace('"WSRC0001"', '"WSRC9001"')
    assert changed.count("Nobody knows you") == changed.count("WSRC9001") == 1
    (tmp_path / "wsdl" / contract.CODES).write_text(changed, encoding="utf-8")
    program = """
import datetime, pathlib, sys
from lrs_soap import resources
original = resources.directory
resources.directory = lambda name: pathlib.Path(sys.argv[1]) if name == "wsdl" else original(name)
from lrs_soap import codes, contract, errors
from lrs_soap.wire import faults
from lrs_soap.client import values
print(contract.FILES[contract.CODES] == (pathlib.Path(sys.argv[1]) / contract.CODES).read_bytes())
print(codes.ResponseCode.NO_MATCH.value, repr(values.code("ResponseCode", "WSRC9001")))
print(faults.declared(errors.UnknownOrganisation(), datetime.datetime(2026, 11, 23)).decode())
"""
    command = [sys.executable, "-c", program, str(tmp_path / "wsdl")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("True\nWSRC9001 <ResponseCode.NO_MATCH WSRC9001: No match was found>\n")
    assert "<Description>Nobody knows you</Description>" in done.stdout
