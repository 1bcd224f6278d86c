"""Messages behind a known head that have to wait for something: they are answered without uvicorn's task, and as if by it."""

import contextlib
import re
import signal
import socket
import threading
import time

import pytest
import sqlalchemy as sa
from support import outcomes, server
from support.connections import FOUND, TYPE, ask, fields, head, in_use, message, whole

from lrs_soap.operations import TABLE
from lrs_soap.store import engine as engines
from lrs_soap.store import tables

NEW = message("register-everything")
# What can be asked twice.
SAME = [row.case for row in outcomes.rows() if row.operation in TABLE and not (TABLE[row.operation].quick or row.changes)]


def request(body: bytes, *more: bytes) -> bytes:
    return head(TYPE, *more, length=len(body)) + body


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def databases_of(request):
    return request.getfixturevalue(f"{request.param}_databases")


@pytest.fixture
def url(databases_of):
    url = in_use(databases_of)
    yield url
    databases_of.drop(url)


@pytest.fixture(scope="module")
def running(databases_of):
    url = in_use(databases_of)
    with server.running(url, "serve") as found:
        found.post(FOUND)  # the password is known from now on
        yield found
    databases_of.drop(url)


@contextlib.contextmanager
def known(port: int):
    """A connection on which the head of `request` was sent before."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request(FOUND))
        assert b"WSRC0004" in whole(connection)
        yield connection


@contextlib.contextmanager
def held(url: str):
    """Nobody else can write an audit row, and so no change, until the block ends."""
    engine = engines.create(url)
    with engines.write(engine) as conn:
        if engine.dialect.name == "postgresql":
            conn.execute(sa.text(f"LOCK TABLE {tables.audit.name} IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


@pytest.mark.parametrize("case", SAME)
def test_every_operation_that_waits(running, case):
    alone = ask(running.port, head(TYPE, length=len(message(case))), message(case))
    with known(running.port) as connection:
        for _ in range(2):
            connection.sendall(request(message(case)))
            assert _same(whole(connection)) == _same(alone)


def _same(reply: bytes) -> tuple:
    return fields(re.sub(rb"(<JobID>|Time>)[^<]*", rb"\1", reply))


def test_it_is_not_uvicorn_that_answers(running):
    """Else nothing here was tested: what its task writes has its fields in another order."""
    with known(running.port) as connection:
        connection.sendall(request(message("report-merged-none")))
        assert b"charset=utf-8\r\ncontent-length" in whole(connection)
    assert b"charset=utf-8\r\ncontent-length" in ask(running.port, request(message("report-merged-none")))


def test_a_head_is_known_from_the_first_message_though_that_waited(running):
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        for _ in range(3):
            connection.sendall(request(message("record-shared")))
            assert b"WSRC0004" in whole(connection)


def test_what_comes_behind_is_answered_in_its_turn(url):
    with server.running(url, "serve") as running:
        running.post(FOUND)
        with known(running.port) as connection:
            with held(url):
                connection.sendall(request(NEW))
                time.sleep(0.2)
                connection.sendall(request(FOUND) + request(NEW))
                connection.sendall(request(FOUND)[:100])
                time.sleep(0.2)
                connection.sendall(request(FOUND)[100:])
            codes = []
            got = b""
            while len(codes) < 4:
                got += connection.recv(65536)
                codes = _codes(got)
            assert codes == ["WSRC0005", "WSRC0004", "WSRC0021", "WSRC0004"]


def _codes(got: bytes) -> list[str]:
    return [part[:8].decode() for part in got.split(b"<ResponseCode>")[1:] if b"</soapenv:Envelope>" in part]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_server_that_is_stopped_answers_first(url, how):
    with server.running(url, "serve") as running:
        running.post(FOUND)
        with known(running.port) as connection:
            with held(url):
                connection.sendall(request(NEW))
                time.sleep(0.3)
                running.process.send_signal(how)
                time.sleep(2)
            reply = whole(connection)
            assert b"WSRC0005" in reply
            if how == signal.SIGTERM:
                assert b"connection: close" in reply.lower() and connection.recv(100) == b""


def test_who_waits_long_is_not_taken_for_idle(url):
    with server.running(url, "serve", keep_alive_seconds=1) as running:
        running.post(FOUND)
        with known(running.port) as connection:
            with held(url):
                connection.sendall(request(NEW))
                time.sleep(2.5)
            assert b"WSRC0005" in whole(connection)
            assert connection.recv(100) == b""  # and is closed a while later


def test_a_client_that_leaves_leaves_no_error_and_its_learner_is_registered(url):
    with server.running(url, "serve") as running:
        running.post(FOUND)
        with held(url), known(running.port) as connection:
            connection.sendall(request(NEW))
            time.sleep(0.3)
        assert b"WSRC0021" in ask(running.port, request(NEW))
        assert "unexpected" not in running.output and "Traceback" not in running.output


def test_not_all_that_is_sent_meanwhile_is_read(url):
    """Who sends without waiting for replies is held up by the network, not kept in memory."""
    with server.running(url, "serve") as running:
        running.post(FOUND)
        with known(running.port) as connection:
            sent = 0
            with held(url):
                connection.sendall(request(NEW))
                time.sleep(0.2)
                connection.settimeout(1)
                with contextlib.suppress(TimeoutError):
                    while sent < 200_000_000:
                        sent += connection.send(b"\r\n" * 50_000)
            assert sent < 100_000_000


def test_many_that_wait_are_all_answered(url):
    """Registrations of one person on many connections: one is registered."""
    with server.running(url, "serve") as running:
        running.post(FOUND)
        replies = []

        def ask_one():
            with known(running.port) as connection:
                connection.sendall(request(NEW))
                replies.append(whole(connection))

        threads = [threading.Thread(target=ask_one) for _ in range(20)]
        with held(url):
            for thread in threads:
                thread.start()
            time.sleep(0.5)
        for thread in threads:
            thread.join()
    assert sorted(code for reply in replies for code in _codes(reply)) == ["WSRC0005"] + ["WSRC0021"] * 19
