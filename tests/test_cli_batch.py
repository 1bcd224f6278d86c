"""lrs-soap batch without a service: what people and programs read."""

import json

import pytest
from click.testing import CliRunner
from support import batchfiles, canned

from lrs_soap.batchfile import state
from lrs_soap.cli import connection, main

TIMES = ("<JobStartedDateTime>2026-11-23 09:15:00</JobStartedDateTime>"
         "<JobFinishedDateTime>2026-11-23 09:16:00</JobFinishedDateTime>")  # fmt: skip
PASSWORD = "sixteen-letters!"


@pytest.fixture
def run(monkeypatch, tmp_path):
    for name in connection._NAMES:
        monkeypatch.delenv(f"LRS_{name.upper()}", raising=False)
    monkeypatch.setattr(connection, "DEFAULT_FILE", tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments):
        result = CliRunner().invoke(main.main, ["batch", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


@pytest.fixture(scope="module")
def server():
    with canned.serving() as running:
        yield running


def caller(server):
    return ["--url", server.url, "--ukprn", "TEST0001", "--user-name", "J", "--org-password", PASSWORD]


def test_validate(run, tmp_path):
    file = batchfiles.write(tmp_path, 3, n2={"DateOfBirth": "17/03/2004"})
    result = run("validate", file)
    assert result.exit_code == 1
    assert result.stdout == (
        'line 3, DateOfBirth (cell U3): The date is written day/month/year: "17/03/2004"\n'
        "    Write 2004-03-17. [date, learner]\n1 error.\n"
    )
    said = json.loads(run("validate", file, "--json").stdout)
    assert said == {"valid": False, "errors": [{
        "line": 3, "rule": "date", "message": "The date is written day/month/year", "advice": "Write 2004-03-17",
        "effect": "learner", "column": "DateOfBirth", "cell": "U3", "position": None, "value": "17/03/2004",
    }]}  # fmt: skip
    result = run("validate", batchfiles.write(tmp_path, 3), "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"valid": True, "errors": []})


def test_a_long_value_is_not_cut_silently(run, tmp_path):
    result = run("validate", batchfiles.write(tmp_path, 1, n1={"Notes": "n" * 4001}))
    assert f'"{"n" * 200}"... and 3,801 characters more' in result.stdout


def test_new_from_any_csv(run, tmp_path):
    (tmp_path / "mis.csv").write_bytes(
        b"Forename;Surname;dateofbirth;Gender;Home postcode;AbilityToShare;VerificationType;Tutor\r\n" +
        "Zoë;O'Neil;17/03/2004;2;LS6 2AB;1;2;Kay\r\n".encode("cp1252")
    )
    result = run("new", "--ukprn", "10001234", "--from", "mis.csv", "--map", "GivenName=Forename",
                 "--map", "FamilyName=Surname", "--map", "LastKnownPostCode=Home postcode", "--json")  # fmt: skip
    said = json.loads(result.stdout)
    assert (said["learners"], said["unused"]) == (1, ["Tutor"])
    assert run("validate", said["file"]).exit_code == 0
    text = (tmp_path / said["file"]).read_text("utf-8-sig")
    assert '"2004-03-17"' in text
    assert "\"O'Neil\"" in text


@pytest.mark.parametrize(("arguments", "word"), [
    (["--from", "mis.csv", "--map", "Vorname=Forename"], "Vorname"),
    (["--from", "mis.csv", "--map", "GivenName=First"], "no column First"),
    (["--from", "mis.csv", "--map", "GivenName"], "HEADING=COLUMN"),
    (["--from", "mis.csv"], "no column of mis.csv is named"),
    (["--map", "GivenName=Forename"], "--from"),
])  # fmt: skip
def test_new_says_what_does_not_fit(run, tmp_path, arguments, word):
    (tmp_path / "mis.csv").write_text("Forename,Age\nA,3\n")
    result = run("new", "--ukprn", "10001234", *arguments)
    assert result.exit_code == 2
    assert word in result.stderr
    assert list(tmp_path.glob("LRB*")) == []


def test_new_empty(run, tmp_path):
    result = run("new", "--ukprn", "10001234", "--json")
    file = tmp_path / json.loads(result.stdout)["file"]
    assert [error["rule"] for error in json.loads(run("validate", file, "--json").stdout)["errors"]][-1:] != ["heading"]
    assert len(file.read_text("utf-8-sig").splitlines()) == 2


def test_submit_status_output(run, server, tmp_path):
    file = batchfiles.write(tmp_path, 2, n2={"Gender": "5"})
    server.answer(canned.reply("submitBatchRegistration", "<ResponseCode>WSRC0007</ResponseCode><JobID>7</JobID>"))
    result = run("submit", file, *caller(server))
    assert (result.exit_code, "submitted: 1 of 2 learners in 1 calls" in result.stdout) == (0, True)
    assert "<LearnerRecordCount>1</LearnerRecordCount>" in server.sent()
    assert PASSWORD not in state.path_of(file).read_text()

    waiting = f"<ResponseCode>WSRC0008</ResponseCode><JobStatus>Waiting</JobStatus>{TIMES}"
    server.answer(canned.reply("getBatchRegistrationOutput", waiting))
    assert run("status", file, *caller(server)).exit_code == 1
    result = run("output", file, *caller(server))
    assert (result.exit_code, "has not finished job 7" in result.stderr) == (1, True)
    assert list(tmp_path.glob("*OUTPUT*")) == []

    learner = ("<Learner><ULN>9276308686</ULN><MISIdentifier>MIS-000001</MISIdentifier><GivenName>A</GivenName>"
               "<FamilyName>B</FamilyName><ReturnCode>RC001</ReturnCode></Learner>")  # fmt: skip
    server.answer(canned.reply("getBatchRegistrationOutput", f"<ResponseCode>WSRC0009</ResponseCode>{TIMES}{learner}"))
    assert run("status", file, *caller(server)).exit_code == 0
    said = json.loads(run("output", file, "--json", *caller(server)).stdout)
    assert said["return_codes"] == {"RC001": 1, "RC011": 1}


def test_submit_refuses_a_wrong_file_before_anything_is_sent(run, server, tmp_path):
    file = batchfiles.write(tmp_path, 2, n2={"Gender": "5"})
    server.requests.clear()
    result = run("submit", file, "--strict", *caller(server))
    assert (result.exit_code, "Gender" in result.stdout, server.requests) == (1, True, [])
    result = run("status", file, *caller(server))
    assert (result.exit_code, "was not submitted from here" in result.stderr) == (1, True)
