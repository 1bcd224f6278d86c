"""Canaries: names, dates, postcodes, e-mails and passwords go through the real server in every kind of call, fault and
failure, at log level DEBUG; then everything the server said is searched for them.

Allowed is what the caller is told by contract: the reply of an operation, and FurtherDetails of WSEC0001 and WSEC0002,
which repeat what that caller sent. An OrgPassword is allowed nowhere.
"""

import contextlib
import itertools
import logging
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa
from support import canaries, leaky, server, soap

from lrs_soap import client, contract, passwords
from lrs_soap.rules import access
from lrs_soap.store import engine as engines
from lrs_soap.store import organisations, schema, tables

SUPPORT = pathlib.Path(leaky.__file__).parent.parent
NOBODY = "9276308686"
SUBMITS = {"submitBatchRegistration", "submitVerifyBatch"}


class Talk:
    """What is said to a running server, and everything that was answered."""

    def __init__(self, running):
        self.running, self.replies = running, []
        self.uln = NOBODY

    def post(self, message: bytes, **headers) -> server.Reply:
        reply = self.running.post(message, **headers)
        self.replies.append(reply)
        return reply

    def call(self, operation, **changed) -> soap.Answer:
        values = canaries.values(operation, self.uln) | {name.replace("__", "."): value for name, value in changed.items()}
        return soap.answer(self.post(soap.message(operation, values)))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def talk(request):
    """A server that `leaky` makes crash, on a register with the organisation of the canaries."""
    databases = request.getfixturevalue(f"{request.param}_databases")
    url = databases.migrated()
    engine = engines.create(url)
    with engines.write(engine) as conn:
        organisations.add(conn, organisation_ref="CANARY", ukprn="CANARY01", name="College",
                          password_hash=passwords.hash_password(canaries.PASSWORD), rights=access.ALL)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "START", f"import sys; sys.path.insert(0, {str(SUPPORT)!r}); from support import leaky; {server.START}")
        with server.running(url, "serve", log_level="DEBUG", job_poll_seconds=0.05, audit_flush_seconds=0.05,
                            audit_seal_seconds=0.1, max_body_bytes=100_000) as running:  # fmt: skip
            talk = Talk(running)
            talk.engine = engine
            talk.uln = talk.call("registerSingleLearner").text("ULN")
            yield talk
    engine.dispose()
    databases.drop(url)


@pytest.fixture(autouse=True)
def nothing_leaks(talk):
    """After each test: what the server printed and logged, its figures, and the faults it gave, hold no canary."""
    talk.replies.clear()
    yield
    assert_clean(talk)


def assert_clean(talk):
    for said in (talk.running.output, talk.running.get("/metrics").body.decode()):
        assert not canaries.personal(said) and not canaries.passwords(said)
    for reply in talk.replies:
        text = reply.body.decode("utf-8", "replace")
        assert not canaries.passwords(text)
        if reply.status != 200:
            if "WSEC0001" in text or "WSEC0002" in text:
                text = re.sub("<FurtherDetails>.*?</FurtherDetails>", "", text, flags=re.DOTALL)
            assert not canaries.personal(text), text
        assert not canaries.personal(" ".join(f"{name}: {value}" for name, value in reply.headers.items()))


def logged(talk, event, since=0) -> int:
    """How many lines of the log, from a place in it on, hold the text."""
    return talk.running.output[since:].count(event)


def test_the_search_finds_what_it_looks_for():
    for value in canaries.DETAILS.values():
        if len(value) > 3:
            assert canaries.personal(f"... {value.lower()} ..."), value
    for value in (canaries.PASSWORD, canaries.WRONG_PASSWORD):
        assert canaries.passwords(f"'{value}'")


@pytest.mark.parametrize("operation", contract.OPERATIONS)
def test_calls_that_go_well(talk, operation):
    answer = talk.call(operation)
    assert not answer.is_fault


@pytest.mark.parametrize("operation", contract.OPERATIONS)
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"OrgPassword": canaries.WRONG_PASSWORD}, "WSEC0005"),
        ({"OrganisationRef": "NOBODY"}, "WSEC0003"),
        ({"UserName": "Crash"}, "WSEC0999"),
    ],
)
def test_faults(talk, operation, changed, code):
    since = len(talk.running.output)
    answer = talk.call(operation, **changed)
    assert answer.text("ErrorCode") == code
    if code == "WSEC0999":
        assert logged(talk, "unexpected error", since) == 1


