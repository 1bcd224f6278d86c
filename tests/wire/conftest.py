import pytest
from support import server


@pytest.fixture(scope="session")
def sandbox(sqlite_databases):
    """A running sandbox; what these tests ask is the same on both kinds of database."""
    url = sqlite_databases.sandbox()
    with server.running(url, max_body_bytes=200_000) as running:
        yield running
    sqlite_databases.drop(url)
