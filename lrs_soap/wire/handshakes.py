"""Connections from the moment they are accepted until they are there to be served: with TLS, after their handshake.

asyncio's own server shows a connection only after its handshake, so it would bound neither how many are at it nor how
long one may be closing: whoever opens connections and says nothing would take all the files a process may open. P, all
of it.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Any

from lrs_soap import logs, metrics
from lrs_soap.wire import shares

log = logs.get_logger("lrs_soap.wire")

# A client that does not answer our goodbye is not waited for.
_GOODBYE_SECONDS = 2.0
# Without files there is nothing to do but wait until some connection ends.
_PAUSE_SECONDS = 0.1


class Door:
    """Accepts connections on `listening` and gives those whose handshake succeeds a protocol of `make`.

    share: of the server's connections. context: None for connections without TLS. timeout: seconds for a handshake. most:
    handshakes at a time, beyond which the one that began first is ended.
    """

    def __init__(
        self, listening: socket.socket, share: shares.Share, context: ssl.SSLContext | None,
        make: Callable[[], asyncio.Protocol], timeout: float, most: int,
    ):  # fmt: skip
        self._listening = listening
        self._share = share
        self._make = make
        self._most = most
        self._tls: dict[str, Any] = {}
        if context is not None:
            self._tls = {"ssl": context, "ssl_handshake_timeout": timeout, "ssl_shutdown_timeout": _GOODBYE_SECONDS}
        self._under_way: dict[asyncio.Task, None] = {}  # those that began first come first
        listening.setblocking(False)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    @property
    def is_busy(self) -> bool:
        """Whether handshakes are under way."""
        return bool(self._under_way)

    def leave(self) -> None:
        """Accepts no more; the handshakes that are under way go on."""
        self._accepting.cancel()

    def close(self) -> None:
        """Accepts no more, and ends the handshakes that are under way."""
        for task in (self._accepting, *self._under_way):
            task.cancel()

    async def wait_closed(self) -> None:
        """Returns when what `close` ended has ended."""
        await asyncio.gather(self._accepting, *self._under_way, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._readable(loop)
            if self._share.is_more:
                await asyncio.sleep(shares.GIVE_WAY_SECONDS)
            try:
                client, _ = self._listening.accept()
            except BlockingIOError:
                continue  # another process has it
            except OSError as error:
                log.warning("no connection was accepted", reason=errno.errorcode.get(error.errno or 0, ""))
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._share.take()
            client.setblocking(False)
            task = loop.create_task(self._shake_hands(client))
            self._under_way[task] = None
            task.add_done_callback(self._under_way.pop)
            if len(self._under_way) > self._most:
                self._make_room()

    async def _readable(self, loop: asyncio.AbstractEventLoop) -> None:
        """Returns when somebody has connected."""
        connected, descriptor = asyncio.Event(), self._listening.fileno()  # the socket may be closed meanwhile
        loop.add_reader(descriptor, connected.set)
        try:
            await connected.wait()
        finally:
            loop.remove_reader(descriptor)

    def _make_room(self) -> None:
        longest = next(iter(self._under_way))
        del self._under_way[longest]
        longest.remove_done_callback(self._under_way.pop)
        longest.cancel()
        metrics.refused("made-room")

    async def _shake_hands(self, client: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._make, client, **self._tls)
        except OSError:  # also what TLS finds wrong, and a handshake that takes too long
            metrics.refused("no-handshake")
