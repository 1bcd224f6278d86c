"""The HTTP server of one worker process: uvicorn, with what a register open to strangers needs besides.

Connections are those of `connection`, which bounds what a client can hold; the application is shielded (`shield`); the
worker calls back when it listens; its log goes where ours goes.

A worker that ends closes no connection on which a request may be on its way, if it can wait: it takes no new ones, and
says `Connection: close` with each reply, until all are gone.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from lrs_soap import metrics
from lrs_soap.settings import Settings
from lrs_soap.wire import connection, handshakes, shares, shield, tls
from lrs_soap.wire.app import App

# uvicorn's own limit, the answer 503, is for when connections are at work and cannot make room; the requests of those
# that were just closed count until they have ended.
_TIMES = 8
# How long a thread may keep the interpreter from the event loop, where Python's own 5 ms would show in every tenth call
# while a group of audit rows is written.
_SWITCH_SECONDS = 0.0005
# Files that a worker has open besides its connections: database, logs, figures.
_OTHER_FILES = 256
# Ticks of uvicorn's, a tenth of a second each, until another process's /metrics shows what was counted here.
_PUBLISHED_EVERY = 5


class Server(uvicorn.Server):
    """uvicorn's server, which leaves the accepting of connections to `handshakes`. share: of those of all processes."""

    def __init__(self, config: uvicorn.Config, share: shares.Share | None = None):
        super().__init__(config)
        self._share = share or shares.alone()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        connection.Protocol.share = self._share
        self._share.tell(0)
        timeout, most = connection.Protocol.timeout, connection.Protocol.most
        self.servers = [
            handshakes.Door(one, self._share, self.config.ssl, self._connection, timeout, most) for one in sockets
        ]

    async def on_tick(self, counter: int) -> bool:
        if counter % _PUBLISHED_EVERY == 0:
            metrics.publish()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        metrics.publish()

    def _connection(self) -> connection.Protocol:
        return connection.Protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


# P: how long a worker that is told to stop leaves connections to their clients. Told to leave, it waits as long as it
# would wait for the next request in any case.
_STOP_SECONDS = 1.0
_LOOK_SECONDS = 0.05


class _Worker(Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], share: shares.Share | None):
        super().__init__(config, share)
        self._ready = ready
        self._close_by = float("inf")  # on the clock of time.monotonic

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What lives now lives on: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stop()
        super().handle_exit(sig, frame)

    def stop(self, *_: Any) -> None:
        """Ends soon."""
        self._close_by = min(self._close_by, time.monotonic() + _STOP_SECONDS)
        self.should_exit = True

    def leave(self, *_: Any) -> None:
        """Ends when every client has been told, or has been silent so long that its connection is closed."""
        self._close_by = min(self._close_by, time.monotonic() + self.config.timeout_keep_alive + _STOP_SECONDS)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._share.leave()
        for door in self.servers:
            door.leave()
        self.config.encoded_headers.append((b"connection", b"close"))
        while (self.server_state.connections or any(door.is_busy for door in self.servers)) and time.monotonic() < self._close_by:
            await self.on_tick(0)  # keeps the Date of replies right
            await asyncio.sleep(_LOOK_SECONDS)
        await super().shutdown(sockets)


def serve(
    app: App, settings: Settings, listening: socket.socket, ready: Callable[[], None], share: shares.Share | None = None
) -> None:
    """Answers requests on the socket until SIGTERM, or more patiently SIGHUP, then finishes those begun. ready: called
    once it listens. share: of the connections of all processes on the socket; None for one that is alone."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    _allow_files((_TIMES + 1) * settings.max_connections + _OTHER_FILES)
    config = configuration(app, settings)
    worker = _Worker(config, ready, share)
    # One that comes before uvicorn has its own handler counts too; and it raises the signal again once it has stopped,
    # when the register must still be closed.
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGHUP, worker.leave)
    worker.run(sockets=[listening])


def configuration(app: App, settings: Settings) -> uvicorn.Config:
    """How uvicorn is to serve `app`. What `connection` and the log need is set for the whole process."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        # Its messages can repeat what a client sent.
        logging.getLogger(name).handlers[:] = [logging.NullHandler()]
        logging.getLogger(name).propagate = False
    connection.Protocol.timeout = settings.request_timeout_seconds
    connection.Protocol.most = settings.max_connections
    connection.Protocol.longest = 5 * settings.max_body_bytes + connection.MAX_HEAD_BYTES
    config = uvicorn.Config(
        shield.Shield(app),
        http=connection.Protocol,
        ws="none",
        lifespan="off",
        loop="auto",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=2048,
        limit_concurrency=_TIMES * settings.max_connections,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=20,
    )
    config.load()
    config.ssl = tls.context(settings)
    return config


def _allow_files(number: int) -> None:
    """Raises this process's limit of open files if connections would meet it first; many systems begin with 1,024."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < number:
            most = number if hard == resource.RLIM_INFINITY else min(number, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
