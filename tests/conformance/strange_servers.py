"""Servers that are no LearnerService at all: each is what a connection gets instead of an answer."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\n"


def _says(data: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)

    return answer


def whole(body: bytes, head: bytes = _HEAD) -> Callable[[socket.socket], None]:
    """A server that answers everything with HTTP 200 and this body."""
    return _says(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def _silent(connection: socket.socket) -> None:
    connection.settimeout(5)
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def _endless(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(_HEAD + b"Connection: close\r\n\r\n<")
    for _ in range(400):
        connection.sendall(b"a" * 65536)


_ENVELOPE = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>%b</e:Body></e:Envelope>'
_BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;&b;&b;</a>'

STRANGE: dict[str, Callable[[socket.socket], None]] = {
    "noise": _says(bytes(range(256)) * 20),
    "another protocol": _says(b"220 mail.example ESMTP ready\r\n"),
    "a closed connection": lambda connection: None,
    "a web page": whole(b"<!doctype html><title>Welcome</title><p>It works!", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"),
    "nothing": whole(b""),
    "an empty envelope": whole(_ENVELOPE % b""),
    "another reply": whole(_ENVELOPE % b"<ok xmlns='urn:x'/>"),
    "an empty fault": whole(_ENVELOPE % b"<e:Fault/>"),
    "a bomb": whole(_BOMB),
    "control characters": whole(b"\x00\x01\x02<a>\xff\xfe</a>"),
    "a status that is none": _says(b"HTTP/1.1 999999 Odd\r\n\r\n"),
    "a length that is none": _says(_HEAD + b"Content-Length: -7\r\n\r\nabc"),
    "a redirect to itself": _says(b"HTTP/1.1 307 Go\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    "silence": _silent,
}
ENDLESS = _endless


@contextlib.contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that treats every connection so and then closes it."""
    ended = threading.Event()

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            answer(connection)
            # Closed with unread data, a connection would be reset before its answer is read.
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(0.2)
            while connection.recv(65536):
                pass

    def serve() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()
