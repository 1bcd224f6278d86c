"""A message that comes whole in one read is answered without a task; everybody gets the same reply as if it had come in
pieces."""

import asyncio
import contextlib
import re
import socket
import struct
import time

import pytest
from support import server
from support.connections import FOUND, TYPE, ask, fields, head, in_use, message, whole

from lrs_soap import contract, settings
from lrs_soap.register import Register
from lrs_soap.wire import app, companions, connection, origin, shield

@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request):
    databases = request.getfixturevalue(f"{request.param}_databases")
    url = in_use(databases)
    with server.running(url, "serve", max_body_bytes=100_000) as found:
        found.post(FOUND)  # the password is known from now on
        yield found
    databases.drop(url)


WRONG_PASSWORD = re.sub(rb"(<OrgPassword>)[^<]*", rb"\1nobody's secret!", FOUND)
MESSAGES = {
    "found": (head(TYPE, length=len(FOUND)), FOUND),
    "no type": (head(length=len(FOUND)), FOUND),
    "asked of the WSDL": (head(TYPE, length=len(FOUND), target=f"{contract.ENDPOINT}?wsdl"), FOUND),
    "another path": (head(TYPE, length=len(FOUND), target="/elsewhere"), FOUND),
    "closing": (head(TYPE, b"Connection: close", length=len(FOUND)), FOUND),
    "HTTP/1.0": (head(TYPE, length=len(FOUND), version=b"1.0"), FOUND),
    "HTTP/1.0, keep-alive": (head(TYPE, b"Connection: keep-alive", length=len(FOUND), version=b"1.0"), FOUND),
    "compressed": (head(TYPE, b"Content-Encoding: gzip", length=len(FOUND)), FOUND),
    "JSON": (head(b"Content-Type: application/json", length=len(FOUND)), FOUND),
    "two hosts": (head(TYPE, b"Host: b", length=len(FOUND)), FOUND),
    "expecting": (head(TYPE, b"Expect: 100-continue", length=len(FOUND)), FOUND),
    "offering HTTP/2": (head(TYPE, b"Connection: Upgrade", b"Upgrade: h2c", length=len(FOUND)), FOUND),
    "not XML": (head(TYPE, length=5), b"hello"),
    "empty": (head(TYPE, length=0), b""),
    "too long": (head(TYPE, length=100_001), b"<" + b"a" * 100_000),
    "wrong password": (head(TYPE, length=len(WRONG_PASSWORD)), WRONG_PASSWORD),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_whole_and_in_pieces(running, name):
    start, body = MESSAGES[name]
    whole = ask(running.port, start + body)
    pieces = [start, body] if body else [start[:40], start[40:]]
    assert fields(whole) == fields(ask(running.port, *pieces))
    assert b"HTTP/1.1 " in whole[:9]


LATER = {
    "the same": (head(TYPE, length=len(FOUND)), FOUND),
    "another length": (head(TYPE, length=len(FOUND) + 1), FOUND + b"\n"),
    "another value": (head(TYPE, length=len(FOUND) + 1), FOUND.replace(b"<GivenName>", b"<GivenName>X")),
    "not a value": (head(TYPE, length=len(FOUND) + 1), FOUND.replace(b"</ULN>", b"1</ULN>")),
    "a reference": (head(TYPE, length=len(FOUND) + 5), FOUND.replace(b"</GivenName>", b"&#32;</GivenName>")),
    "nothing": (head(TYPE, length=0), b""),
    "with a longer number": (head(TYPE, length=len(FOUND)).replace(b"Content-Length: ", b"Content-Length: 0"), FOUND),
    "with two lengths": (head(TYPE, b"Content-Length: 5", length=len(FOUND)), FOUND),
    "in chunks": (head(TYPE, b"Transfer-Encoding: chunked", length=5), b"5\r\nhello\r\n0\r\n\r\n"),
}
LATER |= {f"first, {name}": message for name, message in MESSAGES.items()}


@pytest.mark.parametrize("name", LATER)
def test_what_comes_after_messages_that_were_answered_at_once(running, name):
    """Nothing of what was remembered of a head, or of how a message was written, changes the answer to another."""
    start, body = LATER[name]
    first = head(TYPE, length=len(FOUND)) + FOUND
    alone = fields(ask(running.port, start + body).removesuffix(b"[closed]"))
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        for _ in range(3):
            connection.sendall(first)
            assert b"WSRC0004" in whole(connection)
        for _ in range(2):
            connection.sendall(start + body)
            got = whole(connection)
            assert fields(got) == alone
            if b"connection: close" in got.lower():
                break


TOGETHER = [
    *(message(case) for case in ("uln-nickname", "uln-unknown", "uln-merged", "find-exact", "find-no-match", "find-nickname")),
    FOUND, WRONG_PASSWORD, FOUND.replace(b"</ULN>", b"1</ULN>"), b"hello",
]  # fmt: skip


def test_messages_that_come_together(running):
    """On connections that are known, so many at a time that some are read in the same turn of the loop: each gets its own reply."""
    expected = [fields(ask(running.port, head(TYPE, length=len(body)) + body)) for body in TOGETHER]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(("127.0.0.1", running.port), 20)) for _ in range(40)]
        for connection in connections:
            connection.sendall(head(TYPE, length=len(FOUND)) + FOUND)
            assert b"WSRC0004" in whole(connection)
        for turn in range(5):
            asked = [(connection, (number + turn) % len(TOGETHER)) for number, connection in enumerate(connections)]
            for connection, which in asked:
                connection.sendall(head(TYPE, length=len(TOGETHER[which])) + TOGETHER[which])
            for connection, which in asked:
                assert fields(whole(connection)) == expected[which]


