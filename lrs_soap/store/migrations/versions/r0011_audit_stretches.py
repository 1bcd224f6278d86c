"""On SQLite the learners of the audit trail are indexed by stretches of its rows: of every audited find the index by ULN
alone changed a page of its own, of the whole trail."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_audit_learner_uln", "audit_learner")
        op.execute("CREATE INDEX ix_audit_learner_stretch_uln ON audit_learner (audit_id >> 14, uln)")
