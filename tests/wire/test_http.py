"""The server over HTTP: what generated clients send and what they cannot bear."""

import contextlib
import http.client
import socket

import pytest
from lxml import etree
from support import outcomes, server, soap

from lrs_soap import contract

ENDPOINT = contract.ENDPOINT
FOUND = outcomes.named("uln-exact").message
FAULTY = outcomes.named("fault-unknown-organisation").message
# The same names as those of the row, spelled so that every encoding has something to encode.
ACCENTED = FOUND.decode().replace("<GivenName>Eleanor<", "<GivenName>Éléanor<")
PASSWORD = "sandbox-password"


def codes_of(reply: server.Reply) -> list[str]:
    return outcomes.said(soap.answer(reply))


def raw(sandbox, request: bytes) -> bytes:
    """What the server sends to `request` until it closes the connection."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def head(*lines: str, length: int | None = None) -> bytes:
    given = [*lines, "Host: localhost", "Content-Type: text/xml", "Connection: close"]
    if length is not None:
        given.append(f"Content-Length: {length}")
    return ("\r\n".join(given) + "\r\n\r\n").encode()


# Where and how a call may be sent


@pytest.mark.parametrize("path", [ENDPOINT, f"{ENDPOINT}?wsdl", f"{ENDPOINT}?WSDL", f"{ENDPOINT}?anything=1"])
def test_a_call_may_go_to_the_endpoint_with_or_without_a_query(sandbox, path):
    assert codes_of(sandbox.post(FOUND, path)) == ["WSRC0004"]


@pytest.mark.parametrize("action", ["", '""', '"urn:nonsense"', "http://api.lrs.miap.gov.uk/regmsg#RegisterLearner"])
def test_soapaction_says_nothing(sandbox, action):
    assert codes_of(sandbox.post(FOUND, SOAPAction=action)) == ["WSRC0004"]


@pytest.mark.parametrize("accept", ["application/json", "text/html;q=0.1", "image/png, */*;q=0"])
def test_accept_says_nothing(sandbox, accept):
    assert codes_of(sandbox.post(FOUND, Accept=accept)) == ["WSRC0004"]


@pytest.mark.parametrize("coding", ["gzip", "gzip, deflate, br", "none", "identity;q=0"])
def test_a_reply_is_never_compressed(sandbox, coding):
    reply = sandbox.post(FOUND, Accept_Encoding=coding)
    assert reply.body.startswith(b"<?xml")
    assert codes_of(reply) == ["WSRC0004"]


@pytest.mark.parametrize(
    "content_type", ["text/xml", "TEXT/XML", 'text/xml;charset="utf-8"', "text/xml; action=x; charset=UTF-8"]
)
def test_ways_to_say_text_xml(sandbox, content_type):
    assert codes_of(sandbox.post(FOUND, Content_Type=content_type)) == ["WSRC0004"]


def test_a_missing_content_type_is_taken_as_text_xml(sandbox):
    assert codes_of(sandbox.request("POST", ENDPOINT, FOUND)) == ["WSRC0004"]


@pytest.mark.parametrize(
    "content_type", ["application/soap+xml", "application/xml", "text/plain", "multipart/related", "nonsense"]
)
def test_other_content_types_are_415(sandbox, content_type):
    assert sandbox.post(FOUND, Content_Type=content_type).status == 415


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_endpoint_takes_post_only(sandbox, method):
    reply = sandbox.request(method, ENDPOINT)
    assert reply.status == 405
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/MIAPWebService/services/learner.xsd"])
def test_documents_take_get_and_head_only(sandbox, method, path):
    reply = sandbox.request(method, path, b"")
    assert reply.status == 405
    assert reply.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path", ["/nothing", "/learner.xsd", f"{ENDPOINT}/", "/MIAPWebService/services/../../setup.cfg"]
)
def test_other_paths_are_404(sandbox, path):
    assert sandbox.get(path).status == 404
    assert sandbox.post(FOUND, path).status == 404


# HTTP itself


def test_http_1_0_gets_no_chunked_reply(sandbox):
    reply = raw(sandbox, head(f"POST {ENDPOINT} HTTP/1.0", length=len(FOUND)) + FOUND)
    fields, _, body = reply.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in fields.lower()
    assert f"content-length: {len(body)}".encode() in fields.lower()
    assert b"WSRC0004" in body


def test_a_chunked_request(sandbox):
    middle = len(FOUND) // 2
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (FOUND[:middle], FOUND[middle:], b""))
    reply = raw(sandbox, head(f"POST {ENDPOINT} HTTP/1.1", "Transfer-Encoding: chunked") + pieces)
    assert b"WSRC0004" in reply


def test_expect_100_continue(sandbox):
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.sendall(head(f"POST {ENDPOINT} HTTP/1.1", "Expect: 100-continue", length=len(FOUND)))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(FOUND)
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    assert reply.startswith(b"HTTP/1.1 200")


def test_a_client_that_expects_100_continue_but_does_not_wait(sandbox):
    reply = raw(sandbox, head(f"POST {ENDPOINT} HTTP/1.1", "Expect: 100-continue", length=len(FOUND)) + FOUND)
    assert b"WSRC0004" in reply


def test_a_connection_lives_on_after_a_reply_and_after_a_fault(sandbox):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=20)) as connection:
        connection.connect()
        used = connection.sock
        for message, expected in [
            (FOUND, "WSRC0004"),
            (FAULTY, "WSEC0003"),
            (b"<not-xml", "WSEC0001"),
            (FOUND, "WSRC0004"),
        ]:
            connection.request("POST", ENDPOINT, message, {"Content-Type": "text/xml"})
            assert codes_of(server.read(connection.getresponse())) == [expected]
            assert connection.sock is used


def test_a_body_of_the_longest_size_allowed_and_one_that_is_longer(sandbox):
    def of(size):
        return FOUND + b" " * (size - len(FOUND))

    assert codes_of(sandbox.post(of(200_000))) == ["WSRC0004"]
    assert codes_of(sandbox.post(of(200_001))) == ["WSEC0001"]
    chunk = of(200_001)
    message = head(f"POST {ENDPOINT} HTTP/1.1", "Transfer-Encoding: chunked")
    reply = raw(sandbox, message + b"%x\r\n%b\r\n0\r\n\r\n" % (len(chunk), chunk))
    assert b"WSEC0001" in reply


# Encodings and the outside of XML


@pytest.mark.parametrize(
    ("charset", "declaration", "encoding"),
    [
        ("; charset=utf-8", "", "utf-8"),
        ("", "", "utf-8"),
        ("; charset=utf-8", '<?xml version="1.0" encoding="UTF-8"?>', "utf-8"),
        ("", '<?xml version="1.0" encoding="ISO-8859-1"?>', "iso-8859-1"),
        ("; charset=iso-8859-1", "", "iso-8859-1"),
        ("; charset=ISO-8859-1", '<?xml version="1.0" encoding="UTF-8"?>', "iso-8859-1"),
        ("; charset=utf-16", "", "utf-16"),
        ("", '<?xml version="1.0" encoding="UTF-16"?>', "utf-16"),
        ("", "", "utf-8-sig"),
        ("; charset=utf-8", '<?xml version="1.0" encoding="utf-8"?>', "utf-8-sig"),
    ],
)
def test_charsets(sandbox, charset, declaration, encoding):
    reply = sandbox.post((declaration + ACCENTED).encode(encoding), Content_Type=f"text/xml{charset}")
    answer = soap.answer(reply)
    assert outcomes.said(answer) == ["WSRC0004"]
    assert answer.body.findtext("GivenName") == "Éléanor"
    assert "Éléanor".encode() in reply.body


@pytest.mark.parametrize(
    "message",
    [
        " \r\n\t" + FOUND.decode(),
        FOUND.decode() + "\n\n",
        "<!-- before -->" + FOUND.decode() + "<!-- after -->",
        FOUND.decode().replace("<GivenName>Eleanor", "<GivenName><![CDATA[Eleanor]]>"),
        FOUND.decode().replace("<GivenName>Eleanor", "<GivenName>&#69;leano&#x72;"),
        FOUND.decode().replace("<GivenName>Eleanor", "<GivenName>Ele<!-- no -->anor"),
        FOUND.decode().replace("><", ">\r\n  <"),
        FOUND.decode().replace("soapenv:", "S:").replace("xmlns:soapenv", "xmlns:S"),
        FOUND.decode().replace("<soapenv:Body>", "<soapenv:Header/><soapenv:Body>"),
        FOUND.decode().replace("<soapenv:Body>", '<soapenv:Header><a xmlns="urn:x">y</a></soapenv:Header><soapenv:Body>'),
        FOUND.decode().replace(":soapenv=", ':e="urn:x" soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soapenv='),
        FOUND.decode().replace(
            "<OrganisationRef>", '<OrganisationRef xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="false">'
        ),
        FOUND.decode().replace(
            "<OrgPassword>", '<UKPRN xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/><OrgPassword>'
        ),
        FOUND.decode().replace(
            "<m:FindLearnerByULN ",
            '<m:FindLearnerByULN xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="m:LearnerByULNRqst" ',
        ),
        FOUND.decode().replace(
            "<GivenName>",
            '<GivenName xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:l="http://api.lrs.miap.gov.uk/learner" '
            'i:type="l:MIAPNameNonEmpty">',
        ),
    ],
    ids=[
        "white space before", "white space after", "comments around", "CDATA", "character references", "comment inside",
        "indented", "other prefix", "empty Header", "header to ignore", "encodingStyle", "nil false", "nil true",
        "type of the body", "type of a value",
    ],
)  # fmt: skip
def test_forms_that_clients_send(sandbox, message):
    assert message.encode() != FOUND
    assert codes_of(sandbox.post(message.encode())) == ["WSRC0004"]


def test_an_empty_optional_element_is_one_that_is_not_given(sandbox):
    row = outcomes.named("find-exact")
    values = row.values | {"PreviousFamilyName": "", "SchoolAtAge16": "", "EmailAddress": ""}
    assert codes_of(sandbox.post(soap.message(row.operation, values))) == ["WSRC0004"]


# Faults


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


# Documents


def locations(wsdl: bytes) -> list[str]:
    return [
        node.get("schemaLocation") for node in etree.fromstring(wsdl).iter("{http://www.w3.org/2001/XMLSchema}import")
    ]


def address(wsdl: bytes) -> str:
    (node,) = etree.fromstring(wsdl).iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    return node.get("location")


@pytest.mark.parametrize("query", ["wsdl", "WSDL", "Wsdl", "wsdl=", "wsdl&x=1"])
def test_the_wsdl(sandbox, query):
    reply = sandbox.get(f"{ENDPOINT}?{query}")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert address(reply.body).partition("?")[0] == sandbox.url


def test_the_schemas_have_the_relative_names_of_the_wsdl(sandbox):
    directory = ENDPOINT.rpartition("/")[0]
    names = set(locations(sandbox.get(f"{ENDPOINT}?wsdl").body))
    assert names
    for name in names:
        assert "/" not in name
        reply = sandbox.get(f"{directory}/{name}")
        assert (reply.status, reply.headers["content-type"]) == (200, "text/xml; charset=utf-8")
        assert set(locations(reply.body)) <= set(contract.FILES)


@pytest.mark.parametrize("path", ["/", "/healthz", f"{ENDPOINT}?wsdl", "/MIAPWebService/services/codes.json"])
def test_head_is_get_without_the_body(sandbox, path):
    got, headed = sandbox.get(path), sandbox.request("HEAD", path)
    assert got.status == headed.status == 200
    assert headed.headers["content-length"] == str(len(got.body))
    assert headed.body == b""


def test_the_page_says_what_this_is(sandbox):
    page = sandbox.get("/").body.decode()
    assert f"{sandbox.url}?wsdl" in page
    assert "Sandbox" in page


@pytest.mark.parametrize("host", ["lrs.example.org", "lrs.example.org:8443", "192.0.2.7:80", "[2001:db8::1]:8080"])
def test_the_address_in_the_wsdl_follows_the_host_the_client_used(sandbox, host):
    reply = sandbox.get(f"{ENDPOINT}?wsdl", Host=host)
    assert address(reply.body).partition("?")[0] == f"http://{host}{ENDPOINT}"


@pytest.mark.parametrize("host", ['x"><evil', "a b", "a/b", "user@host", "x.example:99999999", "<script>"])
def test_a_host_that_is_none_goes_nowhere(sandbox, host):
    for path in (f"{ENDPOINT}?wsdl", "/"):
        reply = raw(sandbox, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        status, _, rest = reply.partition(b"\r\n")
        assert status.split()[1] in (b"200", b"400")
        assert host.encode() not in rest.partition(b"\r\n\r\n")[2]


FORWARDED = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "lrs.example.org", "X_Forwarded_Prefix": "/register"}


def test_headers_of_a_proxy_are_not_believed_unasked(sandbox):
    reply = sandbox.get(f"{ENDPOINT}?wsdl", **FORWARDED)
    assert address(reply.body).partition("?")[0] == sandbox.url


def test_headers_of_a_proxy_are_believed_if_the_settings_say_so(sqlite_databases):
    url = sqlite_databases.empty()
    with server.running(url, trust_proxy=1) as behind_proxy:
        reply = behind_proxy.get(f"{ENDPOINT}?wsdl", **FORWARDED)
        assert address(reply.body).partition("?")[0] == f"https://lrs.example.org/register{ENDPOINT}"
    sqlite_databases.drop(url)
