"""Which heads are taken for one that was there before."""

import pytest

from lrs_soap.wire import heads

HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %b\r\nSOAPAction: \"\"\r\n\r\n"


def request(body: bytes, head: bytes = HEAD, length: bytes | None = None) -> bytes:
    return head % (length or b"%d" % len(body)) + body


def known(data: bytes) -> heads.Heads:
    found = heads.Heads()
    found.remember(data, "known")
    return found


def test_a_head_is_known_whatever_its_length():
    found = known(request(b"<a/>"))
    for body in (b"<a/>", b"<bb></bb>" * 50, b"\r\n", b"\r\n\r\nContent-Length: 3\r\n"):
        assert found.find(request(body)) == ("known", body)


@pytest.mark.parametrize(
    "data",
    [
        request(b"<a/>", HEAD.replace(b"Host: a", b"Host: b")),
        request(b"<a/>", HEAD.replace(b"SOAPAction", b"Soapaction")),
        request(b"<a/>", HEAD.replace(b"\r\n\r\n", b"\r\nX: y\r\n\r\n")),
        request(b"<a/>", HEAD.replace(b"Content-Length", b"X: y\r\nContent-Length")),
        request(b"<a/>", length=b"3"),
        request(b"<a/>", length=b"5"),
        request(b"<a/>", length=b"+4"),
        request(b"<a/>", length=b" 4"),
        request(b"<a/>", length=b"4,4"),
        request(b"<a/>", length="٤".encode()),
        request(b"<a/>")[:-1],
        request(b"<a/>") + request(b"<a/>"),
        request(b"<a/>")[:40],
        b"",
    ],
)
def test_any_other_is_not(data):
    assert known(request(b"<a/>")).find(data) is None


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"Host: a", b"content-length: 4"),
        HEAD.replace(b"Content-Length: %b", b"Transfer-Encoding: chunked%.0b"),
        HEAD.replace(b"Content-Length: %b", b"Content-Length: 9%.0b"),
    ],
)
def test_what_is_unusual_is_not_remembered(head):
    data = request(b"<a/>", head)
    assert known(data).find(data) is None


def test_few_are_remembered():
    found = heads.Heads()
    for number in range(100):
        found.remember(request(b"<a/>", HEAD.replace(b"Host: a", b"Host: %d" % number)), number)
    there = [number for number in range(100) if found.find(request(b"<b/>", HEAD.replace(b"Host: a", b"Host: %d" % number)))]
    assert 99 in there and len(there) <= 8
