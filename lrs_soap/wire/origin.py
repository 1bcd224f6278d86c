"""Where a request comes from: the client's address, the URL it used, and its certificate.

A proxy may say all three in headers, and anybody else could write the same headers; so they are believed only on a
connection that comes from one of `trusted_proxies`.
"""

import dataclasses
import functools
import ipaddress
import re
from typing import Any

from lrs_soap.rules import certificates
from lrs_soap.settings import Settings

# A host as clients send it: a name or address, with a port or without. Anything else could forge the soap:address.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"(?:\[(.*)\]|([0-9.]+))(?::[0-9]+)?")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")

# What http.Protocol puts into the scope: the certificate of the connection.
CERTIFICATE = "lrs_soap.certificate"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who sent a request. address: the client's IP address, "" if it has none. by_proxy: whether a trusted proxy says
    so. certificate: the client's; unreadable: a proxy passed one on that cannot be read."""

    address: str = ""
    by_proxy: bool = False
    certificate: certificates.Presented | None = None
    unreadable: bool = False


NOWHERE = Origin()


@functools.lru_cache(maxsize=8)
def networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The networks of the setting `trusted_proxies`."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


@functools.lru_cache(maxsize=1024)
def is_trusted(address: str, trusted: str) -> bool:
    """Whether the address is in one of the networks of the setting `trusted_proxies`."""
    try:
        found = plain_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks(trusted))


def plain_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address, an IPv4 one that IPv6 carries as IPv4. Raises ValueError."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def of(scope: dict[str, Any], settings: Settings) -> Origin:
    """The origin of an ASGI request."""
    peer, hops = _route(scope, settings)
    certificate = scope.get("extensions", {}).get(CERTIFICATE)
    if not hops:
        return _direct(peer, certificate)
    unreadable = False
    if settings.client_certificate_header and settings.tls_client_certificates != "none":
        # Then the connection's own certificate is the proxy's.
        certificate, unreadable = _passed_on(scope, settings.client_certificate_header.encode())
    client = _at(_list(scope, b"x-forwarded-for"), hops) or peer
    return Origin(address=_address(client), by_proxy=True, certificate=certificate, unreadable=unreadable)


def base(scope: dict[str, Any], settings: Settings) -> str:
    """The URL that the client used, up to the endpoint's path: its scheme and host, or what a trusted proxy says."""
    _, hops = _route(scope, settings)
    host, scheme, prefix = _only(scope, b"host"), scope["scheme"], ""
    if hops:
        host = _at(_list(scope, b"x-forwarded-host"), hops) or host
        scheme = _at(_list(scope, b"x-forwarded-proto"), hops) or scheme
        prefix = _at(_list(scope, b"x-forwarded-prefix"), hops).rstrip("/")
    if not _HOST.fullmatch(host):
        host = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
    if not _PREFIX.fullmatch(prefix):
        prefix = ""
    return f"{'https' if scheme.lower() == 'https' else 'http'}://{host}{prefix}"


def _route(scope: dict[str, Any], settings: Settings) -> tuple[str, int]:
    """The address of the connection, and how many trusted proxies the request came through."""
    peer = scope["client"][0] if scope.get("client") else ""
    if not settings.trusted_proxies or not is_trusted(peer, settings.trusted_proxies):
        return peer, 0
    return peer, 1 + _trusted_from_the_right(_list(scope, b"x-forwarded-for"), settings.trusted_proxies)


@functools.lru_cache(maxsize=4096)  # every request of a connection has the same
def _direct(peer: str, certificate: certificates.Presented | None) -> Origin:
    return Origin(address=_address(peer), certificate=certificate)


@functools.lru_cache(maxsize=4096)
def _address(text: str) -> str:
    """The address in one form, without the port that some proxies write; "" if it is none."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        return str(plain_address(with_port[1] or with_port[2] if with_port else text))
    except ValueError:
        return ""


def _all(scope: dict[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _only(scope: dict[str, Any], name: bytes) -> str:
    values = _all(scope, name)
    return values[0] if len(values) == 1 else ""


def _list(scope: dict[str, Any], name: bytes) -> list[str]:
    """The values of a header that each proxy adds to on the right."""
    return [part.strip() for value in _all(scope, name) for part in value.split(",")]


def _trusted_from_the_right(chain: list[str], trusted: str) -> int:
    """How many proxies of ours stand before the one that is connected. The first of a chain is never a proxy."""
    number = 0
    for address in reversed(chain[1:]):
        if not is_trusted(address, trusted):
            break
        number += 1
    return number


def _at(values: list[str], hops: int) -> str:
    """What the outermost of our proxies wrote: each that adds to the list has one entry, and one that replaces the list
    leaves fewer. Whatever stands to the left came from outside."""
    return values[-min(hops, len(values))] if values else ""


def _passed_on(scope: dict[str, Any], name: bytes) -> tuple[certificates.Presented | None, bool]:
    values = _all(scope, name)
    if not any(values):
        return None, False
    # Two: one of them may have been sent by the client.
    certificate = _read(values[0]) if len(values) == 1 else None
    return certificate, certificate is None


@functools.lru_cache(maxsize=512)
def _read(value: str) -> certificates.Presented | None:
    try:
        return certificates.from_header(value)
    except certificates.NotACertificate:
        return None
