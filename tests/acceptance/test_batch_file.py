"""A batch file of 5,000 learners against the real server: validate, submit, output, and back by MISIdentifier."""

import csv
import json
import subprocess
import sys

import pytest
from support import batchfiles, server

from lrs_soap.rules import uln

COUNT = 5_000
MEASURED = """
import sys, json
from lrs_soap.cli.main import main
try:
    main()
finally:
    # Of this program alone: ru_maxrss would begin with what the process that started it used.
    (peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
    print(int(peak) // 1024, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    database = f"sqlite:///{tmp_path_factory.mktemp('register') / 'register.sqlite'}"
    with server.running(database) as running:
        yield running


def run(service, *arguments: str) -> tuple[int, dict, int]:
    """Exit code, what was printed, and peak memory in MB of a command in a process of its own."""
    connection = ["--url", service.url, "--ukprn", "SAND0001", "--user-name", "Registry"] if service else []
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "batch", *arguments, *connection, "--json"],
        capture_output=True, text=True, timeout=300, check=False,
        env={"LRS_ORG_PASSWORD": "sandbox-password", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout), int(done.stderr.split()[-1])


def rows(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_full_file_there_and_back(service, tmp_path):
    file = batchfiles.write(
        tmp_path, COUNT,
        n3={"DateOfBirth": "17/03/2004"},  # the schema refuses it: it stays behind, and hinders nobody
        n4000={"DateOfBirth": "2024-03-17"},  # the service refuses it: too young
        n4999={"FamilyName": ""},
    )  # fmt: skip
    code, said, validate_memory = run(None, "validate", str(file))
    assert code == 1
    assert [(e["line"], e["column"], e["rule"], e["effect"]) for e in said["errors"]] == [
        (4, "DateOfBirth", "date", "learner"),
        (4001, "DateOfBirth", "age", "service"),
        (5000, "FamilyName", "mandatory", "learner"),
    ]

    code, said, submit_memory = run(service, "submit", str(file))
    assert (code, said["learners"], said["sent"], len(said["job_ids"])) == (0, COUNT, COUNT - 2, 25)

    code, said, output_memory = run(service, "output", str(file), "--wait")
    assert code == 1  # there are exceptions
    assert said["return_codes"] == {"RC001": COUNT - 3, "RC010": 1, "RC011": 2}
    assert max(validate_memory, submit_memory, output_memory) < 200

    sent, got = rows(file), rows(tmp_path / f"{file.stem}_OUTPUT.CSV")
    assert [row["MISIdentifier"] for row in got] == [row["MISIdentifier"] for row in sent]
    assert got[0]["LearnerRecordCount"] == str(COUNT)
    codes = {row["MISIdentifier"]: row.pop("ReturnCode") for row in got}
    assert {k: v for k, v in codes.items() if v != "RC001"} == {
        "MIS-000003": "RC011", "MIS-004000": "RC011", "MIS-004999": "RC010",
    }  # fmt: skip
    issued = {row["ULN"] for row in got if row["ULN"]}
    assert len(issued) == COUNT - 3
    assert all(uln.is_valid(number) for number in issued)
    back = {row["MISIdentifier"]: row for row in got}
    assert all(back[row["MISIdentifier"]] | {"ULN": ""} == row for row in sent)

    exceptions = rows(tmp_path / f"{file.stem}_EXCEPTIONS.CSV")
    assert [(row["Line"], row["ReturnCode"], row["Meaning"]) for row in exceptions] == [
        ("4", "RC011", "A value has an incorrect format"),
        ("4001", "RC011", "A value has an incorrect format"),
        ("5000", "RC010", "A mandatory value is empty"),
    ]
    assert exceptions[0]["Reason"] == "DateOfBirth: The date is written day/month/year"
