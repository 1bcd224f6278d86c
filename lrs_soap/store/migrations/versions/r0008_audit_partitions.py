"""The audit trail in partitions on PostgreSQL: ranges of row numbers, so that old rows leave as whole tables.

Every key of the trail has the row's number in it already: nothing but the storage changes. The rows that are there
become the first partition as they are. A foreign key from audit_learner to audit would be looked up in every partition
for every learner of every call: it goes, on both databases.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# As lrs_soap.store.auditpartitions has them.
_ROWS = 10_000_000
_TABLES = {"audit": "id", "audit_learner": "audit_id", "audit_block_row": "audit_id"}

_TRIGGERS = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_learner'")
_CONSTRAINTS = sa.text(
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(:table) ORDER BY contype DESC"
)
_INDEXES = sa.text(
    "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE i.indrelid = to_regclass(:table) AND NOT EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conindid = i.indexrelid)"
)


def upgrade() -> None:
    (_sqlite if op.get_context().dialect.name == "sqlite" else _postgresql)()


def _sqlite() -> None:
    # SQLite cannot drop a foreign key: the table is made anew, and its triggers with it.
    triggers = op.get_bind().execute(_TRIGGERS).scalars().all()
    op.execute("ALTER TABLE audit_learner RENAME TO audit_learner_before")
    op.create_table(
        "audit_learner",
        sa.Column("audit_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("uln", sa.Integer(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("audit_id", "uln", name="pk_audit_learner"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO audit_learner SELECT audit_id, uln FROM audit_learner_before ORDER BY audit_id, uln")
    op.execute("DROP TABLE audit_learner_before")
    op.create_index("ix_audit_learner_uln", "audit_learner", ["uln"])
    for trigger in triggers:
        op.execute(trigger)


def _postgresql() -> None:
    conn = op.get_bind()
    op.drop_constraint("fk_audit_learner_audit_id", "audit_learner")
    newest = conn.execute(sa.text("SELECT coalesce(max(id), 0) FROM audit")).scalar_one()
    end = (newest // _ROWS + 1) * _ROWS
    for table, key in _TABLES.items():
        _partition(conn, table, key, end)
    op.execute("ALTER SEQUENCE audit_id_seq OWNED BY audit.id")
    op.execute(
        "CREATE TRIGGER audit_waits AFTER INSERT ON audit REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_waits()"
    )


def _partition(conn: sa.Connection, table: str, key: str, end: int) -> None:
    first = f"{table}_0"
    if table == "audit":
        op.execute("DROP TRIGGER audit_waits ON audit")
    for trigger in ("append_only", "leaves_by_policy"):
        op.execute(f"DROP TRIGGER {table}_{trigger} ON {table}")
    constraints = conn.execute(_CONSTRAINTS, {"table": table}).all()
    indexes = conn.execute(_INDEXES, {"table": table}).all()
    # Its names are for the whole table now.
    op.execute(f"ALTER TABLE {table} RENAME TO {first}")
    for name, _ in constraints:
        op.execute(f"ALTER TABLE {first} RENAME CONSTRAINT {name} TO {name}_0")
    for name, _ in indexes:
        op.execute(f"ALTER INDEX {name} RENAME TO {name}_0")
    op.execute(f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS) PARTITION BY RANGE ({key})")
    for name, definition in constraints:
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for _, definition in indexes:
        op.execute(definition)
    op.execute(
        f"CREATE TRIGGER {table}_leaves_by_policy BEFORE DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_leaves_by_policy()"
    )
    op.execute(f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ({end})")
    op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    for name in (table, first, f"{table}_default"):
        # Statement triggers are not handed down to partitions, as row triggers are.
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR TRUNCATE ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
        )
