"""Registers for tests: what a handle can do, and that nothing is left; and the same for people without Python."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support import outcomes, soap

from lrs_soap import client, contract, ephemeral, model, resources, sandbox
from lrs_soap.codes import ResponseCode


@pytest.fixture(scope="module")
def registers():
    with ephemeral.Registers() as made:
        yield made


@pytest.fixture
def register(registers):
    with registers.start() as made:
        yield made


def find(register, uln, family_name, given_name="Alex", **options):
    return register.client(**options).learner_by_uln(uln, family_name, given_name)


def post(register, message: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", register.port, timeout=10)
    try:
        connection.request("POST", ephemeral.ENDPOINT, message, {"Content-Type": "text/xml; charset=utf-8"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_what_is_repeated_here_is_what_the_contract_and_the_fixtures_say():
    assert ephemeral.ENDPOINT == contract.ENDPOINT
    first = sandbox.published_organisations()[0]
    assert ephemeral.SANDBOX_ORGANISATION == ephemeral.Organisation(
        organisation_ref=first["organisation_ref"], ukprn=first["ukprn"], org_password=first["password"]
    )


def test_importing_it_imports_nothing_heavy():
    script = "import sys, lrs_soap.ephemeral; print(sorted({'lxml', 'sqlalchemy', 'zeep', 'spyne'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_register_has_the_sandbox_and_its_credentials(register):
    row = outcomes.named("uln-exact")
    assert outcomes.said(soap.answer(_Reply(*post(register, soap.message(row.operation, row.values))))) == row.expected
    assert register.wsdl_url == f"http://127.0.0.1:{register.port}/MIAPWebService/services/LearnerService?wsdl"


class _Reply:
    def __init__(self, status, body):
        self.status, self.body, self.headers = status, body, {"content-type": "text/xml; charset=utf-8"}


def test_a_learner_has_defaults_and_what_the_test_says(register):
    uln = register.add_learner(family_name="Archer", gender="2", email_address="a@example.org")
    (found,) = find(register, uln, "Archer").learner
    assert (found.given_name, found.gender, found.email_address, found.version_number) == ("Alex", "2", "a@example.org", 1)
    assert register.add_learner() != register.add_learner()


def test_a_learner_may_have_a_uln_of_ones_own(register):
    assert register.add_learner("9276308686", family_name="Archer") == "9276308686"
    assert find(register, "9276308686", "Archer").response_code == ResponseCode.EXACT_MATCH


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"gender": "7"}, "cvc-pattern-valid: Value '7'"),
        ({"date_of_birth": "2099-01-01"}, "DateOfBirth is in the future."),
        ({"last_name": "Archer"}, "last_name"),
        ({"uln": "9276308687"}, "9276308687 is not a ULN"),
        ({"uln": "4123001008"}, "there is a learner 4123001008 already"),
        ({"family_name": "Whitcombe", "given_name": "Eleanor", "date_of_birth": "2004-03-17", "gender": "2",
          "last_known_post_code": "LS6 2AB"}, "there is a learner with these names"),
    ],
)  # fmt: skip
def test_what_no_register_could_hold_is_refused_with_its_reason(register, details, said):
    with pytest.raises(ephemeral.Refused, match=said.replace("(", r"\(")):
        register.add_learner(**details)


def test_merges_and_deletions(register):
    one, other = register.add_learner(family_name="Archer"), register.add_learner(family_name="Bowman")
    register.merge(one, other)
    found = find(register, one, "Archer")
    assert (found.response_code, found.learner[0].uln) == (ResponseCode.MASTER_SUBSTITUTED, other)
    register.unmerge(one)
    assert find(register, one, "Archer").response_code == ResponseCode.EXACT_MATCH
    register.delete(one)
    assert find(register, one, "Archer").response_code == ResponseCode.NO_MATCH
    register.restore(one)
    assert find(register, one, "Archer").response_code == ResponseCode.EXACT_MATCH
    with pytest.raises(ephemeral.Refused, match="there is no learner 9276308686"):
        register.delete("9276308686")


def test_what_was_added_and_merged_is_in_the_reports(register):
    one, other = register.add_learner(), register.add_learner()
    register.merge(one, other)
    report = register.client().call("getMergedUnmergedULNsReport", from_date="2000-01-01")
    assert (one, other) in {(row.merged_uln, row.master_uln) for row in report.uln_report.merged_learners.merged_learner}


def test_another_organisation_with_fewer_rights(register):
    uln = register.add_learner(family_name="Archer")
    other = register.add_organisation(rights="find")
    assert other.org_password not in repr(other)
    lrs = register.client(other)
    assert lrs.learner_by_uln(uln, "Archer", "Alex").response_code == ResponseCode.EXACT_MATCH
    with pytest.raises(client.LrsServiceFault) as caught:
        lrs.call("getDeletedULNsReport", from_date="2000-01-01")
    assert caught.value.error_code == "WSEC0006"
    with pytest.raises(ephemeral.Refused, match="cvc-"):
        register.add_organisation(organisation_ref="too long")


def test_batches_are_worked_on(register):
    lrs = register.client()
    learner = model.BatchLearner(
        given_name="Ann", family_name="Archer", last_known_post_code="AB1 2DE", date_of_birth="2005-01-01", gender="2",
        ability_to_share="1", verification_type="1",
    )  # fmt: skip
    job = lrs.submit_batch_registration([learner], job_type="FUL").job_id
    register.finish_batches()
    output = lrs.get_batch_registration_output(job)
    assert (output.response_code, output.learner[0].return_code) == (ResponseCode.BATCH_SUCCESSFUL, "RC001")


def test_the_calls_are_there_when_the_reply_is_and_hold_no_password(register):
    find(register, "4123001008", "Whitcombe", "Eleanor")
    with pytest.raises(client.LrsServiceFault):
        find(register, "4123001008", "Whitcombe", org_password="quite-wrong-pass")
    right, wrong = register.calls
    assert (right.operation, right.code, right.status) == ("learnerByULN", "WSRC0004", 200)
    assert (right.request_judgement, right.reply_judgement) == ("valid", "valid")
    assert "<ULN>4123001008</ULN>" in right.request
    assert "<ResponseCode>WSRC0004</ResponseCode>" in right.reply
    assert (wrong.code, wrong.status) == ("WSEC0005", 500)
    assert "quite-wrong-pass" not in repr(register.calls)
    assert register.org_password not in repr(register.calls)
    register.forget_calls()
    assert register.calls == []


def test_faults_on_demand_and_back(register):
    register.misbehave("fault", code="WSEC0004", uln="4123001008", times=1)
    with pytest.raises(client.LrsServiceFault) as caught:
        find(register, "4123001008", "Whitcombe", "Eleanor")
    assert caught.value.error_code == "WSEC0004"
    assert find(register, "4123001008", "Whitcombe", "Eleanor").response_code == ResponseCode.EXACT_MATCH
    register.misbehave("drop")
    with pytest.raises(client.LrsUnreachable):
        find(register, "4123001008", "Whitcombe", "Eleanor")
    register.behave()
    assert find(register, "4123001008", "Whitcombe", "Eleanor").response_code == ResponseCode.EXACT_MATCH
    with pytest.raises(ephemeral.Refused, match="kinds are slow, fault"):
        register.misbehave("explode")


def test_registers_know_nothing_of_each_other(registers):
    with registers.start() as one, registers.start(possible_limit=1) as other:
        uln = one.add_learner(family_name="Archer")
        assert find(one, uln, "Archer").response_code == ResponseCode.EXACT_MATCH
        assert find(other, uln, "Archer").response_code == ResponseCode.NO_MATCH
        assert (len(one.calls), len(other.calls)) == (1, 1)


def test_a_setting_that_is_none_is_refused(registers):
    with pytest.raises(ephemeral.Refused):
        registers.start(posible_limit=1)


def test_the_tests_environment_does_not_reach_a_register(monkeypatch):
    monkeypatch.setenv("LRS_SOAP_HOURS", "nonsense")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    with ephemeral.Registers() as registers, registers.start() as register:
        assert find(register, "4123001008", "Whitcombe", "Eleanor").response_code == ResponseCode.EXACT_MATCH


def _open_files() -> set[str]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the directory itself
            found.add(os.readlink(f"/proc/self/fd/{name}"))
    return found


def test_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    threads, files = threading.enumerate(), _open_files()
    with ephemeral.Registers() as registers:
        register = registers.start()
        process = registers._process
        find(register, "4123001008", "Whitcombe", "Eleanor")
        with socket.create_connection(("127.0.0.1", register.port), 10) as waiting:
            message = soap.message("learnerByULN", outcomes.named("uln-exact").values)
            message = message.replace(b"Whitcombe", b"Testtimeout")  # 30 seconds
            head = f"POST {ephemeral.ENDPOINT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(message)}\r\n\r\n"
            waiting.sendall(head.encode() + message)
            register.stop()
            assert not any(tmp_path.glob("*/1"))
            with contextlib.suppress(ConnectionResetError):
                assert waiting.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", register.port), 5)
        register.stop()  # once more does nothing
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert threading.enumerate() == threads
    assert _open_files() <= files


def test_many_registers_leave_no_threads_behind_in_their_process(registers):
    def number() -> int:
        return len(os.listdir(f"/proc/{registers._process.pid}/task"))

    with registers.start() as first:
        find(first, "4123001008", "Whitcombe", "Eleanor")
        before = number()
        for _ in range(20):
            with registers.start() as another:
                find(another, "4123001008", "Whitcombe", "Eleanor")
        assert number() <= before + 10


def test_a_process_that_does_not_start_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(ephemeral, "_START", "raise SystemExit('no such luck')")
    with ephemeral.Registers() as registers, pytest.raises(ephemeral.NotStarted, match="no such luck"):
        registers.start()
    assert list(tmp_path.iterdir()) == []


def test_the_process_ends_with_its_parent_however_that_ends(tmp_path):
    script = ("import os, signal\nfrom lrs_soap import ephemeral\nregisters = ephemeral.Registers()\n"
              "print(registers.start().port, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n")  # fmt: skip
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert run.returncode == -signal.SIGKILL
    _wait(lambda: not any(tmp_path.iterdir()))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(run.stdout)), 5)


# --------------------------------------------------------------------------------------------------------------------
# lrs-soap sandbox --ephemeral --json

SANDBOX = [sys.executable, "-c", "from lrs_soap.cli.main import main; main()", "sandbox", "--ephemeral", "--json"]


def _wait(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def _sandbox(tmp_path: Path, stdin=subprocess.PIPE) -> tuple[subprocess.Popen, dict]:
    process = subprocess.Popen(
        [*SANDBOX, "--port", "0"], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(tmp_path)}, start_new_session=True,
    )  # fmt: skip
    return process, json.loads(process.stdout.readline())


def _gone(said: dict, tmp_path: Path) -> None:
    _wait(lambda: not any(tmp_path.iterdir()))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", said["port"]), 5)


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "SIGKILL", "SIGKILL to all"])
def test_an_ephemeral_sandbox_says_where_it_is_and_leaves_nothing(tmp_path, how):
    process, said = _sandbox(tmp_path)
    with process:
        assert said["pid"] == process.pid
        learner = said["learner"]
        who = {name: said[name] for name in ("organisation_ref", "ukprn", "org_password", "user_name")}
        with client.LrsClient(said["wsdl"], **who) as lrs:
            found = lrs.learner_by_uln(learner["uln"], learner["family_name"], learner["given_name"])
        assert found.response_code == ResponseCode.EXACT_MATCH
        if how == "end of input":
            process.stdin.close()
        elif how == "SIGTERM":
            process.terminate()
        elif how == "SIGKILL":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(20) == (0 if how in ("end of input", "SIGTERM") else -signal.SIGKILL)
        assert process.stdout.read() == b""
    _gone(said, tmp_path)


def test_an_ephemeral_sandbox_ends_with_its_parent_without_a_pipe(tmp_path):
    script = ("import json, subprocess, sys\ncommand = json.loads(sys.argv[1])\n"
              "process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)\n"
              "print(process.stdout.readline().decode(), flush=True)\n")  # fmt: skip
    command = [sys.executable, "-c", script, json.dumps(SANDBOX)]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    _gone(json.loads(run.stdout), tmp_path)


def test_an_ephemeral_sandbox_has_a_database_of_its_own():
    for option in (["--database", "sqlite:///x.sqlite"], ["--reset"]):
        run = subprocess.run([*SANDBOX, *option], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert run.returncode == 2
        assert "--ephemeral has a database of its own" in run.stderr


def test_the_reserved_learners_are_in_the_sandbox():
    rows = json.loads((resources.directory("fixtures") / "misbehaviour.json").read_text(encoding="utf-8"))
    learners = {learner.uln: learner.family_name for learner in sandbox.stored_learners()}
    assert rows
    assert all(learners[row["uln"]] == row["family_name"] for row in rows)
