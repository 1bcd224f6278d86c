"""From what a user gives to a session: the endpoint, TLS, and the client that zeep makes."""

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from lrs_soap import client, contract, errors
from lrs_soap.conformance import talk, target, wire


class CannotBegin(errors.LrsError):
    """The URL or a TLS file is not usable, or nothing answers there."""


def session(
    url: str,
    about: target.Target,
    *,
    read_only: bool = False,
    timeout: float = 20.0,
    client_certificate: str | None = None,
    client_key: str | None = None,
    ca_bundle: str | None = None,
) -> talk.Session:
    """A session with the endpoint at `url`; a URL without a path gets the historic one. Nothing is sent yet.

    timeout: seconds. client_certificate, client_key, ca_bundle: paths of PEM files. Raises CannotBegin.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CannotBegin(f"{url!r} is not a URL such as https://host{contract.ENDPOINT}")
    endpoint = urlunsplit(parts._replace(path=contract.ENDPOINT if parts.path in ("", "/") else parts.path, query="", fragment=""))
    try:
        tls = _tls(client_certificate, client_key, ca_bundle) if parts.scheme == "https" else None
    except (OSError, ssl.SSLError) as error:
        raise CannotBegin(f"a TLS file cannot be used: {error.strerror or type(error).__name__}") from None

    def made(**given: Any) -> client.LrsClient:
        certificate = (client_certificate, client_key) if client_key else client_certificate
        return client.LrsClient(endpoint, timeout=timeout, client_certificate=certificate, ca_bundle=ca_bundle, **given)

    return talk.Session(endpoint, about, wire.Wire(endpoint, timeout, tls), made, read_only)


def look(opened: talk.Session) -> str:
    """What is odd at first sight, or nothing: no WSDL at the URL, say, of a service that is no LearnerService.

    Raises CannotBegin if nothing at all answers at the endpoint, so that a run would say so hundreds of times."""
    answer = opened.wire.send("GET", opened.wsdl_url)
    if answer.problem and not answer.status:
        raise CannotBegin(f"{opened.wsdl_url}: {answer.problem}. Check the URL, and that the service runs")
    if b"LearnerPortType" not in answer.body:
        return f"{opened.wsdl_url} gives no WSDL of a LearnerService (HTTP {answer.status}). Is the URL right?"
    return ""


def _tls(certificate: str | None, key: str | None, ca_bundle: str | None) -> ssl.SSLContext:
    if ca_bundle and Path(ca_bundle).is_dir():
        context = ssl.create_default_context(capath=ca_bundle)
    else:
        context = ssl.create_default_context(cafile=ca_bundle)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context
