"""One HTTP connection: what a server open to strangers needs beside uvicorn's protocol, and a short way for most calls.

P, all of it. A request must arrive whole in time, its head within a size, and its reply be taken in time; and when
connections run out, the one that has kept us waiting longest makes room, so that those who open connections and say
nothing, or little, do not shut out those who send requests.

A message that comes whole in one read, and can be answered without waiting for anything, is answered where it was read:
the application's `at_once` gives its response. All others become a task of uvicorn's, as ASGI has it.

A client that keeps its connection sends the same head again and again, but for the length. A head that the connection
has had before a whole message is not parsed again; and a message behind it that has to wait for something is answered by
the application's `go_on`, which is less than ASGI's way. What the client sends meanwhile is read when it is answered.
"""

import asyncio
import contextlib
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lrs_soap import metrics
from lrs_soap.wire import companions, heads, origin, shares, tls

MAX_HEAD_BYTES = 64 * 1024
"""The longest request line and header fields together; a client certificate that a proxy passes on takes 8 KB."""

MOST_AHEAD = 4
"""The most requests that a client may send before it was answered: each costs more memory here than bytes there, and
all that one read brings are there at once. No SOAP client is known to send even a second."""

TRANSPORT = "lrs_soap.transport"
"""Where in a scope's extensions the connection itself is, for who must close it (`misbehave`)."""

BEGUN = "lrs_soap.begun"
"""Where in a scope there is what the application's `at_once` began and could not end."""

_CLOSE = (b"connection", b"close")


class _Parser(httptools.HttpRequestParser):
    """A parser that ignores an offer to change to another protocol, as RFC 9110, 7.8 allows. Java's HttpClient offers
    HTTP/2 with its first request; the parser would stop there, and the body be lost."""

    def __init__(self, protocol: "Protocol"):
        super().__init__(protocol)
        self._protocol = protocol
        with contextlib.suppress(AttributeError):  # httptools before 0.6.3
            # As uvicorn does: what follows the last request is not looked at, rather than answered 400.
            self.set_dangerous_leniencies(lenient_data_after_close=True)

    def feed_data(self, data: bytes) -> None:
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._protocol.begin_again(self, data[upgrade.args[0] :])


