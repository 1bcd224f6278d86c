"""The TLS client certificates by which organisations are known."""

import dataclasses
import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap import errors
from lrs_soap.rules import certificates
from lrs_soap.store import tables_access


class CertificateExists(errors.LrsError):
    """That certificate is in the register already; it can stand for one organisation only."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Certificate(certificates.Known):
    """A certificate of the register. `id` is what `remove` takes."""

    id: int
    created_at: datetime.datetime


_C = tables_access.organisation_certificate
_CERTIFICATE = sa.select(*(_C.c[field.name] for field in dataclasses.fields(Certificate)))
_LIKE = _CERTIFICATE.where(
    sa.or_(_C.c.fingerprint == sa.bindparam("fingerprint"), _C.c.subject == sa.bindparam("subject"))
)
_OF = _CERTIFICATE.where(_C.c.organisation_id == sa.bindparam("organisation_id")).order_by(_C.c.id)
_HAS = sa.select(sa.exists().where(_C.c.organisation_id == sa.bindparam("organisation_id")))
_INSERT = sa.insert(_C).returning(_C.c.id)
_REMOVE = sa.delete(_C).where(_C.c.organisation_id == sa.bindparam("of_organisation"), _C.c.id == sa.bindparam("of_id"))


def like(conn: Connection, presented: certificates.Presented) -> list[Certificate]:
    """Every row that may speak of the certificate; `rules.certificates.organisation_of` says which does."""
    values = {"fingerprint": presented.fingerprint, "subject": presented.subject}
    return [Certificate(**row._asdict()) for row in conn.execute(_LIKE, values)]


def of_organisation(conn: Connection, organisation_id: int) -> list[Certificate]:
    """The certificates of an organisation, oldest first, also those out of date."""
    return [Certificate(**row._asdict()) for row in conn.execute(_OF, {"organisation_id": organisation_id})]


def has_any(conn: Connection, organisation_id: int) -> bool:
    """Whether the organisation has a certificate in the register, also one out of date."""
    return bool(conn.execute(_HAS, {"organisation_id": organisation_id}).scalar())


def add(
    conn: Connection,
    organisation_id: int,
    *,
    fingerprint: str | None = None,
    subject: str | None = None,
    issuer: str = "",
    valid_from: datetime.datetime | None = None,
    valid_until: datetime.datetime | None = None,
) -> int:
    """Makes a certificate stand for the organisation, and gives its id. Either fingerprint or subject (with or without
    issuer), as `rules.certificates` writes them.

    Raises CertificateExists, also when it is another organisation's; the transaction stays usable.
    """
    values = {
        "organisation_id": organisation_id,
        "fingerprint": fingerprint,
        "subject": subject,
        "issuer": issuer,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "created_at": datetime.datetime.now(datetime.UTC),
    }
    try:
        with conn.begin_nested():
            return conn.execute(_INSERT, values).scalar_one()
    except sa.exc.IntegrityError:
        raise CertificateExists() from None


def remove(conn: Connection, organisation_id: int, certificate_id: int) -> bool:
    """Takes a certificate from the organisation; False if it has none of that id."""
    return bool(conn.execute(_REMOVE, {"of_organisation": organisation_id, "of_id": certificate_id}).rowcount)
