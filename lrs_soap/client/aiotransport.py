"""HTTP for the asynchronous client, on httpx; as strict as `transport`, in whose words it speaks."""

import os
import ssl
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi
import httpx
import zeep.transports

from lrs_soap.client import failures, transport

CONNECTIONS = 10  # P: calls of one client on their way at a time; others wait for their turn, without a timeout


class Transport(zeep.transports.AsyncTransport):
    """zeep's asynchronous transport: follows no redirect, logs no message, raises the exceptions of `failures`.

    It only posts; the WSDL is read by transport.Transport. Its connections belong to the event loop of the first call.
    """

    def __init__(
        self, timeout: float, client_certificate: str | tuple[str, str] | None = None, verify: bool | str = True
    ):
        # zeep's own constructor would open connections with other settings, so it is not called. This is read by its
        # destructor:
        self._close_session = False
        self._timeout, self._certificate, self._verify = timeout, client_certificate, verify
        self._client: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._client:
            await self._client.aclose()

    def new_response(self, response: transport.Reply) -> transport.Reply:
        """What zeep reads: the reply as it is."""
        return response

    async def post(self, address: str, message: bytes, headers: dict[str, str]) -> transport.Reply:
        """Sends one message and gives the reply, which is XML; faults included."""
        shown = transport.without_credentials(address)
        if urlsplit(address).scheme not in ("http", "https"):
            raise transport.no_url(shown)
        try:
            self._client = self._client or self._open()
        except OSError:  # ssl.SSLError is one: the file holds something else
            raise transport.unreadable_tls_file(shown) from None
        # httpx logs URLs, so the credentials in one go apart.
        request: dict[str, Any] = {"content": message, "headers": headers, "auth": _credentials(address)}
        try:
            async with self._client.stream("POST", shown, **request) as response:
                content = transport.Content(shown)
                async for chunk in response.aiter_bytes():
                    content.add(chunk)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # In TLS 1.3 a server refuses a certificate after the handshake: httpx lets that ssl.SSLError pass.
            raise self._failure(shown, error) from None
        reply = transport.Reply(response.status_code, response.headers, bytes(content.held), response.encoding)
        return transport.judged(reply, shown)

    def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=_trust(self._verify, self._certificate),
            timeout=httpx.Timeout(self._timeout, pool=None),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            follow_redirects=False,
        )

    def _failure(self, url: str, error: httpx.HTTPError | httpx.InvalidURL | OSError) -> failures.LrsUnreachable:
        if isinstance(error, httpx.TimeoutException):
            return transport.late(url, self._timeout)
        if isinstance(error, ssl.SSLError) or (isinstance(error, httpx.ConnectError) and _has_cause(error, ssl.SSLError)):
            return transport.refused_tls(url)
        if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
            return transport.no_url(url)
        return transport.broken(url)


def _trust(verify: bool | str, certificate: str | tuple[str, str] | None) -> ssl.SSLContext:
    """Whom to trust and what to show, by the rules of `requests`, which the other client uses."""
    if verify is True:
        verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()
    if verify:
        place = "capath" if os.path.isdir(verify) else "cafile"
        context = ssl.create_default_context(**{place: verify})
    else:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*([certificate] if isinstance(certificate, str) else certificate))
    return context


def _credentials(url: str) -> tuple[str, str] | None:
    parts = urlsplit(url)
    return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def _has_cause(error: BaseException, kind: type[BaseException]) -> bool:
    seen: BaseException | None = error
    while seen and not isinstance(seen, kind):
        seen = seen.__cause__ or seen.__context__
    return seen is not None