@pytest.mark.parametrize("operation", contract.OPERATIONS)
def test_every_element_in_a_wrong_form(talk, operation):
    values = canaries.values(operation, talk.uln)
    refused = 0
    for path, value in values.items():
        if path in ("UserName", "OrganisationRef", "UKPRN"):
            continue  # who called is in the audit by intention
        for wrong in (f"{value} Xcan{'x' * 4000}", f"<{value} Xcan"):
            answer = soap.answer(talk.post(soap.message(operation, values | {path: wrong})))
            refused += answer.is_fault
        soap.answer(talk.post(soap.message(operation, values | {path: None})))
        soap.answer(talk.post(soap.message(operation, values | {path: ""})))
    assert refused > len(values) / 2


def test_a_password_in_a_wrong_form_is_not_repeated(talk):
    for wrong in (canaries.PASSWORD + "x", canaries.PASSWORD[:-1], canaries.WRONG_PASSWORD * 3):
        answer = talk.call("learnerByULN", OrgPassword=wrong)
        assert answer.text("ErrorCode") == "WSEC0001"
    message = soap.message("learnerByULN", canaries.values("learnerByULN", talk.uln))
    element = f"<OrgPassword>{canaries.PASSWORD}</OrgPassword>".encode()
    for instead in (
        element + element,
        f"<OrgPassword><b>{canaries.PASSWORD}</b></OrgPassword>".encode(),
        f'<OrgPassword a="{canaries.PASSWORD}">{canaries.PASSWORD}</OrgPassword>'.encode(),
        f"<OrgPasswort>{canaries.PASSWORD}</OrgPasswort>".encode(),
        f"<OrganisationPassword>{canaries.PASSWORD}</OrganisationPassword>".encode(),
    ):
        assert element in message
        assert talk.post(message.replace(element, instead)).status == 500


