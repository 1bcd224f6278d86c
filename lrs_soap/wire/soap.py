"""SOAP: Spyne is the engine (operation table, dispatch, events, fault route), and this is its only import.

Spyne's own models cannot speak this contract (docs/architecture.md), so the protocol below reads and writes messages
with `parser`, `contract` and `binding`, and one event turns every exception into the declared fault.
"""

import concurrent.futures
import importlib
import logging
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog

from lrs_soap import binding, contract, errors, metrics
from lrs_soap.operations import TABLE
from lrs_soap.register import ENGLAND, Call, Register
from lrs_soap.store import engine
from lrs_soap.wire import auth, envelope, faults, parser, xerces
from lrs_soap.wire import origin as origins


def _let_spyne_import() -> None:
    """Spyne 2.14 carries an old `six` that Python 3.12 cannot import; the released one takes its place."""
    six = importlib.import_module("six")
    for name in ("", ".moves", ".moves.collections_abc", ".moves.http_cookies", ".moves.urllib",
                 ".moves.urllib.parse", ".moves.urllib.request", ".moves.urllib.error"):  # fmt: skip
        sys.modules[f"spyne.util.six{name}"] = importlib.import_module(f"six{name}")
    six.get_function_name = lambda function: function.__name__


def _silence_spyne() -> None:
    """Spyne logs exceptions with the values they carry: personal data. What happened is logged here instead."""
    logger = logging.getLogger("spyne")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.CRITICAL + 1)


_let_spyne_import()
_silence_spyne()

from spyne import AnyXml, Application, Fault, MethodContext, Service, rpc  # noqa: E402
from spyne.protocol.soap import Soap11  # noqa: E402
from spyne.server import ServerBase  # noqa: E402

log = structlog.get_logger("lrs_soap.wire")


class Reply(NamedTuple):
    """What goes back over HTTP: the status (D: 200, or 500 for a fault) and the envelope, in UTF-8."""

    status: int
    body: bytes


class _Context(MethodContext):
    """Spyne's context of a call, without the parts that this protocol and transport do not use."""

    TransportContext = None
    __setattr__ = object.__setattr__  # Spyne's own guards against misspelt names, at 55 assignments a call


class _Protocol(Soap11):
    """SOAP 1.1 with the contract's messages. `ctx.udc` is the `Exchange` of the request."""

    def get_context(self, parent, transport):
        return None

    def generate_method_contexts(self, ctx):
        # Spyne copies the context for every method of a request; here a request has one.
        (ctx.descriptor,) = self.get_call_handles(ctx)
        return (ctx,)

    def create_in_document(self, ctx, charset=None):
        ctx.in_document = parser.parse(ctx.in_string, charset)

    def decompose_incoming_envelope(self, ctx, message=Soap11.REQUEST):
        ctx.in_body_doc = envelope.body_element(ctx.in_document)
        ctx.method_request_string = ctx.in_body_doc.tag

    def get_call_handles(self, ctx):
        operation = contract.BY_REQUEST.get(ctx.method_request_string)
        if operation is None:
            raise errors.UnknownRequest(xerces.unknown_root(envelope.raw_name(ctx.in_body_doc)))
        ctx.udc.call.operation = operation.name
        # Spyne files every method under its one namespace; the contract's requests come in six.
        local = ctx.method_request_string.rpartition("}")[2]
        return self.app.interface.service_method_map[f"{{{self.app.tns}}}{local}"]

    def deserialize(self, ctx, message):
        if violation := xerces.violation(ctx.in_body_doc):
            raise errors.InvalidRequest(violation, reason=violation.partition(":")[0])
        operation = contract.BY_REQUEST[ctx.method_request_string]
        ctx.in_object = binding.decoder(operation.request_type)(ctx.in_body_doc)

    def serialize(self, ctx, message):
        # What the method returned is text already: its operation knows which element to write.
        ctx.out_document = "" if ctx.udc.fault else ctx.out_object[0]

    def create_out_string(self, ctx, charset=None):
        if ctx.udc.fault is None:
            body = f"{faults.ENVELOPE_START}{ctx.out_document}{faults.ENVELOPE_END}".encode()
        elif isinstance(ctx.udc.fault, errors.SoapError):
            body = faults.soap(ctx.udc.fault)
        else:
            body = faults.declared(ctx.udc.fault, ctx.udc.call.at.astimezone(ENGLAND))
        ctx.out_string = [body]


class Exchange:
    """One request on its way: where it comes from, whether it was let in, the call it makes and the fault it ends in,
    if any."""

    def __init__(self, call: Call, origin: origins.Origin):
        self.call = call
        self.origin = origin
        self.admission: auth.Admission | None = None
        self.ctx: MethodContext | None = None
        self.fault: errors.LrsFault | errors.SoapError | None = None
        self.is_unanswered = False  # the fault's cause: the database did not answer in time


