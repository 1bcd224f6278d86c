"""Calls that wait at the same moment share one question to the primary, which comes after all of them."""

import asyncio

from lrs_soap.store import replicas
from lrs_soap.store.replication import Position
from lrs_soap.wire import freshness


class Lagging:
    """Replicas that need to be asked `late` times before they have a position."""

    def __init__(self, late=0):
        self.asked = 0
        self.given_up = []
        self._late = late

    def position(self):
        self.asked += 1
        return Position(1, self.asked)

    def is_settled(self, position):
        self._late -= 1
        return self._late < 0

    def give_up(self, position):
        self.given_up.append(position)


def test_one_question_for_all_that_wait():
    found = Lagging()

    async def calls():
        fresh = freshness.Freshness(found)
        first = await asyncio.gather(*(fresh.position() for _ in range(50)))
        return first, await asyncio.gather(*(fresh.position() for _ in range(50)))

    first, second = asyncio.run(calls())
    assert set(first) == {Position(1, 1)} and set(second) == {Position(1, 2)}
    assert found.asked == 2


def test_who_comes_while_a_replica_catches_up_gets_a_later_position():
    found = Lagging(late=5)

    async def calls():
        fresh = freshness.Freshness(found)
        first = asyncio.ensure_future(fresh.position())
        while not found.asked:
            await asyncio.sleep(0)
        return await fresh.position(), await first

    assert asyncio.run(calls()) == (Position(1, 2), Position(1, 1))
    assert found.given_up == []


def test_those_who_come_while_a_replica_catches_up_share_a_question():
    found = Lagging(late=5)

    async def calls():
        fresh = freshness.Freshness(found)
        asked = [asyncio.ensure_future(fresh.position())]
        while not found.asked:
            await asyncio.sleep(0)
        for _ in range(20):
            asked.append(asyncio.ensure_future(fresh.position()))
            await asyncio.sleep(0)
        return await asyncio.gather(*asked)

    first, *others = asyncio.run(calls())
    assert first == Position(1, 1) and found.asked < 5
    assert all(position.offset > 1 for position in others)


def test_a_replica_is_not_waited_for_for_long(monkeypatch):
    monkeypatch.setattr(replicas, "CATCH_UP_SECONDS", 0.005)
    found = Lagging(late=1_000_000)
    assert asyncio.run(freshness.Freshness(found).position()) == Position(1, 1)
    assert found.given_up == [Position(1, 1)]


def test_what_goes_wrong_is_told_to_all_who_wait(monkeypatch):
    found = Lagging()
    monkeypatch.setattr(found, "position", lambda: 1 / 0)

    async def calls():
        fresh = freshness.Freshness(found)
        wrong = await asyncio.gather(*(fresh.position() for _ in range(3)), return_exceptions=True)
        monkeypatch.undo()
        return wrong, await fresh.position()

    wrong, right = asyncio.run(calls())
    assert [type(error) for error in wrong] == [ZeroDivisionError] * 3 and right == Position(1, 1)


def test_a_caller_that_went_away_does_not_trouble_the_others():
    found = Lagging(late=3)

    async def calls():
        fresh = freshness.Freshness(found)
        gone, here = (asyncio.ensure_future(fresh.position()) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        return await here

    assert asyncio.run(calls()) == Position(1, 1)


def test_at_once_there_is_a_position_only_if_nothing_is_to_be_waited_for():
    there, late, silent = Lagging(), Lagging(late=1), Lagging()
    silent.position = lambda: None
    assert freshness.Freshness(there).at_once() == Position(1, 1)
    assert freshness.Freshness(late).at_once() is None
    assert late.given_up == []
    assert freshness.Freshness(silent).at_once() is None
