"""The HTTP server of one worker process: uvicorn, with what a register open to strangers needs besides.

A request has to arrive whole within a time, so that slow or silent clients do not hold connections; the
certificate of a TLS client goes along with its requests; the worker calls back when it listens; its log goes where
ours goes.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lrs_soap.settings import Settings
from lrs_soap.wire import origin, tls
from lrs_soap.wire.app import App, ClientDisconnected


class Protocol(HttpToolsProtocol):
    """HTTP on one connection. `timeout` seconds after a request began, or should have, it is closed."""

    timeout = 30.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        # Read once: every request of the connection has the same.
        self._extensions = {origin.CERTIFICATE: tls.presented(transport)}
        self._expect_request()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._expect_request()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._cancel_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        self._cancel_deadline()
        self._deadline = self.loop.call_later(self.timeout, self.transport.abort)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]):
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What lives now lives on: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        self._ready()


def serve(app: App, settings: Settings, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Answers requests on the socket until SIGTERM, then finishes those begun. ready: called once it listens."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        # Its messages can repeat what a client sent.
        logging.getLogger(name).handlers[:] = [logging.NullHandler()]
        logging.getLogger(name).propagate = False
    Protocol.timeout = settings.request_timeout_seconds
    config = uvicorn.Config(
        _quiet(app),
        http=Protocol,
        ws="none",
        lifespan="off",
        loop="auto",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=2048,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=20,
    )
    config.load()
    config.ssl = tls.context(settings)
    # uvicorn raises the signal again once it has stopped; by then the register must still be closed.
    signal.signal(signal.SIGTERM, lambda *_: None)
    _Server(config, ready).run(sockets=[listening])


def _quiet(app: App) -> Any:
    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        with contextlib.suppress(ClientDisconnected):
            await app(scope, receive, send)

    return answer
