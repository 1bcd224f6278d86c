"""The table of what operators decided about learners: merges, unmerges, deletions and restorations."""

import sqlalchemy as sa

from lrs_soap.store import tables

# One row for each decision; rows are only ever added. Both sides are kept as they were at that moment: the reports
# give them so, whatever happens to the learners later. `master_*` are of merges and unmerges.
learner_decision = sa.Table(
    "learner_decision",
    tables.metadata,
    sa.Column("id", tables.BigInt, primary_key=True),
    sa.Column("event", sa.Text, nullable=False),  # rules.merging.Event
    sa.Column("at", tables.Moment, nullable=False),
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("uln", tables.Uln, nullable=False, index=True),
    sa.Column("family_name", sa.Text, nullable=False),
    sa.Column("given_name", sa.Text, nullable=False),
    sa.Column("date_of_birth", sa.Text, nullable=False),
    sa.Column("master_uln", tables.Uln, index=True),
    sa.Column("master_family_name", sa.Text),
    sa.Column("master_given_name", sa.Text),
    sa.Column("master_date_of_birth", sa.Text),
    sa.Index(None, "event", "at"),
)
