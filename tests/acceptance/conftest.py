import pytest
from support import server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def sandbox(request):
    """A fresh sandbox on each kind of database, one for all rows: they are independent of each other."""
    databases = request.getfixturevalue(f"{request.param}_databases")
    url = databases.empty()
    with server.running(url) as running:
        yield running
    databases.drop(url)
