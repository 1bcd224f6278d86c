"""The register: organisations, learners, ULN issue and the audit trail."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

_BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_TEXT = sa.Text()
_MOMENT = sa.DateTime(timezone=True)

_APPEND_ONLY = ("audit", "audit_learner")


def upgrade() -> None:
    _organisations()
    _learners()
    _uln_issue()
    _audit()
    for table in _APPEND_ONLY:
        _refuse_changes(table)


def _required(name: str, type_: sa.types.TypeEngine = _TEXT, **options) -> sa.Column:
    return sa.Column(name, type_, nullable=False, **options)


def _key(name: str, type_: sa.types.TypeEngine) -> sa.Column:
    return _required(name, type_, autoincrement=False)


def _of_organisation(table: str, nullable: bool = False) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    return (
        sa.Column("organisation_id", sa.Integer(), nullable=nullable, autoincrement=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=f"fk_{table}_organisation_id"),
    )


def _organisations() -> None:
    op.create_table(
        "organisation",
        _required("id", sa.Integer()),
        _required("organisation_ref"),
        _required("ukprn"),
        _required("name"),
        _required("password_hash"),
        _required("rights"),
        _required("sandbox", sa.Boolean()),
        _required("created_at", _MOMENT),
        sa.Column("disabled_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
        sa.UniqueConstraint("organisation_ref", name="uq_organisation_organisation_ref"),
        sa.UniqueConstraint("ukprn", name="uq_organisation_ukprn"),
    )
    op.create_table(
        "organisation_user",
        *_of_organisation("organisation_user"),
        _required("user_name"),
        _required("created_at", _MOMENT),
        sa.Column("disabled_at", _MOMENT),
        sa.PrimaryKeyConstraint("organisation_id", "user_name", name="pk_organisation_user"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "organisation_learner",
        *_of_organisation("organisation_learner"),
        _key("uln", _BIGINT),
        sa.PrimaryKeyConstraint("organisation_id", "uln", name="pk_organisation_learner"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search",
        *_of_organisation("search"),
        _required("identity", sa.LargeBinary()),
        _required("code"),
        _required("at", _MOMENT),
        sa.PrimaryKeyConstraint("organisation_id", "identity", name="pk_search"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_at", "search", ["at"])


def _learners() -> None:
    op.create_table(
        "learner",
        _key("uln", _BIGINT),
        _required("version_number", sa.Integer()),
        _required("learner_status"),
        sa.Column("master_uln", _BIGINT),
        _required("created_date"),
        _required("last_updated_date"),
        sa.Column("title", _TEXT),
        _required("given_name"),
        sa.Column("middle_other_name", _TEXT),
        _required("family_name"),
        sa.Column("preferred_given_name", _TEXT),
        sa.Column("previous_family_name", _TEXT),
        sa.Column("family_name_at_age16", _TEXT),
        sa.Column("school_at_age16", _TEXT),
        sa.Column("last_known_address_line1", _TEXT),
        sa.Column("last_known_address_line2", _TEXT),
        sa.Column("last_known_address_town", _TEXT),
        sa.Column("last_known_address_county_or_city", _TEXT),
        _required("last_known_post_code"),
        sa.Column("date_of_address_capture", _TEXT),
        _required("date_of_birth"),
        sa.Column("place_of_birth", _TEXT),
        _required("gender"),
        sa.Column("email_address", _TEXT),
        sa.Column("nationality", _TEXT),
        sa.Column("scottish_candidate_number", _TEXT),
        sa.Column("verification_type", _TEXT),
        sa.Column("other_verification_description", _TEXT),
        sa.Column("tier_level", _TEXT),
        _required("ability_to_share"),
        sa.Column("notes", _TEXT),
        _required("given_key"),
        _required("family_key"),
        _required("postcode_key"),
        sa.PrimaryKeyConstraint("uln", name="pk_learner"),
    )
    for columns in (
        ["date_of_birth", "family_key"],
        ["date_of_birth", "given_key"],
        ["postcode_key", "date_of_birth"],
        ["postcode_key", "family_key"],
        ["postcode_key", "given_key"],
    ):
        op.create_index(f"ix_learner_{'_'.join(columns)}", "learner", columns)
    merged = sa.text("master_uln IS NOT NULL")
    op.create_index("ix_learner_master_uln", "learner", ["master_uln"], postgresql_where=merged, sqlite_where=merged)
    op.create_table(
        "learner_identity",
        _required("identity", sa.LargeBinary()),
        _required("uln", _BIGINT),
        sa.PrimaryKeyConstraint("identity", name="pk_learner_identity"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_learner_identity_uln", "learner_identity", ["uln"])
    op.create_table(
        "learner_history",
        _key("uln", _BIGINT),
        _key("version_number", sa.Integer()),
        _required("replaced_at", _MOMENT),
        *_of_organisation("learner_history", nullable=True),
        _required("user_name"),
        _required("learner", _JSON),
        sa.PrimaryKeyConstraint("uln", "version_number", name="pk_learner_history"),
    )


def _uln_issue() -> None:
    issue = op.create_table(
        "uln_issue",
        _key("id", sa.Integer()),
        _required("permutation_key", sa.LargeBinary()),
        _required("next_index", _BIGINT),
        sa.PrimaryKeyConstraint("id", name="pk_uln_issue"),
        sa.CheckConstraint("id = 1", name=op.f("ck_uln_issue_one_row")),
    )
    op.bulk_insert(issue, [{"id": 1, "permutation_key": secrets.token_bytes(32), "next_index": 0}])
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE uln_issue_index AS bigint MINVALUE 0 START WITH 0")


def _audit() -> None:
    op.create_table(
        "audit",
        _required("id", _BIGINT),
        _required("at", _MOMENT),
        _required("request_id"),
        *_of_organisation("audit", nullable=True),
        _required("reference"),
        _required("user_name"),
        _required("operation"),
        _required("code"),
        _required("duration_us", _BIGINT),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "audit_learner",
        _key("audit_id", _BIGINT),
        _key("uln", _BIGINT),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_audit_learner_audit_id"),
        sa.PrimaryKeyConstraint("audit_id", "uln", name="pk_audit_learner"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_learner_uln", "audit_learner", ["uln"])


def _refuse_changes(table: str) -> None:
    if op.get_context().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
    )
