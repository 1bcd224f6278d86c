"""Requests that are hostile as HTTP: what is sent on one connection, and the statuses that come back on it.

What is expected: the statuses in their order, () for a connection closed without a word. `then` says whether the client
closes its side once it has sent all: a request that stops in its middle is one that ends.
"""

import dataclasses

from hostile.shapes import CANARY, VALID

from lrs_soap import contract

_PATH = contract.ENDPOINT
_BODY = VALID.encode()
_LENGTH = f"Content-Length: {len(_BODY)}"
_CHUNKED = "Transfer-Encoding: chunked"
_SMUGGLED = f"GET /{CANARY} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@dataclasses.dataclass(frozen=True, slots=True)
class Raw:
    """One hostile connection."""

    name: str
    expected: tuple[int, ...]
    sent: bytes
    then: str = "wait"


def _head(*fields: str, line: str = f"POST {_PATH} HTTP/1.1", host: str = "Host: localhost") -> bytes:
    lines = [line, host, "Content-Type: text/xml", "Connection: close", *fields]
    return "\r\n".join(filter(None, lines)).encode("latin-1") + b"\r\n\r\n"


def _kept(*fields: str) -> bytes:
    return "\r\n".join([f"POST {_PATH} HTTP/1.1", "Host: localhost", "Content-Type: text/xml", *fields]).encode() + b"\r\n\r\n"


