"""A server in front of the sandbox that spoils what goes through it, one fault at a time.

It speaks HTTP/1.1 by Python's own http.server, so that nothing of lrs_soap is between the suite and the fault.
"""

import contextlib
import dataclasses
import http.client
import http.server
import threading
from collections.abc import Callable, Iterator

from lrs_soap import contract


@dataclasses.dataclass
class Sent:
    """A request on its way to the sandbox. Header names are in lower case; changes are passed on."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    version: str
    is_malformed: bool = False

    @property
    def is_call(self) -> bool:
        return self.method == "POST"


@dataclasses.dataclass
class Got:
    """A reply on its way back. chunked, close, protocol and missing are how it is sent: in chunks, with the connection
    closed behind it, under another version of HTTP, and with so many bytes fewer than it says."""

    status: int
    headers: dict[str, str]
    body: bytes
    chunked: bool = False
    close: bool = False
    protocol: str = "HTTP/1.1"
    missing: int = 0

    def replace(self, old: bytes | str, new: bytes | str) -> "Got":
        """Itself, with every `old` in the body replaced."""
        old, new = (text.encode() if isinstance(text, str) else text for text in (old, new))
        self.body = self.body.replace(old, new)
        return self


Pass = Callable[[Sent], Got]
Spoil = Callable[[Sent, Pass], Got]


def honest(sent: Sent, on: Pass) -> Got:
    """Spoils nothing."""
    return on(sent)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"
    timeout = 30

    def handle_expect_100(self) -> bool:
        if self.server.spoil.__name__ == "refuses_expect":
            self.send_response_only(417)
            self.send_header("Content-Length", "0")
            self.end_headers()
            self.close_connection = True
            return False
        return super().handle_expect_100()

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._body(headers)
        sent = Sent(self.command, self.path, headers, body or b"", self.request_version, body is None)
        self._send(self.server.spoil(sent, self._pass))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _handle

    def _body(self, headers: dict[str, str]) -> bytes | None:
        if headers.pop("transfer-encoding", "").lower() != "chunked":
            length = headers.get("content-length", "0")
            return self.rfile.read(int(length)) if length.isdigit() else None
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _pass(self, sent: Sent) -> Got:
        if sent.is_malformed:
            return Got(400, {"content-type": "text/plain"}, b"no", close=True)
        headers = {name: value for name, value in sent.headers.items() if name not in ("content-length", "expect", "connection")}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)) as connection:
            connection.request(sent.method, sent.path, sent.body, headers)
            response = connection.getresponse()
            kept = {name.lower(): value for name, value in response.getheaders()}
            for name in ("content-length", "connection", "date"):
                kept.pop(name, None)
            return Got(response.status, kept, response.read())

    def _send(self, got: Got) -> None:
        lines = [f"{got.protocol} {got.status} {http.client.responses.get(got.status, 'x')}"]
        lines += [f"{name}: {value}" for name, value in got.headers.items()]
        lines.append("transfer-encoding: chunked" if got.chunked else f"content-length: {len(got.body)}")
        if got.close or self.request_version == "HTTP/1.0":
            self.close_connection = True
            lines.append("connection: close")
        body = got.body[: len(got.body) - got.missing]
        if got.missing:
            self.close_connection = True
        if got.chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        # At once: the second of two small packets would wait for the first to be acknowledged.
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if self.command == "HEAD" else body))

    def log_message(self, *_args) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    spoil: Spoil
    behind: int

    def handle_error(self, request, client_address) -> None:
        # A client that went away is no fault of these tests; anything else shows as a reply that is missing.
        pass


@contextlib.contextmanager
def in_front(port: int, spoil: Spoil) -> Iterator[str]:
    """The endpoint's URL of a server in front of the sandbox at `port` that spoils what goes through it."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.spoil, server.behind = spoil, port
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{contract.ENDPOINT}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
