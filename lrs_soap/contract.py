"""The LearnerService contract of 2008, read once at import from the WSDL and the XSDs.

Nothing here repeats what those files say: operations, element names, order, cardinality and facets all come from
them. Every value is immutable.
"""

import dataclasses
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from lxml import etree

from lrs_soap import resources, xsd

ContractError = xsd.ContractError
SimpleType, Field, ComplexType = xsd.SimpleType, xsd.Field, xsd.ComplexType
attribute_name = xsd.attribute_name

WSDL = "LearnerService.wsdl"
CODES = "codes.json"

_W = "{http://schemas.xmlsoap.org/wsdl/}"
_SCHEMA = f"{_W}types/{xsd.XS}schema"
_ADDRESS = f"{_W}service/{_W}port/{{http://schemas.xmlsoap.org/wsdl/soap/}}address"


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """An operation; request and response are the "{namespace}Element" of the SOAP body."""

    name: str
    request: str
    response: str
    request_type: ComplexType
    response_type: ComplexType


@dataclasses.dataclass(frozen=True, slots=True)
class Contract:
    """What a set of files says; `elements` by "{namespace}Name", the other mappings by name, all in file order."""

    endpoint: str
    fault_element: str
    operations: Mapping[str, Operation]
    types: Mapping[str, ComplexType]
    simple_types: Mapping[str, SimpleType]
    elements: Mapping[str, ComplexType]


def read(files: Mapping[str, bytes]) -> Contract:
    """Reads the WSDL and, by the names its imports give, the schemas.

    files: their bytes by file name. Raises ContractError if they are not well-formed or do not fit together.
    """
    definitions, schemas = xsd.parse(files, WSDL), xsd.Schemas(files)
    schemas.read_imports(xsd.child(definitions, _SCHEMA))
    parts = {
        row.get("name"): xsd.qualified(xsd.child(row, f"{_W}part"), "element")
        for row in definitions.iterfind(f"{_W}message")
    }

    def body(operation: etree._Element, direction: str) -> str:
        message = xsd.qualified(xsd.child(operation, _W + direction), "message").rpartition("}")[2]
        element = parts.get(message)
        xsd.require(element in schemas.elements, f"the element of message {message} is not in the schemas")
        return element

    operations, faults = {}, set()
    for row in xsd.child(definitions, f"{_W}portType").iterfind(f"{_W}operation"):
        name, request, response = row.get("name"), body(row, "input"), body(row, "output")
        operations[name] = Operation(name, request, response, schemas.elements[request], schemas.elements[response])
        faults.add(body(row, "fault"))
    bound = [row.get("name") for row in xsd.child(definitions, f"{_W}binding").iterfind(f"{_W}operation")]
    xsd.require(bound == list(operations), "portType and binding differ in their operations")
    # A request is dispatched on its element, and whatever goes wrong is answered with one fault.
    xsd.require(len({row.request for row in operations.values()}) == len(bound), "two operations share a request")
    xsd.require(len(faults) == 1, "the operations do not share one fault")
    return Contract(
        urlsplit(xsd.child(definitions, _ADDRESS).get("location")).path,
        faults.pop(),
        MappingProxyType(operations),
        MappingProxyType(schemas.types),
        MappingProxyType(schemas.simple_types),
        MappingProxyType(schemas.elements),
    )


FILES: Mapping[str, bytes] = MappingProxyType(
    {
        path.name: path.read_bytes()
        for path in (
            resources.directory("wsdl") / WSDL,
            resources.directory("wsdl") / CODES,
            *sorted(resources.directory("schemas").glob("*.xsd")),
        )
    }
)

_contract = read(FILES)
ENDPOINT = _contract.endpoint
FAULT_ELEMENT = _contract.fault_element
OPERATIONS = _contract.operations
BY_REQUEST: Mapping[str, Operation] = MappingProxyType({row.request: row for row in OPERATIONS.values()})
TYPES = _contract.types
SIMPLE_TYPES = _contract.simple_types
ELEMENTS = _contract.elements


def check_operations(names: Iterable[str]) -> None:
    """Raises ContractError, naming the differences, unless `names` are exactly the operations of the WSDL."""
    names = set(names)
    missing, unknown = sorted(OPERATIONS.keys() - names), sorted(names - OPERATIONS.keys())
    if missing or unknown:
        differences = f"missing {', '.join(missing) or 'none'}; unknown {', '.join(unknown) or 'none'}"
        raise ContractError(f"The operations in code are not those of the WSDL: {differences}.")


def wsdl_for(address: str) -> bytes:
    """The WSDL with `address`, the URL by which the client reaches the endpoint, as its soap:address.

    Raises ValueError if `address` holds a character that XML cannot.
    """
    definitions = xsd.parse(FILES, WSDL)
    xsd.child(definitions, _ADDRESS).set("location", address)
    return etree.tostring(definitions.getroottree(), xml_declaration=True, encoding="UTF-8")


class _Files(etree.Resolver):
    """Gives libxml2 the schemas from memory, so that it looks neither at the disk nor at the network."""

    def resolve(self, system_url, public_id, context):
        return self.resolve_string(FILES[system_url.rpartition("/")[2]], context, base_url=system_url)


_threads = threading.local()


def schema() -> etree.XMLSchema:
    """The compiled schema of all messages, of the calling thread alone.

    libxml2 mixes up the error logs of threads that share one. Compiling takes a new thread about 3 ms, once.
    """
    if not hasattr(_threads, "schema"):
        parser = etree.XMLParser(no_network=True, resolve_entities=False)
        parser.resolvers.add(_Files())
        # The schema inside the WSDL imports all message schemas; it is compiled as it stands.
        imports = etree.tostring(xsd.child(xsd.parse(FILES, WSDL), _SCHEMA), with_tail=False)
        _threads.schema = etree.XMLSchema(etree.fromstring(imports, parser, base_url=f"contract:///{WSDL}"))
    return _threads.schema


try:  # At import: a schema that libxml2 refuses stops the start, not the first request.
    schema()
except etree.XMLSchemaParseError as error:
    raise ContractError(f"The contract cannot be compiled: {error}.") from error