def test_one_behind_the_other_on_connections_that_come_together(running):
    one = head(TYPE, length=len(FOUND)) + FOUND
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(("127.0.0.1", running.port), 20)) for _ in range(10)]
        for connection in connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(one)
            assert b"WSRC0004" in whole(connection)
        for _ in range(20):
            for piece in (one + head(TYPE, length=5) + b"hel", b"lo", one):
                for connection in connections:
                    connection.sendall(piece)
            for connection in connections:
                got = b""
                while len(codes := re.findall(rb"<(?:ResponseCode|ErrorCode)>(\w+)<.*?Envelope>", got, re.DOTALL)) < 3:
                    got += connection.recv(65536)
                assert codes == [b"WSRC0004", b"WSEC0001", b"WSRC0004"]


def test_clients_that_leave_before_they_are_answered(running):
    one = head(TYPE, length=len(FOUND)) + FOUND
    for _ in range(5):
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(socket.create_connection(("127.0.0.1", running.port), 20)) for _ in range(10)]
            for connection in connections:
                connection.sendall(one)
                assert b"WSRC0004" in whole(connection)
            for number, connection in enumerate(connections):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", number % 2, 0))
                connection.sendall(one)
    assert b"WSRC0004" in ask(running.port, one)
    assert "Traceback" not in running.output and "unexpected" not in running.output, running.output[-3000:]


def test_a_message_begun_where_another_was_expected(running):
    """The rest of a message that began like one before is waited for."""
    one = head(TYPE, length=len(FOUND)) + FOUND
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in (len(one), 10, len(one) - len(FOUND), len(one) - 1):
            connection.sendall(one[:cut])
            time.sleep(0.05)
            connection.sendall(one[cut:])
            assert b"WSRC0004" in whole(connection)
        connection.sendall(one + one[:50])
        assert b"WSRC0004" in whole(connection)
        connection.sendall(one[50:])
        assert b"WSRC0004" in whole(connection)


def test_a_connection_that_was_answered_at_once_is_kept_for_a_while(sqlite_databases):
    url = in_use(sqlite_databases)
    with server.running(url, "serve", keep_alive_seconds=1) as found, socket.create_connection(("127.0.0.1", found.port), 20) as connection:
        started = time.monotonic()
        while time.monotonic() < started + 2:
            connection.sendall(head(TYPE, length=len(FOUND)) + FOUND)
            assert b"WSRC0004" in whole(connection)
            time.sleep(0.1)
        assert connection.recv(100) == b""  # closed, and not for ever
    sqlite_databases.drop(url)


