"""Connections to a server that is in use, on which messages are sent byte for byte."""

import re
import socket
import time

import sqlalchemy as sa
from support import outcomes

from lrs_soap import contract, passwords
from lrs_soap.store import engine as engines
from lrs_soap.store import tables

PASSWORD = "for at once 16 !"


def message(case: str) -> bytes:
    """The message of a row of fixtures/outcomes.csv, with the password that organisations have `in_use`."""
    return re.sub(rb"(<OrgPassword>)[^<]*", rb"\1" + PASSWORD.encode(), outcomes.named(case).message)


FOUND = message("uln-exact")
TYPE = b"Content-Type: text/xml; charset=utf-8"
_VARIES = re.compile(rb"(?<=date: )[^\r]*|<ErrorTimestamp>[^<]*|Reference: [0-9a-f]+")


def in_use(databases) -> str:
    """The URL of a register with the sandbox's learners that `serve` takes: a sandbox answers nothing at once, for it looks at
    calls before they are calls."""
    url = databases.sandbox()
    engine = engines.create(url)
    with engines.write(engine) as conn:
        conn.execute(sa.update(tables.organisation).values(sandbox=False, password_hash=passwords.hash_password(PASSWORD)))
    engine.dispose()
    return url


def head(*fields: bytes, length: int, target: str = contract.ENDPOINT, version: bytes = b"1.1") -> bytes:
    fields = (b"Host: a", b"Content-Length: %d" % length, *fields)
    return b"POST %b HTTP/%b\r\n%b\r\n\r\n" % (target.encode(), version, b"\r\n".join(fields))


def ask(port: int, *pieces: bytes) -> bytes:
    """What comes back until the server closes, or has sent a whole reply and stays silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(0.05)  # so that they are read one by one
            connection.sendall(piece)
        got = b""
        while not is_whole(got):
            more = connection.recv(65536)
            if not more:
                return got + b"[closed]"
            got += more
        connection.settimeout(0.2)
        try:
            return got + (connection.recv(65536) or b"[closed]")
        except TimeoutError:
            return got


def is_whole(got: bytes) -> bool:
    if b"100 Continue" in got:
        got = got.partition(b"\r\n\r\n")[2]
    start, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", start.lower())
    return length is not None and len(body) >= int(length[1])


def fields(reply: bytes) -> tuple:
    """The reply with its header fields in one order, without what differs from call to call."""
    start, _, body = _VARIES.sub(b"", reply).partition(b"\r\n\r\n")
    line, *rest = start.split(b"\r\n")
    return line, sorted(rest), body


def whole(connection: socket.socket) -> bytes:
    """One reply."""
    got = b""
    while not is_whole(got) and (more := connection.recv(65536)):
        got += more
    return got
