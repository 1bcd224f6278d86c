"""The tables of batches: a job, the learners it was sent with, and what came of each of them.

Results are only ever added, under the number of the learner: the database itself refuses a second one.
"""

import sqlalchemy as sa

from lrs_soap.store import tables

# A JobID is never used again, also not after the newest job was removed: hence AUTOINCREMENT.
job = sa.Table(
    "job",
    tables.metadata,
    sa.Column("id", tables.BigInt, primary_key=True),
    sa.Column("operation", sa.Text, nullable=False),  # that submitted it
    sa.Column("job_type", sa.Text),  # FUL or CHK; of a verify batch nothing
    sa.Column("organisation_id", sa.ForeignKey("organisation.id"), nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("submitted_at", tables.Moment, nullable=False),
    sa.Column("started_at", tables.Moment),
    sa.Column("finished_at", tables.Moment),
    # The lease: who works on it, and until when (seconds of the database's clock) no other may.
    sa.Column("lease", sa.Text),
    sa.Column("lease_until", sa.Double, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),  # claims since a learner was last finished
    sqlite_autoincrement=True,
)
sa.Index(None, job.c.organisation_id)
sa.Index(
    "ix_job_unfinished",
    job.c.id,
    postgresql_where=job.c.finished_at.is_(None),
    sqlite_where=job.c.finished_at.is_(None),
)

# What was sent, as it was sent: JSON of the elements that were there. Not JSONB, which would cost and gain nothing.
job_learner = sa.Table(
    "job_learner",
    tables.metadata,
    sa.Column("job_id", sa.ForeignKey("job.id"), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sent", sa.JSON, nullable=False),
    sqlite_with_rowid=False,
)

job_result = sa.Table(
    "job_result",
    tables.metadata,
    sa.Column("job_id", sa.ForeignKey("job.id"), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("uln", tables.Uln),
    sa.Column("given", sa.JSON(none_as_null=True)),  # of a verification: the stored values and the failure flags
    sqlite_with_rowid=False,
)
