"""The tables of who gets in: how long passwords are good for, and the TLS certificates of organisations."""

import sqlalchemy as sa

from lrs_soap.store import tables

# What an organisation's password is bound by, and the one before it while both are accepted. No row: nothing is.
organisation_password = sa.Table(
    "organisation_password",
    tables.metadata,
    sa.Column("organisation_id", sa.ForeignKey("organisation.id"), primary_key=True),
    sa.Column("password_expires_at", tables.Moment),
    sa.Column("former_password_hash", sa.Text),
    sa.Column("former_password_until", tables.Moment),
)

# A certificate is known by its fingerprint, or by its subject and who issued it ('' is: whoever is trusted). It is one
# organisation's only (P): the constraints decide, not a look before the insert.
organisation_certificate = sa.Table(
    "organisation_certificate",
    tables.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("organisation_id", sa.ForeignKey("organisation.id"), nullable=False, index=True),
    sa.Column("fingerprint", sa.Text, unique=True),  # SHA-256 of the DER form, 64 hexadecimal digits
    sa.Column("subject", sa.Text),  # RFC 4514, as rules.certificates writes it
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("valid_from", tables.Moment),
    sa.Column("valid_until", tables.Moment),
    sa.Column("created_at", tables.Moment, nullable=False),
    sa.UniqueConstraint("subject", "issuer"),
    sa.CheckConstraint("(fingerprint IS NULL) <> (subject IS NULL)", name="known_one_way"),
)
