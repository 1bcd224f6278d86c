"""Work that is dear, a little at a time and in fair turns."""

import asyncio
import collections
import concurrent.futures
from collections.abc import Callable
from typing import Any

from lrs_soap import errors


class TooBusy(errors.LrsError):
    """So much was asked for at once that this was not begun in time."""


class Turns:
    """Runs work in `at_once` threads. Those who ask take turns, whatever the number of things each asks for, so that
    nobody keeps the others waiting longer than one piece of work for each of them. patience: seconds."""

    def __init__(self, name: str, at_once: int, patience: float):
        self._threads = concurrent.futures.ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._at_once = at_once
        self._patience = patience
        self._running = 0
        self._waiting: collections.OrderedDict[str, collections.deque] = collections.OrderedDict()

    async def run(self, who: str, work: Callable[[], Any]) -> Any:
        """What `work` gives, when it is the turn of `who`. Raises what it raises, or TooBusy."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.setdefault(who, collections.deque()).append((loop.time(), work, future))
        self._begin(loop)
        return await future

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._running < self._at_once and self._waiting:
            who, asked = self._waiting.popitem(last=False)
            since, work, future = asked.popleft()
            if asked:
                self._waiting[who] = asked  # behind all others
            if future.done():
                continue
            if loop.time() - since > self._patience:
                future.set_exception(TooBusy())
                continue
            self._running += 1
            asyncio.ensure_future(self._run(loop, work, future))

    async def _run(self, loop: asyncio.AbstractEventLoop, work: Callable[[], Any], future: asyncio.Future) -> None:
        try:
            result = await loop.run_in_executor(self._threads, work)
        except Exception as error:  # it belongs to who asked
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)
        finally:
            self._running -= 1
            self._begin(loop)
