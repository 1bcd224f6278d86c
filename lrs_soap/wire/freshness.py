"""What the replicas must have before a call may read from them: asked of the primary once the call is there.

A worker's calls that wait at the same moment share one question, which comes after all of them: the more calls, the
fewer questions for each. Where the replicas are still to come to a position, calls that come meanwhile wait for the
next look at them and share that, too.
"""

import asyncio
import collections
from typing import NamedTuple

from lrs_soap.store import replicas
from lrs_soap.store.replication import Position


class _Round(NamedTuple):
    """Calls that asked together. until: how long replicas may take to come to the position."""

    position: Position | None
    waiting: list[asyncio.Future]
    until: float


class Freshness:
    """Gives the calls of one event loop the position from which they may read."""

    def __init__(self, replicas: replicas.Replicas):
        self._replicas = replicas
        self._waiting: list[asyncio.Future] = []
        self._rounds: collections.deque[_Round] = collections.deque()
        self._turn: asyncio.Handle | None = None

    async def position(self) -> Position | None:
        """Everything that was answered before this was asked for lies before the position; a replica has replayed up
        to it, or there is none to wait for. None if the primary does not answer."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.append(future)
        if self._turn is None:
            # In the next turn of the loop: what came in this one joins.
            self._turn = loop.call_soon(self._take_turn, loop)
        return await future

    def at_once(self) -> Position | None:
        """The same, if a replica has it already. None if something would have to be waited for."""
        position = self._replicas.position()
        return position if position is not None and self._replicas.is_settled(position) else None

    def _take_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._turn = None
        try:
            self._settle(loop.time())
        except Exception as error:  # it belongs to those who wait
            for future in (*self._waiting, *(one for ended in self._rounds for one in ended.waiting)):
                if not future.done():
                    future.set_exception(error)
            self._waiting = []
            self._rounds.clear()
        if self._rounds:
            self._turn = loop.call_later(replicas.POLL_SECONDS, self._take_turn, loop)

    def _settle(self, now: float) -> None:
        # On the loop, as quick calls are: a round trip takes less than handing it to a thread.
        if self._waiting:
            position = self._replicas.position()
            self._rounds.append(_Round(position, self._waiting, now + replicas.CATCH_UP_SECONDS))
            self._waiting = []
        while self._rounds and self._is_over(self._rounds[0], now):
            ended = self._rounds.popleft()
            for future in ended.waiting:
                if not future.done():
                    future.set_result(ended.position)

    def _is_over(self, round: _Round, now: float) -> bool:
        if not self._replicas.is_settled(round.position):
            if now < round.until:
                return False
            self._replicas.give_up(round.position)
        return True
