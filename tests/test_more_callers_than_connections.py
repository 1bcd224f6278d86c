"""More callers at once than the pool has connections: nobody waits for somebody who waits for him."""

import concurrent.futures
import threading

import pytest
import sqlalchemy as sa
from support import batches, desk

from lrs_soap.store import engine as engines
from lrs_soap.store import tables

CALLERS = 24
CALLS = 4


@pytest.fixture
def small(database_url, monkeypatch):
    """A register whose pool has two connections."""
    create = engines.create
    monkeypatch.setattr(engines, "create", lambda url, **how: create(url, pool_size=1, max_overflow=1, **how))
    with desk.opened(database_url) as opened:
        yield opened


def test_every_call_is_answered(small):
    people = batches.people()
    fields = ("given_name", "family_name", "date_of_birth", "gender", "last_known_post_code")
    lots = [[{name: next_one[name] for name in fields} for next_one, _ in zip(people, range(CALLS), strict=False)]
            for _ in range(CALLERS)]  # fmt: skip
    together = threading.Barrier(CALLERS)

    def call(lot):
        together.wait(30)
        for number, details in enumerate(lot):
            uln = small.new(details)
            # Within one call: reads, a transaction, and a list of ULNs, which takes a connection of the pool.
            assert small.updated(uln, 1, details | {"notes": f"{number}"}) == "WSRC0006"
            assert [row.uln for row in small.retrieved(uln)] == [uln]
            assert small.by_demographics(details).response_code == "WSRC0004"

    with concurrent.futures.ThreadPoolExecutor(CALLERS) as threads:
        # Who waits for a connection gives up in time; a deadlock would be seen as that.
        done, waiting = concurrent.futures.wait([threads.submit(call, lot) for lot in lots], timeout=120)
        assert not waiting
        for one in done:
            one.result()
    assert small.register.engine.pool.checkedout() == 0
    with engines.read(small.register.engine) as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(tables.learner)).scalar_one() == CALLERS * CALLS
