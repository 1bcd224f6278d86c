"""The LearnerService on a register: a request's bytes in, its reply's bytes out.

Spyne (`spyned`) reads, dispatches and writes; here is what a call is: who makes it, the operation, its audit and log, and
the one place where an exception becomes the declared fault.
"""

import concurrent.futures
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from lrs_soap import binding, contract, errors, logs, metrics
from lrs_soap.operations import TABLE, Operation, ahead, together
from lrs_soap.register import Call, Register
from lrs_soap.store import engine
from lrs_soap.wire import auth, spyned
from lrs_soap.wire import origin as origins

log = logs.get_logger("lrs_soap.wire")


class Reply(NamedTuple):
    """What goes back over HTTP: the status (D: 200, or 500 for a fault) and the envelope, in UTF-8."""

    status: int
    body: bytes


class Exchange:
    """One request on its way: where it comes from, whether it was let in, the call it makes, what came of it if that was
    made together with others, and the fault it ends in, if any."""

    __slots__ = ("admission", "call", "ctx", "fault", "is_unanswered", "origin", "outcome")

    def __init__(self, call: Call, origin: origins.Origin):
        self.call = call
        self.origin = origin
        self.admission: auth.Admission | None = None
        self.ctx: spyned.Context | None = None
        self.outcome: together.Outcome | None = None
        self.fault: errors.LrsFault | errors.SoapError | None = None
        self.is_unanswered = False  # the fault's cause: the database did not answer in time


