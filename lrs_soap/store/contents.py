"""Whether a register holds anything, and emptying one that holds nothing to lose."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.store import (  # noqa: F401 - all have one metadata
    tables,
    tables_access,
    tables_audit,
    tables_events,
    tables_jobs,
    tables_merges,
    tables_replicas,
)

# What stays in a register that is cleared: the audit is append-only and names the organisations, the count of ULNs
# issued goes on, so that none is issued twice, and replicas follow the history that they followed.
_AUDIT = {tables.audit, tables.audit_learner, tables_events.record_look, tables_audit.audit_unsealed,
          tables_audit.audit_block, tables_audit.audit_block_row, tables_audit.audit_prune}  # fmt: skip
_KEPT = _AUDIT | {tables.organisation, tables.uln_issue, tables_replicas.wal_history}

_HAS_LEARNERS = sa.select(sa.exists(sa.select(tables.learner.c.uln)))
_HAS_ORGANISATIONS = sa.select(sa.exists(sa.select(tables.organisation.c.id)))


def has_learners(conn: Connection) -> bool:
    """Whether there is a learner, live or not."""
    return bool(conn.execute(_HAS_LEARNERS).scalar())


def is_new(conn: Connection) -> bool:
    """Whether there is neither a learner nor an organisation."""
    return not (has_learners(conn) or conn.execute(_HAS_ORGANISATIONS).scalar())


def clear(conn: Connection) -> None:
    """Deletes everything but organisations, audit and the count of ULNs: the caller made sure that nobody needs it."""
    for table in reversed(tables.metadata.sorted_tables):
        if table not in _KEPT:
            conn.execute(sa.delete(table))
