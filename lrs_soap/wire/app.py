"""The register over HTTP: a WSGI application.

The statuses of behaviour that SOAP does not settle, the page at / and /healthz are this project's own (P).
"""

import functools
import re
import secrets
from collections.abc import Callable
from typing import Any

from werkzeug.http import parse_options_header
from werkzeug.middleware.proxy_fix import ProxyFix

from lrs_soap import contract, errors
from lrs_soap.register import Register
from lrs_soap.wire import faults, pages, soap

XML = "text/xml; charset=utf-8"
_DIRECTORY = contract.ENDPOINT.rpartition("/")[0] + "/"
# A host as clients send it: a name or address, with a port or without. Anything else could forge the soap:address.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
_STATUS = {
    200: "200 OK",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    415: "415 Unsupported Media Type",
    500: "500 Internal Server Error",
}


class App:
    """The WSGI application of a register. `sandbox` makes the page at / say so."""

    def __init__(self, register: Register, sandbox: bool = False):
        self._register = register
        self._sandbox = sandbox
        self._soap = soap.SoapServer(register)

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        path = environ["PATH_INFO"]
        if path == contract.ENDPOINT and environ["REQUEST_METHOD"] == "POST":
            status, content_type, body = self._call(environ)
        else:
            status, content_type, body = self._read(environ, path)
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        if status == 405:
            headers.append(("Allow", "POST" if path == contract.ENDPOINT else "GET, HEAD"))
        start_response(_STATUS[status], headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _call(self, environ: Environ) -> tuple[int, str, bytes]:
        """A SOAP call: POST to the endpoint, with or without ?wsdl and whatever SOAPAction says (D)."""
        media_type, charset = _content_type(environ.get("CONTENT_TYPE") or "text/xml")
        if media_type != "text/xml":
            return 415, "text/plain; charset=utf-8", b"Send SOAP 1.1 as Content-Type: text/xml.\n"
        limit = self._register.settings.max_body_bytes
        body = _body(environ, limit)
        if body is None:
            error = errors.InvalidRequest(f"The message is longer than {limit} bytes.", reason="too-long")
            return 500, XML, faults.declared(error, self._register.now())
        reply = self._soap.handle(body, charset, secrets.token_hex(8))
        return reply.status, XML, reply.body

    def _read(self, environ: Environ, path: str) -> tuple[int, str, bytes]:
        """Everything that is not a call: the WSDL, its schemas, the code tables, the page and the health check."""
        name = path.removeprefix(_DIRECTORY)
        wsdl = path == contract.ENDPOINT and environ.get("QUERY_STRING", "").lower().startswith("wsdl")
        known = wsdl or path in ("/", "/healthz") or (path != name and name in contract.FILES)
        if path == contract.ENDPOINT and not wsdl:
            return 405, "text/plain; charset=utf-8", b"POST a SOAP 1.1 message here, or GET ?wsdl.\n"
        if not known:
            return 404, "text/plain; charset=utf-8", b"There is nothing here. The WSDL is at " + (
                contract.ENDPOINT.encode() + b"?wsdl\n"
            )
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return 405, "text/plain; charset=utf-8", b"Only GET and HEAD work here.\n"
        if wsdl or name == contract.WSDL:
            return 200, XML, contract.wsdl_for(self._address(environ))
        if path == "/":
            return 200, "text/html; charset=utf-8", pages.root(self._address(environ), self._sandbox)
        if path == "/healthz":
            return 200, "application/json", b'{"status": "ok"}\n'
        return 200, "application/json" if name.endswith(".json") else XML, contract.FILES[name]

    def _address(self, environ: Environ) -> str:
        """The endpoint's URL with the scheme and host the client used."""
        host = environ.get("HTTP_HOST", "")
        if not _HOST.fullmatch(host):
            host = f"{self._register.settings.host}:{self._register.settings.port}"
        return f"{environ['wsgi.url_scheme']}://{host}{environ.get('SCRIPT_NAME', '')}{contract.ENDPOINT}"


@functools.lru_cache(maxsize=64)
def _content_type(header: str) -> tuple[str, str | None]:
    """The media type and charset of a Content-Type header."""
    media_type, options = parse_options_header(header)
    return media_type.lower(), options.get("charset") or None


def _body(environ: Environ, limit: int) -> bytes | None:
    """The bytes of the request, chunked or not; None if there are more than `limit`."""
    declared = environ.get("CONTENT_LENGTH") or ""
    if declared.isdigit() and int(declared) > limit:
        return None
    remaining = int(declared) if declared.isdigit() else limit + 1
    pieces = []
    while remaining > 0:
        piece = environ["wsgi.input"].read(remaining)
        if not piece:
            break
        pieces.append(piece)
        remaining -= len(piece)
    body = b"".join(pieces)
    return body if len(body) <= limit else None


def create(register: Register, sandbox: bool = False) -> Callable[[Environ, StartResponse], list[bytes]]:
    """The application, behind the proxies that the settings trust to set X-Forwarded-For, -Proto, -Host and -Prefix."""
    app = App(register, sandbox)
    proxies = register.settings.trust_proxy
    if not proxies:
        return app
    return ProxyFix(app, x_for=proxies, x_proto=proxies, x_host=proxies, x_port=proxies, x_prefix=proxies)
