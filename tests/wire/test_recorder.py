"""What a sandbox remembers of calls, what of it is masked, and who may see it."""

import concurrent.futures
import dataclasses
import http.client
import json
import os
import re
import stat
import time

import pytest
from click.testing import CliRunner
from support import outcomes, server, soap

from lrs_soap import contract
from lrs_soap.cli import main
from lrs_soap.settings import Settings
from lrs_soap.wire import callpages, masking, spool

PASSWORD = "s3cret&<of>it's."  # 16 characters, three of which XML may want escaped
ESCAPED = "s3cret&amp;&lt;of&gt;it's."
ROW = outcomes.named("uln-exact")
MESSAGE = soap.message(ROW.operation, ROW.values)
LEARNER = b"<ULN>4123001008</ULN>"


def said(running, **query) -> list[dict]:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return json.loads(running.get(f"/calls.json?{text}").body)


def last(running) -> dict:
    return said(running, last=1)[0]


# --------------------------------------------------------------------------------------------------------------------
# Masking


def wrapped(inside: str) -> str:
    return f"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><f>{inside}</f></e:Body></e:Envelope>"


@pytest.mark.parametrize(
    "inside",
    [
        f"<OrgPassword>{ESCAPED}</OrgPassword>",
        f"<OrgPassword>  {ESCAPED}\n</OrgPassword>",
        f"<x:OrgPassword xmlns:x='y' a='b'>{ESCAPED}</x:OrgPassword>",
        f"<OrgPassword><![CDATA[{PASSWORD}]]></OrgPassword>",
        f"<OrgPassword><b>{ESCAPED}</b></OrgPassword>",
        f"<OrgPassword>no<b/>{ESCAPED}</OrgPassword>",
        f"<orgpassword>{ESCAPED}</orgpassword>",
        f"<OrganisationPassword>{ESCAPED}</OrganisationPassword>",
        f"<OrgPassword>{ESCAPED}</OrgPassword><UserName>{ESCAPED}</UserName>",
        f"<UserName at='{ESCAPED.replace(chr(39), '&#39;')}'/><OrgPassword>{ESCAPED}</OrgPassword>",
        f"<OrgPassword>A Tester</OrgPassword><UserName>{ESCAPED}</UserName>",  # they changed places
        f"<q OrgPassword=\"{ESCAPED}\"/>",
        "<arg>&lt;OrgPassword&gt;s3cret&amp;amp;&amp;lt;of&amp;gt;it's.&lt;/OrgPassword&gt;</arg>",
        f"<OrgPassword>{ESCAPED}</OrgPassword>tail {ESCAPED}",
    ],
)
@pytest.mark.parametrize("broken", ["", "no end", "mismatch", "entity"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "iso-8859-1"])
def test_no_password_survives(inside, broken, encoding):
    text = wrapped(inside + "<ULN>4123001008</ULN>")
    if broken == "no end":
        text = text.replace("</e:Body></e:Envelope>", "")
    elif broken == "mismatch":
        text = text.replace("</f>", "</g>")
    elif broken == "entity":
        text = text.replace("<f>", "<f>&nothing;")
    for charset in (encoding, None, "utf-8", "nonsense"):
        shown = masking.message(text.encode(encoding), charset).text
        assert "s3cret" not in shown, (charset, shown)
        assert masking.MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        f"<OrgPassword>{PASSWORD}",
        f"<OrgPassword>{PASSWORD}<UserName>A Tester</UserName>",
        f"<OrgPassword {PASSWORD}</OrgPassword>",
        f"<x:OrgPassword\n>{PASSWORD}</x:OrgPassword",
        f"<OrgPassword>{PASSWORD}</OrgPasword>",
        f"OrgPassword={PASSWORD.replace('&', '%26').replace('<', '%3C')}&UserName=x",
        f'{{"OrgPassword": "{PASSWORD}", "ULN": "4123001008"}}',
        f"<OrgPassword>{PASSWORD}</OrgPassword> and again {PASSWORD}",
        f"<a><?OrgPassword {PASSWORD}?></a>",
        f"<a><?x:orgpassword {PASSWORD}",
    ],
)
def test_what_is_no_xml_at_all_is_masked_too(text):
    shown = masking.message(text.encode(), None).text
    assert "s3cret" not in shown
    assert masking.MASK in shown


@pytest.mark.parametrize("charset", [None, "cp037", "utf-8"])
def test_what_cannot_be_read_is_not_shown(charset):
    assert masking.message(wrapped(f"<OrgPassword>{ESCAPED}</OrgPassword>").encode("cp037"), charset).text.startswith("[in no enc")
    assert masking.message(b"no XML", charset).text == "no XML"


def test_the_rest_is_shown_as_it_was_sent():
    inside = f"<OrgPassword>{ESCAPED}</OrgPassword><Title>  </Title><ULN>4123001008</ULN>"
    shown = masking.message(wrapped(inside).encode(), None)
    assert "<ULN>4123001008</ULN>" in shown.text
    assert "<Title>  </Title>" in shown.text
    assert shown.text.count("\n") >= 7  # indented
    assert shown.secrets == {PASSWORD}
    assert "<OrgPassword/>" in masking.message(b"<OrgPassword/><ULN>1</ULN>", None).text
    assert "<ULN>1</ULN>" in masking.message(b"<OrgPassword/><ULN>1</ULN>", None).text


