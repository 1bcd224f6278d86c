"""Faults on demand: a sandbox that misbehaves for chosen learners, so that a client's error handling can be tried.

P, all of it, and of a sandbox only: `sandboxed` is the one place that puts this around a service, and `serve` never
does. `fixtures/misbehaviour.json` holds the learners reserved for it; docs/testing-your-client.md describes them.
A message that names one of them misbehaves before anything else about it is looked at, its OrgPassword included.
"""

import asyncio
import dataclasses
import datetime
import enum
import json
import secrets
import threading
from typing import Any

from lrs_soap import contract, errors, resources
from lrs_soap.codes import ErrorCode
from lrs_soap.wire import app, connection, faults, parser
from lrs_soap.wire.recorder import NOTE


class Kind(str, enum.Enum):
    """What goes wrong."""

    SLOW = "slow"  # answered as ever, but late
    FAULT = "fault"  # a fault of the contract; nothing is done
    DROP = "drop"  # the connection is closed without a reply; nothing is done
    DROP_AFTER = "drop-after"  # what was asked for is done, and then the connection is closed without a reply
    TRUNCATE = "truncate"  # it is done, and the reply breaks off in its middle
    GATEWAY = "gateway"  # the page of a proxy that cannot reach the service: HTTP 502, HTML; nothing is done


class Unusable(errors.LrsError):
    """The service cannot misbehave so."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Misbehaviour:
    """One thing that goes wrong. family_name, uln: for messages that name this learner, by either; without both, for
    every message. seconds: how late a reply is. code: of the fault. times: how often, None for always."""

    kind: Kind
    family_name: str | None = None
    uln: str | None = None
    seconds: float = 0.0
    code: ErrorCode = ErrorCode.UNEXPECTED_ERROR
    times: int | None = None

    def __post_init__(self) -> None:
        try:
            self.kind, self.code = Kind(self.kind), ErrorCode(self.code)
        except ValueError as error:
            raise Unusable(f"{error}: kinds are {', '.join(Kind)}; codes {', '.join(ErrorCode)}") from None
        if self.seconds < 0 or (self.times is not None and self.times < 1):
            raise Unusable("seconds are 0 or more, times 1 or more")

    def concerns(self, named: set[tuple[str, str]]) -> bool:
        """Whether it happens to a message with these elements and texts."""
        if self.family_name is None and self.uln is None:
            return True
        return ("FamilyName", (self.family_name or "").casefold()) in named or ("ULN", self.uln or "") in named

    def __str__(self) -> str:
        detail = {Kind.SLOW: f" ({self.seconds:g} s)", Kind.FAULT: f" ({self.code.value})"}.get(self.kind, "")
        return f"fault on demand: {self.kind.value}{detail}"


class Plan:
    """What goes wrong, and when: the reserved learners first, then what was added, oldest first."""

    def __init__(self, rows: list[Misbehaviour] | None = None):
        self._rows = list(reserved() if rows is None else rows)
        self._reserved = len(self._rows)
        self._lock = threading.Lock()

    def add(self, misbehaviour: Misbehaviour) -> None:
        """From now on, also this."""
        with self._lock:
            self._rows.append(misbehaviour)

    def clear(self) -> None:
        """Takes back what was added; the reserved learners stay."""
        with self._lock:
            del self._rows[self._reserved :]

    def next(self, body: bytes, charset: str | None) -> Misbehaviour | None:
        """What happens to this message, which counts as one of its times."""
        with self._lock:
            named = _named(body, charset)
            for row in self._rows:
                if row.concerns(named):
                    if row.times is not None:
                        row.times -= 1
                        if not row.times:
                            self._rows.remove(row)
                    return row
        return None


def reserved() -> list[Misbehaviour]:
    """The rows of fixtures/misbehaviour.json."""
    rows = json.loads((resources.directory("fixtures") / "misbehaviour.json").read_text(encoding="utf-8"))
    return [Misbehaviour(**{name: value for name, value in row.items() if name != "what"}) for row in rows]


def _named(body: bytes, charset: str | None) -> set[tuple[str, str]]:
    try:
        root = parser.parse(body, charset)
    except errors.InvalidRequest:
        return set()
    return {(name, (one.text or "").strip().casefold()) for name in ("FamilyName", "ULN") for one in root.iter(name)}


# P: longer messages are nobody's search for a reserved learner; the service itself says what it thinks of them.
_LOOKED_AT = 1024 * 1024


class Misbehaving:
    """An ASGI application that passes calls on to `inner`, a Register's application, and misbehaves as planned."""

    def __init__(self, inner: Any, plan: Plan):
        self._inner = inner
        self._plan = plan

    def now(self) -> datetime.datetime:
        """The time now, in England."""
        return self._inner.now()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != contract.ENDPOINT:
            await self._inner(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > _LOOKED_AT:
            await self._inner(scope, receive, send)
            return
        messages: list[dict[str, Any]] = []
        length = 0
        while (not messages or messages[-1].get("more_body")) and length <= _LOOKED_AT:
            messages.append(await receive())
            length += len(messages[-1].get("body", b""))

        async def again() -> dict[str, Any]:
            return messages.pop(0) if messages else await receive()

        body = b"".join(message.get("body", b"") for message in messages)
        _, charset = app.content_type(dict(scope["headers"]).get(b"content-type", b""))
        planned = self._plan.next(body, charset)
        if planned is None:
            await self._inner(scope, again, send)
            return
        scope[NOTE] = str(planned)
        if planned.kind is Kind.SLOW:
            await asyncio.sleep(planned.seconds)
            await self._inner(scope, again, send)
        elif planned.kind is Kind.FAULT:
            await _answer(send, 500, app.XML, faults.declared(_fault(planned.code), self.now()))
        elif planned.kind is Kind.GATEWAY:
            await _answer(send, 502, "text/html; charset=utf-8", _GATEWAY)
        else:
            await self._break_off(planned.kind, scope, again, send)

    async def _break_off(self, kind: Kind, scope: dict[str, Any], receive: Any, send: Any) -> None:
        transport = scope["extensions"][connection.TRANSPORT]
        reply: list[dict[str, Any]] = []

        async def keep(message: dict[str, Any]) -> None:
            reply.append(message)

        if kind is not Kind.DROP:
            await self._inner(scope, receive, keep)
        if kind is Kind.TRUNCATE:
            body = reply[-1]["body"]
            await send(reply[0])
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        transport.close()  # after what was sent
        while (await receive())["type"] != "http.disconnect":
            pass  # until then the server would think that a reply is due


_GATEWAY = (
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>"
    b"<p>The proxy got no valid answer from the service.</p></body></html>\n"
)


def _fault(code: ErrorCode) -> errors.LrsFault:
    fault = errors.LrsFault("This is a fault on demand." if code is not ErrorCode.UNEXPECTED_ERROR else
                            f"Reference: {secrets.token_hex(8)}")  # fmt: skip
    fault.code = code
    return fault


async def _answer(send: Any, status: int, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
