"""Whether others were merged into a learner is a column of it: reads asked that of every learner they found.

A server of the version before, which still runs meanwhile, adds learners without it: nobody is merged into a new one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("learner", sa.Column("is_master", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE learner SET is_master = true WHERE uln IN (SELECT master_uln FROM learner WHERE master_uln IS NOT NULL)"
    )
