"""Registrations that wait at the same moment are made together, by one thread of a worker.

While a group is written the next one gathers, so nobody waits for others to come: a call that comes alone is a group of
one.
"""

import asyncio
import collections
import concurrent.futures
from collections.abc import Sequence

from lrs_soap.operations import together
from lrs_soap.register import Register

MOST = 50
"""Registrations made at once: on SQLite, where a writer is alone, others do not wait long for them."""


class Gathering:
    """The registrations of a worker that wait. Its methods are for the event loop alone; `threads` runs the writer."""

    def __init__(self, register: Register, threads: concurrent.futures.Executor):
        self._register = register
        self._threads = threads
        self._waiting: collections.deque[together.Application] = collections.deque()
        self._futures: dict[int, asyncio.Future[together.Outcome]] = {}
        self._is_writing = False

    async def outcome(self, application: together.Application) -> together.Outcome:
        """What came of the application, once that is committed."""
        loop = asyncio.get_running_loop()
        future = self._futures[id(application)] = loop.create_future()
        self._waiting.append(application)
        self._begin(loop)
        return await future

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._waiting and not self._is_writing:
            self._is_writing = True
            writing = loop.run_in_executor(self._threads, self._write, loop)
            writing.add_done_callback(lambda done: self._ended(loop, done))

    def _ended(self, loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
        done.result()
        self._is_writing = False
        self._begin(loop)  # one may have come after the thread looked

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        """In the thread: group after group, until none waits."""
        while self._waiting:
            made = together.register_together(self._register, self._take)
            loop.call_soon_threadsafe(self._tell, made)

    def _take(self) -> list[together.Application]:
        # Only this thread takes, and a deque may be added to meanwhile.
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]

    def _tell(self, made: Sequence[together.Application]) -> None:
        for application in made:
            future = self._futures.pop(id(application))
            if not future.done():  # it is, if the client has gone
                future.set_result(application.outcome)
