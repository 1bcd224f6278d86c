"""Registrations and updates that wait at the same moment are made together, by one thread of a worker.

While a group is written the next one gathers; nobody waits for others to come, but for those whose requests have arrived
and are being read. A call that comes alone is a group of one.
"""

import asyncio
import collections
import concurrent.futures
from collections.abc import Sequence

from lrs_soap.operations import together
from lrs_soap.register import Register

MOST = 50
"""Made at once: on SQLite, where a writer is alone, others do not wait long for them."""

# Turns of the event loop in which nobody came. Reading a request takes one, looking at it the next; clients on this
# machine need a moment to ask again.
_QUIET = 4


class Gathering:
    """What waits in a worker. Its methods are for the event loop alone; `threads` runs the writer."""

    def __init__(self, register: Register, threads: concurrent.futures.Executor):
        self._register = register
        self._threads = threads
        self._waiting: collections.deque[together.Wanted] = collections.deque()
        self._futures: dict[int, asyncio.Future[together.Outcome]] = {}
        self._is_writing = False

    async def outcome(self, wanted: together.Wanted) -> together.Outcome:
        """What came of it, once that is committed."""
        loop = asyncio.get_running_loop()
        future = self._futures[id(wanted)] = loop.create_future()
        self._waiting.append(wanted)
        self._begin(loop)
        return await future

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._waiting and not self._is_writing:
            self._is_writing = True
            self._settle(loop, 0, 0)

    def _settle(self, loop: asyncio.AbstractEventLoop, before: int, quiet: int) -> None:
        """Begins when nobody has come for as long as the loop takes to read what has arrived. Who were told together ask
        again together: the first of them would be written alone."""
        quiet = 0 if len(self._waiting) > before else quiet + 1
        if quiet < _QUIET and len(self._waiting) < MOST:
            loop.call_soon(self._settle, loop, len(self._waiting), quiet)
            return
        writing = loop.run_in_executor(self._threads, together.make_together, self._register, self._take)
        writing.add_done_callback(lambda done: self._tell(loop, done.result()))

    def _take(self) -> list[together.Wanted]:
        # Only this thread takes, and a deque may be added to meanwhile.
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]

    def _tell(self, loop: asyncio.AbstractEventLoop, made: Sequence[together.Wanted]) -> None:
        for one in made:
            if one.outcome is None:
                self._make_alone(loop, one)
            else:
                self._give(one)
        self._is_writing = False
        self._begin(loop)

    def _make_alone(self, loop: asyncio.AbstractEventLoop, one: together.Wanted) -> None:
        """It may have to wait for somebody, which the next group does not."""
        writing = loop.run_in_executor(self._threads, together.make_together, self._register, lambda: [one])
        writing.add_done_callback(lambda done: self._give(*done.result()))

    def _give(self, one: together.Wanted) -> None:
        future = self._futures.pop(id(one))
        if not future.done():  # it is, if the client has gone
            future.set_result(one.outcome)
