"""What operators decide about learners: merges, unmerges, deletions and restorations."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "learner_decision",
        sa.Column("id", _BIGINT, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("uln", _BIGINT, nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("date_of_birth", sa.Text(), nullable=False),
        sa.Column("master_uln", _BIGINT),
        sa.Column("master_family_name", sa.Text()),
        sa.Column("master_given_name", sa.Text()),
        sa.Column("master_date_of_birth", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_learner_decision"),
    )
    for columns in (["event", "at"], ["uln"], ["master_uln"]):
        op.create_index(f"ix_learner_decision_{'_'.join(columns)}", "learner_decision", columns)
