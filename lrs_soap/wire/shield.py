"""What is around the application: nothing that escapes it reaches the caller, or the log with what it says."""

import secrets
from collections.abc import Sequence
from typing import Any

from lrs_soap import contract, errors, logs, metrics
from lrs_soap.wire import faults
from lrs_soap.wire.app import TEXT, XML, App, Response, Way, respond
from lrs_soap.wire.bodies import ClientDisconnected
from lrs_soap.wire.connection import TRANSPORT
from lrs_soap.wire.soap import Exchange

log = logs.get_logger("lrs_soap.wire")


class Shield:
    """An ASGI application that calls another. D: a call that fails for a reason nobody foresaw ends in WSEC0999."""

    def __init__(self, app: App):
        self._app = app
        if hasattr(app, "at_once"):
            self.way, self.at_once, self.all_at_once, self.go_on = self._way, self._at_once, self._all_at_once, self._go_on
            self.gathers = app.gathers

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        started = False

        async def sending(message: dict[str, Any]) -> None:
            nonlocal started
            started = True
            try:
                await send(message)
            except RuntimeError:
                # Of a connection that was ended here meanwhile, by its limits.
                transport = scope.get("extensions", {}).get(TRANSPORT)
                if transport is None or not transport.is_closing():
                    raise
                raise ClientDisconnected() from None

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnected:
            metrics.refused("disconnected")
        except Exception as error:
            response = self._failure(error, scope.get("method"), scope.get("path"))
            if started:
                raise Broken() from None  # half a reply must not look like a whole one: uvicorn closes the connection
            await respond(response, send, scope.get("method"))

    def _way(self, method: bytes, target: bytes, scope: dict[str, Any]) -> Way | None:
        """The application's `way`. What goes wrong with a head goes wrong once more on the long way, which answers."""
        try:
            return self._app.way(method, target, scope)
        except Exception:
            return None

    def _at_once(self, way: Way, body: bytes) -> tuple[Response | None, Exchange | None]:
        """The application's `at_once`, which never raises here."""
        try:
            return self._app.at_once(way, body)
        except Exception as error:
            return self._failure(error, "POST", contract.ENDPOINT), None

    def _all_at_once(self, asked: Sequence[tuple[Way, bytes]]) -> list[tuple[Response | None, Exchange | None]]:
        """The application's `all_at_once`; where it raises, each call by itself, so that one spoils it for no other."""
        try:
            return self._app.all_at_once(asked)
        except Exception:
            return [self._at_once(way, body) for way, body in asked]

    async def _go_on(self, way: Way, body: bytes, exchange: Exchange) -> Response:
        """The application's `go_on`, which never raises here."""
        try:
            return await self._app.go_on(way, body, exchange)
        except Exception as error:
            return self._failure(error, "POST", contract.ENDPOINT)

    def _failure(self, error: Exception, method: str | None, path: str | None) -> Response:
        reference = secrets.token_hex(8)
        log.error("unexpected error", reference=reference, type=type(error).__name__, frames=logs.frames(error))
        metrics.refused("unexpected")
        body, content_type = b"An unexpected error.\n", TEXT
        if path == contract.ENDPOINT and method == "POST":
            body, content_type = faults.declared(errors.UnexpectedError(f"Reference: {reference}"), self._app.now()), XML
        return Response(500, content_type, body, ((b"connection", b"close"),))


class Broken(errors.LrsError):
    """A reply broke off in its middle."""
