"""TLS of the server: its context, what must be right before it starts, and the certificate a client showed."""

import importlib
import ipaddress
import os
import ssl
from pathlib import Path
from typing import Any

from lrs_soap import errors, filemodes
from lrs_soap.rules import certificates
from lrs_soap.settings import Settings
from lrs_soap.wire import origin


class UnusableTls(errors.LrsError):
    """The TLS settings cannot be used."""


def context(settings: Settings) -> ssl.SSLContext | None:
    """The server's TLS as the settings and the files say now, or None for plain HTTP.

    Raises UnusableTls that says which setting or file is wrong, filemodes.Exposed for a key that everybody may read and
    for authorities that everybody may change.
    """
    _check_settings(settings)
    if settings.tls_client_certificates != "none":
        importlib.import_module("cryptography.x509")  # takes 0.2 s, for which the first call should not wait
    if not settings.tls_certificate:
        return None
    key = settings.tls_key or settings.tls_certificate
    for setting, path in (("tls_certificate", settings.tls_certificate), ("tls_key", key)):
        if not os.access(path, os.R_OK):
            raise UnusableTls(f"{setting}: the file {path} does not exist or cannot be read")
    filemodes.refuse_readable(Path(key), "the TLS key")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # Python's own choice of ciphers: no anonymous, weak or SHA-1 ones
    made.minimum_version = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[settings.tls_minimum]
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    made.set_alpn_protocols(["http/1.1"])
    try:
        made.load_cert_chain(settings.tls_certificate, key, password=_no_passphrase)
    except (ssl.SSLError, OSError) as error:
        pair = "MISMATCH" in str(error)
        what = "they do not belong together" if pair else "they are not PEM files of a certificate and its key"
        files = f"tls_certificate {settings.tls_certificate} and tls_key {key}"
        raise UnusableTls(f"{files} cannot be used: {what}") from None
    if settings.tls_client_certificates != "none" and settings.tls_client_ca:
        _ask_for_certificates(made, settings)
    return made


def _ask_for_certificates(made: ssl.SSLContext, settings: Settings) -> None:
    filemodes.refuse_writable(Path(settings.tls_client_ca), "the list of authorities")
    try:
        made.load_verify_locations(settings.tls_client_ca)
    except (ssl.SSLError, OSError):
        raise UnusableTls(f"tls_client_ca: {settings.tls_client_ca} is not a PEM file of certificates") from None
    # An intermediate authority, or one certificate alone, may be all that is trusted.
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # A trusted proxy speaks for clients whose certificates it saw; it may have none itself.
    required = settings.tls_client_certificates == "required" and not settings.client_certificate_header
    made.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL


def _check_settings(settings: Settings) -> None:
    if settings.tls_key and not settings.tls_certificate:
        raise UnusableTls("tls_key is given without tls_certificate")
    if settings.client_certificate_header and not settings.trusted_proxies:
        raise UnusableTls("client_certificate_header needs trusted_proxies: anybody else could write that header")
    if any(network.prefixlen == 0 for network in origin.networks(settings.trusted_proxies)):
        raise UnusableTls("trusted_proxies names everybody: then anybody could show any certificate")
    if settings.tls_client_certificates != "none":
        over_tls = settings.tls_certificate and settings.tls_client_ca
        if not (over_tls or settings.client_certificate_header):
            raise UnusableTls(
                f"tls_client_certificates is {settings.tls_client_certificates}, which needs tls_certificate and "
                "tls_client_ca, or a proxy's client_certificate_header"
            )


def _no_passphrase() -> str:
    # Without this, OpenSSL would ask the terminal.
    raise UnusableTls("the TLS key is encrypted: give one without a passphrase, in a file for the server alone")


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_exposed(settings: Settings) -> bool:
    """Whether the server listens without TLS where others can reach it."""
    return not settings.tls_certificate and not is_loopback(settings.host)


def refuse_exposed(settings: Settings) -> None:
    """Raises UnusableTls if names and passwords would travel readable (P): no TLS, on an address that others can
    reach, unless the settings say so or only a trusted proxy may bring calls."""
    if is_exposed(settings) and not settings.insecure_http and not settings.trusted_proxies:
        raise UnusableTls(
            f"on {settings.host}, learners' data and passwords would travel readable: give --tls-certificate and "
            "--tls-key, or --trusted-proxies for the proxy that speaks TLS, or listen on 127.0.0.1. If you know what "
            "you do, pass --insecure-http."
        )


def presented(transport: Any) -> certificates.Presented | None:
    """The certificate that the client of this connection proved to hold, or None. Chain and signature were verified
    in the handshake; whom it stands for is asked later."""
    connection = transport.get_extra_info("ssl_object")
    der = connection.getpeercert(binary_form=True) if connection is not None else None
    if not der:
        return None
    try:
        return certificates.from_der(der)
    except certificates.NotACertificate:
        # OpenSSL accepted what the other reader does not: then it is known to nobody.
        return certificates.Presented(fingerprint="")
