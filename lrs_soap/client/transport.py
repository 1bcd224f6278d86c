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


class Content:
    """The body of a reply from `url` as it arrives, up to MAX_REPLY_BYTES in `held`."""

    def __init__(self, url: str):
        self.held = bytearray()
        self._url = url

    def add(self, chunk: bytes) -> None:
        """Takes the next part. Raises LrsUnexpectedReply when it is too much."""
        self.held += chunk
        if len(self.held) > MAX_REPLY_BYTES:
            raise failures.LrsUnexpectedReply(self._url, f"the reply is longer than {MAX_REPLY_BYTES} bytes")


def judged(reply: Reply, url: str) -> Reply:
    """`reply`, if a LearnerService can have sent it: 200, or 500 with a fault, and XML. A proxy or a wrong path answers
    something else. Raises LrsUnexpectedReply."""
    kind = reply.headers.get("Content-Type", "none").partition(";")[0].strip().lower()
    if reply.status_code not in (200, 500) or kind not in ("text/xml", "application/xml", "application/soap+xml"):
        problem = f"HTTP status {reply.status_code} and content of type {kind} instead of a SOAP reply"
        raise failures.LrsUnexpectedReply(url, problem)
    return reply


def late(url: str, timeout: float) -> failures.LrsTimeout:
    """Nothing came within `timeout` seconds."""
    advice = "Try again or give a longer timeout; a registration or update may have been made all the same"
    return failures.LrsTimeout(url, f"no answer within {timeout:g} seconds", advice)


def refused_tls(url: str) -> failures.LrsUnreachable:
    """One side did not take the other's certificate, or they could not agree."""
    advice = (
        "Check the authorities trusted (ca_bundle), the host name in the URL, and the client certificate"
        " (client_certificate)"
    )
    return failures.LrsUnreachable(url, "the TLS connection was refused", advice)


def unreadable_tls_file(url: str) -> failures.LrsUnreachable:
    """A file of certificates, keys or authorities is not there or holds something else."""
    advice = "Check that the files of client_certificate and ca_bundle exist, and that they can be read"
    return failures.LrsUnreachable(url, "a TLS file cannot be read", advice)


def no_url(url: str) -> failures.LrsUnreachable:
    """`url` does not say where to go."""
    advice = f"Give one such as https://host{contract.ENDPOINT}"
    return failures.LrsUnreachable(url, "this is not an http or https URL", advice)


def broken(url: str) -> failures.LrsUnreachable:
    """No connection, or none until the end of the reply."""
    advice = "Check the URL, that the service runs, and proxies and firewalls on the way"
    return failures.LrsUnreachable(url, "no connection could be made, or it broke off", advice)


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
        self.verify = verify

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
        return judged(self._send("POST", address, data=message, headers=headers), without_credentials(address))

    def _send(self, method: str, url: str, **request) -> Reply:
        shown = without_credentials(url)
        try:
            # `verify` is given here, not to the session, where REQUESTS_CA_BUNDLE in the environment would beat it.
            response = self.session.request(
                method, url, timeout=self.operation_timeout, verify=self.verify, allow_redirects=False, stream=True,
                **request,
            )
            with response:
                content = Content(shown)
                for chunk in response.iter_content(_CHUNK):
                    content.add(chunk)
                return Reply(response.status_code, response.headers, bytes(content.held), response.encoding)
        except exceptions.RequestException as error:
            raise self._failure(shown, error) from None
        except OSError:
            # requests raises it for a certificate or CA file that is not there.
            raise unreadable_tls_file(shown) from None

    def _failure(self, url: str, error: exceptions.RequestException) -> failures.LrsUnreachable:
        # A reply that stops half way ends in requests' ConnectionError around urllib3's ReadTimeoutError.
        if isinstance(error, exceptions.Timeout) or any(isinstance(arg, urllib3_errors.TimeoutError) for arg in error.args):
            return late(url, self.operation_timeout)
        if isinstance(error, exceptions.SSLError):
            return refused_tls(url)
        if isinstance(error, (exceptions.MissingSchema, exceptions.InvalidSchema, exceptions.InvalidURL)):
            return no_url(url)
        return broken(url)
