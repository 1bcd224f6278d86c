"""Clients that are slow on purpose, and more connections than there may be: others are still served."""

import contextlib
import socket
import threading
import time

import pytest
from support import outcomes, server

from lrs_soap import contract

FOUND = outcomes.named("uln-exact").message
HEAD = f"POST {contract.ENDPOINT} HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n".encode()
SLOW = {
    "silent": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 100000\r\n\r\n<",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n<",
    "replies that are not read": f"GET {contract.ENDPOINT}?wsdl HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 20,
}
MOST = 40


@pytest.fixture(scope="module")
def small(sqlite_databases):
    """A server of few connections and little patience."""
    url = sqlite_databases.empty()
    with server.running(url, max_connections=MOST, request_timeout_seconds=3, keep_alive_seconds=2) as running:
        yield running
    sqlite_databases.drop(url)


@contextlib.contextmanager
def held(port: int, sent: bytes, number: int):
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(number):
            connections.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)))
            connections[-1].sendall(sent)
        yield connections


@pytest.mark.parametrize("kind", SLOW)
@pytest.mark.parametrize("number", [MOST // 2, MOST * 3])
def test_others_are_served_beside_slow_clients(small, kind, number):
    with held(small.port, SLOW[kind], number):
        started = time.monotonic()
        for _ in range(20):
            assert b"WSRC0004" in small.post(FOUND).body
        assert time.monotonic() - started < 10  # measured: 0.2 s


def test_a_slow_client_is_ended(small):
    with held(small.port, SLOW["half a body"], 1) as (connection,):
        stop = threading.Event()

        def drip():
            while not stop.wait(0.2):
                with contextlib.suppress(OSError):
                    connection.send(b" ")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(100) == b""
        finally:
            stop.set()
            thread.join()


def test_what_was_refused_is_counted(small):
    with held(small.port, b"", MOST * 2):
        page = small.get("/metrics").body.decode()
    assert 'lrs_soap_refused_total{reason="made-room"}' in page
