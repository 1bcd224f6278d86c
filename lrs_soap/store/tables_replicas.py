"""The table by which a replica shows whose changes it has."""

import sqlalchemy as sa

from lrs_soap.store import tables

# One row for each history of changes (WAL) that the register ever had, written by whoever first meets it on the primary.
# PostgreSQL begins a new timeline when a replica is promoted; two that are promoted by mistake may call theirs alike, so
# a history has a random number besides. A replica that shows the number follows that history.
wal_history = sa.Table(
    "wal_history",
    tables.metadata,
    sa.Column("system_identifier", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("database", sa.BigInteger, primary_key=True, autoincrement=False),  # its oid
    sa.Column("timeline", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)
