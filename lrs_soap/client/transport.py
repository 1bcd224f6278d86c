"""HTTP for the client: timeouts, TLS, no redirects, and the contract's files without a download."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import requests
import zeep
from requests import exceptions
from urllib3 import exceptions as urllib3_errors

from lrs_soap import contract
from lrs_soap.client import failures

PACKAGED = f"file:///lrs-soap-contract/{contract.WSDL}"
MAX_REPLY_BYTES = 64 * 1024 * 1024  # P: a verify output of 5,000 learners, the largest reply, has 5 MB
_CHUNK = 64 * 1024


def without_credentials(url: str) -> str:
    """`url` as it may be shown: without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP reply: what zeep reads of a requests.Response."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    encoding: str | None


class Transport(zeep.Transport):
    """zeep's transport, made strict.

    It reads the packaged contract from memory, other documents only from the host of the WSDL's own URL, follows no
    redirect (the body holds the OrgPassword), logs no message, and raises the exceptions of `failures`.
    """

    def __init__(self, wsdl: str, timeout: float, client_certificate=None, verify: bool | str = True):
        session = requests.Session()
        session.cert = client_certificate
        super().__init__(timeout=timeout, operation_timeout=timeout, session=session)
        self._origin = urlsplit(wsdl)[:2]
        self._verify = verify

    def load(self, url: str) -> bytes:
        """The document at `url`: the WSDL or one of its schemas."""
        parts = urlsplit(url)
        if parts[:2] != self._origin:
            raise failures.LrsUnexpectedReply(url, "the WSDL names a schema on another host, which is not loaded")
        if url.startswith(PACKAGED.removesuffix(contract.WSDL)):
            return contract.FILES[parts.path.rpartition("/")[2]]
        if parts.scheme == "file":
            return Path(requests.compat.unquote(parts.path)).read_bytes()
        response = self._send("GET", url)
        if response.status_code != 200:
            problem = f"HTTP status {response.status_code} instead of a WSDL or schema"
            raise failures.LrsUnexpectedReply(without_credentials(url), problem)
        return response.content

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> Reply:
        """Sends one message and gives the reply, which is XML; faults included."""
        response = self._send("POST", address, data=message, headers=headers)
        kind = response.headers.get("Content-Type", "none").partition(";")[0].strip().lower()
        # HTTP: the service answers 200, or 500 with a fault; a proxy or a wrong path answers something else.
        if response.status_code not in (200, 500) or kind not in ("text/xml", "application/xml", "application/soap+xml"):
            problem = f"HTTP status {response.status_code} and content of type {kind} instead of a SOAP reply"
            raise failures.LrsUnexpectedReply(without_credentials(address), problem)
        return response

    def _send(self, method: str, url: str, **request) -> Reply:
        shown = without_credentials(url)
        try:
            # `verify` is given here, not to the session, where REQUESTS_CA_BUNDLE in the environment would beat it.
            response = self.session.request(
                method, url, timeout=self.operation_timeout, verify=self._verify, allow_redirects=False, stream=True,
                **request,
            )
            with response:
                return Reply(response.status_code, response.headers, _read(response, shown), response.encoding)
        except exceptions.RequestException as error:
            raise self._failure(shown, error) from None
        except OSError:
            # requests raises it for a certificate or CA file that is not there.
            advice = "Check that the files of client_certificate and ca_bundle exist, and that they can be read"
            raise failures.LrsUnreachable(shown, "a TLS file cannot be read", advice) from None

    def _failure(self, url: str, error: exceptions.RequestException) -> failures.LrsUnreachable:
        # A reply that stops half way ends in requests' ConnectionError around urllib3's ReadTimeoutError.
        if isinstance(error, exceptions.Timeout) or any(isinstance(arg, urllib3_errors.TimeoutError) for arg in error.args):
            advice = "Try again or give a longer timeout; a registration or update may have been made all the same"
            return failures.LrsTimeout(url, f"no answer within {self.operation_timeout:g} seconds", advice)
        if isinstance(error, exceptions.SSLError):
            advice = (
                "Check the authorities trusted (ca_bundle), the host name in the URL, and the client certificate"
                " (client_certificate)"
            )
            return failures.LrsUnreachable(url, "the TLS connection was refused", advice)
        if isinstance(error, (exceptions.MissingSchema, exceptions.InvalidSchema, exceptions.InvalidURL)):
            advice = f"Give one such as https://host{contract.ENDPOINT}"
            return failures.LrsUnreachable(url, "this is not an http or https URL", advice)
        advice = "Check the URL, that the service runs, and proxies and firewalls on the way"
        return failures.LrsUnreachable(url, "no connection could be made, or it broke off", advice)


def _read(response: requests.Response, url: str) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(_CHUNK):
        content += chunk
        if len(content) > MAX_REPLY_BYTES:
            raise failures.LrsUnexpectedReply(url, f"the reply is longer than {MAX_REPLY_BYTES} bytes")
    return bytes(content)
