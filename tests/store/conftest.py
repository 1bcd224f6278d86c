"""What the tests of the store start from."""

import pytest

from lrs_soap.rules import access
from lrs_soap.store import engine as engines
from lrs_soap.store import organisations


@pytest.fixture
def conn(engine):
    """A transaction on a migrated database."""
    with engines.write(engine) as connection:
        yield connection


@pytest.fixture
def organisation_id(engine):
    with engines.write(engine) as connection:
        return organisations.add(
            connection,
            organisation_ref="TEST38",
            ukprn="TEST0038",
            name="A College",
            password_hash="hash",
            rights=access.ALL,
        )