class SoapServer:
    """The LearnerService on a register: `handle` takes the bytes of a request and gives those of the reply.

    Start-up fails if the operation table differs from the WSDL's.
    """

    def __init__(self, register: Register):
        contract.check_operations(TABLE)
        self._register = register
        self._log = log.bind()  # what `log` makes anew for each line
        self._is_doubtful = engine.doubts(register.engine)
        self._authenticator = auth.Authenticator(register)
        methods = {name: self._method(contract.OPERATIONS[name]) for name in TABLE}
        self._engine = spyned.Engine(methods, on_exception=_note_fault)

    def _method(self, operation: contract.Operation) -> Callable[[spyned.Context, Any], str]:
        function = TABLE[operation.name].function
        write = binding.element_encoder(operation.response)

        def answer(ctx: spyned.Context, request: Any) -> str:
            exchange: Exchange = ctx.udc
            outcome = exchange.outcome
            if outcome is None:
                self._let_in(exchange, request)
                outcome = function(exchange.call, request)
            if isinstance(outcome, Exception):
                raise outcome
            return write(outcome)

        return answer

    def _let_in(self, exchange: Exchange, request: Any) -> None:
        call = exchange.call
        right = TABLE[call.operation].right
        call.caller = self._authenticator.authenticate(call, request, right, exchange.admission, exchange.origin)

    def begin(
        self, body: bytes, charset: str | None, request_id: str, origin: origins.Origin = origins.NOWHERE
    ) -> Exchange:
        """Reads, validates and decodes a request: the part of a call that waits for nothing.

        charset: of the Content-Type, if it names one. request_id: found again in the log and in WSEC0999.
        """
        exchange = Exchange(Call(register=self._register, request_id=request_id), origin)
        exchange.ctx = self._engine.begin(body, charset, exchange)
        return exchange

    def is_decided(self, exchange: Exchange) -> bool:
        """Whether it is known, without waiting for anything, that the call may go on or may not."""
        if exchange.fault is None and exchange.admission is None:
            exchange.admission = self._authenticator.recall(exchange.ctx.in_object, exchange.origin)
        return exchange.fault is not None or exchange.admission is not None

    async def decide(self, exchange: Exchange, threads: concurrent.futures.Executor) -> None:
        """Finds out whether the call may go on, asking the database in `threads`."""
        exchange.admission = await self._authenticator.admit(exchange.ctx.in_object, exchange.origin, threads)

    def wanted(self, exchange: Exchange) -> together.Wanted | None:
        """What a decided call asks for whose effect may be made together with others'. None if it is no such call, if
        the exchange has its `outcome`, or if the database would have to be waited for."""
        if not self.is_admitted(exchange):
            return None
        operation = TABLE[exchange.call.operation]
        if operation.apply is None or self._is_doubtful():
            return None
        try:
            self._let_in(exchange, exchange.ctx.in_object)
            found = operation.apply(exchange.call, exchange.ctx.in_object)
        except Exception as error:
            found = None if engine.is_unanswered(error) else error
        if isinstance(found, together.Wanted):
            return found
        exchange.outcome = found
        return None

    def is_done(self, exchange: Exchange) -> bool:
        """Whether the outcome is there, and audited unless that is not waited for: nothing is left for `finish` to wait
        for."""
        strict = self._register.settings.audit == "strict"
        return exchange.outcome is not None and (exchange.call.audited or not strict)

    def is_quick(self, exchange: Exchange) -> bool:
        """Whether `finish` will not wait, for a disk or a strict audit, once the call is decided."""
        if self._register.settings.audit == "strict":
            return False
        if not self.is_admitted(exchange):
            return True
        # Connecting to a database that is down may take seconds, in which nobody else would be answered.
        return TABLE[exchange.call.operation].quick and not self._is_doubtful()

    def is_admitted(self, exchange: Exchange) -> bool:
        """Whether a call that is decided goes on to its operation: it is neither wrong nor refused."""
        return exchange.fault is None and exchange.admission.refusal is None

    def read_ahead(self, exchanges: Iterable[Exchange]) -> None:
        """Reads for quick calls, which are decided, what they ask for first."""
        ahead.read([(exchange.call, exchange.ctx.in_object) for exchange in filter(self.is_admitted, exchanges)])

    def finish_at_once(self, exchange: Exchange) -> Reply | None:
        """The reply to a quick call, on the event loop; None if the database did not answer at once. Nothing was done
        then, so the request may `begin` again, to finish where only it waits."""
        if exchange.fault is None:
            self._engine.process(exchange.ctx)
        return None if exchange.is_unanswered else self._reply(exchange)

    def finish(self, exchange: Exchange) -> Reply:
        """The reply: calls the operation, turns every exception into a fault, audits and logs."""
        if exchange.fault is None:
            self._engine.process(exchange.ctx)
        return self._reply(exchange)

    def _reply(self, exchange: Exchange) -> Reply:
        self._close(exchange)
        if exchange.fault is None and _is_read_on_the_loop(TABLE[exchange.call.operation]):
            self._engine.learn(exchange.ctx)
        return Reply(200 if exchange.fault is None else 500, self._engine.write(exchange.ctx))

    def _close(self, exchange: Exchange) -> None:
        """Audits and logs the call. In strict mode, what could not be audited is not answered."""
        call, fault = exchange.call, exchange.fault
        if fault is not None:
            call.ulns.clear()  # nobody was shown, and what was changed is rolled back
            call.code = fault.code if isinstance(fault, errors.LrsFault) else fault.faultcode
        try:
            call.finish()
        except Exception as error:
            exchange.fault = fault = _unexpected(error, call)
            call.code = fault.code
        code = str(call.code)
        metrics.call(call.operation, code, time.perf_counter() - call.started)
        if fault is None:
            self._log.debug("call", request_id=call.request_id, operation=call.operation, code=code)
        else:
            # SOAP's own faults have no reason but their name.
            reason = fault.reason if isinstance(fault, errors.LrsFault) else fault.faultcode
            metrics.refused(reason)
            self._log.info("fault", request_id=call.request_id, operation=call.operation, code=code, reason=reason)

    def handle(self, body: bytes, charset: str | None, request_id: str) -> Reply:
        """The reply to one request: `begin` and `finish` in one."""
        return self.finish(self.begin(body, charset, request_id))


def _is_read_on_the_loop(operation: Operation) -> bool:
    """Whether the messages are many and the event loop's time is short: what they say is worth knowing in advance."""
    return operation.quick or operation.apply is not None


def _note_fault(ctx: spyned.Context) -> None:
    """The one place where an exception becomes a fault. What nobody foresaw is logged, without what it says."""
    error = sys.exception()
    if isinstance(error, errors.LrsFault | errors.SoapError):
        ctx.udc.fault = error
    else:
        ctx.udc.fault = _unexpected(error, ctx.udc.call)
        ctx.udc.is_unanswered = engine.is_unanswered(error)


def _unexpected(error: BaseException, call: Call) -> errors.UnexpectedError:
    log.error("unexpected error", reference=call.request_id, operation=call.operation, type=type(error).__name__,
              frames=logs.frames(error))  # fmt: skip
    return errors.UnexpectedError(f"Reference: {call.request_id}", reason=type(error).__name__)
