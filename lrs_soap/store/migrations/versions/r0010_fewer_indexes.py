"""Fewer indexes, and room for new versions: what a register of millions waits for are the pages that a write touches.

Three indexes that began with a postcode are one; an identity is given up by its own key, no longer by its ULN. A server
of the version before, which still runs meanwhile, reads all identities to give one up.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

_POSTCODE = ("postcode_key", "date_of_birth", "family_key", "given_key")


def upgrade() -> None:
    op.create_index(f"ix_learner_{'_'.join(_POSTCODE)}", "learner", _POSTCODE)
    for other in _POSTCODE[1:]:
        op.drop_index(f"ix_learner_postcode_key_{other}", "learner")
    op.drop_index("ix_learner_identity_uln", "learner_identity")
    if op.get_context().dialect.name == "postgresql":
        _leave_room()


def _leave_room() -> None:
    # Partitions have it, where there are some. Pages that are full stay as they are until the table is rewritten.
    op.execute("""DO $$ DECLARE part regclass; BEGIN
      FOR part IN SELECT relid FROM pg_partition_tree('learner') WHERE isleaf
        UNION SELECT oid FROM pg_class WHERE oid = 'learner'::regclass AND relkind = 'r'
      LOOP EXECUTE format('ALTER TABLE %s SET (fillfactor = 90)', part); END LOOP;
    END $$""")
