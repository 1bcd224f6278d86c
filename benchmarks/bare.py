"""The lower bound: a server that parses, validates and looks up in a dictionary, and does nothing else.

It runs under the same HTTP server, with the same number of processes, as the register it is compared with.
"""

import socket
from collections.abc import Callable
from typing import Any

from lxml import etree

from lrs_soap import contract, processes, settings
from lrs_soap.wire import http, shares

_HEADERS = [(b"content-type", b"text/xml; charset=utf-8")]


class Bare:
    """An ASGI application that answers learnerByULN from `replies`, by ULN."""

    def __init__(self, replies: dict[str, bytes], otherwise: bytes):
        self._replies = replies
        self._otherwise = otherwise
        self._parser = etree.XMLParser(resolve_entities=False, no_network=True)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        pieces = []
        while True:
            message = await receive()
            pieces.append(message.get("body", b""))
            if not message.get("more_body"):
                break
        request = etree.fromstring(b"".join(pieces), self._parser)[-1][0]
        contract.schema().assertValid(request)
        body = self._replies.get(request.findtext("ULN"), self._otherwise)
        headers = [*_HEADERS, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def serve(listening: socket.socket, replies: dict[str, bytes], otherwise: bytes, workers: int) -> None:
    """Answers on the socket until it is told to stop."""
    roles = [
        processes.Role(f"bare {number}", _work, (listening, replies, otherwise, share))
        for number, share in enumerate(shares.among(workers))
    ]
    processes.Supervisor(roles).run()


def _work(
    ready: Callable[[], None], listening: socket.socket, replies: dict[str, bytes], otherwise: bytes, share: shares.Share
) -> None:
    http.serve(Bare(replies, otherwise), settings.Settings(), listening, ready, share)
