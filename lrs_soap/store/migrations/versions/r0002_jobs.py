"""Batches: jobs, the learners sent with them, and what came of each."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text()
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "job",
        _required("id", _BIGINT),
        _required("operation"),
        sa.Column("job_type", _TEXT),
        _required("organisation_id", sa.Integer()),
        _required("reference"),
        _required("user_name"),
        _required("request_id"),
        _required("size", sa.Integer()),
        _required("status"),
        _required("submitted_at", _MOMENT),
        sa.Column("started_at", _MOMENT),
        sa.Column("finished_at", _MOMENT),
        sa.Column("lease", _TEXT),
        _required("lease_until", sa.Double()),
        _required("attempts", sa.Integer()),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name="fk_job_organisation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_organisation_id", "job", ["organisation_id"])
    unfinished = sa.text("finished_at IS NULL")
    op.create_index("ix_job_unfinished", "job", ["id"], postgresql_where=unfinished, sqlite_where=unfinished)
    _of_each_learner("job_learner", _required("sent", sa.JSON()))
    _of_each_learner(
        "job_result", _required("code"), sa.Column("uln", _BIGINT), sa.Column("given", sa.JSON(none_as_null=True))
    )


def _required(name: str, type_: sa.types.TypeEngine = _TEXT, **options) -> sa.Column:
    return sa.Column(name, type_, nullable=False, **options)


def _of_each_learner(table: str, *columns: sa.Column) -> None:
    op.create_table(
        table,
        _required("job_id", _BIGINT, autoincrement=False),
        _required("position", sa.Integer(), autoincrement=False),
        *columns,
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=f"fk_{table}_job_id"),
        sa.PrimaryKeyConstraint("job_id", "position", name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )
