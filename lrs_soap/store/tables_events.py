"""The tables of learners' records: learning events, how far files of them were loaded, and who looked at a record.

An event stays with the ULN it was loaded for, whatever that is merged into: so an unmerge has nothing to move.
"""

import sqlalchemy as sa

from lrs_soap import contract
from lrs_soap.store import tables


def _column(field: contract.Field) -> sa.Column:
    # A mandatory text may be empty: then it is '', where an absent optional value is NULL.
    kind = sa.Text() if field.simple.base == "string" else sa.BigInteger()
    return sa.Column(field.attribute, kind, nullable=field.min_occurs == 0)


learning_event = sa.Table(
    "learning_event",
    tables.metadata,
    sa.Column("uln", tables.Uln, primary_key=True, autoincrement=False),
    sa.Column("event_key", sa.LargeBinary, primary_key=True),  # rules.record.key
    sa.Column("source", sa.Text, nullable=False),
    *map(_column, contract.TYPES["MIAPLearningEvent"].fields),
    sqlite_with_rowid=False,
)

# How far each file was loaded: written in the transaction of its rows. digest: of the file's bytes (SHA-256).
learning_event_load = sa.Table(
    "learning_event_load",
    tables.metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),  # as the command was told; empty: as the rows say
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("started_at", tables.Moment, nullable=False),
    sa.Column("finished_at", tables.Moment),
    sa.Column("rows", tables.BigInt, nullable=False),
    sa.Column("added", tables.BigInt, nullable=False),
    sa.Column("replaced", tables.BigInt, nullable=False),
    sa.Column("unchanged", tables.BigInt, nullable=False),
    sa.Column("superseded", tables.BigInt, nullable=False),
    sa.Column("rejected", tables.BigInt, nullable=False),
    sa.Column("exceptions_bytes", tables.BigInt, nullable=False),  # of the exceptions file, up to the last row counted
)

# What the audit of a look at a record has no column for. Rows are only ever added.
record_look = sa.Table(
    "record_look",
    tables.metadata,
    sa.Column("id", tables.BigInt, primary_key=True),
    sa.Column("request_id", sa.Text, nullable=False, index=True),  # of the audit
    sa.Column("user_type", sa.Text, nullable=False),
    sa.Column("lnr_contact_type", sa.Text, nullable=False),
)
