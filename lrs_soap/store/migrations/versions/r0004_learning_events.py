"""Learners' records: learning events, how far files of them were loaded, and who looked at a record."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text()
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "learning_event",
        _required("uln", _BIGINT, autoincrement=False),
        _required("event_key", sa.LargeBinary()),
        _required("source"),
        _required("achievement_provider_ukprn"),
        _required("achievement_provider_name"),
        _optional("awarding_organisation_code"),
        _required("awarding_organisation_name"),
        _required("framework_code"),
        _required("framework_desc"),
        _required("programme_code"),
        _required("programme_desc"),
        _required("qualification_type_code"),
        _required("qualification_type_title"),
        _required("subject_code"),
        _required("subject_title"),
        _required("qualification_title"),
        _required("learning_outcome_grade_code"),
        _required("learning_outcome_grade_desc"),
        _required("retake_indicator"),
        _required("sector_subject_area_code"),
        _required("sector_subject_area_title"),
        _required("academic_year"),
        _required("date_loaded"),
        _required("collection_type"),
        _required("return_number"),
        _required("increment_number", sa.BigInteger()),
        _required("data_challenge_indicator"),
        _optional("achievement_award_date"),
        _optional("assessment_date"),
        _optional("credits_achieved", sa.BigInteger()),
        _optional("participation_start_date"),
        _optional("participation_end_date"),
        _required("last_updated_date_time"),
        _required("bin_code"),
        _optional("restricted_use_indicator"),
        _optional("restriction_flag"),
        _optional("restriction"),
        sa.PrimaryKeyConstraint("uln", "event_key", name="pk_learning_event"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "learning_event_load",
        _required("digest", sa.LargeBinary()),
        _required("source"),
        _required("file_name"),
        _required("started_at", _MOMENT),
        _optional("finished_at", _MOMENT),
        _required("rows", _BIGINT),
        _required("added", _BIGINT),
        _required("replaced", _BIGINT),
        _required("unchanged", _BIGINT),
        _required("superseded", _BIGINT),
        _required("rejected", _BIGINT),
        _required("exceptions_bytes", _BIGINT),
        sa.PrimaryKeyConstraint("digest", "source", name="pk_learning_event_load"),
    )
    op.create_table(
        "record_look",
        _required("id", _BIGINT),
        _required("request_id"),
        _required("user_type"),
        _required("lnr_contact_type"),
        sa.PrimaryKeyConstraint("id", name="pk_record_look"),
    )
    op.create_index("ix_record_look_request_id", "record_look", ["request_id"])


def _required(name: str, type_: sa.types.TypeEngine = _TEXT, **options) -> sa.Column:
    return sa.Column(name, type_, nullable=False, **options)


def _optional(name: str, type_: sa.types.TypeEngine = _TEXT) -> sa.Column:
    return sa.Column(name, type_)
