"""The bodies of requests, read with bounds. P, all of it."""

from typing import Any

from lrs_soap import errors, metrics
from lrs_soap.wire.connection import TRANSPORT

# So many times the longest message are read of one that is longer, and thrown away.
_PATIENT = 4
# So many of the longest messages may be held together while they are not whole.
_TOGETHER = 16


class ClientDisconnected(errors.LrsError):
    """The client closed the connection before its request was complete."""


class Bodies:
    """Reads bodies of at most `longest` bytes. Those that are not whole hold a bounded number of bytes together: beyond it
    the one that holds most is given up, so that many who begin long messages cannot take the memory, nor the place of
    those who send short ones."""

    def __init__(self, longest: int):
        self._longest = longest
        self._most = _TOGETHER * longest
        self._held = 0
        self._sizes: dict[Any, int] = {}  # by the transport of the connection

    async def read(self, scope: dict[str, Any], headers: dict[bytes, bytes], receive: Any) -> bytes | None:
        """The bytes of the request, chunked or not; None if they are too many.

        What is too long is read on for a while and thrown away, since most clients send it all before they read the
        reply; a client that waits to be asked (Expect) is not. Raises ClientDisconnected if the client goes before, or is
        given up.
        """
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > (self._longest if b"expect" in headers else _PATIENT * self._longest):
            return None
        transport = scope.get("extensions", {}).get(TRANSPORT)
        try:
            return await self._read(transport, receive)
        finally:
            self._held -= self._sizes.pop(transport, 0)

    async def _read(self, transport: Any, receive: Any) -> bytes | None:
        pieces, length = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected()
            piece = message.get("body", b"")
            length += len(piece)
            if not message.get("more_body"):
                return b"".join([*pieces, piece]) if length <= self._longest else None
            if length > self._longest:
                pieces.clear()
                self._hold(transport, 0)
            else:
                pieces.append(piece)
                self._hold(transport, length)
            if length > _PATIENT * self._longest:
                return None

    def _hold(self, transport: Any, size: int) -> None:
        self._held += size - self._sizes.get(transport, 0)
        self._sizes[transport] = size
        if self._held > self._most:
            largest = max(self._sizes, key=self._sizes.__getitem__)
            self._held -= self._sizes.pop(largest)
            metrics.refused("memory")
            if largest is not None:
                largest.abort()
