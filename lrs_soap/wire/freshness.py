"""What the replicas must have before a call may read from them: asked of the primary once the call is there.

A worker's calls that wait at the same moment share one question, which comes after all of them: the more calls, the
fewer questions for each.
"""

import asyncio

from lrs_soap.store import replicas
from lrs_soap.store.replication import Position


class Freshness:
    """Gives the calls of one event loop the position from which they may read."""

    def __init__(self, replicas: replicas.Replicas):
        self._replicas = replicas
        self._waiting: list[asyncio.Future] = []

    async def position(self) -> Position | None:
        """Everything that was answered before this was asked for lies before the position; a replica has replayed up
        to it, or there is none to wait for. None if the primary does not answer."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.append(future)
        if len(self._waiting) == 1:
            # In the next turn of the loop: what came in this one joins.
            loop.call_soon(self._ask, loop)
        return await future

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, []
        # On the loop, as quick calls are: a round trip takes less than handing it to a thread.
        self._settle(loop, self._replicas.position(), waiting, loop.time() + replicas.CATCH_UP_SECONDS)

    def _settle(
        self, loop: asyncio.AbstractEventLoop, position: Position | None, waiting: list[asyncio.Future], until: float
    ) -> None:
        if not self._replicas.is_settled(position):
            if loop.time() < until:
                loop.call_later(replicas.POLL_SECONDS, self._settle, loop, position, waiting, until)
                return
            self._replicas.give_up(position)
        for future in waiting:
            if not future.done():
                future.set_result(position)
