"""What Alembic finds different between a database and the tables of the register."""

import warnings

from alembic import autogenerate
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from lrs_soap.store import copies, tables

# PostgreSQL has the first of them, SQLite the second, which Alembic cannot read back.
_BY_DATABASE = {"ix_audit_learner_uln", "ix_audit_learner_stretch_uln"}


def differences(conn: Connection) -> list:
    """They, but for partitions and what only one kind of database has."""
    partitions = copies.partitions(conn)
    context = MigrationContext.configure(conn, opts={
        "compare_type": True, "compare_server_default": True,
        "include_name": lambda name, kind, _parents: kind != "table" or name not in partitions,
        "include_object": lambda _, name, kind, *__: kind != "index" or name not in _BY_DATABASE,
    })  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        warnings.filterwarnings("ignore", "autogenerate skipping")
        return autogenerate.compare_metadata(context, tables.metadata)