class SoapServer(ServerBase):
    """The LearnerService on a register: `handle` takes the bytes of a request and gives those of the reply.

    Start-up fails if the operation table differs from the WSDL's.
    """

    transport = "http://schemas.xmlsoap.org/soap/http"

    def __init__(self, register: Register):
        contract.check_operations(TABLE)
        self._register = register
        self._authenticator = auth.Authenticator(register)
        methods = {name: self._method(contract.OPERATIONS[name]) for name in TABLE}
        application = Application(
            [type("LearnerService", (Service,), methods)],
            tns="http://learner.webservice.miap.gov.uk",
            name="LearnerService",
            in_protocol=_Protocol(),
            out_protocol=_Protocol(),
        )
        application.event_manager.add_listener("method_exception_object", _note_fault)
        super().__init__(application)

    def _method(self, operation: contract.Operation) -> Any:
        function, right, _ = TABLE[operation.name]
        write: Callable[[Any], str] = binding.element_encoder(operation.response)

        def answer(ctx, request):
            exchange: Exchange = ctx.udc
            call = exchange.call
            call.caller = self._authenticator.authenticate(call, request, right, exchange.admission, exchange.origin)
            return write(function(call, request))

        answer.__name__ = operation.name
        return rpc(
            AnyXml,
            _args=("request",),
            _returns=AnyXml,
            _body_style="bare",
            _in_message_name=operation.request,
            _out_message_name=operation.response,
        )(answer)

    def begin(
        self, body: bytes, charset: str | None, request_id: str, origin: origins.Origin = origins.NOWHERE
    ) -> Exchange:
        """Reads, validates and decodes a request: the part of a call that waits for nothing.

        charset: of the Content-Type, if it names one. request_id: found again in the log and in WSEC0999.
        """
        exchange = Exchange(Call(register=self._register, request_id=request_id), origin)
        ctx = exchange.ctx = _Context(self, MethodContext.SERVER)
        ctx.in_string, ctx.udc = body, exchange
        try:
            self.generate_contexts(ctx, charset)
            self.get_in_object(ctx)
        except Exception:
            ctx.fire_event("method_exception_object")
        return exchange

    def is_decided(self, exchange: Exchange) -> bool:
        """Whether it is known, without waiting for anything, that the call may go on or may not."""
        if exchange.fault is None and exchange.admission is None:
            exchange.admission = self._authenticator.recall(exchange.ctx.in_object, exchange.origin)
        return exchange.fault is not None or exchange.admission is not None

    async def decide(self, exchange: Exchange, threads: concurrent.futures.Executor) -> None:
        """Finds out whether the call may go on, asking the database in `threads`."""
        exchange.admission = await self._authenticator.admit(exchange.ctx.in_object, exchange.origin, threads)

    def is_quick(self, exchange: Exchange) -> bool:
        """Whether `finish` will not wait, for a disk or a strict audit, once the call is decided."""
        if self._register.settings.audit == "strict":
            return False
        if exchange.fault is not None or exchange.admission.refusal is not None:
            return True
        # Connecting to a database that is down may take seconds, in which nobody else would be answered.
        return TABLE[exchange.call.operation].quick and not engine.is_doubtful(self._register.engine)

    def finish_at_once(self, exchange: Exchange) -> Reply | None:
        """The reply to a quick call, on the event loop; None if the database did not answer at once. Nothing was done
        then, so the request may `begin` again, to finish where only it waits."""
        if exchange.fault is None:
            self.get_out_object(exchange.ctx)
        return None if exchange.is_unanswered else self._reply(exchange)

    def finish(self, exchange: Exchange) -> Reply:
        """The reply: calls the operation, turns every exception into a fault, audits and logs."""
        if exchange.fault is None:
            self.get_out_object(exchange.ctx)
        return self._reply(exchange)

    def _reply(self, exchange: Exchange) -> Reply:
        ctx = exchange.ctx
        _finish(exchange)
        if exchange.fault is not None:
            ctx.out_error = Fault()
        self.get_out_string(ctx)
        return Reply(200 if exchange.fault is None else 500, ctx.out_string[0])

    def handle(self, body: bytes, charset: str | None, request_id: str) -> Reply:
        """The reply to one request: `begin` and `finish` in one."""
        return self.finish(self.begin(body, charset, request_id))


def _note_fault(ctx: MethodContext) -> None:
    """The one place where an exception becomes a fault. What nobody foresaw is logged, without what it says."""
    error = sys.exception()
    if isinstance(error, errors.LrsFault | errors.SoapError):
        ctx.udc.fault = error
    else:
        ctx.udc.fault = _unexpected(error, ctx.udc.call)
        ctx.udc.is_unanswered = engine.is_unanswered(error)


def _unexpected(error: BaseException, call: Call) -> errors.UnexpectedError:
    # The text of an exception may repeat a learner's details; its type and where it arose cannot.
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("unexpected error", reference=call.request_id, operation=call.operation, type=type(error).__name__,
              frames=frames[-12:])  # fmt: skip
    return errors.UnexpectedError(f"Reference: {call.request_id}", reason=type(error).__name__)


def _finish(exchange: Exchange) -> None:
    """Audits and logs the call. In strict mode, what could not be audited is not answered."""
    call = exchange.call
    if exchange.fault is not None:
        call.code = exchange.fault.code if isinstance(exchange.fault, errors.LrsFault) else exchange.fault.faultcode
    try:
        call.finish()
    except Exception as error:
        exchange.fault = _unexpected(error, call)
        call.code = exchange.fault.code
    metrics.call(call.operation, str(call.code), time.perf_counter() - call.started)
    if exchange.fault is None:
        log.debug("call", request_id=call.request_id, operation=call.operation, code=str(call.code))
    else:
        # SOAP's own faults have no reason but their name.
        reason = exchange.fault.reason if isinstance(exchange.fault, errors.LrsFault) else exchange.fault.faultcode
        metrics.refused(reason)
        log.info("fault", request_id=call.request_id, operation=call.operation, code=str(call.code), reason=reason)
