"""The register over HTTP: an ASGI application.

P marks what SOAP and the historic service left open: the statuses of what is no SOAP call, the page at / and /healthz.
"""

import asyncio
import concurrent.futures
import datetime
import email.message
import functools
import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lrs_soap import contract, errors, logs, metrics
from lrs_soap.operations import ahead
from lrs_soap.register import Register
from lrs_soap.wire import bodies, connection, faults, freshness, gathering, origin, pages, probes, soap, tls

log = logs.get_logger("lrs_soap.wire")

XML = "text/xml; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
_ENDPOINT = contract.ENDPOINT.encode()
_DIRECTORY = contract.ENDPOINT.rpartition("/")[0] + "/"
# Calls that wait for the disk wait here, so that the others go on.
_THREADS = 8
# P: the only ways in which a message may be packed.
_CODINGS = {b"content-encoding": (b"", b"identity"), b"transfer-encoding": (b"chunked",)}


class Response(NamedTuple):
    """What goes back: the status, the Content-Type, the body, and further headers."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Way(NamedTuple):
    """What the head of a plain SOAP call says: where it comes from, and the charset of its Content-Type."""

    origin: origin.Origin
    charset: str | None


class App:
    """The ASGI application of a register. `sandbox` makes the page at / say so. gathers: whether calls that come together
    are better answered by `all_at_once`."""

    def __init__(self, register: Register, sandbox: bool = False):
        self._register = register
        self._sandbox = sandbox
        # P: without TLS on an address that others can reach, only the proxy that ends TLS may bring calls.
        self._proxy_only = not sandbox and tls.is_exposed(register.settings) and not register.settings.insecure_http
        self._soap = soap.SoapServer(register)
        self._freshness = None
        if register.replicas is not None:
            register.replicas.watch()
            self._freshness = freshness.Freshness(register.replicas)
        self._probes = probes.Probes(register)
        self._bodies = bodies.Bodies(register.settings.max_body_bytes)
        self._threads = concurrent.futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="call")
        self._gathering = gathering.Gathering(register, self._threads)
        self._references = _references()
        self.gathers = ahead.pays(register.engine)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        if len(headers) < len(scope["headers"]) and sum(name == b"host" for name, _ in scope["headers"]) > 1:
            # RFC 9112, 3.2: a proxy before us may have looked at the other one.
            response = Response(400, TEXT, b"One Host header, please.\n", ((b"connection", b"close"),))
        elif scope["path"] == contract.ENDPOINT and scope["method"] == "POST":
            response = await self._call(scope, headers, receive)
        elif scope["path"] in ("/readyz", "/metrics"):
            response = await self._watch(scope)
        else:
            response = self._read(scope)
        if response.status not in (200, 500):
            metrics.refused(f"http-{response.status}")
            log.info("refused", status=response.status)
        await respond(response, send, scope["method"])

    def way(self, method: bytes, target: bytes, scope: dict[str, Any]) -> Way | None:
        """What `at_once` must know of the head of a request; None if such a request goes the long way whatever its body is.

        scope: as of `__call__`, but for method, path and query. The same head on the same connection gives the same.
        """
        if method != b"POST" or target != _ENDPOINT:
            return None
        headers = dict(scope["headers"])
        came_from = origin.of(scope, self._register.settings)
        media_type, charset = content_type(headers.get(b"content-type", b""))
        # Whatever is unusual, and what is to be refused, goes the long way.
        if (
            len(headers) < len(scope["headers"])
            or self._is_shut_out(came_from)
            or media_type != "text/xml"
            or not headers.keys().isdisjoint(_CODINGS)
        ):
            return None
        return Way(came_from, charset)

    def at_once(self, way: Way, body: bytes) -> tuple[Response | None, soap.Exchange | None]:
        """The response to a whole SOAP call, if it can be given without waiting for anything. Else it is still to be given: by
        `go_on` with the other value, what was begun, or by `__call__` with that in its scope as `connection.BEGUN`."""
        exchange, is_quick = self._begin(way, body)
        return self._finish(exchange) if is_quick and self._may_read([exchange]) else (None, exchange)

    def all_at_once(self, asked: Sequence[tuple[Way, bytes]]) -> list[tuple[Response | None, soap.Exchange | None]]:
        """`at_once` for calls that have come together, what they ask for first being read in one round trip."""
        begun = [self._begin(way, body) for way, body in asked]
        quick = [exchange for exchange, is_quick in begun if is_quick]
        if not self._may_read(quick):
            return [(None, exchange) for exchange, _ in begun]
        self._soap.read_ahead(quick)
        # Asked again: the database may have been slow to answer meanwhile.
        return [
            self._finish(exchange) if is_quick and self._soap.is_quick(exchange) else (None, exchange)
            for exchange, is_quick in begun
        ]

    def _begin(self, way: Way, body: bytes) -> tuple[soap.Exchange | None, bool]:
        """The call, and whether it can be answered at once."""
        if len(body) > self._register.settings.max_body_bytes:
            return None, False
        exchange = self._soap.begin(body, way.charset, next(self._references), way.origin)
        return exchange, self._soap.is_decided(exchange) and self._soap.is_quick(exchange)

    def _may_read(self, exchanges: Sequence[soap.Exchange]) -> bool:
        """Whether it is known at once from where these quick calls may read; they are told what a replica must have."""
        if self._freshness is None or not any(map(self._soap.is_admitted, exchanges)):
            return True
        position = self._freshness.at_once()
        for exchange in exchanges:
            exchange.call.position = position
        return position is not None

    def _finish(self, exchange: soap.Exchange) -> tuple[Response | None, None]:
        reply = self._soap.finish_at_once(exchange)
        if reply is None:
            return None, None
        if exchange.admission is not None:
            metrics.recalled()
        return Response(reply.status, XML, reply.body), None

    def _is_shut_out(self, came_from: origin.Origin) -> bool:
        return self._proxy_only and not came_from.by_proxy and not tls.is_loopback(came_from.address)

    async def _call(self, scope: dict[str, Any], headers: dict[bytes, bytes], receive: Any) -> Response:
        """A SOAP call: POST to the endpoint, with or without ?wsdl and whatever SOAPAction says (D)."""
        came_from = origin.of(scope, self._register.settings)
        if self._is_shut_out(came_from):
            text = b"This register is reached through its proxy, over HTTPS.\n"
            return Response(403, TEXT, text, ((b"connection", b"close"),))
        media_type, charset = content_type(headers.get(b"content-type", b""))
        if media_type != "text/xml":
            return Response(415, TEXT, b"Send SOAP 1.1 as Content-Type: text/xml.\n", ((b"connection", b"close"),))
        if not headers.keys().isdisjoint(_CODINGS) and any(
            name in _CODINGS and value.strip().lower() not in _CODINGS[name] for name, value in scope["headers"]
        ):
            # P: nothing is ever inflated, so there is no bomb to guard against.
            text = b"Send the message as it is, not compressed.\n"
            return Response(415, TEXT, text, ((b"accept-encoding", b"identity"), (b"connection", b"close")))
        body = await self._bodies.read(scope, headers, receive)
        if body is None:
            limit = self._register.settings.max_body_bytes
            error = errors.InvalidRequest(f"The message is longer than {limit} bytes.", reason="too-long")
            metrics.refused(error.reason)
            log.info("fault", code=error.code.value, reason=error.reason)
            return Response(500, XML, faults.declared(error, self._register.now()), ((b"connection", b"close"),))
        exchange = scope.get(connection.BEGUN) or self._soap.begin(body, charset, next(self._references), came_from)
        return await self.go_on(Way(came_from, charset), body, exchange)

    async def go_on(self, way: Way, body: bytes, exchange: soap.Exchange) -> Response:
        """The response to a whole SOAP call that was begun, once all is there that it waits for."""
        if not self._soap.is_decided(exchange):
            metrics.asked()
            await self._soap.decide(exchange, self._threads)
        elif exchange.fault is None:
            metrics.recalled()
        if self._freshness is not None and self._soap.is_quick(exchange):
            exchange.call.position = await self._freshness.position()
        if (wanted := self._soap.wanted(exchange)) is not None:
            exchange.outcome = await self._gathering.outcome(wanted)
        reply = None
        if self._soap.is_done(exchange):
            reply = self._soap.finish(exchange)
        elif self._soap.is_quick(exchange):
            reply = self._soap.finish_at_once(exchange)
            if reply is None:
                admission = exchange.admission
                exchange = self._soap.begin(body, way.charset, exchange.call.request_id, way.origin)
                exchange.admission = admission
        if reply is None:
            reply = await asyncio.get_running_loop().run_in_executor(self._threads, self._soap.finish, exchange)
        return Response(reply.status, XML, reply.body)

    def _read(self, scope: dict[str, Any]) -> Response:
        """Everything that is not a call: the WSDL, its schemas, the code tables, the page and the health check."""
        path = scope["path"]
        name = path.removeprefix(_DIRECTORY)
        wsdl = path == contract.ENDPOINT and scope["query_string"].lower().startswith(b"wsdl")
        if path == contract.ENDPOINT and not wsdl:
            return Response(405, TEXT, b"POST a SOAP 1.1 message here, or GET ?wsdl.\n", ((b"allow", b"POST"),))
        if not (wsdl or path in ("/", "/healthz") or (path != name and name in contract.FILES)):
            return Response(404, TEXT, f"There is nothing here. The WSDL is at {contract.ENDPOINT}?wsdl\n".encode())
        if scope["method"] not in ("GET", "HEAD"):
            return Response(405, TEXT, b"Only GET and HEAD work here.\n", ((b"allow", b"GET, HEAD"),))
        if wsdl or name == contract.WSDL:
            return Response(200, XML, contract.wsdl_for(self._address(scope)))
        if path == "/":
            page = pages.root(self._address(scope), self._sandbox)
            return Response(200, "text/html; charset=utf-8", page)
        if path == "/healthz":
            return Response(200, JSON, b'{"status": "ok"}\n')
        return Response(200, JSON if name == contract.CODES else XML, contract.FILES[name])

    async def _watch(self, scope: dict[str, Any]) -> Response:
        """What those who watch the server ask: may it get calls, and what has it done."""
        if scope["method"] not in ("GET", "HEAD"):
            return Response(405, TEXT, b"Only GET and HEAD work here.\n", ((b"allow", b"GET, HEAD"),))
        if scope["path"] == "/readyz":
            state = await self._probes.state()
            body = {"status": "ready"} if state.ready else {"status": "not ready", "why": state.why}
            if self._register.replicas is not None:
                # Not a reason to get no calls: the primary answers what they do not.
                body["replicas"] = {replica.name: replica.state.value for replica in self._register.replicas.all}
            return Response(200 if state.ready else 503, JSON, json.dumps(body).encode() + b"\n")
        settings = self._register.settings
        if not probes.may_watch(scope, origin.of(scope, settings), settings.monitoring_from):
            return Response(403, TEXT, b"Metrics are shown to the addresses of the setting monitoring_from.\n")
        return Response(200, metrics.CONTENT_TYPE, await self._probes.page())

    def now(self) -> datetime.datetime:
        """The time now, in England."""
        return self._register.now()

    def _address(self, scope: dict[str, Any]) -> str:
        """The endpoint's URL as the client sees it."""
        return origin.base(scope, self._register.settings) + contract.ENDPOINT


async def respond(response: Response, send: Any, method: str | None) -> None:
    """Sends the response as ASGI has it; method: of the request."""
    headers = [
        (b"content-type", response.content_type.encode()), (b"content-length", b"%d" % len(response.body)), *response.headers,
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})


def _references() -> Iterator[str]:
    """Request ids that no other process gives: 8 hexadecimal digits by chance, and 8 that count."""
    while True:
        prefix = secrets.token_hex(4)
        for number in range(2**32):
            yield f"{prefix}{number:08x}"


@functools.lru_cache(maxsize=64)
def content_type(header: bytes) -> tuple[str, str | None]:
    """The media type and charset of a Content-Type header; without one it is text/xml (P)."""
    if not header.strip():
        return "text/xml", None
    message = email.message.Message()
    message["Content-Type"] = header.decode("latin-1")
    charset = message.get_param("charset")
    return message.get_content_type(), charset if isinstance(charset, str) and charset else None
