"""Clients that are slow on purpose, and more connections than there may be: others are still served."""

import contextlib
import http.client
import signal
import socket
import ssl
import threading
import time

import pytest
from support import outcomes, secured, server

from lrs_soap import contract

FOUND = outcomes.named("uln-exact").message
HEAD = f"POST {contract.ENDPOINT} HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n".encode()
SLOW = {
    "silent": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 100000\r\n\r\n<",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n<",
    "replies that are not read": f"GET {contract.ENDPOINT}?wsdl HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 5,
}
MOST = 40


@pytest.fixture(scope="module")
def small(sqlite_databases):
    """A server of few connections and little patience."""
    url = sqlite_databases.sandbox()
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


def test_who_sends_many_requests_ahead_is_ended(small):
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with held(small.port, request * 5, 1) as (connection,):
        got = b""
        while got.count(b"HTTP/1.1 200") < 5:
            got += connection.recv(65536)
    with held(small.port, request * 2_000, 1) as (connection,):
        with contextlib.suppress(ConnectionResetError):
            got = b"".join(iter(lambda: connection.recv(65536), b""))
            assert got.count(b"HTTP/1.1 ") <= 8
    assert 'lrs_soap_refused_total{reason="pipelined"} 1.0' in small.get("/metrics").body.decode()
    assert "Traceback" not in small.output


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


def test_messages_that_do_not_end_hold_little_memory_together(sqlite_databases):
    url = sqlite_databases.migrated()
    secured.add_colleges(url)
    unfinished = HEAD + b"Content-Length: 60000\r\n\r\n" + b"x" * 50_000
    with secured.running(url, max_body_bytes=65536) as running:
        http = running.over_http()
        with held(running.port, unfinished, MOST):
            for _ in range(5):
                assert secured.FOUND_NOBODY in http.post(secured.find("COLL01")).body.decode()
            page = http.get("/metrics").body.decode()
    # Of forty that hold 50 KB, sixteen times 64 KB may stay.
    ended = figure(page, 'lrs_soap_refused_total{reason="memory"}')
    assert MOST - 16 * 65536 // 50_000 - 1 <= ended < MOST
    sqlite_databases.drop(url)


# TLS: what a client can hold before and after it is one


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    return secured.Papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def tls(sqlite_databases, papers):
    """A server of few connections behind TLS, and the way to trust it."""
    url = sqlite_databases.migrated()
    secured.add_colleges(url)
    trust = ssl.create_default_context(cafile=papers.ca_file)
    with secured.running(url, tls_certificate=papers.issue("server", "localhost"), max_connections=MOST) as running:
        yield running, trust
    sqlite_databases.drop(url)


def over_tls(running, trust, method="POST", path=contract.ENDPOINT) -> str:
    connection = http.client.HTTPSConnection("localhost", running.port, context=trust, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, secured.find("COLL01") if method == "POST" else None, {"Content-Type": "text/xml"})
        return connection.getresponse().read().decode()


def figure(page: str, name: str) -> float:
    return next((float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(name)), 0.0)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"], ids=["nothing", "half a hello", "no TLS"])
def test_handshakes_that_do_not_end_make_room(tls, said):
    running, trust = tls
    before = over_tls(running, trust, "GET", "/metrics")
    with held(running.port, said, MOST * 3):
        for _ in range(5):
            assert secured.FOUND_NOBODY in over_tls(running, trust)
        page = over_tls(running, trust, "GET", "/metrics")
    ended = sum(
        figure(page, name) - figure(before, name)
        for name in ('lrs_soap_refused_total{reason="made-room"}', 'lrs_soap_refused_total{reason="no-handshake"}')
    )
    assert ended >= MOST * 2


def test_handshakes_do_not_keep_a_server_from_stopping(sqlite_databases, papers):
    url = sqlite_databases.migrated()
    with secured.running(url, tls_certificate=papers.issue("stopping", "localhost")) as running:
        with held(running.port, b"", 5):
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(15) == 0
        assert "Traceback" not in running.output
    sqlite_databases.drop(url)


def test_a_handshake_under_way_when_the_server_is_told_to_stop_is_finished(sqlite_databases, papers):
    url = sqlite_databases.migrated()
    trust = ssl.create_default_context(cafile=papers.ca_file)
    with secured.running(url, tls_certificate=papers.issue("ending", "localhost")) as running:
        with socket.create_connection(("localhost", running.port), timeout=20) as plain:
            time.sleep(0.3)  # accepted
            running.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            with trust.wrap_socket(plain, server_hostname="localhost") as secure:
                secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                reply = b"".join(iter(lambda: secure.recv(65536), b""))
        assert reply.startswith(b"HTTP/1.1 200") and b"connection: close" in reply
        assert running.process.wait(15) == 0
    sqlite_databases.drop(url)


def test_who_does_not_answer_the_goodbye_is_not_waited_for(tls):
    running, trust = tls
    with contextlib.ExitStack() as stack:
        for _ in range(MOST // 2):
            plain = stack.enter_context(socket.create_connection(("localhost", running.port), timeout=20))
            secure = stack.enter_context(trust.wrap_socket(plain, server_hostname="localhost"))
            secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert secure.recv(100).startswith(b"HTTP/1.1 200")
        deadline = time.monotonic() + 15  # asyncio alone would wait 30 seconds
        while figure(over_tls(running, trust, "GET", "/metrics"), "lrs_soap_connections ") > 3:
            assert time.monotonic() < deadline
            time.sleep(0.2)