# --------------------------------------------------------------------------------------------------------------------
# The spool


def a_call(**values) -> spool.Call:
    return spool.Call(**{
        "at": "2026-11-23T12:00:00.000+00:00", "milliseconds": 1.0, "address": "127.0.0.1", "method": "POST",
        "path": contract.ENDPOINT, "http_version": "1.1", "request_headers": (("host", "x"),), "request_bytes": 1,
        "request": "a", "request_judgement": "valid", "operation": "learnerByULN", "status": 200, "reply_headers": (), "reply_bytes": 1,
        "reply": "b", "reply_judgement": "valid", "code": "WSRC0004",
    } | values)  # fmt: skip


def test_the_spool_is_bounded_private_and_in_order(tmp_path):
    kept = spool.Spool(tmp_path / "calls", most=5)
    for number in range(1, 13):
        assert kept.add(a_call(operation=str(number))) == number
    assert [call.operation for call in kept.calls()] == ["8", "9", "10", "11", "12"]
    assert [call.number for call in kept.calls(last=2)] == [11, 12]
    assert [call.number for call in kept.calls(after=10)] == [11, 12]
    assert kept.calls(last=0) == []
    assert kept.call(8) == a_call(number=8, operation="8")
    assert kept.call(7) is None
    assert len(os.listdir(tmp_path / "calls")) == 5
    assert stat.S_IMODE(os.stat(tmp_path / "calls").st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "calls").iterdir()} == {0o600}
    kept.clear()
    assert kept.calls() == []
    assert kept.add(a_call()) == 13


def test_long_messages_are_cut(tmp_path):
    kept = spool.Spool(tmp_path / "calls")
    kept.add(a_call(request="x" * (spool.MOST_CHARACTERS + 7)))
    assert kept.call(1).request == "x" * spool.MOST_CHARACTERS + "\n[... 7 more characters are not kept]"


