"""What those who watch a server ask: may it get calls (/readyz), and what has it done (/metrics).

P, all of it. Both ask the database, in a thread of their own and for a bounded time: a database that does not answer
makes an answer that says so, and keeps neither calls nor the event loop waiting.
"""

import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import Any, NamedTuple

from lrs_soap import metrics
from lrs_soap.register import Register
from lrs_soap.store import engine, place, queue, schema
from lrs_soap.wire import origin, tls

PATIENCE = 2.0
"""Seconds until a database that has not answered counts as down."""

# A proxy that is not trusted may pass calls of others on from an address of this machine.
_PASSED_ON = frozenset((b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"forwarded", b"via"))


class State(NamedTuple):
    """Whether a server may get calls; `why` it may not."""

    ready: bool
    why: str


class Probes:
    """Asks the database of a register for those who watch it; one question at a time."""

    def __init__(self, register: Register, patience: float = PATIENCE):
        self._register = register
        self._patience = patience
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="probe")
        self._asked: dict[Callable[[], Any], asyncio.Future] = {}

    async def state(self) -> State:
        """Whether the database answers, and has the tables of this program."""
        try:
            current = await self._ask(self._is_current)
        except TimeoutError:
            return State(False, "the database does not answer in time")
        except Exception:
            return State(False, "the database cannot be used")
        return State(current, "" if current else "the database has the tables of another version")

    async def page(self) -> bytes:
        """The metrics of all processes of this server."""
        try:
            length = await self._ask(self._queue)
        except Exception:
            length = None
        return metrics.page(length, self._register.replicas)

    async def _ask(self, question: Callable[[], Any]) -> Any:
        # Those who ask while the same question is out share its answer, so that they cannot pile up.
        asked = self._asked.get(question)
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(self._thread, question)
            self._asked[question] = asked
            asked.add_done_callback(lambda done: self._answered(question, done))
        return await asyncio.wait_for(asyncio.shield(asked), self._patience)

    def _answered(self, question: Callable[[], Any], done: asyncio.Future) -> None:
        del self._asked[question]
        if not done.cancelled():
            done.exception()  # looked at, also if nobody waited that long

    def _is_current(self) -> bool:
        place.check(self._register.engine)
        return schema.is_current(self._register.engine)

    def _queue(self) -> queue.Queue:
        with engine.read(self._register.engine) as connection:
            return queue.length(connection, self._register.now())


def may_watch(scope: dict[str, Any], came_from: origin.Origin, allowed: str) -> bool:
    """Whether a request may see the metrics: from this machine itself, or an address of `allowed` (networks as in the
    setting monitoring_from). A proxy's caller counts as the caller, not as the proxy."""
    if origin.is_trusted(came_from.address, allowed):
        return True
    passed_on = any(name in _PASSED_ON for name, _ in scope["headers"])
    return tls.is_loopback(came_from.address) and (came_from.by_proxy or not passed_on)
