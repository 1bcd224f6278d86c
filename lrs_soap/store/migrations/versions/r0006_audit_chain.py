"""The audit trail's chain: blocks, the rows in them, rows that wait to be sealed, and removals by policy."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)

# A row may be deleted only when a removal that is on record includes its block.
_PRUNED = "(SELECT max(last_block) FROM audit_prune)"
_BLOCK_OF = "EXISTS (SELECT 1 FROM audit_block_row r WHERE r.audit_id = OLD.{} AND r.block <= " + _PRUNED + ")"
_DELETABLE = {
    "audit": _BLOCK_OF.format("id"),
    "audit_learner": _BLOCK_OF.format("audit_id"),
    "audit_block_row": f"coalesce(OLD.block <= {_PRUNED}, false)",
}
_APPEND_ONLY = ("audit_block", "audit_prune")


def upgrade() -> None:
    op.create_table(
        "audit_unsealed",
        sa.Column("audit_id", _BIGINT, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("audit_id", name="pk_audit_unsealed"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_block",
        sa.Column("number", _BIGINT, nullable=False, autoincrement=False),
        sa.Column("sealed_at", _MOMENT, nullable=False),
        sa.Column("newest", _MOMENT, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_name", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_block"),
    )
    op.create_table(
        "audit_block_row",
        sa.Column("block", _BIGINT, nullable=False, autoincrement=False),
        sa.Column("audit_id", _BIGINT, nullable=False, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block", "audit_id", name="pk_audit_block_row"),
        sa.UniqueConstraint("audit_id", name="uq_audit_block_row_audit_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_prune",
        sa.Column("id", _BIGINT, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("older_than", _MOMENT, nullable=False),
        sa.Column("first_block", _BIGINT, nullable=False),
        sa.Column("last_block", _BIGINT, nullable=False),
        sa.Column("rows", _BIGINT, nullable=False),
        sa.Column("key_name", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_prune"),
        sa.UniqueConstraint("last_block", name="uq_audit_prune_last_block"),
    )
    if op.get_context().dialect.name == "postgresql":
        # A row that a call has not committed yet would be noted neither here nor by the trigger.
        op.execute("LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE")
    op.execute("INSERT INTO audit_unsealed (audit_id) SELECT id FROM audit")
    (_sqlite if op.get_context().dialect.name == "sqlite" else _postgresql)()


def _sqlite() -> None:
    op.execute(
        "CREATE TRIGGER audit_waits AFTER INSERT ON audit "
        "BEGIN INSERT INTO audit_unsealed (audit_id) VALUES (NEW.id); END"
    )
    refuse = "BEGIN SELECT RAISE(ABORT, '{} is append-only'); END"
    for table, condition in _DELETABLE.items():
        op.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT {condition} {refuse.format(table)}")
    for table in _APPEND_ONLY:
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse.format(table)}")
    for table in (*_APPEND_ONLY, "audit_block_row"):
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse.format(table)}")


def _postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_waits() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO audit_unsealed (audit_id) SELECT id FROM added; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_waits AFTER INSERT ON audit REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_waits()"
    )
    for table in (*_APPEND_ONLY, "audit_block_row"):
        op.execute(
            f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        )
    for table, condition in _DELETABLE.items():
        op.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
        _refuse(table, "UPDATE OR TRUNCATE")
        op.execute(
            f"CREATE FUNCTION {table}_leaves_by_policy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {condition} THEN RETURN OLD; END IF; RAISE EXCEPTION '{table} is append-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_leaves_by_policy BEFORE DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_leaves_by_policy()"
        )
    for table in _APPEND_ONLY:
        _refuse(table, "UPDATE OR DELETE OR TRUNCATE")


def _refuse(table: str, changes: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE {changes} ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
    )
