"""What a reply says, read as leniently as can be: the cases judge, each what it is about."""

import dataclasses
import functools
import threading
from typing import Any

import xmlschema
from lxml import etree

from lrs_soap import contract, errors, resources
from lrs_soap.conformance import case, messages, wire
from lrs_soap.wire import parser

ENVELOPE = f"{{{messages.ENVELOPE}}}Envelope"
HEADER = f"{{{messages.ENVELOPE}}}Header"
BODY = f"{{{messages.ENVELOPE}}}Body"
FAULT = f"{{{messages.ENVELOPE}}}Fault"
_lock = threading.Lock()


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A SOAP reply: `root` is its envelope, `body` the element in the Body or, of a declared fault, in the detail."""

    exchange: wire.Exchange
    root: Any
    is_fault: bool
    body: Any

    @property
    def code(self) -> str:
        """The first ResponseCode or, of a fault, the ErrorCode or else the faultcode."""
        found = self.codes
        if not found and self.is_fault:
            found = [self.root.findtext(f"{BODY}/{FAULT}/faultcode") or ""]
        return found[0] if found else ""

    @property
    def codes(self) -> list[str]:
        """The codes and failure flags, in the order in which they stand in the reply."""
        if self.body is None:
            return []
        names = ("ErrorCode",) if self.is_fault else ("ResponseCode", "ReturnCode", "FailureFlag")
        return [element.text or "" for element in self.body.iter(*names)]

    def texts(self, path: str) -> list[str]:
        """The texts of the elements at that path below the body element."""
        return [] if self.body is None else [element.text or "" for element in self.body.iterfind(path)]

    def text(self, path: str) -> str | None:
        """The text of the first element at that path, or None if there is none."""
        return next(iter(self.texts(path)), None)

    def expect(self, *codes: str) -> "Answer":
        """Itself; raises Failed unless the code is one of these."""
        if self.code not in codes:
            raise case.Failed(f"{' or '.join(codes)} was expected, {self.summary()} came")
        return self

    def summary(self) -> str:
        """What came, in a few words."""
        detail = self.text("FurtherDetails") if self.is_fault else None
        name = self.code or ("a fault without a code" if self.is_fault else "a reply without a code")
        return f"{name} ({case.brief(detail, 120)})" if detail else name

    def learners(self) -> list[Any]:
        """The Learner elements of a find."""
        return [] if self.body is None else list(self.body.iterfind("Learner"))


def read(exchange: wire.Exchange) -> Answer:
    """The answer in a reply. Raises Failed if it is no SOAP envelope with one element in its Body."""
    root = document(exchange)
    if root.tag != ENVELOPE:
        raise case.Failed(f"the reply is {case.brief(str(root.tag))} and not a SOAP 1.1 envelope (HTTP {exchange.status})")
    bodies = root.findall(BODY)
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise case.Failed("the reply has not exactly one Body with one element in it")
    element = bodies[0][0]
    if element.tag != FAULT:
        return Answer(exchange, root, False, element)
    found = element.findall("detail/*") or element.findall(f"{{{messages.ENVELOPE}}}detail/*")
    return Answer(exchange, root, True, found[0] if found else None)


def document(exchange: wire.Exchange) -> Any:
    """The root of the XML that came back. Raises Failed if nothing came, or no XML, or one with a DTD or PI."""
    if exchange.problem:
        raise case.Failed(exchange.problem)
    try:
        return parser.parse(exchange.body)
    except errors.InvalidRequest as error:
        kind = exchange.header("content-type") or "no Content-Type"
        raise case.Failed(f"the reply is not usable XML: {error.further_details} (HTTP {exchange.status}, {kind})") from None


@functools.cache
def _second_judge() -> xmlschema.XMLSchema:
    """All schemas of the contract in one, as the second validator reads them."""
    directory = resources.directory("schemas")
    namespaces = {name: parser.parse(data).get("targetNamespace") for name, data in contract.FILES.items() if
                  name.endswith(".xsd")}  # fmt: skip
    imports = "".join(
        f'<xs:import namespace="{namespace}" schemaLocation="{(directory / name).as_uri()}"/>'
        for name, namespace in sorted(namespaces.items())
    )
    everything = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return xmlschema.XMLSchema(everything, allow="local")


def invalid_by_lxml(element: Any) -> str:
    """Why lxml finds the element invalid, or nothing."""
    schema = contract.schema()
    alone = parser.parse(etree.tostring(element, with_tail=False))
    return "" if schema.validate(alone) else f"lxml: {case.brief(schema.error_log.last_error.message, 300)}"


def invalid_by_xmlschema(element: Any) -> str:
    """Why xmlschema finds the element invalid, or nothing."""
    alone = parser.parse(etree.tostring(element, with_tail=False))
    with _lock:
        error = next(_second_judge().iter_errors(alone), None)
    return "" if error is None else f"xmlschema: {case.brief(error.reason or str(error), 300)} at {error.path}"


def is_valid(element: Any) -> bool:
    """Whether a request is one that the contract takes."""
    return contract.schema().validate(element)
