"""Requests that a worker reads in the same turn of its event loop, answered together where that is quicker."""

import asyncio
from typing import Any, Protocol

from lrs_soap import logs, metrics

log = logs.get_logger("lrs_soap.wire")

MOST = 32
"""Requests answered together: the first of them waits for the last."""


class Connection(Protocol):
    """What such a request came on."""

    transport: Any

    def answer(self, response: Any, begun: Any) -> None:
        """Writes the response, or without one goes on with what was begun."""


class Companions:
    """Those of one worker, whose application has `all_at_once`."""

    def __init__(self) -> None:
        self._asked: list[tuple[Connection, Any, bytes]] = []

    def add(self, connection: Connection, way: Any, body: bytes, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        """Has the request answered once the loop has read what else has arrived, or there are enough of them."""
        if not self._asked:
            loop.call_soon(self._answer, app)
        self._asked.append((connection, way, body))
        if len(self._asked) == MOST:
            self._answer(app)

    def _answer(self, app: Any) -> None:
        asked, self._asked = self._asked, []
        if not asked:
            return  # they were enough before
        for (connection, _, _), (response, begun) in zip(
            asked, app.all_at_once([(way, body) for _, way, body in asked]), strict=True
        ):
            try:
                connection.answer(response, begun)
            except Exception as error:  # it is no other's
                log.error("unexpected error", type=type(error).__name__, frames=logs.frames(error))
                metrics.refused("unexpected")
                connection.transport.abort()
