"""What a client really sent, and got: the sandbox's record of calls. An ASGI application around another.

P, all of it, and of a sandbox only (`sandboxed`). Every request that is not GET or HEAD is remembered, also one that is
no call, before its reply goes out; so who has the reply finds the call. Passwords are masked before anything is kept.
"""

import asyncio
import concurrent.futures
import datetime
import time
from collections.abc import Iterable
from typing import Any

from lrs_soap import contract, logs
from lrs_soap.settings import Settings
from lrs_soap.wire import app, bodies, judgement, masking, origin
from lrs_soap.wire.spool import Call, Spool

log = logs.get_logger("lrs_soap.wire")

# Where an application inside this one says what it did to a call on purpose.
NOTE = "lrs_soap.note"

# Far more than a batch of 200 learners with every element filled (P).
_LONGEST_SHOWN = 512 * 1024
_TOO_LONG = f"[longer than {_LONGEST_SHOWN // 1024} KB: not shown]"

# What proves who the caller is, besides OrgPassword.
_SECRET_HEADERS = (b"authorization", b"proxy-authorization", b"cookie", b"set-cookie")


class Recorder:
    """Passes requests on to `inner` and keeps them, with their replies, in `spool`. secrets: texts to mask wherever
    they stand, besides what looks like a password."""

    def __init__(self, inner: Any, spool: Spool, settings: Settings, secrets: Iterable[str] = ()):
        self._inner = inner
        self._spool = spool
        self._settings = settings
        self._secrets = frozenset(secrets)
        # One: judging and writing must not make other calls wait, nor overtake each other.
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="recorder")

    def now(self) -> datetime.datetime:
        """The time now, in England."""
        return self._inner.now()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._inner(scope, receive, send)
            return
        request = await _Request.read(scope, receive, self._settings.max_body_bytes)
        at, began = datetime.datetime.now(datetime.UTC), time.perf_counter()
        sent: list[dict[str, Any]] = []
        held: list[dict[str, Any]] = []  # a reply is small: its start waits for its end

        async def sending(message: dict[str, Any]) -> None:
            sent.append(message)
            held.append(message)
            if message["type"] == "http.response.body":
                if not message.get("more_body"):
                    await self._keep(scope, request, sent, at, began)
                while held:
                    await send(held.pop(0))

        try:
            await self._inner(scope, request.receive, sending)
        except Exception as error:
            gone = isinstance(error, bodies.ClientDisconnected)
            scope[NOTE] = "the client went away before its message was whole" if gone else "it failed: see the log"
            await self._keep(scope, request, [], at, began)
            raise
        if not sent or sent[-1].get("more_body"):  # the connection was dropped on purpose
            await self._keep(scope, request, sent, at, began)

    async def _keep(self, scope: dict, request: "_Request", sent: list, at: datetime.datetime, began: float) -> None:
        milliseconds = round((time.perf_counter() - began) * 1000, 3)
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._thread, lambda: self._spool.add(self._call(scope, request, sent, at, milliseconds))
            )
        except Exception as error:  # the client must get its reply all the same
            log.warning("a call could not be recorded", type=type(error).__name__)

    def _call(self, scope: dict, request: "_Request", sent: list, at: datetime.datetime, milliseconds: float) -> Call:
        headers = dict(scope["headers"])
        _, charset = app.content_type(headers.get(b"content-type", b""))
        # Judging and masking read a message many times over, and the reply waits for them.
        too_long = len(request.body) > _LONGEST_SHOWN
        asked_body = b"" if too_long else request.body
        asked = judgement.Judgement("", _TOO_LONG) if too_long else judgement.request(asked_body, charset)
        body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        start = next((message for message in sent if message["type"] == "http.response.start"), None)
        is_xml = start is not None and dict(start["headers"]).get(b"content-type", b"").startswith(b"text/xml")
        got = judgement.reply(body) if is_xml else judgement.Judgement("", "")
        shown = masking.message(asked_body, charset, self._secrets)
        secrets = self._secrets | shown.secrets
        text = body.decode("utf-8", "replace")
        reply = masking.message(body, "utf-8", secrets).text if is_xml else masking.text(text, secrets)
        encoded = headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b"")
        query = scope["query_string"].decode("latin-1")
        return Call(
            at=at.isoformat(timespec="milliseconds"),
            milliseconds=milliseconds,
            address=origin.of(scope, self._settings).address,
            method=scope["method"],
            path=masking.text(scope["path"] + (f"?{query}" if query else ""), secrets),
            http_version=scope["http_version"],
            request_headers=_headers(scope["headers"], secrets),
            request_bytes=len(request.body),
            request=_TOO_LONG if too_long else "[in a Content-Encoding: not shown]" if encoded else shown.text,
            request_judgement=masking.text(asked.verdict, secrets) if scope["path"] == contract.ENDPOINT else "",
            operation=asked.subject,
            status=start["status"] if start is not None else None,
            reply_headers=_headers(start["headers"], secrets) if start is not None else (),
            reply_bytes=len(body),
            reply=reply,
            reply_judgement=masking.text(got.verdict, secrets),
            code=got.subject,
            note=scope.get(NOTE, ""),
        )


class _Request:
    """A request whose body was read ahead: `receive` gives it again, and then whatever else comes."""

    def __init__(self, body: bytes, messages: list[dict[str, Any]], receive: Any):
        self.body = body
        self._messages = messages
        self._receive = receive

    @classmethod
    async def read(cls, scope: dict[str, Any], receive: Any, limit: int) -> "_Request":
        """Reads the body, but no more than the service would."""
        declared = dict(scope["headers"]).get(b"content-length", b"")
        messages: list[dict[str, Any]] = []
        length, more = 0, not (declared.isdigit() and int(declared) > limit)
        while more:
            message = await receive()
            messages.append(message)
            length += len(message.get("body", b""))
            more = message["type"] == "http.request" and bool(message.get("more_body")) and length <= limit
        return cls(b"".join(message.get("body", b"") for message in messages), messages, receive)

    async def receive(self) -> dict[str, Any]:
        return self._messages.pop(0) if self._messages else await self._receive()


def _headers(headers: Iterable[tuple[bytes, bytes]], secrets: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            name.decode("latin-1"),
            masking.MASK if name.lower() in _SECRET_HEADERS else masking.text(value.decode("latin-1"), secrets),
        )
        for name, value in headers
    )
