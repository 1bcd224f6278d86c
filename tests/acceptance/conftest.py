import os

import pytest
from support import clusters, server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def sandbox(request):
    """A fresh sandbox on each kind of database, one for all rows: they are independent of each other."""
    databases = request.getfixturevalue(f"{request.param}_databases")
    url = databases.empty()
    with server.running(url) as running:
        yield running
    databases.drop(url)


@pytest.fixture
def private_cluster():
    """A PostgreSQL server that this test alone uses, running."""
    if clusters.programs() is None:
        advice = "no PostgreSQL to start: install Debian's package postgresql"
        pytest.fail(advice) if os.environ.get("CI") else pytest.skip(advice)
    with clusters.running(0) as (primary,):
        yield primary
