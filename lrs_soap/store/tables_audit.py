"""The tables of the audit trail's chain: blocks, the rows in them, rows that wait, and removals by policy.

Triggers keep all but `audit_unsealed` append-only; rows of the trail may be deleted only once a row of `audit_prune`
names their block (r0006). No foreign keys: rows leave by policy while their blocks stay, and sealing must be cheap.
"""

import sqlalchemy as sa

from lrs_soap.store import tables

# Filled by a trigger of `audit` in the transaction that writes the row, emptied by the sealer: which rows are sealed
# is never told by their ids, which do not come in the order of commits.
audit_unsealed = sa.Table(
    "audit_unsealed",
    tables.metadata,
    sa.Column("audit_id", tables.BigInt, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

audit_block = sa.Table(
    "audit_block",
    tables.metadata,
    sa.Column("number", tables.BigInt, primary_key=True, autoincrement=False),
    sa.Column("sealed_at", tables.Moment, nullable=False),
    sa.Column("newest", tables.Moment, nullable=False),  # the latest `at` of its rows
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("key_name", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

audit_block_row = sa.Table(
    "audit_block_row",
    tables.metadata,
    sa.Column("block", tables.BigInt, primary_key=True, autoincrement=False),
    sa.Column("audit_id", tables.BigInt, primary_key=True, autoincrement=False, unique=True),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (audit_id)",
)

audit_prune = sa.Table(
    "audit_prune",
    tables.metadata,
    sa.Column("id", tables.BigInt, primary_key=True),
    sa.Column("at", tables.Moment, nullable=False),
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("older_than", tables.Moment, nullable=False),
    sa.Column("first_block", tables.BigInt, nullable=False),
    sa.Column("last_block", tables.BigInt, nullable=False, unique=True),
    sa.Column("rows", tables.BigInt, nullable=False),
    sa.Column("key_name", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
