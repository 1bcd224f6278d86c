"""SOAP as a test writes and judges it, without any code of the server.

Requests are made of element names and texts in the order of the contract; replies are judged by two validators, lxml
and xmlschema, against the XSD files.
"""

import dataclasses
import functools
from typing import Any

import xmlschema
from lxml import etree
from support.server import Reply

from lrs_soap import contract, resources
from lrs_soap.conformance import messages

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
TARGET = "targetNamespace"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


def envelope(body: str, header: str = "") -> str:
    """`body`, the text of one element, in a SOAP 1.1 envelope."""
    return (
        f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}">{header}<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
    )


def message(operation: str, values: dict[str, Any]) -> bytes:
    """The envelope that calls `operation` with `values`: texts by element name, dots leading into nested elements, a
    list for an element that repeats, None for one to leave out.

    Elements stand in the order of the contract, those it does not have behind them. An operation that the WSDL does
    not have is an element of that name in the namespace of the finds.
    """
    return envelope(messages.text(operation, values)).encode()


@functools.cache
def _judges() -> tuple[etree.XMLSchema, xmlschema.XMLSchema]:
    directory = resources.directory("schemas")
    imports = "".join(
        f'<xs:import namespace="{etree.parse(file).getroot().get(TARGET)}" schemaLocation="{file.as_uri()}"/>'
        for file in sorted(directory.glob("*.xsd"))
    )
    everything = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(everything)), xmlschema.XMLSchema(everything, allow="local")


def judge(element) -> None:
    """Raises what lxml or xmlschema raises if the element is not valid."""
    by_lxml, by_xmlschema = _judges()
    by_lxml.assertValid(etree.fromstring(etree.tostring(element)))
    by_xmlschema.validate(etree.fromstring(etree.tostring(element)))


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A reply that is what SOAP and the contract say: `body` is the element in the Body, or in the fault's detail."""

    is_fault: bool
    body: Any

    def texts(self, name: str) -> list[str]:
        """The texts of all elements of that name, in document order."""
        return [element.text or "" for element in self.body.iter(name)]

    def text(self, name: str) -> str:
        """The text of the only element of that name."""
        (text,) = self.texts(name)
        return text


def answer(reply: Reply) -> Answer:
    """Judges a reply of the service: status, content type, envelope, and the message by both validators."""
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"
    assert "content-encoding" not in reply.headers
    root = etree.fromstring(reply.body, _PARSER)
    assert root.tag == f"{{{ENVELOPE}}}Envelope"
    assert [child.tag for child in root] == [f"{{{ENVELOPE}}}Body"]
    (element,) = root[0]
    is_fault = element.tag == f"{{{ENVELOPE}}}Fault"
    assert reply.status == (500 if is_fault else 200)
    if is_fault:
        assert [child.tag for child in element] == ["faultcode", "faultstring", "detail"]
        assert element.findtext("faultcode") == "soapenv:Server"
        assert element.findtext("faultstring") == "uk.gov.miap.lrs.api.exceptions.MIAPAPIException"
        (element,) = element.find("detail")
        assert element.tag == contract.FAULT_ELEMENT
        assert element.prefix == "ns10"
    judge(element)
    return Answer(is_fault, element)