class Protocol(HttpToolsProtocol):
    """HTTP on one connection of a worker; the class attributes are set once, by `http.serve`.

    timeout: seconds for a request to arrive whole after it began, or should have, and for a reply to be taken.
    most: connections of this worker beyond which one that waits for its request is closed. longest: bytes of a whole
    request, with head, chunk sizes and trailers. share: of the connections of all workers.
    """

    timeout = 30.0
    most = 1000
    longest = 5 * 8 * 1024 * 1024
    share = shares.alone()
    # Connections on which we wait for a request to arrive, those that have kept us waiting longest first.
    _waiting: ClassVar[dict["Protocol", None]] = {}
    _companions: ClassVar[companions.Companions] = companions.Companions()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        metrics.connection_opened()
        self.share.tell(len(self.connections))
        self.parser = _Parser(self)
        self._at_once, self._app_way = getattr(self.app, "at_once", None), getattr(self.app, "way", None)
        self._app_goes_on = getattr(self.app, "go_on", None)
        self._heads = heads.Heads()  # with what the application said of each
        self._way: Any = None  # of the request that is read
        self._begun: tuple | None = None  # what came of asking `at_once`, if that was asked before the head was parsed
        self._answered_at = 0.0  # on the clock of the loop
        self._gathers = getattr(self.app, "gathers", False)
        # A whole request that will be answered: what the application said of its head, its body, and all of it.
        self._asked: tuple[Any, bytes, bytes] | None = None
        self._behind: list[bytes] = []  # what came after it
        self._is_leaving = False  # the worker ends
        self._received = 0  # bytes since the request began
        self._in_head = True
        self._is_arriving = False
        self._body: list[bytes] | None = None  # of a request that no task was begun for
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        # Read once: every request of the connection has the same.
        self._extensions = {origin.CERTIFICATE: tls.presented(transport), TRANSPORT: transport}
        self._expect_request()
        if len(self.connections) > self.most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._asked is not None:
            self._behind.append(data)
            self.flow.pause_reading()
            return
        is_new = self._at_once is not None and not self._is_arriving
        if is_new and self._answer_alike(data):
            return
        self._way = None
        self._parse(data)
        if self._way is not None and is_new:
            self._heads.remember(data, self._way)

    def _parse(self, data: bytes) -> None:
        # What one read holds may be a head, a body and the next head: the limit is for what came before it.
        if self._received > (MAX_HEAD_BYTES if self._in_head else self.longest):
            self._abort("head-too-long" if self._in_head else "too-long")
            return
        super().data_received(data)
        self._received += len(data)
        if self._body is not None:  # the rest comes later
            self._begin_task()
        if self._is_arriving and self._deadline is None:
            self._expect_request()

    def _answer_alike(self, data: bytes) -> bool:
        """Answers a whole request that begins like one before, now or later; False if it is none."""
        found = self._heads.find(data)
        if found is None or not self._may_answer() or len(self.connections) >= self.limit_concurrency:
            return False
        way, body = found
        self._asked = way, body, data
        if self._gathers:
            self._companions.add(self, way, body, self.app, self.loop)
            return True
        response, begun = self._at_once(way, body)
        if response is None:
            self._go_on_with(begun)
            return True
        self._asked = None
        self._reply(response)
        return True

    def answer(self, response: Any, begun: Any) -> None:
        """Writes the response to the request that waits for it with `companions`, or without one goes on with what was begun."""
        if response is None and not self.transport.is_closing():
            self._go_on_with(begun)
            return
        self._asked = None
        if not self.transport.is_closing():
            self._reply(response)
            self._read_on()

    def _go_on_with(self, begun: Any) -> None:
        """Has the request answered that could not be answered at once."""
        way, body, data = self._asked
        if begun is None or len(self.tasks) >= self.limit_concurrency:
            self._asked, self._begun = None, (None, begun)
            self._parse(data)
            self._read_on()
            return
        self._waiting.pop(self, None)
        task = self.loop.create_task(self._app_goes_on(way, body, begun))
        self.tasks.add(task)
        task.add_done_callback(self._gone_on)

    def _gone_on(self, task: asyncio.Task) -> None:
        self.tasks.discard(task)
        if task.cancelled():  # the worker waits no longer
            self.transport.abort()
            return
        self.answer(task.result(), None)

    def _read_on(self) -> None:
        """Reads what came while a request was being answered."""
        self.flow.resume_reading()
        behind, self._behind = self._behind, []
        for more in behind:
            if not self.transport.is_closing():
                self.data_received(more)

    def _reply(self, response: Any) -> None:
        is_last = self._is_last(response)
        self._write(response, is_last)
        if not is_last:
            self._go_on()

    def _go_on(self) -> None:
        """What `on_response_complete` does, where nothing was paused or stands in line, and timers may stay as they are."""
        self.server_state.total_requests += 1
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        self._waiting.pop(self, None)
        self._waiting[self] = None

    def _may_answer(self) -> bool:
        """Whether a response may be written now: nobody else is at one."""
        is_free = self.cycle is None or self.cycle.response_complete
        return is_free and not (self.flow.write_paused or self.transport.is_closing())

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MOST_AHEAD:
            self._abort("pipelined")
            raise httptools.HttpParserError("pipelined")  # the rest of what was read is not looked at
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._received, self._in_head, self._is_arriving = 0, True, True
        self._cancel_deadline()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # what comes later are trailers, which nobody here reads
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # begin_again comes next
        self._in_head = False
        if self._at_once is not None and not self.expect_100_continue and self._may_answer():
            self._body = []
        else:
            self._begin_task()

    def _begin_task(self) -> None:
        """Leaves the request, its head and what there is of its body, to a task."""
        body, self._body = self._body, None
        super().on_headers_complete()
        if len(self.connections) >= self.limit_concurrency or len(self.tasks) >= self.limit_concurrency:
            metrics.refused("too-many-connections")
        for piece in body or ():
            super().on_body(piece)

    def on_body(self, body: bytes) -> None:
        if self._body is None:
            super().on_body(body)
        else:
            self._body.append(body)

    def begin_again(self, parser: _Parser, rest: bytes) -> None:
        """Reads the head of the request once more without its offer to change protocols, and then its body."""
        if parser.get_method() == b"CONNECT":
            raise httptools.HttpParserError("CONNECT")
        line = b"%b %b HTTP/%b" % (parser.get_method(), self.url, parser.get_http_version().encode())
        fields = [b"%b: %b" % field for field in self.headers if field[0] != b"upgrade"]
        self.parser = _Parser(self)
        self.parser.feed_data(b"\r\n".join([line, *fields, b"", b""]) + rest)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._received, self._is_arriving = 0, False
        self._cancel_deadline()
        begun, self._begun = self._begun, None
        if self._body is not None and len(self.connections) < self.limit_concurrency:
            way = None
            if begun is None and (way := self._app_way(self.parser.get_method(), self.url, self.scope)) is not None:
                begun = self._at_once(way, b"".join(self._body))
            if begun is not None:
                response, self.scope[BEGUN] = begun
                if response is not None:
                    self._body = None
                    self._answer(response, way)
                    return
                if self._stays():
                    self._way = way
        if self._body is not None:
            self._begin_task()
        super().on_message_complete()

    def _answer(self, response: Any, way: Any) -> None:
        """Writes the response to a request that the parser read and no task was begun for."""
        is_last = self._is_last(response)
        if not is_last and not self._stays():
            is_last = True
            response = response._replace(headers=(*response.headers, _CLOSE))
        if not is_last:
            self._way = way
        self._write(response, is_last)
        self.on_response_complete()

    def _stays(self) -> bool:
        """Whether the client that sent the request keeps its connection."""
        return self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"

    def _is_last(self, response: Any) -> bool:
        """Whether the response itself, or a worker that ends, says that the connection will be closed."""
        return _CLOSE in response.headers or _CLOSE in self.server_state.default_headers

    def _write(self, response: Any, is_last: bool) -> None:
        is_last = is_last or self._is_leaving
        head = heads.of_reply(self.server_state.default_headers, response)
        self.transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (head, len(response.body), response.body))
        if is_last:
            self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._deadline is None and not self.pipeline:
            self._waiting[self] = None  # idle: uvicorn closes it after a while

    def send_400_response(self, msg: str) -> None:
        if self.transport.is_closing():
            return
        metrics.refused("not-http")
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self.timeout, self._abort, "reply-not-taken")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if self._asked is not None:  # it is not the client that is waited for
            left = self.timeout_keep_alive
        if left > 0:  # or it was answered since the timer was set
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
            return
        super().timeout_keep_alive_handler()
        # A client that does not take the end of its last reply is not waited for.
        self._stalled = self._stalled or self.loop.call_later(self.timeout, self.transport.abort)

    def shutdown(self) -> None:
        if self._asked is None:
            super().shutdown()
        self._is_leaving = True  # once the request is answered

    def connection_lost(self, exc: Exception | None) -> None:
        metrics.connection_closed()
        self._cancel_deadline()
        super().connection_lost(exc)
        self.share.tell(len(self.connections))
        if self._stalled is not None:
            self._stalled.cancel()

    def _expect_request(self) -> None:
        self._cancel_deadline()
        self._deadline = self.loop.call_later(self.timeout, self._abort, "not-in-time")
        self._waiting[self] = None

    def _cancel_deadline(self) -> None:
        self._waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _make_room(self) -> None:
        longest = next(iter(self._waiting))
        if longest is self:
            return  # all others are at work: uvicorn answers 503 when there are many times as many
        self._waiting.pop(longest)
        self.connections.discard(longest)  # it is closed a moment later
        longest._abort("made-room")

    def _abort(self, reason: str) -> None:
        metrics.refused(reason)
        self.transport.abort()
