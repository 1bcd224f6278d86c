"""Heads of HTTP messages that come again and again: those of a client's requests, which differ in their length alone, and those
of our replies, which stay the same for a second."""

import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

_LENGTH = re.compile(rb"\r\nContent-Length: *([0-9]{1,9})(?=\r\n)", re.IGNORECASE)
# Heads that are known of a connection: a client's differ in SOAPAction only.
_MOST = 8


class Heads:
    """Heads of requests that a connection has had before, and what was found out about each."""

    def __init__(self) -> None:
        # By what stands before the length and after it.
        self._known: dict[tuple[bytes, bytes], Any] = {}

    def find(self, data: bytes) -> tuple[Any, bytes] | None:
        """What is known of the head of the one whole request that was read, and its body; None if it is not that, or its head,
        but for the length, was not remembered."""
        for (before, after), known in self._known.items():
            if data.startswith(before):
                stop = data.find(b"\r\n", len(before))
                length, start = data[len(before) : stop], stop + len(after)
                if length.isdigit() and data.startswith(after, stop) and int(length) == len(data) - start:
                    return known, data[start:]
        return None

    def remember(self, data: bytes, known: Any) -> None:
        """Notes what is known of the head of the request that was read; not if it is chunked, has two lengths, or has the next one
        behind it."""
        end = data.find(b"\r\n\r\n") + 4
        lengths = list(_LENGTH.finditer(data, 0, end))
        if len(lengths) != 1 or int(lengths[0][1]) != len(data) - end:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        start, stop = lengths[0].span(1)
        self._known[data[:start], data[stop:end]] = known


# Of replies: fields that all have (uvicorn makes the list anew with each Date), and by status and Content-Type what they gave.
_written: tuple[list, dict[tuple[int, str], bytes]] = ([], {})


def of_reply(common: list[tuple[bytes, bytes]], response: Any) -> bytes:
    """The status line and header fields of a response, without its length. common: fields that all have."""
    global _written
    if _written[0] is not common:
        _written = (common, {})
    kind = response.status, response.content_type
    head = _written[1].get(kind)
    if head is None:
        fields = [*common, (b"content-type", response.content_type.encode())]
        head = _written[1][kind] = STATUS_LINE[response.status] + b"".join([b"%b: %b\r\n" % field for field in fields])
    return head + b"".join([b"%b: %b\r\n" % field for field in response.headers]) if response.headers else head