def test_many_may_add_at_once(tmp_path):
    # Few are remembered, so that a number is forgotten again while a slow one still thinks it is free.
    spools = [spool.Spool(tmp_path / "calls", most=5) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        numbers = [n for some in threads.map(lambda one: [one.add(a_call()) for _ in range(30)], spools) for n in some]
    assert len(set(numbers)) == 120
    spools[0].add(a_call())
    assert len(os.listdir(tmp_path / "calls")) == 5


# --------------------------------------------------------------------------------------------------------------------
# Over HTTP


def test_a_call_is_remembered_whole(sandbox):
    reply = sandbox.post(MESSAGE, SOAPAction='"x"', Authorization="Basic c2VjcmV0")
    call = last(sandbox)
    assert reply.status == call["status"] == 200
    assert (call["operation"], call["code"], call["request_judgement"], call["reply_judgement"]) == (
        "learnerByULN", "WSRC0004", "valid", "valid"
    )  # fmt: skip
    assert (call["request_bytes"], call["reply_bytes"]) == (len(MESSAGE), len(reply.body))
    headers = {name.lower(): value for name, value in call["request_headers"]}
    assert headers["soapaction"] == '"x"'
    assert headers["authorization"] == masking.MASK
    assert "sandbox-password" not in json.dumps(said(sandbox))
    assert "<FamilyName>Whitcombe</FamilyName>" in call["request"]
    assert call["note"] == ""


@pytest.mark.parametrize(
    ("message", "code", "judgement"),
    [
        (MESSAGE.replace(LEARNER, b"<ULN>12</ULN>"), "WSEC0001", "cvc-pattern-valid: Value '12'"),
        (MESSAGE.replace(LEARNER, b"<ULN>12"), "WSEC0001", "A start tag and its end tag differ"),
        (MESSAGE.replace(b"FindLearnerByULN", b"FindNobody"), "WSEC0002", "cvc-elt.1: Cannot find the declaration"),
        (b"hello", "WSEC0001", "The message is not XML"),
        (b"", "WSEC0001", "The message is empty"),
        (MESSAGE.replace(b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope"),
         "VersionMismatch", "The envelope is not of SOAP 1.1"),
    ],
)  # fmt: skip
def test_what_the_schema_says_stands_there(sandbox, message, code, judgement):
    reply = sandbox.post(message)
    call = last(sandbox)
    assert (call["status"], call["code"], call["reply_judgement"]) == (reply.status, code, "valid")
    assert judgement in call["request_judgement"]
    assert "sandbox-password" not in json.dumps(call)


def test_also_what_is_no_call_is_remembered(sandbox):
    assert sandbox.post(MESSAGE, Content_Type="application/soap+xml").status == 415
    assert LEARNER.decode() in last(sandbox)["request"]
    assert sandbox.post(MESSAGE, path="/services/other").status == 404
    assert (last(sandbox)["path"], last(sandbox)["request_judgement"]) == ("/services/other", "")
    assert sandbox.post(MESSAGE, Content_Encoding="gzip").status == 415
    assert last(sandbox)["request"] == "[in a Content-Encoding: not shown]"
    too_long = MESSAGE.replace(LEARNER, b"<ULN>" + b"1" * 300_000 + b"</ULN>")
    assert sandbox.post(too_long).status == 500
    assert (last(sandbox)["code"], last(sandbox)["request"]) == ("WSEC0001", "")


def test_the_pages_escape_everything_and_load_nothing(sandbox):
    evil = b"<script>alert(1)</script>"
    sandbox.post(MESSAGE.replace(b"<UserName>", evil + b"<UserName>"), SOAPAction="<img src=x>")
    number = last(sandbox)["number"]
    for path in ("/calls", f"/calls/{number}", "/calls/999999999"):
        reply = sandbox.get(path)
        page = reply.body.decode()
        assert reply.status == (404 if "999999999" in path else 200)
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert reply.headers["cache-control"] == "no-store"
        assert "<script" not in page and "<img" not in page and "sandbox-password" not in page
        assert re.findall(r"""(?:src|href)=["']([^"']*)""", page) == [
            link for link in re.findall(r'href="([^"]*)"', page) if re.fullmatch(r"(\.\./)?calls(/\d+)?|\d+", link)
        ]
    assert "&lt;script&gt;" in sandbox.get(f"/calls/{number}").body.decode()
    assert sandbox.request("HEAD", "/calls").body == b""
    assert sandbox.post(b"", path="/calls").status == 404
    assert b'href="calls"' in sandbox.get("/").body


def test_only_this_machine_sees_them_unless_told_otherwise(tmp_path):
    kept = spool.Spool(tmp_path / "calls")
    rows = [("192.0.2.7", "", 403), ("192.0.2.7", "192.0.2.0/24", 200), ("127.0.0.1", "", 200)]
    for address, allowed, status in rows:
        pages = callpages.Pages(None, kept, Settings(monitoring_from=allowed))
        scope = {"type": "http", "method": "GET", "path": "/calls", "query_string": b"", "headers": []}
        scope["client"] = (address, 1)
        assert pages._response(scope).status == status


def test_all_workers_of_a_sandbox_remember_together(sqlite_databases):
    url = sqlite_databases.sandbox()
    with server.running(url, workers=3) as running:
        for _ in range(30):
            running.post(MESSAGE)
        calls = said(running)
    sqlite_databases.drop(url)
    assert [call["number"] for call in calls] == list(range(1, 31))


def test_serve_remembers_nothing_and_has_no_pages(sqlite_databases):
    url = sqlite_databases.sandbox()
    with server.running(url, "serve", allow_sandbox_organisations=True) as running:
        running.post(MESSAGE)
        for path in ("/calls", "/calls.json", "/calls/1"):
            assert running.get(path).status == 404
        assert b"calls" not in running.get("/").body
    sqlite_databases.drop(url)


# --------------------------------------------------------------------------------------------------------------------
# lrs-soap calls


def calls_command(*arguments):
    return CliRunner().invoke(main.main, ["calls", *arguments])


def test_the_command_shows_the_last_calls(sandbox):
    for message in (MESSAGE, MESSAGE.replace(LEARNER, b"<ULN>12</ULN>\x1b[2J")):
        sandbox.post(message)
    result = calls_command("--url", sandbox.url, "--last", "2")
    assert result.exit_code == 0
    assert "learnerByULN WSRC0004  (HTTP 200, " in result.stdout
    assert "request, 432 bytes: valid" in result.stdout
    assert "<OrgPassword>****************</OrgPassword>" in result.stdout
    assert "\x1b" not in result.stdout
    assert "sandbox-password" not in result.stdout
    lines = calls_command("--url", sandbox.url, "--last", "2", "--json").stdout.splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["WSRC0004", "WSEC0001"]
    assert set(json.loads(lines[0])) == {field.name for field in dataclasses.fields(spool.Call)}


def test_the_command_says_what_is_wrong(sandbox):
    assert calls_command("--url", f"127.0.0.1:{server.free_port()}").exit_code == 4
    assert calls_command("--url", "http://127.0.0.1:port").exit_code == 2


def test_following_shows_each_call_once(sandbox, monkeypatch):
    before = last(sandbox)["number"] if said(sandbox) else 0
    pauses = iter([lambda: sandbox.post(MESSAGE), lambda: sandbox.post(MESSAGE), lambda: None])

    def pause(_):
        try:
            next(pauses)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("lrs_soap.cli.calls_shown.time.sleep", pause)
    result = calls_command("--url", sandbox.url, "--follow", "--last", "0", "--json")
    assert [json.loads(line)["number"] for line in result.stdout.splitlines()] == [before + 1, before + 2]


def test_a_client_that_goes_away_is_remembered(sandbox):
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    connection.putrequest("POST", contract.ENDPOINT)
    connection.putheader("Content-Type", "text/xml")
    connection.putheader("Content-Length", "1000")
    connection.endheaders(MESSAGE[:100])
    connection.close()
    deadline = time.monotonic() + 10
    while "the client went away" not in last(sandbox)["note"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
