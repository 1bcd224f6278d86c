"""The fixtures `lrs_register` and `lrs_register_session`: a register of one's own to test a client with.

pytest loads this module in every run where lrs_soap is installed, so it imports nothing; the first test that uses a
fixture pays. docs/testing-your-client.md shows how to use them.
"""

import pytest


@pytest.fixture(scope="session")
def lrs_register_settings() -> dict:
    """Settings of the registers, by the names of docs/settings.md; override it to change any."""
    return {}


@pytest.fixture(scope="session")
def _lrs_registers():
    from lrs_soap import ephemeral

    with ephemeral.Registers() as registers:
        yield registers


@pytest.fixture
def lrs_register(_lrs_registers, lrs_register_settings):
    """A private LearnerService for this test alone: `wsdl_url`, credentials, `client()`, `add_learner()`, `calls`."""
    with _lrs_registers.start(**lrs_register_settings) as register:
        yield register


@pytest.fixture(scope="session")
def lrs_register_session(_lrs_registers, lrs_register_settings):
    """A private LearnerService for all tests of this run (with xdist: of this worker), which share what is in it."""
    with _lrs_registers.start(**lrs_register_settings) as register:
        yield register
