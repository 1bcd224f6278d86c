"""The WSDL and the schemas of the service against the contract's: structure, not bytes."""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from lrs_soap import contract
from lrs_soap.conformance import case, description, structure
from lrs_soap.conformance.description import S, W, X
from lrs_soap.wire import parser

BOOK = case.Book(case.Part.CONTRACT)
_SCHEMAS = {
    name: parser.parse(data).get("targetNamespace") for name, data in contract.FILES.items() if name.endswith(".xsd")
}
_ASPECTS = (
    ("elements", "The global elements of {} are the contract's", structure.elements),
    ("types", "Elements of {}: order, type, cardinality and nillable are the contract's", structure.types),
    ("facets", "The simple types of {} have the contract's facets", structure.facets),
    ("form", "The local elements of {} are unqualified", structure.forms),
)


@functools.cache
def _ours() -> description.Description:
    roots = {name: parser.parse(data) for name, data in contract.FILES.items() if not name.endswith(".json")}
    wsdl = roots.pop(contract.WSDL)
    return description.Description("contract:", wsdl, roots, [])


def _of(found: description.Description, namespace: str) -> list[Any]:
    schemas = [root for root in found.schemas() if root.get("targetNamespace") == namespace]
    case.require(schemas, f"the WSDL leads to no schema of {namespace}")
    return schemas


def _same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    said = structure.differences(found, wanted)
    more = f" ({len(said)} differences)" if len(said) > 1 else ""
    case.require(not said, f"{case.brief(said[0], 300)}{more}" if said else "")


def _schema_case(aspect: Callable, namespace: str) -> Callable[[Any], None]:
    def run(talk: Any) -> None:
        _same(aspect(_of(description.read(talk), namespace)), aspect(_of(_ours(), namespace)))

    return run


for _name, _namespace in _SCHEMAS.items():
    for _slug, _title, _aspect in _ASPECTS:
        BOOK.add(f"schema-{_name.removesuffix('.xsd')}-{_slug}", _title.format(_namespace), f"contract: {_namespace}",
                 _schema_case(_aspect, _namespace))  # fmt: skip


def _operation_case(name: str) -> Callable[[Any], None]:
    def run(talk: Any) -> None:
        found = structure.operation(description.read(talk), name)
        case.require(found, f"the WSDL has no operation {name}")
        _same(found, structure.operation(_ours(), name))

    return run


for _name in contract.OPERATIONS:
    BOOK.add(f"wsdl-operation-{_name}", f"{_name}: messages, parts, elements, fault and soapAction are the contract's",
             "contract: WSDL", _operation_case(_name))  # fmt: skip


@BOOK.case("wsdl-names", "contract: WSDL")
def names(talk):
    """Namespace, port type, binding, service and port have the names that clients were generated from"""
    _same(structure.names(description.read(talk)), structure.names(_ours()))


@BOOK.case("wsdl-address", "contract: WSDL; HTTP and SOAP")
def address(talk):
    """soap:address names the host by which the WSDL was asked for"""
    places = [row.get("location", "") for row in description.read(talk).wsdl.iter(f"{S}address")]
    case.require(places, "the WSDL has no soap:address")
    for place in places:
        case.equal(urlsplit(place)[:2], urlsplit(talk.session.url)[:2], "scheme and host of soap:address")
        case.equal(urlsplit(place).path, urlsplit(talk.session.url).path, "path of soap:address")


@BOOK.case("wsdl-any-case", "HTTP and SOAP")
def any_case(talk):
    """?WSDL gives the WSDL too"""
    url = talk.session.wsdl_url.removesuffix("wsdl") + "WSDL"
    root = description.root_of(talk.document(url))
    case.equal(root.tag, f"{W}definitions", "the root of the document")


@BOOK.case("wsdl-content-type", "HTTP and SOAP")
def content_type(talk):
    """WSDL and schemas are sent as XML"""
    found = description.read(talk)
    for url, _, _ in found.raw:
        kind = talk.document(url).header("content-type").partition(";")[0].strip().lower()
        case.require(kind in ("text/xml", "application/xml", "application/wsdl+xml"), f"{url} is sent as {kind or 'nothing'}")


@BOOK.case("wsdl-types", "contract: WSDL, wsdl:types")
def one_schema(talk):
    """wsdl:types holds one schema without a target namespace that imports the message schemas"""
    schemas = description.read(talk).in_types
    case.equal(len(schemas), 1, "the number of schemas in wsdl:types")
    case.equal(schemas[0].get("targetNamespace"), None, "its target namespace")
    imported = {row.get("namespace") for row in schemas[0].iterfind(f"{X}import")}
    wanted = {operation.request[1:].partition("}")[0] for operation in contract.OPERATIONS.values()}
    case.require(wanted <= imported, f"it does not import {', '.join(sorted(wanted - imported))}")


@BOOK.case("wsdl-schemas-reachable", "contract: WSDL, wsdl:types")
def reachable(talk):
    """Every schema that the WSDL leads to is there"""
    found = {root.get("targetNamespace") for root in description.read(talk).schemas()}
    missing = sorted(set(_SCHEMAS.values()) - found)
    case.require(not missing, f"no schema was found of {', '.join(missing)}")


@BOOK.case("wsdl-schema-locations", "clients: 3")
def locations(talk):
    """schemaLocation is a relative name or an absolute URL (Axis, JAX-WS and gSOAP follow nothing else)"""
    found = description.read(talk)
    for root in (found.wsdl, *found.documents.values()):
        for row in root.iter(f"{X}import"):
            place = row.get("schemaLocation") or ""
            case.require(place and not place.startswith(("?", "/")), f"schemaLocation is {place!r}")
