"""Faults on demand: what a client meets, what is done all the same, and that a register in use never does any of it."""

import contextlib
import http.client
import json
import subprocess
import sys
import time

import pytest
from support import outcomes, server, soap

from lrs_soap import contract, resources, sandbox
from lrs_soap.rules import matching
from lrs_soap.store import engine, matches
from lrs_soap.wire import misbehave

ROWS = json.loads((resources.directory("fixtures") / "misbehaviour.json").read_text(encoding="utf-8"))
LEARNERS = {learner.uln: learner for learner in sandbox.stored_learners()}
BY_NAME = {row["family_name"]: row for row in ROWS}


def find(family_name: str, **changes) -> bytes:
    learner = LEARNERS[BY_NAME[family_name]["uln"]]
    values = outcomes.named("uln-exact").values
    return soap.message("learnerByULN", values | {
        "ULN": learner.uln, "FamilyName": learner.family_name, "GivenName": learner.given_name
    } | changes)  # fmt: skip


def register(family_name: str, given_name: str) -> bytes:
    values = outcomes.named("register-new").values
    return soap.message("registerSingleLearner", values | {
        "Learner.FamilyName": family_name, "Learner.GivenName": given_name, "Learner.DateOfBirth": "2005-05-05",
    })  # fmt: skip


def outcomes_message() -> bytes:
    row = outcomes.named("uln-exact")
    return soap.message(row.operation, row.values)


def note(running) -> str:
    return json.loads(running.get("/calls.json?last=1").body)[0]["note"]


@pytest.mark.parametrize(("family_name", "code"), [("Testclosed", "WSEC0004"), ("Testbroken", "WSEC0999")])
def test_faults(sandbox, family_name, code):
    reply = sandbox.post(find(family_name))
    assert reply.status == 500
    assert outcomes.said(soap.answer(reply)) == [code]
    assert note(sandbox) == f"fault on demand: fault ({code})"


def test_by_uln_or_by_family_name_in_whatever_encoding(sandbox):
    for message in (
        find("Testclosed", FamilyName="Other"),
        find("Testclosed", ULN="4123001008", FamilyName="TESTCLOSED"),
    ):
        assert b"WSEC0004" in sandbox.post(message).body
    wide = find("Testclosed").decode().encode("utf-16")
    assert b"WSEC0004" in sandbox.post(wide, Content_Type="text/xml; charset=utf-16").body


def test_a_wrong_password_or_an_invalid_message_does_not_matter(sandbox):
    assert b"WSEC0004" in sandbox.post(find("Testclosed", OrgPassword="wrong-password-1")).body
    assert b"WSEC0004" in sandbox.post(find("Testclosed", FindType="XXX")).body


@pytest.mark.parametrize("family_name", ["Testdropped", "Testlost"])
def test_a_connection_that_is_dropped(sandbox, family_name):
    with pytest.raises(http.client.RemoteDisconnected):
        sandbox.post(find(family_name))


def test_a_reply_that_breaks_off(sandbox):
    with pytest.raises(http.client.IncompleteRead) as caught:
        sandbox.post(find("Testcut"))
    assert caught.value.partial.startswith(b"<?xml")
    assert b"</soapenv:Envelope>" not in caught.value.partial


def test_a_proxys_page(sandbox):
    reply = sandbox.post(find("Testgateway"))
    assert (reply.status, reply.headers["content-type"]) == (502, "text/html; charset=utf-8")


def test_slow_is_late_and_right_and_keeps_nobody_waiting(sandbox):
    began = time.monotonic()
    reply = sandbox.post(find("Testslow"))
    assert time.monotonic() - began >= BY_NAME["Testslow"]["seconds"]
    assert b"<ResponseCode>WSRC0004</ResponseCode>" in reply.body


@pytest.mark.parametrize(
    ("family_name", "done"),
    [("Testdropped", False), ("Testclosed", False), ("Testgateway", False), ("Testlost", True), ("Testcut", True)],
)
def test_what_was_asked_for_is_done_or_not(sandbox, family_name, done):
    message = register(family_name, f"Done{family_name}")
    with contextlib.suppress(http.client.HTTPException):
        sandbox.post(message)
    database = engine.create(sandbox.database)
    values = outcomes.named("register-new").values
    query = matching.Query(
        family_name=family_name, given_name=f"Done{family_name}", date_of_birth="2005-05-05",
        gender=values["Learner.Gender"], last_known_post_code=values["Learner.LastKnownPostCode"],
    )  # fmt: skip
    with engine.read(database) as connection:
        found = matches.by_details(connection, query)
    database.dispose()
    assert (found is not None) is done


def test_the_connection_goes_on_after_a_fault_on_demand(sandbox):
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    headers = {"Content-Type": "text/xml"}
    for message, code in [(find("Testclosed"), b"WSEC0004"), (outcomes_message(), b"WSRC0004")]:
        connection.request("POST", contract.ENDPOINT, message, headers)
        assert code in connection.getresponse().read()
    connection.close()


def test_serve_never_misbehaves(sqlite_databases):
    url = sqlite_databases.sandbox()
    with server.running(url, "serve", allow_sandbox_organisations=True) as running:
        # Its published password opens no register in use unless this says so; what counts is that a reply comes.
        for row in ROWS:
            reply = running.post(find(row["family_name"]))
            assert b"WSRC0004" in reply.body, row["what"]
    sqlite_databases.drop(url)


def test_nothing_of_it_is_loaded_by_a_register_in_use():
    script = ("import sys, lrs_soap.server, lrs_soap.wire.app, lrs_soap.wire.http\n"
              "print([name for name in sys.modules if name.rpartition('.')[2] in ('misbehave', 'recorder', 'sandboxed')])")
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_plan_counts_and_forgets():
    plan = misbehave.Plan([])
    assert plan.next(find("Testcut"), None) is None
    plan.add(misbehave.Misbehaviour(kind="slow", seconds=1, times=2))
    plan.add(misbehave.Misbehaviour(kind="drop", family_name="Testcut"))
    kinds = [plan.next(find("Testcut"), None).kind for _ in range(3)]
    assert kinds == [misbehave.Kind.SLOW, misbehave.Kind.SLOW, misbehave.Kind.DROP]
    assert plan.next(find("Testslow"), None) is None
    assert plan.next(b"not xml", None) is None
    plan.clear()
    assert plan.next(find("Testcut"), None) is None


def test_what_is_reserved_stays():
    plan = misbehave.Plan()
    plan.add(misbehave.Misbehaviour(kind="drop"))
    plan.clear()
    assert plan.next(find("Testcut"), None).kind is misbehave.Kind.TRUNCATE
    assert plan.next(outcomes_message(), None) is None


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "explode"}, {"kind": "fault", "code": "WSRC0001"}, {"kind": "slow", "seconds": -1}, {"kind": "slow", "times": 0}],
)
def test_what_cannot_be(wrong):
    with pytest.raises(misbehave.Unusable):
        misbehave.Misbehaviour(**wrong)