def _chunks(*sizes: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(size + b"\r\n" + _BODY + b"\r\n" for size in sizes) + end


_SIZE = b"%x" % len(_BODY)

REQUESTS = (
    Raw("nothing amiss", (200,), _head(_LENGTH) + _BODY),
    # Where one request ends and the next begins
    Raw("length and chunks", (400,), _head(_LENGTH, _CHUNKED) + _chunks(_SIZE)),
    Raw("chunks and length", (400,), _head(_CHUNKED, "Content-Length: 3") + _chunks(_SIZE)),
    Raw("a smuggled request behind length and chunks", (400,), _kept("Content-Length: 5", _CHUNKED) + b"0\r\n\r\n" + _SMUGGLED),
    Raw("two lengths that differ", (400,), _head(_LENGTH, "Content-Length: 3") + _BODY),
    Raw("two lengths that agree", (400,), _head(_LENGTH, _LENGTH) + _BODY),
    Raw("a list of lengths", (400,), _head(f"Content-Length: {len(_BODY)}, {len(_BODY)}") + _BODY),
    Raw("a length below nothing", (400,), _head("Content-Length: -1") + _BODY),
    Raw("a length with a plus", (400,), _head(f"Content-Length: +{len(_BODY)}") + _BODY),
    Raw("a length in hexadecimal", (400,), _head(f"Content-Length: {len(_BODY):#x}") + _BODY),
    Raw("a length of words", (400,), _head(f"Content-Length: {CANARY}") + _BODY),
    Raw("an empty length", (400,), _head("Content-Length: ") + _BODY),
    Raw("a length that overflows", (400,), _head("Content-Length: " + "9" * 40) + _BODY),
    Raw("a length of many gigabytes", (500,), _head("Content-Length: 99999999999")),
    Raw("a blank before the colon of the length", (400,), _head(f"Content-Length : {len(_BODY)}") + _BODY),
    Raw("chunks in another spelling", (400,), _head("Transfer-Encoding: xchunked") + _chunks(_SIZE)),
    Raw("chunks with a tab", (200,), _head("Transfer-Encoding:\tchunked") + _chunks(_SIZE)),
    Raw("chunks twice", (400,), _head("Transfer-Encoding: chunked, chunked") + _chunks(_SIZE)),
    Raw("chunks and then identity", (400,), _head("Transfer-Encoding: chunked, identity") + _chunks(_SIZE)),
    Raw("gzip and then chunks", (415,), _head("Transfer-Encoding: gzip, chunked") + _chunks(_SIZE)),
    Raw("identity as transfer", (400,), _head("Transfer-Encoding: identity", _LENGTH) + _BODY),
    Raw("a chunk size of words", (400,), _head(_CHUNKED) + _chunks(b"zz")),
    Raw("a chunk size below nothing", (400,), _head(_CHUNKED) + _chunks(b"-1")),
    Raw("a chunk size that overflows", (400,), _head(_CHUNKED) + _chunks(b"f" * 17)),
    Raw("a chunk size with 0x", (400,), _head(_CHUNKED) + _chunks(b"0x" + _SIZE)),
    Raw("a chunk size too small", (400,), _head(_CHUNKED) + _chunks(b"5")),
    Raw("a chunk that ends with a line feed alone", (400,), _head(_CHUNKED) + _SIZE + b"\n" + _BODY + b"\n0\n\n"),
    Raw("a chunk extension", (200,), _head(_CHUNKED) + _chunks(_SIZE + b";a=" + CANARY.encode())),
    Raw("a chunk extension with a line feed", (400,), _head(_CHUNKED) + _chunks(_SIZE + b";a=\nb")),
    Raw("trailers that would be headers", (400,), _head(_CHUNKED) + _chunks(
        _SIZE, end=b"0\r\nHost: b\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\n")),
    Raw("chunks in HTTP/1.0", (200,), _head(_CHUNKED, line=f"POST {_PATH} HTTP/1.0") + _chunks(_SIZE)),
    Raw("a request in the body of a GET", (200,), _head("Content-Length: %d" % len(_SMUGGLED), line="GET /healthz HTTP/1.1") + _SMUGGLED),
    Raw("two requests at once", (200, 200), _kept(_LENGTH) + _BODY + _head(_LENGTH) + _BODY),
    # As many as may be sent ahead; test_slow_clients sends more.
    Raw("five requests at once", (200,) * 5, (_kept(_LENGTH) + _BODY) * 4 + _head(_LENGTH) + _BODY),
    Raw("a request behind the last", (200,), _head(_LENGTH) + _BODY + _SMUGGLED),
    Raw("a body behind a GET", (400,), b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + _BODY),
    # Headers
    Raw("no Host", (200,), _head(_LENGTH, host="") + _BODY),
    Raw("two Hosts", (400,), _head(_LENGTH, "Host: evil.example") + _BODY),
    Raw("a Host with a path", (200,), _head(host="Host: evil.example/x?", line=f"GET {_PATH}?wsdl HTTP/1.1")),
    Raw("a Host with markup", (200,), _head(host="Host: a\"/><script>", line=f"GET {_PATH}?wsdl HTTP/1.1")),
    Raw("a Host with a user", (200,), _head(host="Host: a@evil.example", line="GET / HTTP/1.1")),
    Raw("a Host with a line of its own", (400,), _head(host="Host: a\r\n X: b", line="GET / HTTP/1.1")),
    Raw("an empty Host", (200,), _head(host="Host:", line="GET / HTTP/1.1")),
    Raw("X-Forwarded-Host of a stranger", (200,), _head("X-Forwarded-Host: evil.example", line=f"GET {_PATH}?wsdl HTTP/1.1")),
    Raw("a folded header", (400,), _head("X-A: b\r\n c", _LENGTH) + _BODY),
    Raw("a folded length", (400,), _head(f"Content-Length:\r\n {len(_BODY)}") + _BODY),
    Raw("a header without a colon", (400,), _head(CANARY, _LENGTH) + _BODY),
    Raw("a header without a name", (400,), _head(": x", _LENGTH) + _BODY),
    Raw("a header name with a blank", (400,), _head("X Y: z", _LENGTH) + _BODY),
    Raw("a header name with a NUL", (400,), _head("X\0Y: z", _LENGTH) + _BODY),
    Raw("a header value with a NUL", (400,), _head("X: \0z", _LENGTH) + _BODY),
    Raw("a header value with a carriage return", (400,), _head("X: a\rb", _LENGTH) + _BODY),
    Raw("a header value of Latin-1", (200,), _head("X: \xe9\xff", _LENGTH) + _BODY),
    Raw("a header of 20 KB", (200,), _head("X: " + "a" * 20_000, _LENGTH) + _BODY),
    Raw("a header of a megabyte", (), _head("X: " + CANARY * 80_000, _LENGTH) + _BODY),
    Raw("a header name of a megabyte", (), _head("X" * 1_000_000 + ": a", _LENGTH) + _BODY),
    Raw("a header without an end", (), f"POST {_PATH} HTTP/1.1\r\nX: ".encode() + b"a" * 5_000_000),
    Raw("500 headers", (200,), _head(*(f"X-{n}: a" for n in range(500)), _LENGTH) + _BODY),
    Raw("100,000 headers", (), _head(*(f"X-{n}: a" for n in range(100_000)), _LENGTH) + _BODY),
    Raw("trailers of a megabyte", (200,), _head(_CHUNKED) + _chunks(_SIZE, end=b"0\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n")),
    Raw("two types", (415,), _head("Content-Type: application/json", _LENGTH) + _BODY),
    Raw("two codings", (415,), _head("Content-Encoding: gzip", "Content-Encoding: identity", _LENGTH) + _BODY),
    Raw("an expectation that is none", (200,), _head(f"Expect: {CANARY}", _LENGTH) + _BODY),
    Raw("an upgrade to WebSocket", (200,), _head("Upgrade: websocket", "Sec-WebSocket-Key: eA==", line="GET / HTTP/1.1").replace(b": close", b": Upgrade")),
    Raw("an upgrade to HTTP/2", (200,), _head("Upgrade: h2c", _LENGTH).replace(b": close", b": Upgrade, close") + _BODY),
    # Request lines
    Raw("HTTP/0.9", (200,), b"GET /healthz\r\n\r\n"),
    Raw("HTTP/1.1 without anything", (200,), b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"),
    Raw("HTTP/2 from the start", (400,), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Raw("HTTP/3.7", (400,), _head(_LENGTH, line=f"POST {_PATH} HTTP/3.7") + _BODY),
    Raw("another protocol", (400,), _head(_LENGTH, line=f"POST {_PATH} SIP/2.0") + _BODY),
    Raw("a method in small letters", (400,), _head(_LENGTH, line=f"post {_PATH} HTTP/1.1") + _BODY),
    Raw("a method that is none", (400,), _head(_LENGTH, line=f"{CANARY.upper()} {_PATH} HTTP/1.1") + _BODY),
    Raw("CONNECT", (400,), _head(line="CONNECT evil.example:443 HTTP/1.1")),
    Raw("TRACE", (405,), _head(line=f"TRACE {_PATH} HTTP/1.1")),
    Raw("PROPFIND", (405,), _head(line=f"PROPFIND {_PATH} HTTP/1.1")),
    Raw("OPTIONS of everything", (404,), _head(line="OPTIONS * HTTP/1.1")),
    Raw("a target with its scheme and host", (200,), _head(_LENGTH, line=f"POST http://evil.example{_PATH} HTTP/1.1") + _BODY),
    Raw("the WSDL of another host", (200,), _head(line=f"GET http://evil.example{_PATH}?wsdl HTTP/1.1")),
    Raw("a target that is a URL elsewhere", (404,), _head(line=f"GET ftp://evil.example/{CANARY} HTTP/1.1")),
    Raw("a target of a megabyte", (), _head(line=f"GET /{'a' * 1_000_000} HTTP/1.1")),
    Raw("a query of 30 KB", (200,), _head(_LENGTH, line=f"POST {_PATH}?{'a' * 30_000} HTTP/1.1") + _BODY),
    Raw("a target with a fragment", (200,), _head(_LENGTH, line=f"POST {_PATH}#x HTTP/1.1") + _BODY),
    Raw("a target with a blank", (400,), _head(_LENGTH, line=f"POST {_PATH} x HTTP/1.1") + _BODY),
    Raw("a target with letters beyond ASCII", (400,), _head(line="GET /\xe9 HTTP/1.1")),
    Raw("a blank before the method", (400,), b" " + _head(_LENGTH) + _BODY),
    Raw("empty lines before the method", (200,), b"\r\n\r\n" + _head(_LENGTH) + _BODY),
    Raw("line feeds alone", (400,), (_head(_LENGTH) + b"").replace(b"\r\n", b"\n") + _BODY),
    Raw("carriage returns alone", (400,), _head(_LENGTH).replace(b"\r\n", b"\r") + _BODY),
    Raw("TLS", (400,), bytes.fromhex("16030100c8010000c40303") + bytes(200)),
    Raw("SSH", (400,), b"SSH-2.0-OpenSSH_9.6\r\n"),
    Raw("noise", (400,), bytes(range(256)) * 16),
    Raw("a proxy's own line", (400,), b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + _head(_LENGTH) + _BODY),
    # Paths
    Raw("out of the directory", (404,), _head(line="GET /MIAPWebService/services/../../../../etc/passwd HTTP/1.1")),
    Raw("out of it in percents", (404,), _head(line="GET /MIAPWebService/services/%2e%2e%2f%2e%2e%2fsetup.cfg HTTP/1.1")),
    Raw("out of it in percents twice", (404,), _head(line="GET /MIAPWebService/services/%252e%252e%252fsetup.cfg HTTP/1.1")),
    Raw("out of it with backslashes", (404,), _head(line="GET /MIAPWebService/services/..\\..\\setup.cfg HTTP/1.1")),
    Raw("a schema by an absolute path", (404,), _head(line="GET /MIAPWebService/services//etc/passwd HTTP/1.1")),
    Raw("a schema and a NUL", (404,), _head(line="GET /MIAPWebService/services/learner.xsd%00.txt HTTP/1.1")),
    Raw("a schema too long in UTF-8", (404,), _head(line="GET /MIAPWebService/services/%c0%ae%c0%ae/x HTTP/1.1")),
    Raw("a line in the path", (404,), _head(line=f"GET /a%0d%0aSet-Cookie:%20{CANARY} HTTP/1.1")),
    Raw("the sources", (404,), _head(line="GET /lrs_soap/wire/app.py HTTP/1.1")),
    Raw("the database", (404,), _head(line="GET /lrs-register.sqlite HTTP/1.1")),
    Raw("the repository", (404,), _head(line="GET /.git/config HTTP/1.1")),
    # Requests that end too early
    Raw("nothing", (), b"", "close"),
    Raw("half a request line", (), b"POST /MIAP", "close"),
    Raw("half a head", (), _head(_LENGTH)[:60], "close"),
    Raw("a head alone", (), _head(_LENGTH), "close"),
    Raw("half a body", (), _head(_LENGTH) + _BODY[:50], "close"),
    Raw("half a chunk", (), _head(_CHUNKED) + _SIZE + b"\r\n" + _BODY[:50], "close"),
    Raw("chunks without an end", (), _head(_CHUNKED) + _chunks(_SIZE, end=b""), "close"),
    Raw("a body that is promised longer", (), _head(f"Content-Length: {len(_BODY) + 1}") + _BODY, "close"),
    Raw("a body that is promised shorter", (500,), _head(f"Content-Length: {len(_BODY) - 5}") + _BODY),
    Raw("a reply that nobody reads", (), _head(_LENGTH) + _BODY, "reset"),
    Raw("a silent client", (), b"", "wait"),
    Raw("one that stops in its head", (), _head(_LENGTH)[:60], "wait"),
    Raw("one that stops in its body", (), _head(_LENGTH) + _BODY[:50], "wait"),
    Raw("one that waits to be asked, and is", (100, 200), _head("Expect: 100-continue", _LENGTH) + _BODY),
    Raw("one that waits to be asked for too much", (500,), _head("Expect: 100-continue", "Content-Length: 99999999")),
    Raw("a fault and then a call", (500, 200), _kept("Content-Length: 4") + b"<!D>" + _head(_LENGTH) + _BODY),
    Raw("an answer and then HTTP that is none", (400,), _kept(_LENGTH) + _BODY + CANARY.encode() + b"\r\n\r\n"),
)  # fmt: skip