def test_this_server_answers_at_once(running):
    """Else nothing here was tested: what uvicorn's task writes has its fields in another order."""
    start = head(TYPE, b"Connection: close", length=len(FOUND))
    assert b"connection: close\r\ncontent-length" in ask(running.port, start + FOUND)
    assert b"connection: close\r\ncontent-length" not in ask(running.port, start, FOUND)


def test_what_comes_behind_is_answered_in_its_turn(running):
    one = head(TYPE, length=len(FOUND)) + FOUND
    last = head(TYPE, b"Connection: close", length=len(FOUND)) + FOUND
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(one + head(TYPE, length=5) + b"hello" + one + last)
        got = b""
        while more := connection.recv(65536):
            got += more
    codes = re.findall(rb"<(?:ResponseCode|ErrorCode)>(\w+)<", got)
    assert codes == [b"WSRC0004", b"WSEC0001", b"WSRC0004", b"WSRC0004"]


def test_nothing_is_read_behind_a_reply_that_closes(running):
    one = head(TYPE, b"Connection: close", length=len(FOUND)) + FOUND
    assert ask(running.port, one + one).count(b"HTTP/1.1 ") == 1


def test_what_nobody_foresaw_is_a_fault_that_says_nothing(database_url, monkeypatch):
    register = Register(settings.Settings(database=database_url))
    application = app.App(register)

    def fails(*_):
        raise RuntimeError("Ada Lovelace")

    monkeypatch.setattr(application, "at_once", fails)
    monkeypatch.setattr(application, "all_at_once", fails)
    shielded, way = shield.Shield(application), app.Way(origin.NOWHERE, None)
    response, _ = shielded.at_once(way, FOUND)
    assert shielded.all_at_once([(way, FOUND)] * 2)[1][0].status == 500
    register.close()
    assert response.status == 500 and b"WSEC0999" in response.body and b"Ada" not in response.body
    assert (b"connection", b"close") in response.headers


@pytest.mark.parametrize("is_closing", [True, False])
def test_a_connection_that_was_ended_meanwhile_is_no_error(is_closing):
    class Closed:
        def is_closing(self):
            return is_closing

    async def app_that_answers(scope, receive, send):
        await send({"type": "http.response.start"})

    async def send(message):
        raise RuntimeError("the handler is closed")

    scope = {"method": "POST", "path": contract.ENDPOINT, "extensions": {connection.TRANSPORT: Closed()}}
    call = shield.Shield(app_that_answers)(scope, None, send)
    if is_closing:
        asyncio.run(call)
    else:
        with pytest.raises(AttributeError):  # it wants to answer, which this application cannot
            asyncio.run(call)


def test_a_connection_that_cannot_be_answered_spoils_it_for_no_other():
    class One:
        def __init__(self, breaks):
            self.breaks, self.answered, self.is_aborted = breaks, False, False
            self.transport = self

        def answer(self, response, begun):
            if self.breaks:
                raise RuntimeError("Ada Lovelace")
            self.answered = (response, begun)

        def abort(self):
            self.is_aborted = True

    class Answering:
        def all_at_once(self, asked):
            return [(body, None) for _, body in asked]

    async def ask_all(number):
        met, made = [One(place == 1) for place in range(number)], companions.Companions()
        for place, one in enumerate(met):
            made.add(one, None, place, Answering(), asyncio.get_running_loop())
        await asyncio.sleep(0.01)
        return met

    for number in (3, companions.MOST, companions.MOST + 2):
        met = asyncio.run(ask_all(number))
        assert [one.is_aborted for one in met] == [one.breaks for one in met]
        assert all(one.answered == (place, None) for place, one in enumerate(met) if not one.breaks)
