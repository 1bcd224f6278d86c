"""Who gets in: how long passwords are good for, and the TLS certificates of organisations."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "organisation_password",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("password_expires_at", _MOMENT),
        sa.Column("former_password_hash", sa.Text()),
        sa.Column("former_password_until", _MOMENT),
        sa.PrimaryKeyConstraint("organisation_id", name="pk_organisation_password"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_organisation_password_organisation_id"
        ),
    )
    op.create_table(
        "organisation_certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("valid_from", _MOMENT),
        sa.Column("valid_until", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisation_certificate"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_organisation_certificate_organisation_id"
        ),
        sa.UniqueConstraint("fingerprint", name="uq_organisation_certificate_fingerprint"),
        sa.UniqueConstraint("subject", "issuer", name="uq_organisation_certificate_subject"),
        sa.CheckConstraint(
            "(fingerprint IS NULL) <> (subject IS NULL)", name=op.f("ck_organisation_certificate_known_one_way")
        ),
    )
    op.create_index(
        "ix_organisation_certificate_organisation_id", "organisation_certificate", ["organisation_id"]
    )
