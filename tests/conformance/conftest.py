import proxy
import pytest
from support import server

from lrs_soap.conformance import catalogue, opening, runner, target

ABOUT = target.load(None)


@pytest.fixture(scope="session")
def sandbox(sqlite_databases):
    """A running sandbox, one for all: the suite invents the people it registers."""
    url = sqlite_databases.sandbox()
    with server.running(url, password_cache_seconds=3600) as running:
        yield running
    sqlite_databases.drop(url)


@pytest.fixture
def results():
    """Runs cases against an endpoint, by their ids, or all: results(url, "find-exact", ..., read_only=True)."""

    def run(url, *ids, about=ABOUT, read_only=False, timeout=20.0, parallel=2):
        session = opening.session(url, about, read_only=read_only, timeout=timeout)
        cases = [row for row in catalogue.cases(about) if not ids or row.id in ids]
        assert len(cases) >= len(ids)
        return {result.case.id: result for result in runner.run(cases, session, parallel=parallel)}

    return run


@pytest.fixture(scope="session")
def honest(sandbox):
    """The URL of the proxy that spoils nothing."""
    with proxy.in_front(sandbox.port, proxy.honest) as url:
        yield url
