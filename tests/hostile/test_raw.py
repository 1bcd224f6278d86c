"""Each hostile connection: the statuses that come back, a log without its content, and a server that goes on."""

import re
import socket
import struct

import pytest
from hostile import raw, shapes

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def talk(port: int, case: raw.Raw) -> bytes:
    """Everything the server sends until it closes the connection."""
    received = []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(case.sent)
            if case.then == "close":
                connection.shutdown(socket.SHUT_WR)
            if case.then == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return b""
            while piece := connection.recv(65536):
                received.append(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it had heard enough
    return b"".join(received)


@pytest.mark.parametrize("case", raw.REQUESTS, ids=lambda case: case.name)
def test_hostile_connection(sandbox, case):
    said = len(sandbox.output)
    reply = talk(sandbox.port, case)
    text = sandbox.output[said:]

    assert tuple(int(status) for status in _STATUS.findall(reply)) == case.expected
    assert shapes.CANARY not in text
    assert "Traceback" not in text
    assert b"evil.example" not in reply
    assert b"<script>" not in reply
    assert b"root:" not in reply
    assert b"WSRC0004" in sandbox.post(shapes.VALID.encode()).body


def test_there_are_enough():
    assert len(raw.REQUESTS) >= 100
    assert len({case.name for case in raw.REQUESTS}) == len(raw.REQUESTS)
