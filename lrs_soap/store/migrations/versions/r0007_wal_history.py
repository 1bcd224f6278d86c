"""The histories of changes that the register had, by which replicas show which one they follow."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "wal_history",
        sa.Column("system_identifier", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("database", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("timeline", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("system_identifier", "database", "timeline", name="pk_wal_history"),
    )
