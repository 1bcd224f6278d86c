"""What comes from outside stays a value: in SQL, in the log, in paths, in the WSDL's address, in HTTP itself."""

import asyncio
import json
import re
import socket

import pytest
import sqlalchemy as sa
from support import outcomes, secured, server, soap

from lrs_soap import contract, settings
from lrs_soap.register import Register
from lrs_soap.store import engine as engines
from lrs_soap.store import organisations, tables
from lrs_soap.wire import app, origin
from lrs_soap.wire import soap as service

ENDPOINT = contract.ENDPOINT
DIRECTORY = "/MIAPWebService/services/"
FOUND = outcomes.named("uln-exact").message
SQL = [
    "' OR '1'='1",
    "'; DROP TABLE learner; --",
    '" OR ""="',
    "') UNION SELECT 1--",
    "%' AND 1=0--",
    "\\'; --",
    ":family_name",
    "%(uln)s",
    "$1",
    "{0}",
]


def raw(port: int, request: bytes) -> bytes:
    """What the server sends to `request` until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


# SQL, on both kinds of database


@pytest.fixture
def register(database_url):
    secured.add_colleges(database_url)
    opened = Register(settings.Settings(database=database_url))
    yield opened
    opened.close()


def codes(server_, message: bytes) -> list[str]:
    body = server_.handle(message, "utf-8", "r").body.decode()
    return re.findall(r"<(?:ResponseCode|ErrorCode)>([^<]+)<", body)


@pytest.mark.parametrize("text", SQL)
def test_text_is_never_sql(register, text):
    answers = service.SoapServer(register)
    learner = {
        "Learner.GivenName": text, "Learner.FamilyName": text, "Learner.LastKnownPostCode": "AB1 2DE",
        "Learner.DateOfBirth": "2001-02-03", "Learner.Gender": "2", "Learner.VerificationType": "999",
        "Learner.OtherVerificationDescription": text, "Learner.AbilityToShare": "1", "Learner.Notes": text,
        "Learner.PlaceOfBirth": text, "Learner.SchoolAtAge16": text,
    }  # fmt: skip
    caller = {"OrganisationRef": "COLL01", "OrgPassword": secured.PASSWORDS["COLL01"], "UserName": text}
    assert codes(answers, soap.message("registerSingleLearner", caller | learner)) == ["WSRC0005"]
    assert codes(answers, soap.message("registerSingleLearner", caller | learner)) == ["WSRC0021"]
    person = {"FamilyName": text, "GivenName": text}
    details = {"DateOfBirth": "2001-02-03", "Gender": "2", "LastKnownPostCode": "AB1 2DE", "PlaceOfBirth": text}
    find = {"FindType": "FUL"} | caller | person
    assert codes(answers, soap.message("learnerByDemographics", find | details)) == ["WSRC0004"]
    assert codes(answers, soap.message("learnerByULN", find | {"ULN": "9276308686"})) == ["WSRC0001"]
    guess = {"ULN": "9276308686", "OrgPassword": (text * 16)[:16]}
    assert codes(answers, soap.message("learnerByULN", find | guess)) == ["WSEC0005"]
    register.audit.flush()
    with engines.read(register.engine) as conn:
        stored = conn.execute(sa.select(tables.learner.c.family_name, tables.learner.c.notes)).all()
        assert [tuple(row) for row in stored] == [(text, text)]
        users = set(conn.execute(sa.select(tables.audit.c.user_name)).scalars())
        assert users == {text}
        assert len(organisations.list_all(conn)) == len(secured.PASSWORDS)


@pytest.mark.parametrize("name", ["' OR 1", "COLL0'", "COLL01'--", "COLL%%", "______"])
def test_an_organisation_is_named_by_letters_and_digits_only(register, name):
    answers = service.SoapServer(register)
    (code,) = codes(answers, secured.find("COLL01", OrganisationRef=name))
    assert code == "WSEC0001"
    with engines.read(register.engine) as conn:
        assert organisations.by_reference(conn, name, None) is None
        assert organisations.by_reference(conn, None, name) is None


# The log


@pytest.mark.parametrize("style", ["json", "text"])
def test_nothing_a_client_sends_is_in_the_log_let_alone_a_line_of_its_own(sqlite_databases, style):
    url = sqlite_databases.migrated()
    secured.add_colleges(url)
    forged = '\n{"event": "forged", "level": "error"}\n\x1b[31mforged\u2028forged\r'
    with secured.running(url, log_format=style, log_level="DEBUG") as running:
        http = running.over_http()
        text = re.sub("[\x00-\x08\x0b-\x1f]", "", forged)[:35]
        for message in (
            secured.find("COLL01", UserName=text, FamilyName=text, GivenName=text),
            secured.find("COLL01", "forged password!", UserName=text),
            secured.find("NOBODY", "forged password!", UserName=text),
            secured.find("COLL01").replace(b"FindLearnerByULN", b"Forged"),
            b"<forged/>",
            b"forged\r\nforged",
        ):
            assert http.post(message).status in (200, 500)
        for path in ("/forged%0d%0aforged", "/%1b[31mforged", f"{ENDPOINT}?forged%0aforged"):
            http.get(path, User_Agent="forged", X_Forwarded_For="forged", Host="forged")
        raw(running.port, b"FORGED / HTTP/1.1\r\nforged\r\n\r\n")
        output = running.output
    assert "forged" not in output.lower()
    if style == "json":
        logged = [line for line in output.splitlines() if not line.startswith(("LearnerService on", "WSDL: "))]
        assert all(isinstance(json.loads(line), dict) for line in logged) and len(logged) > 4
    sqlite_databases.drop(url)


# Paths


@pytest.mark.parametrize(
    "path",
    [
        "../../setup.cfg",
        "..%2f..%2fsetup.cfg",
        "%2e%2e/%2e%2e/setup.cfg",
        "..%252f..%252fsetup.cfg",
        "..\\..\\setup.cfg",
        "..%5c..%5csetup.cfg",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "file:///etc/passwd",
        "learner.xsd%00",
        "learner.xsd%00.txt",
        "%00learner.xsd",
        "learner.xsd/",
        "./learner.xsd",
        "x/../learner.xsd",
        "learner.xsd;x",
        "LEARNER.XSD",
        "learner.xsd%20",
        "..%c0%af..%c0%afetc/passwd",
        "%ff%fe",
        "__init__.py",
    ],
)
def test_only_the_names_of_the_contract_are_served(sandbox, path):
    reply = raw(sandbox.port, f"GET {DIRECTORY}{path} HTTP/1.0\r\n\r\n".encode("latin-1"))
    assert status(reply) in (404, 400)
    assert b"root:" not in reply and b"<xs:" not in reply and b"[metadata]" not in reply


@pytest.mark.parametrize(
    "target", ["//etc/passwd", "/../etc/passwd", "http://other.example/etc/passwd", "*", "etc", "/\xe9"]
)
def test_other_forms_of_the_target_lead_nowhere(sandbox, target):
    reply = raw(sandbox.port, f"GET {target} HTTP/1.0\r\nHost: x\r\n\r\n".encode("latin-1"))
    assert status(reply) in (404, 400)


def test_a_schema_is_found_by_its_name_however_it_is_escaped(sandbox):
    assert sandbox.get(f"{DIRECTORY}%6cearner.xsd").body == contract.FILES["learner.xsd"]


# Host and X-Forwarded-*

EVIL = [
    "evil.example/x",
    'evil"onload=',
    "evil.example\"><script>",
    "user@evil.example",
    "evil.example:99999999",
    "evil example",
    "evil.example#",
    "evil.example?x=",
    "[evil]",
    "évil",
    "",
    "a" * 300,
]


@pytest.fixture(scope="module")
def proxied(sqlite_databases):
    url = sqlite_databases.migrated()
    with server.running(url, trusted_proxies="127.0.0.1, 192.0.2.0/24") as running:
        yield running
    sqlite_databases.drop(url)


def address(body: bytes) -> str:
    (found,) = re.findall(rb'<soap:address location="([^"]*)"', body)
    return found.decode().partition("?")[0]


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
@pytest.mark.parametrize("value", EVIL)
def test_a_host_that_is_none_is_not_repeated(proxied, header, value):
    lines = ["GET %s?wsdl HTTP/1.1" % ENDPOINT, f"{header}: {value}", "Connection: close"]
    if header != "Host":
        lines.append("Host: lrs.example")
    reply = raw(proxied.port, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    assert status(reply) in (200, 400)
    if status(reply) == 200:
        own = f"http://127.0.0.1:{proxied.port}{ENDPOINT}"
        expected = own if header == "Host" or value else f"http://lrs.example{ENDPOINT}"
        assert address(reply.partition(b"\r\n\r\n")[2]) == expected


@pytest.mark.parametrize("value", ["javascript", "ftp", "https://evil.example/", '"><script>', "HTTPS"])
def test_a_scheme_is_http_or_https(proxied, value):
    scheme = "https" if value == "HTTPS" else "http"
    reply = proxied.get(f"{ENDPOINT}?wsdl", X_Forwarded_Proto=value)
    assert address(reply.body).startswith(f"{scheme}://127.0.0.1:")


@pytest.mark.parametrize("value", ["//evil.example", "/a/../b c", "evil", '/"><script>', "/a%0d%0a", "/a?b", "/é"])
def test_a_prefix_is_a_path(proxied, value):
    request = f"GET {ENDPOINT}?wsdl HTTP/1.0\r\nHost: h\r\nX-Forwarded-Prefix: {value}\r\n\r\n"
    reply = raw(proxied.port, request.encode())
    assert address(reply.partition(b"\r\n\r\n")[2]) == f"http://h{ENDPOINT}"


@pytest.mark.parametrize(
    ("chain", "hosts", "host"),
    [
        ("203.0.113.9", "real", "real"),
        ("203.0.113.9", "evil, real", "real"),
        ("203.0.113.9, 192.0.2.1", "evil, real, inner", "real"),
        ("192.0.2.1, 203.0.113.9, 192.0.2.1", "evil, evil, real, inner", "real"),
        ("192.0.2.1, 192.0.2.1, 203.0.113.9", "evil, evil, real", "real"),
        ("203.0.113.9, 192.0.2.1", "real", "real"),
    ],
)
def test_the_outermost_proxy_of_ours_is_believed_and_nothing_before_it(proxied, chain, hosts, host):
    reply = proxied.get(f"{ENDPOINT}?wsdl", X_Forwarded_For=chain, X_Forwarded_Host=hosts)
    assert address(reply.body) == f"http://{host}{ENDPOINT}"


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        ("203.0.113.1", ["198.51.100.7"], "203.0.113.1"),
        ("192.0.2.9", [], "192.0.2.9"),
        ("192.0.2.9", ["198.51.100.7"], "198.51.100.7"),
        ("::ffff:192.0.2.9", ["198.51.100.7:4711"], "198.51.100.7"),
        ("192.0.2.9", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("192.0.2.9", ["10.0.0.1, 198.51.100.7, 192.0.2.8"], "198.51.100.7"),
        ("192.0.2.9", ["10.0.0.1", "198.51.100.7, 192.0.2.8"], "198.51.100.7"),
        ("192.0.2.9", ["192.0.2.7, 192.0.2.8"], "192.0.2.7"),
        ("192.0.2.9", ["nonsense"], ""),
        ("192.0.2.9", ["x" * 10_000], ""),
    ],
)
def test_the_client_s_address(peer, chain, client):
    chosen = settings.Settings(trusted_proxies="192.0.2.0/24")
    scope = {"client": (peer, 1), "scheme": "http", "headers": [(b"x-forwarded-for", one.encode()) for one in chain]}
    assert origin.of(scope, chosen).address == client


def test_headers_are_nothing_without_trusted_proxies():
    headers = [(b"x-forwarded-for", b"198.51.100.7"), (b"x-ssl-client-cert", b"ab" * 32)]
    scope = {"client": ("192.0.2.9", 1), "scheme": "http", "headers": headers}
    found = origin.of(scope, settings.Settings(tls_client_certificates="required"))
    assert found == origin.Origin(address="192.0.2.9")


# HTTP that two servers could read in two ways


@pytest.mark.parametrize(
    "lines",
    [
        ["Host: a", "Host: b"],
        ["Host: a", "host: a"],
        ["Host: a", "Content-Length: 5", "Content-Length: 6"],
        ["Host: a", "Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Host: a", "Transfer-Encoding: chunked, identity"],
        ["Host: a", "Content-Length: -1"],
        ["Host: a", "Content-Length: 0x10"],
        ["Host : a"],
        ["Host: a", " folded: b"],
        ["Host: a\0b"],
        ["Host: a", "X: a\nContent-Length: 5"],
    ],
)
def test_ambiguous_requests_are_refused(sandbox, lines):
    request = "\r\n".join([f"POST {ENDPOINT} HTTP/1.1", *lines, "Content-Type: text/xml"]) + "\r\n\r\n"
    reply = raw(sandbox.port, request.encode() + b"0\r\n\r\n")
    assert status(reply) == 400
    assert reply.count(b"HTTP/1.1 ") == 1


# A register without TLS that its proxy alone may reach


@pytest.mark.parametrize(
    ("chosen", "statuses"),
    [
        ({"trusted_proxies": "192.0.2.1"}, [500, 500, 403, 403]),
        ({"trusted_proxies": "192.0.2.1", "insecure_http": True}, [500] * 4),
        ({"trusted_proxies": "192.0.2.1", "tls_certificate": "some.pem"}, [500] * 4),
    ],
)
def test_only_the_proxy_brings_calls_where_tls_is_missing(register, chosen, statuses):
    register.settings = register.settings.model_copy(update={"host": "0.0.0.0"} | chosen)
    answers = app.App(register)

    async def status_for(peer: str) -> int:
        sent = []

        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request", "body": b"<x/>", "more_body": False}

        scope = {"type": "http", "method": "POST", "path": ENDPOINT, "scheme": "http", "client": (peer, 1),
                 "query_string": b"", "headers": [(b"content-type", b"text/xml")]}  # fmt: skip
        await answers(scope, receive, send)
        return sent[0]["status"]

    # 500 is the fault that the message deserves.
    peers = ("192.0.2.1", "127.0.0.1", "192.0.2.2", "10.0.0.1")
    assert [asyncio.run(status_for(peer)) for peer in peers] == statuses
