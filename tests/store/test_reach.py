"""A database that cannot be reached is tried by one caller at a time, and not at once again."""

import threading

import pytest
import sqlalchemy as sa

from lrs_soap.store import engine as engines
from lrs_soap.store import reach


@pytest.fixture
def unreached(monkeypatch):
    """An engine whose attempts to connect are counted and all fail, after `gate` is open."""
    engine = engines.create("postgresql://nobody@127.0.0.1:1/none")
    attempts, gate = [], threading.Event()
    gate.set()

    def connect(*_, **__):
        attempts.append(1)
        gate.wait(10)
        raise engine.dialect.dbapi.OperationalError("no route")

    monkeypatch.setattr(reach.Connection, "connect", connect)
    yield engine, attempts, gate
    engine.dispose()


def fail(engine):
    with pytest.raises(sa.exc.OperationalError), engines.write(engine):
        pass


def test_after_a_failure_others_fail_at_once(unreached, monkeypatch):
    engine, attempts, _ = unreached
    monkeypatch.setattr(reach, "AGAIN_AFTER_SECONDS", 1e9)
    assert not engines.doubts(engine)()
    for _ in range(5):
        fail(engine)
    assert len(attempts) == 1 and engines.doubts(engine)()


def test_one_at_a_time_tries_again(unreached, monkeypatch):
    engine, attempts, gate = unreached
    monkeypatch.setattr(reach, "AGAIN_AFTER_SECONDS", 0.0)
    fail(engine)
    gate.clear()
    trying = threading.Thread(target=fail, args=(engine,))
    trying.start()
    while len(attempts) < 2:
        pass
    for _ in range(5):
        fail(engine)  # at once: the other one is still trying
    assert len(attempts) == 2
    gate.set()
    trying.join()
    fail(engine)
    assert len(attempts) == 3


def test_reached_again(database_url):
    engine = engines.create(database_url)
    for _ in range(2):
        with engines.write(engine) as conn:
            assert conn.execute(sa.select(sa.literal(1))).scalar() == 1
        assert not engines.doubts(engine)()
    engine.dispose()
