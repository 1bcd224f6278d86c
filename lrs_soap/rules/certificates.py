"""TLS client certificates: what one says of itself, and which organisation it stands for.

P, all of it: the historic service asked every client for a certificate, but how it knew them is not recorded.
"""

import base64
import binascii
import dataclasses
import datetime
import hashlib
import re
import urllib.parse
from collections.abc import Iterable

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----")
_HEX = re.compile(r"[0-9a-f]{64}")


class NotACertificate(ValueError):
    """This is neither a certificate nor a fingerprint."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A certificate: SHA-256 of its DER form, and subject and issuer as `name` writes them ("" if they have none, or
    only the fingerprint is known). not_before and not_after are its own validity, if known."""

    fingerprint: str
    subject: str = ""
    issuer: str = ""
    not_before: datetime.datetime | None = None
    not_after: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A certificate in the register: by its fingerprint, or by subject and issuer ("": any that is trusted).

    valid_from and valid_until bound it besides its own dates; None does not."""

    organisation_id: int
    fingerprint: str | None
    subject: str | None
    issuer: str
    valid_from: datetime.datetime | None
    valid_until: datetime.datetime | None


def organisation_of(presented: Presented, known: Iterable[Known], now: datetime.datetime) -> int | None:
    """The id of the one organisation that the certificate stands for at `now`, or None.

    The nearest row decides alone, also when it is out of date: the fingerprint, then subject and issuer, then the
    subject. So a row that ends for one certificate is not overruled by a wider one.
    """
    nearest = min(((distance, row) for row in known if (distance := _distance(presented, row)) is not None),
                  key=lambda pair: pair[0], default=None)  # fmt: skip
    if nearest is None:
        return None
    row = nearest[1]
    dates = (presented.not_before, presented.not_after), (row.valid_from, row.valid_until)
    return row.organisation_id if all(_within(now, *pair) for pair in dates) else None


def _distance(presented: Presented, row: Known) -> int | None:
    if row.fingerprint is not None:
        return 0 if row.fingerprint == presented.fingerprint else None
    if not row.subject or row.subject != presented.subject:
        return None
    if row.issuer:
        return 1 if row.issuer == presented.issuer else None
    return 2


def _within(now: datetime.datetime, start: datetime.datetime | None, end: datetime.datetime | None) -> bool:
    return (start is None or start <= now) and (end is None or now < end)


def from_der(der: bytes) -> Presented:
    """What a certificate says of itself. Raises NotACertificate for bytes that are none."""
    # Importing it takes 0.2 s, which servers without client certificates need not wait for.
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        return Presented(
            fingerprint=hashlib.sha256(der).hexdigest(),
            subject=_written(certificate.subject),
            issuer=_written(certificate.issuer),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
    except (ValueError, TypeError):
        raise NotACertificate("these bytes are not an X.509 certificate") from None


def from_pem(text: str) -> Presented:
    """The first certificate of a PEM file. Raises NotACertificate."""
    found = _PEM.search(text)
    if found is None:
        raise NotACertificate("there is no certificate between BEGIN CERTIFICATE and END CERTIFICATE")
    return from_der(_decoded("".join(found[1].split())))


def from_header(value: str) -> Presented:
    """The certificate in a header that a proxy wrote: PEM (URL-encoded, as nginx does, or with blanks for the line
    ends), the base64 of DER (RFC 9440 puts it between colons), or only its SHA-256 fingerprint.

    Raises NotACertificate.
    """
    text = urllib.parse.unquote(value.strip()) if "%" in value else value.strip()
    if "BEGIN CERTIFICATE" in text:
        return from_pem(text)
    if _HEX.fullmatch(text.replace(":", "").lower()):
        return Presented(fingerprint=fingerprint(text))
    return from_der(_decoded(text.strip(":")))


def fingerprint(text: str) -> str:
    """A SHA-256 fingerprint as the register keeps it: 64 hexadecimal digits, small, without colons.

    Raises NotACertificate.
    """
    digits = text.replace(":", "").replace(" ", "").lower()
    if not _HEX.fullmatch(digits):
        raise NotACertificate("a SHA-256 fingerprint has 64 hexadecimal digits, with colons or without")
    return digits


def name(text: str) -> str:
    """A subject or issuer given as text (RFC 4514) in the one form in which names are compared.

    Names are equal if every part is, to the letter and in order. Raises NotACertificate.
    """
    from cryptography import x509

    try:
        written = _written(x509.Name.from_rfc4514_string(text))
    except (ValueError, KeyError):
        message = f"{text!r} is not a name as RFC 4514 writes it, such as CN=mis.example,O=A College"
        raise NotACertificate(message) from None
    if not written:
        raise NotACertificate("an empty name tells nobody apart")
    return written


def _written(distinguished) -> str:
    """The name in RFC 4514: unambiguous, because what has a meaning there is escaped in values; '' if it holds binary
    values, which have no such form."""
    from cryptography import x509

    # The parts of a multi-valued RDN are a set: they are sorted, so that one set has one form.
    def order(attribute):
        return attribute.oid.dotted_string, str(attribute.value)

    parts = [x509.RelativeDistinguishedName(sorted(rdn, key=order)) for rdn in distinguished.rdns]
    if any(not isinstance(attribute.value, str) for rdn in parts for attribute in rdn):
        return ""
    return x509.Name(parts).rfc4514_string()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotACertificate("the certificate is not base64") from None
