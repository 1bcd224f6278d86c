"""Calls over HTTP: where and how they may be sent, and what HTTP asks of the server."""

import contextlib
import http.client
import socket

import pytest
from support import outcomes, server, soap

from lrs_soap import contract

ENDPOINT = contract.ENDPOINT
FOUND = outcomes.named("uln-exact").message
FAULTY = outcomes.named("fault-unknown-organisation").message


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