def test_malformed_messages(talk):
    message = soap.message("registerSingleLearner", canaries.values("registerSingleLearner", talk.uln))
    name = canaries.DETAILS["FamilyName"].encode()
    broken = [message[:cut] for cut in range(60, len(message), 97)]
    broken += [
        message.replace(b">" + name + b"<", b">" + other + b"<")
        for other in (b"&" + name + b";", b"<" + name + b"/>", b"\xff" + name, b"<!--" + name, b"<![CDATA[" + name, b"\x00" + name)
    ]
    broken += [
        b"<!DOCTYPE x [<!ENTITY e '" + name + b"'>]>" + message,
        b"<?" + name + b" " + name + b"?>" + message,
        soap.envelope(f"<{name.decode()}>{canaries.PASSWORD}</{name.decode()}>").encode(),
        message.replace(b"<soapenv:Body>", b'<soapenv:Header><h xmlns="x" soapenv:mustUnderstand="1">' + name
                        + b"</h></soapenv:Header><soapenv:Body>"),
        message.replace(b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope"),
        name, canaries.PASSWORD.encode(), message + message, message * 200,
    ]  # fmt: skip
    # What SOAP itself faults holds nothing; the declared fault repeats what it must, to its caller alone.
    for body in broken:
        assert talk.post(body).status == 500
    for charset in ("utf-16", "utf-7", canaries.DETAILS["FamilyName"]):
        talk.post(message, Content_Type=f"text/xml; charset={charset}")
    assert talk.post(message, Content_Type=f"text/{name.decode()}").status == 415


def test_canaries_around_the_message(talk):
    name = canaries.DETAILS["FamilyName"]
    message = soap.message("learnerByULN", canaries.values("learnerByULN", talk.uln))
    for headers in ({"SOAPAction": name}, {"X_Forwarded_For": name}, {"User_Agent": name}, {"Cookie": canaries.PASSWORD},
                    {"Authorization": canaries.PASSWORD}):  # fmt: skip
        assert talk.post(message, **headers).status == 200
    for path in (f"/{name}", f"/?{name}", f"{contract.ENDPOINT}?{name}", f"{contract.ENDPOINT}/{name}", "/metrics", "/readyz",
                 f"/healthz?{name}"):  # fmt: skip
        talk.replies.append(talk.running.get(path))
        talk.replies.append(talk.running.request("DELETE", path))
    for raw in (b"GET /" + name.encode(), b"POST " + name.encode() + b" HTTP/1.1\r\n\r\n", name.encode() + b"\r\n\r\n",
                b"GET / HTTP/1.1\r\n" + name.encode() + b"\r\n\r\n"):  # fmt: skip
        with socket.create_connection(("127.0.0.1", talk.running.port), timeout=5) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                assert not canaries.personal(connection.recv(65536).decode("latin-1"))


@contextlib.contextmanager
def poisoned(engine):
    """The database refuses every change of a learner, and says the values in its error."""
    values = f"{canaries.DETAILS['FamilyName']} {canaries.DETAILS['LastKnownPostCode']} {canaries.PASSWORD}"
    if engine.dialect.name == "sqlite":
        make = [f"CREATE TRIGGER poison_{change} BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, '{values}'); END"
                for change, table in (("INSERT", "learner"), ("UPDATE", "learner_history"))]  # fmt: skip
        undo = ["DROP TRIGGER poison_INSERT", "DROP TRIGGER poison_UPDATE"]
    else:
        # PostgreSQL's own DETAIL of such an error is the whole row.
        make = ["ALTER TABLE learner ADD CONSTRAINT poison CHECK (length(family_name) < 0) NOT VALID"]
        undo = ["ALTER TABLE learner DROP CONSTRAINT poison"]
    change(engine, make)
    try:
        yield
    finally:
        change(engine, undo)


@contextlib.contextmanager
def without(engine, table):
    """The table is not there."""
    change(engine, [f"ALTER TABLE {table} RENAME TO {table}_gone"])
    try:
        yield
    finally:
        change(engine, [f"ALTER TABLE {table}_gone RENAME TO {table}"])


def change(engine, statements):
    with engines.write(engine) as conn:
        for statement in statements:
            conn.exec_driver_sql(statement)


def test_errors_of_the_database_with_values_in_them(talk):
    since = len(talk.running.output)
    with poisoned(talk.engine):
        answer = talk.call("registerSingleLearner", Learner__FamilyName="Zzxcanother")
        assert answer.text("ErrorCode") == "WSEC0999"
        assert logged(talk, "unexpected error", since) == 1 and logged(talk, "IntegrityError", since)
        job = talk.call("submitBatchRegistration", Learner__ULN=None, Learner__FamilyName="Ppxcanbatched",
                        Learner__GivenName="Uuxcan", Learner__LastKnownPostCode="AB1 2DE", Learner__DateOfBirth="1961-03-29",
                        Learner__PreferredGivenName=None, Learner__PreviousFamilyName=None, Learner__FamilyNameAtAge16=None,
                        Learner__EmailAddress=None)  # fmt: skip
        assert finished(talk, "getBatchRegistrationOutput", job.text("JobID")).text("ReturnCode") == "RC011"
    assert logged(talk, "learner not processed", since) == 1


@pytest.mark.parametrize("table", ["learner", "learner_identity", "search", "audit", "job", "organisation"])
def test_a_table_that_is_gone(talk, table):
    with without(talk.engine, table):
        answers = [talk.call(operation) for operation in contract.OPERATIONS]
        # Who is registered already is found without their identity.
        answers.append(talk.call("registerSingleLearner", Learner__FamilyName=f"Zzxcan{table}"))
        time.sleep(0.3)  # for the workers to meet it
    # Searches are not used here, and organisations are remembered for a while.
    assert table in ("search", "organisation") or any(answer.is_fault for answer in answers)
    until = time.monotonic() + 20
    while talk.call("learnerByULN").is_fault and time.monotonic() < until:
        time.sleep(0.1)


def finished(talk, operation, job_id) -> soap.Answer:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        answer = talk.call(operation, JobID=job_id)
        if answer.text("ResponseCode") != "WSRC0008" if "ResponseCode" in {e.tag for e in answer.body.iter()} else True:
            return answer
        time.sleep(0.1)
    raise AssertionError("the batch was not finished")


def test_a_batch_worker_that_crashes(talk):
    since = len(talk.running.output)
    job = talk.call("submitBatchRegistration", Learner__MISIdentifier="crash Ggxcan", Learner__ULN=None)
    answer = finished(talk, "getBatchRegistrationOutput", job.text("JobID"))
    assert answer.text("ReturnCode") == "RC011"
    assert logged(talk, "learner not processed", since) == 1


def test_the_audit_holds_no_canary_and_is_sealed(talk):
    talk.call("learnerByULN")
    time.sleep(0.5)
    with talk.engine.connect() as conn:
        for name in ("audit", "audit_learner", "record_look", "audit_prune"):
            text = str(conn.execute(sa.text(f"SELECT * FROM {name}")).all())
            assert not canaries.personal(text) and not canaries.passwords(text)
        assert conn.execute(sa.select(sa.func.count()).select_from(tables.audit)).scalar() > 13
    # Nor does anything but the learner's own data hold a password.
    with talk.engine.connect() as conn:
        for table in tables.metadata.sorted_tables:
            assert not canaries.passwords(str(conn.execute(sa.select(table)).all())), table.name


def run(talk, *arguments, stdin="", **environment):
    """The output of lrs-soap as a client, both streams."""
    done = subprocess.run(
        [sys.executable, "-c", server.START, *arguments], check=False, input=stdin, capture_output=True, text=True, timeout=60,
        env={**os.environ, "LRS_URL": talk.running.url, "LRS_ORGANISATION_REF": "CANARY", "LRS_USER_NAME": "A Tester",
             "LRS_ORG_PASSWORD": canaries.PASSWORD} | environment,
    )  # fmt: skip
    return done.stdout, done.stderr


def test_the_command_line_says_no_password_and_errors_name_nobody(talk):
    d = canaries.DETAILS
    find = ["find", "--family-name", d["FamilyName"], "--given-name", d["GivenName"], "--gender", "2",
            "--last-known-post-code", d["LastKnownPostCode"], "--date-of-birth", d["DateOfBirth"]]  # fmt: skip
    for arguments, environment in itertools.product(
        (find, [*find, "--json"]),
        ({}, {"LRS_ORG_PASSWORD": canaries.WRONG_PASSWORD}, {"LRS_URL": "http://127.0.0.1:9"}, {"LRS_USER_NAME": "Crash"},
         {"LRS_URL": f"http://127.0.0.1:{talk.running.port}/healthz"}, {"LRS_ORGANISATION_REF": "NOBODY"}),
    ):  # fmt: skip
        out, err = run(talk, *arguments, **environment)
        assert not canaries.passwords(out + err)
        assert not canaries.personal(err), err
        assert not environment or not canaries.personal(out), out
    out, err = run(talk, *find, "--password-stdin", stdin=canaries.WRONG_PASSWORD + "\n")
    assert "WSEC0005" in err and not canaries.passwords(out + err)
    database = {"LRS_SOAP_DATABASE": talk.running.database}
    with without(talk.engine, "learner"):
        for arguments in (["learner", "show", talk.uln, "--operator", "Op"],
                          ["subject", talk.uln, "--reason", "17", "--operator", "Op"]):  # fmt: skip
            out, err = run(talk, *arguments, **database)
            assert "cannot be used" in err and not canaries.personal(out + err)
    with poisoned(talk.engine):
        out, err = run(talk, "learner", "delete", talk.uln, "--reason", "r", "--yes", "--operator", "Op", **database)
        if talk.engine.dialect.name == "postgresql":
            assert "cannot be used" in err
        assert not canaries.personal(out + err) and not canaries.passwords(out + err)


class _Heard(logging.Handler):
    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


def test_the_client_library_tells_nothing(talk):
    heard, root = _Heard(), logging.getLogger()
    root.addHandler(heard)
    level = root.level
    root.setLevel(logging.DEBUG)
    told = []
    try:
        find = {"find_type": "FUL", "date_of_birth": canaries.DETAILS["DateOfBirth"], "gender": "2",
                "family_name": canaries.DETAILS["FamilyName"], "given_name": canaries.DETAILS["GivenName"],
                "last_known_post_code": canaries.DETAILS["LastKnownPostCode"]}  # fmt: skip
        given = {"organisation_ref": "CANARY", "org_password": canaries.PASSWORD, "user_name": "A Tester", "timeout": 10}
        for more, changed in (
            ({"org_password": canaries.WRONG_PASSWORD}, {}), ({"user_name": "Crash"}, {}), ({}, {"gender": "Xcan"}),
            ({"url": "http://127.0.0.1:9"}, {}), ({"url": f"http://127.0.0.1:{talk.running.port}/healthz"}, {}),
            ({}, {"no_such_element": "Xcan"}), ({}, {"date_of_birth": None}), ({}, {"given_name": "Xcan\x00"}),
            ({"organisation_ref": "NOBODY"}, {}),
        ):  # fmt: skip
            with client.LrsClient(**{"url": talk.running.url} | given | more) as service:
                with pytest.raises(client.LrsClientError) as raised:
                    service.call("learnerByDemographics", **find | changed)
                told += [str(raised.value), repr(raised.value), repr(service)]
    finally:
        root.removeHandler(heard)
        root.setLevel(level)
    everything = "\n".join(told + heard.lines)
    assert len(told) == 27
    assert not canaries.passwords(everything)
    assert not canaries.personal(everything)


def test_the_register_is_current(talk):
    # Whatever was done to the database above was undone.
    assert schema.is_current(talk.engine)
    assert not talk.call("learnerByULN").is_fault
