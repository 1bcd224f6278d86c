"""Spyne as the SOAP engine, and its only import: context of a call, operation table, dispatch, events, fault route.

Spyne's own models cannot speak this contract (docs/architecture.md), so the protocol below reads and writes messages
with `parser`, `contract` and `binding`. Its ServerBase and Application go through their steps for servers of every
kind; `Engine` goes through the same steps for methods of this one (one a request, body style bare, no self), which
takes a fraction of the time.
"""

import importlib
import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from lrs_soap import binding, contract, errors
from lrs_soap.register import ENGLAND
from lrs_soap.wire import envelope, faults, parser, templates, xerces


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

from spyne import AnyXml, Application, EventContext, Fault, MethodContext, MethodDescriptor, Service, rpc  # noqa: E402
from spyne.protocol.soap import Soap11  # noqa: E402
from spyne.server import ServerBase  # noqa: E402


class Context(MethodContext):
    """Spyne's context of a call, without the parts that this protocol and transport do not use."""

    TransportContext = None
    __setattr__ = object.__setattr__  # Spyne's own guards against misspelt names, at every assignment
    managers: tuple = ()  # of the events of this call

    @classmethod
    def like(cls, other: "Context") -> "Context":
        """A context as new as the other, without setting its 40 attributes one by one."""
        made = cls.__new__(cls)
        made.__dict__ = values = other.__dict__.copy()
        values["call_start"], values["files"] = time.time(), []
        return made

    @property
    def event(self) -> EventContext:
        """Spyne's place for what listeners say to each other; made for the first that looks."""
        found = self.__dict__.get("event")
        if found is None:
            found = self.__dict__["event"] = EventContext(self)
        return found

    @event.setter
    def event(self, value: EventContext | None) -> None:
        self.__dict__["event"] = value

    def fire_event(self, event, *args, **kwargs):
        # An event that nobody listens to is the rule; Spyne would build an empty set for each manager it asks.
        for manager in self.managers:
            if event in manager.handlers:
                manager.fire_event(event, self, *args, **kwargs)


class _Protocol(Soap11):
    """SOAP 1.1 with the contract's messages. `ctx.udc` has the `call` of the request and the `fault` it ends in, if any;
    `handles` are the methods by the name of the request's element."""

    handles: Mapping[str, list[MethodDescriptor]]

    def get_context(self, parent, transport):
        return None

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
        return self.handles[operation.request]

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


class Engine(ServerBase):
    """Calls `methods`, functions of a context and a decoded request that give the XML of the reply, by operation.

    on_exception: called with the context while what `begin` or `process` met is being handled.
    """

    transport = "http://schemas.xmlsoap.org/soap/http"

    def __init__(self, methods: Mapping[str, Callable[[Any, Any], str]], on_exception: Callable[[Any], None]):
        application = Application(
            [type("LearnerService", (Service,), {name: _rpc(name, method) for name, method in methods.items()})],
            tns="http://learner.webservice.miap.gov.uk",
            name="LearnerService",
            in_protocol=_Protocol(),
            out_protocol=_Protocol(),
        )
        application.event_manager.add_listener("method_exception_object", on_exception)
        super().__init__(application)
        # Spyne files every method under its one namespace; the contract's requests come in six.
        filed = application.interface.service_method_map
        application.in_protocol.handles = {
            name: filed[f"{{{application.tns}}}{name.rpartition('}')[2]}"] for name in contract.BY_REQUEST
        }
        self._fresh = Context(self, MethodContext.SERVER)
        self._fresh.event, self._fresh.managers = None, (application.event_manager,)
        self._templates = templates.Templates()

    def begin(self, body: bytes, charset: str | None, exchange: Any) -> Context:
        """Reads, validates and decodes a request: ServerBase.generate_contexts and get_in_object."""
        ctx, protocol = Context.like(self._fresh), self.app.in_protocol
        ctx.in_string, ctx.in_charset, ctx.udc = body, charset, exchange
        try:
            known = self._templates.read(body, charset)
            if known is None:
                protocol.create_in_document(ctx, charset)
                protocol.decompose_incoming_envelope(ctx, protocol.REQUEST)
            else:
                ctx.method_request_string, ctx.in_object = known.operation.request, known.request
            (ctx.descriptor,) = protocol.get_call_handles(ctx)
            ctx.managers = (*ctx.managers, *ctx.descriptor.event_managers)
            if known is None:
                protocol.deserialize(ctx, protocol.REQUEST)
        except Exception:
            ctx.fire_event("method_exception_object")
        return ctx

    def learn(self, ctx: Context) -> None:
        """Notes how a request was written that turned out to be right: those like it are read in a fraction of the time."""
        if ctx.in_document is not None:
            self._templates.learn(ctx.in_string, ctx.in_charset, contract.BY_REQUEST[ctx.method_request_string])

    def process(self, ctx: Context) -> None:
        """Calls the method: Application.process_request."""
        try:
            ctx.fire_event("method_call")
            ctx.out_object = [ctx.function(ctx, ctx.in_object)]
            ctx.fire_event("method_return_object")
        except Exception:
            ctx.fire_event("method_exception_object")

    def write(self, ctx: Context) -> bytes:
        """The envelope of the reply, or of the fault that the exchange ended in: ServerBase.get_out_string."""
        protocol, ended = self.app.out_protocol, "return"
        if ctx.udc.fault is not None:
            ctx.out_error, ended = Fault(), "exception"
        protocol.serialize(ctx, protocol.RESPONSE)
        ctx.fire_event(f"method_{ended}_document")
        protocol.create_out_string(ctx)
        ctx.fire_event(f"method_{ended}_string")
        # No circles of references: the message goes now, not when the collector comes.
        ctx.udc = ctx.event = None
        return ctx.out_string[0]


def _rpc(name: str, method: Callable[[Any, Any], str]) -> Any:
    """The method as one of a Spyne service."""

    def answer(ctx, request):
        return method(ctx, request)

    answer.__name__ = name
    operation = contract.OPERATIONS[name]
    return rpc(
        AnyXml,
        _args=("request",),
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=operation.request,
        _out_message_name=operation.response,
    )(answer)
