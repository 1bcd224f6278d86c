"""Names stand in the indexes of birth dates: of very many born on one day under one name, a search reads only who could match."""

from alembic import op

revision = "0012"
down_revision = "0011"

_BESIDE = {
    "date_of_birth, family_key": ("given_key", "preferred_given_name"),
    "date_of_birth, given_key": ("family_key", "previous_family_name", "family_name_at_age16"),
}


def upgrade() -> None:
    for columns, beside in _BESIDE.items():
        columns = columns.split(", ")
        name = f"ix_learner_{'_'.join(columns)}"
        op.drop_index(name, "learner")
        op.create_index(name, "learner", [*columns, *beside])
