"""What is around the application: nothing that escapes it reaches the caller, or the log with what it says."""

import secrets
import traceback
from typing import Any

from lrs_soap import contract, errors, logs, metrics
from lrs_soap.wire import faults
from lrs_soap.wire.app import TEXT, XML, App
from lrs_soap.wire.bodies import ClientDisconnected

log = logs.get_logger("lrs_soap.wire")


class Shield:
    """An ASGI application that calls another. D: a call that fails for a reason nobody foresaw ends in WSEC0999."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        started = False

        async def sending(message: dict[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnected:
            metrics.refused("disconnected")
        except Exception as error:
            reference = secrets.token_hex(8)
            # The text of an exception may repeat a learner's details; its type and where it arose cannot.
            frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
            log.error("unexpected error", reference=reference, type=type(error).__name__, frames=frames[-12:])
            metrics.refused("unexpected")
            if started:
                raise Broken() from None  # half a reply must not look like a whole one: uvicorn closes the connection
            await _answer(scope, send, reference, self._app)


async def _answer(scope: dict[str, Any], send: Any, reference: str, app: App) -> None:
    body, content_type = b"An unexpected error.\n", TEXT
    if scope.get("path") == contract.ENDPOINT and scope.get("method") == "POST":
        error = errors.UnexpectedError(f"Reference: {reference}")
        body, content_type = faults.declared(error, app.now()), XML
    headers = [
        (b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body)), (b"connection", b"close"),
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else body})


class Broken(errors.LrsError):
    """A reply broke off in its middle."""
