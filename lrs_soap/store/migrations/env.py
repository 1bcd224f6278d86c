"""What alembic runs: the migrations, on the connection and in the transaction that `schema.upgrade` gives."""

from alembic import context

from lrs_soap.store import (  # noqa: F401 - all have one metadata
    tables,
    tables_access,
    tables_audit,
    tables_events,
    tables_jobs,
    tables_merges,
    tables_replicas,
)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    transactional_ddl=True,  # SQLite's is, too, now that we begin its transactions
)
context.run_migrations()
