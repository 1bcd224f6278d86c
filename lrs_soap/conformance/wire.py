"""HTTP as the suite speaks it: every byte its own, every answer kept, whatever the other side does."""

import contextlib
import dataclasses
import http.client
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit, urlunsplit

MAX_REPLY_BYTES = 16 * 1024 * 1024
USER_AGENT = "lrs-soap-conform"
_CHUNK = 64 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it. `problem` says why there is no whole reply; otherwise it is empty.

    Header names are in lower case. version: 10 or 11, of the reply. seconds: how long it took.
    """

    method: str
    url: str
    sent_headers: tuple[tuple[str, str], ...]
    sent: bytes
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    problem: str = ""
    version: int = 0
    seconds: float = 0.0

    def header(self, name: str) -> str:
        """The reply's header of that name, or nothing."""
        return ", ".join(value for key, value in self.headers if key == name.lower())


class Wire:
    """Connections to one host. Each thread keeps one open; `alone` gives one that nobody else uses.

    timeout: seconds to wait for the connection and for each part of the reply; a whole reply may take three times that.
    tls: for https.
    """

    def __init__(self, url: str, timeout: float = 20.0, tls: ssl.SSLContext | None = None):
        parts = urlsplit(url)
        self.url, self.timeout = url, timeout
        self._https, self._host, self._port = parts.scheme == "https", parts.hostname or "", parts.port
        self._tls = tls
        self._threads = threading.local()
        self._opened: list[Connection] = []

    def alone(self) -> "Connection":
        """A new connection, for a case about connections."""
        self._opened.append(Connection(self))
        return self._opened[-1]

    def send(self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Exchange:
        """One request on this thread's connection, sent again on a new one if the old had been closed meanwhile."""
        connection = getattr(self._threads, "connection", None)
        if connection is not None and connection.is_open:
            exchange = connection.send(method, url, body, headers)
            if not connection.was_stale:
                return exchange
        self._threads.connection = self.alone()
        return self._threads.connection.send(method, url, body, headers)

    def close(self) -> None:
        """Closes every connection, of all threads."""
        while self._opened:
            self._opened.pop().close()

    def same_host(self, url: str) -> bool:
        """Whether `url` is at the scheme, host and port of the service."""
        return urlsplit(url)[:2] == urlsplit(self.url)[:2]

    def opened(self) -> http.client.HTTPConnection:
        """A connection that is open. Raises OSError."""
        if self._https:
            made = http.client.HTTPSConnection(self._host, self._port, timeout=self.timeout, context=self._tls)
        else:
            made = http.client.HTTPConnection(self._host, self._port, timeout=self.timeout)
        made.connect()
        return made


class Connection:
    """One connection, opened by the first request."""

    def __init__(self, wire: Wire):
        self._wire = wire
        self._http: http.client.HTTPConnection | None = None
        self.was_stale = False
        self.opened_count = 0

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent on it."""
        return self._http is not None and self._http.sock is not None

    def close(self) -> None:
        """Closes it."""
        if self._http is not None:
            self._http.close()

    def send(self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Exchange:
        """One HTTP/1.1 request; Host and Content-Length are added, nothing else."""
        parts = urlsplit(url)
        given = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": USER_AGENT, **(headers or {})}
        if (body or method in ("POST", "PUT")) and "Transfer-Encoding" not in given:
            given.setdefault("Content-Length", str(len(body)))
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return self.raw(method, url, f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1"), body, given)

    def raw(
        self, method: str, url: str, head: bytes, body: bytes, headers: dict[str, str], shown: bytes | None = None
    ) -> Exchange:
        """Sends `head` and `body` as they are and reads one reply. shown: what to record as sent instead of `body`."""
        exchange = Exchange(method, url, tuple(headers.items()), body if shown is None else shown)
        started, reused = time.monotonic(), self.is_open
        self.was_stale = False
        try:
            if not reused:
                self._http = self._wire.opened()
                self.opened_count += 1
            self._http.sock.sendall(head + body)
            reply = self._read(method)
        except TimeoutError:
            reply = {"problem": f"no answer within {self._wire.timeout:g} seconds"}
        except ssl.SSLError as error:
            reply = {"problem": f"TLS failed: {error.reason or type(error).__name__}"}
        except (http.client.RemoteDisconnected, ConnectionError) as error:
            self.was_stale = reused
            reply = {"problem": f"the connection was closed without a reply ({type(error).__name__})"}
            if not reused and self._http is None:
                reply = {"problem": f"no connection could be made ({type(error).__name__})"}
        except (http.client.HTTPException, OSError, ValueError) as error:
            reply = {"problem": f"what came back is not HTTP ({type(error).__name__})"}
            if isinstance(error, (socket.gaierror, OSError)) and not isinstance(error, ValueError):
                reply = {"problem": f"no connection could be made ({error.strerror or type(error).__name__})"}
        if reply.get("problem"):
            self.close()
        return dataclasses.replace(exchange, **reply, seconds=time.monotonic() - started)

    def _read(self, method: str) -> dict:
        with contextlib.closing(http.client.HTTPResponse(self._http.sock, method=method)) as response:
            return self._whole(response, method)

    def _whole(self, response: http.client.HTTPResponse, method: str) -> dict:
        response.begin()
        pieces, length = [], 0
        deadline = time.monotonic() + 3 * self._wire.timeout
        problem = ""
        while piece := response.read1(_CHUNK):
            pieces.append(piece)
            length += len(piece)
            if length > MAX_REPLY_BYTES:
                problem = f"the reply is longer than {MAX_REPLY_BYTES} bytes"
                break
            if time.monotonic() > deadline:
                problem = f"the reply was not complete after {3 * self._wire.timeout:g} seconds"
                break
        declared = response.headers.get("Content-Length", "")
        if not problem and method != "HEAD" and declared.isdigit() and length < int(declared) and response.status != 304:
            problem = f"the reply ended after {length} of {declared} bytes"
        if response.will_close:
            self.close()
        return {
            "status": response.status,
            "headers": tuple((name.lower(), value) for name, value in response.getheaders()),
            "body": b"".join(pieces),
            "version": response.version,
            "problem": problem,
        }
