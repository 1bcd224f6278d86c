"""Messages that end in a fault: which fault, its bytes, and what neither reply nor log may hold."""

import pytest
from lxml import etree
from support import outcomes, server, soap

FOUND = outcomes.named("uln-exact").message
FAULTY = outcomes.named("fault-unknown-organisation").message
PASSWORD = "sandbox-password"


def codes_of(reply: server.Reply) -> list[str]:
    return outcomes.said(soap.answer(reply))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", "WSEC0001"),
        (b"   ", "WSEC0001"),
        (b"this is not XML", "WSEC0001"),
        (FOUND[:-5], "WSEC0001"),
        (FOUND + b"<more/>", "WSEC0001"),
        (b"<!DOCTYPE x>" + FOUND, "WSEC0001"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + FOUND.replace(b">Eleanor<", b">&e;<"), "WSEC0001"),
        (FOUND.replace(b">Eleanor<", b">&undeclared;<"), "WSEC0001"),
        (b"<?target data?>" + FOUND, "WSEC0001"),
        (FOUND.replace(b"<GivenName>", b"<?target data?><GivenName>"), "WSEC0001"),
        (b"<Envelope/>", "WSEC0001"),
        (soap.envelope("").encode(), "WSEC0001"),
        (soap.envelope("<a/><b/>").encode(), "WSEC0001"),
        (soap.envelope("").replace("<soapenv:Body></soapenv:Body>", "").encode(), "WSEC0001"),
        (FOUND.replace(b"<GivenName>", b"<m:GivenName>").replace(b"</GivenName>", b"</m:GivenName>"), "WSEC0001"),
        (soap.envelope("<FindLearnerByULN/>").encode(), "WSEC0002"),
        (soap.envelope('<RegisterLearner xmlns="http://api.lrs.miap.gov.uk/findmsg"/>').encode(), "WSEC0002"),
        ("\ud800".encode("utf-8", "surrogatepass"), "WSEC0001"),
        (b"\xff\xfe\x00", "WSEC0001"),
    ],
    ids=[
        "empty", "blank", "text", "cut off", "second root", "DTD", "external entity", "undeclared entity",
        "instruction before", "instruction inside", "no envelope", "empty Body", "two in the Body", "no Body",
        "qualified child", "no namespace", "another namespace", "lone surrogate", "half a UTF-16 unit",
    ],
)  # fmt: skip
def test_messages_that_end_in_the_declared_fault(sandbox, message, code):
    answer = soap.answer(sandbox.post(message, Content_Type="text/xml"))
    assert message != FOUND
    assert answer.is_fault
    assert outcomes.said(answer) == [code]


def test_the_bytes_of_a_fault(sandbox):
    """A live client searches for "ns10:", others for the prefix soapenv and for children without a namespace."""
    reply = sandbox.post(FAULTY)
    text = reply.body.decode()
    assert reply.status == 500
    for expected in (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">',
        "<soapenv:Body><soapenv:Fault><faultcode>soapenv:Server</faultcode>",
        "<faultstring>uk.gov.miap.lrs.api.exceptions.MIAPAPIException</faultstring>",
        '<detail><ns10:MIAPAPIException xmlns:ns10="http://api.lrs.miap.gov.uk/exceptions"><ErrorCode>WSEC0003</ErrorCode>',
        "</ns10:MIAPAPIException></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>",
    ):
        assert expected in text
    assert "faultactor" not in text
    children = [child.tag for child in soap.answer(reply).body]
    assert children == ["ErrorCode", "ErrorActor", "Description", "FurtherDetails", "ErrorTimestamp"]


def test_the_time_of_a_fault_has_its_form(sandbox):
    timestamp = soap.answer(sandbox.post(FAULTY)).text("ErrorTimestamp")
    date, time = timestamp.split(" ")
    assert [len(part) for part in (*date.split("-"), *time.split(":"))] == [4, 2, 2, 2, 2, 2]
    assert timestamp.replace("-", "").replace(":", "").replace(" ", "").isdigit()


def test_a_violation_in_the_words_of_xerces(sandbox):
    answer = soap.answer(sandbox.post(outcomes.named("fault-pattern").message))
    details = answer.text("FurtherDetails")
    assert details.startswith("cvc-pattern-valid: Value '0123456789' is not facet-valid with respect to pattern")
    assert "'MIAPULN'" in details
    actor = "uk.gov.miap.lrs.api.learner.utils.MSGValidator.validateSOAPMSG()"
    assert answer.text("ErrorActor") == actor


@pytest.mark.parametrize("mark", ["1", "true", " 1 "])
def test_a_header_that_must_be_understood(sandbox, mark):
    """SOAP 1.1 has only 0 and 1; whoever writes "true" means 1."""
    header = f'<soapenv:Header><a:A xmlns:a="urn:a" soapenv:mustUnderstand="{mark}"/></soapenv:Header>'
    message = FOUND.replace(b"<soapenv:Body>", header.encode() + b"<soapenv:Body>")
    reply = sandbox.post(message)
    assert reply.status == 500
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"
    assert etree.fromstring(reply.body).findtext(".//faultcode") == "soapenv:MustUnderstand"


@pytest.mark.parametrize(
    "attributes", ['soapenv:mustUnderstand="0"', 'soapenv:mustUnderstand="1" soapenv:actor="urn:else"']
)
def test_a_header_for_others_or_that_may_be_ignored(sandbox, attributes):
    header = f'<soapenv:Header><a:A xmlns:a="urn:a" {attributes}/></soapenv:Header>'
    message = FOUND.replace(b"<soapenv:Body>", header.encode() + b"<soapenv:Body>")
    assert codes_of(sandbox.post(message)) == ["WSRC0004"]


@pytest.mark.parametrize("namespace", ["http://www.w3.org/2003/05/soap-envelope", "urn:another"])
def test_an_envelope_of_another_version(sandbox, namespace):
    reply = sandbox.post(FOUND.replace(soap.ENVELOPE.encode(), namespace.encode()))
    assert reply.status == 500
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"
    root = etree.fromstring(reply.body)
    assert root.tag == f"{{{soap.ENVELOPE}}}Envelope"
    assert root.findtext(".//faultcode") == "soapenv:VersionMismatch"


@pytest.mark.parametrize(
    "message",
    [
        FOUND.replace(PASSWORD.encode(), b"tooshort-canary"),
        FOUND.replace(PASSWORD.encode(), b"canary-canary-canary-canary"),
        FOUND.replace(PASSWORD.encode(), b"canary-password!"),
        FOUND.replace(PASSWORD.encode(), b"canary<canary/>pw"),
        FOUND.replace(b"<OrgPassword>", b"<OrgPassword a='canary'>"),
        FOUND.replace(b"<OrgPassword>", b"<Orgpassword>").replace(b"</OrgPassword>", b"</Orgpassword>").replace(
            PASSWORD.encode(), b"canary-password!"
        ),
    ],
    ids=["short", "long", "wrong", "with a child", "with an attribute", "misnamed"],
)  # fmt: skip
def test_a_password_is_never_repeated(sandbox, message):
    reply = sandbox.post(message)
    assert soap.answer(reply).is_fault
    assert b"canary" not in reply.body
    assert "canary" not in sandbox.output


def test_the_log_holds_neither_names_nor_passwords(sandbox):
    sandbox.post(FOUND)
    sandbox.post(FOUND.replace(b">Eleanor<", b"><"))
    logged = sandbox.output.partition("Stop with Ctrl-C")[2]
    assert "learnerByULN" in logged
    for secret in (PASSWORD, "Whitcombe", "Eleanor"):
        assert secret not in logged
