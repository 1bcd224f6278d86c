"""The LearnerService contract of 2008, read once from the WSDL and the XSDs.

Nothing here repeats what those files say: operations, element names, order, cardinality and facets all come from
them. The module's values are immutable. What it understands is only what the contract uses (sequences of elements of
named types, extension, restrictions of string, int and long); anything else in the files stops the import with
`ContractError`, so that a change of the files cannot be half understood.
"""

import dataclasses
import re
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from lxml import etree

from lrs_soap import errors, resources

WSDL = "LearnerService.wsdl"

_XS = "{http://www.w3.org/2001/XMLSchema}"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"


class ContractError(errors.LrsError):
    """The files of the contract do not agree with each other or with the code."""


@dataclasses.dataclass(frozen=True, slots=True)
class SimpleType:
    """The format of a value. base: "string", "int" or "long". Any one of the patterns may match; None: no such facet."""

    name: str
    base: str
    patterns: tuple[str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    min_inclusive: int | None = None
    max_inclusive: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One element of a complex type: either `simple` or `complex` is its type. max_occurs None: unbounded."""

    name: str
    attribute: str
    type_name: str
    simple: SimpleType | None
    complex: "ComplexType | None"
    min_occurs: int
    max_occurs: int | None
    nillable: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ComplexType:
    """A sequence of elements. base: the name of the type it extends, whose fields come first in `fields`."""

    name: str
    namespace: str
    base: str | None
    fields: tuple[Field, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """An operation; request and response are the "{namespace}Element" of the SOAP body."""

    name: str
    request: str
    response: str
    request_type: ComplexType
    response_type: ComplexType


# The types of XML Schema that the contract uses; the ranges are those XML Schema gives them.
BUILTIN = MappingProxyType({
    "string": SimpleType("string", "string"),
    "int": SimpleType("int", "int", min_inclusive=-(2**31), max_inclusive=2**31 - 1),
    "long": SimpleType("long", "long", min_inclusive=-(2**63), max_inclusive=2**63 - 1),
})

_FACETS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "minInclusive": "min_inclusive",
    "maxInclusive": "max_inclusive",
}


def attribute_name(element: str) -> str:
    """The Python name of an element: "LinkedULNs" gives "linked_ulns", "ULNsToRetrieve" "ulns_to_retrieve"."""
    # A word starts at a capital after a small letter or digit, and at the last capital of a run unless what
    # follows is the s of a plural (ULNs).
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])(?![A-Z]s(?![a-z]))", "_", element).lower()


@dataclasses.dataclass(frozen=True, slots=True)
class Contract:
    """What a set of files says; the module's own is read from the files that ship with it."""

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
    schemas = _Schemas(files)
    definitions = _parse(files, WSDL)
    schemas.read_imports(definitions.find(f"{_WSDL}types/{_XS}schema"))
    messages = {
        message.get("name"): _qualified(part, part.get("element"))
        for message in definitions.iterfind(f"{_WSDL}message")
        for part in message.iterfind(f"{_WSDL}part")
    }

    def body(operation: etree._Element, direction: str) -> str:
        name = operation.find(_WSDL + direction).get("message").rpartition(":")[2]
        element = messages.get(name)
        _require(element in schemas.elements, f"{direction} of {operation.get('name')}: {name} has no known element")
        return element

    port_type, binding = definitions.find(f"{_WSDL}portType"), definitions.find(f"{_WSDL}binding")
    operations, faults = {}, set()
    for row in port_type.iterfind(f"{_WSDL}operation"):
        request, response = body(row, "input"), body(row, "output")
        faults.add(body(row, "fault"))
        operations[row.get("name")] = Operation(
            row.get("name"), request, response, schemas.elements[request], schemas.elements[response]
        )
    bound = [row.get("name") for row in binding.iterfind(f"{_WSDL}operation")]
    _require(bound == list(operations), "portType and binding have different operations")
    _require(len({row.request for row in operations.values()}) == len(bound), "two operations have the same request")
    _require(len(faults) == 1, "the operations do not all declare the same fault")
    return Contract(
        urlsplit(_address(definitions).get("location")).path,
        faults.pop(),
        MappingProxyType(operations),
        MappingProxyType(schemas.types),
        MappingProxyType(schemas.simple_types),
        MappingProxyType(schemas.elements),
    )


class _Schemas:
    """The schemas read so far. An imported schema is read before its importer, and a type stands before its use."""

    def __init__(self, files: Mapping[str, bytes]):
        self.files = files
        self.namespaces: dict[str, str] = {}  # by file name
        self.types: dict[str, ComplexType] = {}
        self.simple_types: dict[str, SimpleType] = {}
        self.elements: dict[str, ComplexType] = {}

    def read_imports(self, schema: etree._Element) -> None:
        for row in schema.iterfind(f"{_XS}import"):
            name = row.get("schemaLocation")
            if name not in self.namespaces:
                self._read(name)
            _require(self.namespaces[name] == row.get("namespace"), f"{name} is imported for another namespace")

    def _read(self, name: str) -> None:
        schema = _parse(self.files, name)
        self.namespaces[name] = namespace = schema.get("targetNamespace")
        _require(schema.get("elementFormDefault") is None, f"{name} qualifies its local elements")
        self.read_imports(schema)
        for row in schema.iterfind(f"{_XS}simpleType"):
            self._add(self.simple_types, self._simple_type(row))
        for row in schema.iterfind(f"{_XS}complexType"):
            self._add(self.types, self._complex_type(row, namespace))
        for row in schema.iterfind(f"{_XS}element"):
            type_ = self.types.get(self._type_name(row, row.get("type")))
            _require(type_ is not None, f"element {row.get('name')} has no known complex type")
            self.elements[f"{{{namespace}}}{row.get('name')}"] = type_

    def _add(self, types: dict, type_: SimpleType | ComplexType) -> None:
        known = type_.name in self.types or type_.name in self.simple_types or type_.name in BUILTIN
        _require(not known, f"the type name {type_.name} is not unique")
        types[type_.name] = type_

    def _type_name(self, row: etree._Element, name: str) -> str:
        """The local name of a type; its prefix must stand for XML Schema or for a schema read."""
        namespace, _, local = _qualified(row, name)[1:].rpartition("}")
        _require(namespace == _XS[1:-1] or namespace in self.namespaces.values(), f"the namespace of {name} is unknown")
        return local

    def _simple_type(self, row: etree._Element) -> SimpleType:
        (restriction,) = row
        base = self._type_name(restriction, restriction.get("base"))
        _require(base in BUILTIN, f"{row.get('name')} restricts {base}")
        patterns, facets = [], {}
        for facet in restriction.iterchildren(etree.Element):
            kind, value = etree.QName(facet).localname, facet.get("value")
            if kind == "pattern":
                patterns.append(value)
            else:
                _require(kind in _FACETS, f"{row.get('name')} has a facet {kind}")
                facets[_FACETS[kind]] = int(value)
        return dataclasses.replace(BUILTIN[base], name=row.get("name"), patterns=tuple(patterns), **facets)

    def _complex_type(self, row: etree._Element, namespace: str) -> ComplexType:
        base, inherited = None, ()
        extension = row.find(f"{_XS}complexContent/{_XS}extension")
        if extension is not None:
            base = self._type_name(extension, extension.get("base"))
            _require(base in self.types, f"{row.get('name')} extends {base}, which does not stand before it")
            inherited = self.types[base].fields
        (sequence,) = row if extension is None else extension
        _require(sequence.tag == f"{_XS}sequence", f"{row.get('name')} is not a sequence")
        fields = inherited + tuple(self._field(element) for element in sequence.iterchildren(etree.Element))
        return ComplexType(row.get("name"), namespace, base, fields)

    def _field(self, row: etree._Element) -> Field:
        _require(row.tag == f"{_XS}element" and row.get("type") is not None, f"{row.tag} is not an element with a type")
        name, type_name = row.get("name"), self._type_name(row, row.get("type"))
        simple, complex_ = self.simple_types.get(type_name) or BUILTIN.get(type_name), self.types.get(type_name)
        _require(simple or complex_, f"element {name} is of type {type_name}, which does not stand before it")
        most = row.get("maxOccurs", "1")
        return Field(
            name,
            attribute_name(name),
            type_name,
            simple,
            complex_,
            int(row.get("minOccurs", "1")),
            None if most == "unbounded" else int(most),
            row.get("nillable") == "true",
        )


def _require(condition: object, message: str) -> None:
    if not condition:
        raise ContractError(f"The contract cannot be read: {message}.")


def _parse(files: Mapping[str, bytes], name: str) -> etree._Element:
    _require(name in files, f"the file {name} is missing")
    try:
        return etree.fromstring(files[name], base_url=name)
    except etree.XMLSyntaxError as error:
        raise ContractError(f"The contract cannot be read: {name}: {error}.") from error


def _qualified(row: etree._Element, name: str) -> str:
    """A prefixed name, as it stands in an attribute of `row`, as "{namespace}local"."""
    prefix, _, local = name.rpartition(":")
    return f"{{{row.nsmap.get(prefix or None)}}}{local}"


def _address(definitions: etree._Element) -> etree._Element:
    return definitions.find(f"{_WSDL}service/{_WSDL}port/{_SOAP}address")


def wsdl_for(address: str) -> bytes:
    """The WSDL with `address`, the URL by which the client reaches the endpoint, as its soap:address.

    Raises ValueError if `address` holds a character that XML cannot.
    """
    definitions = _parse(FILES, WSDL)
    _address(definitions).set("location", address)
    return etree.tostring(definitions.getroottree(), xml_declaration=True, encoding="UTF-8")


def check_operations(names: Iterable[str]) -> None:
    """Raises ContractError, naming the differences, unless `names` are exactly the operations of the WSDL."""
    names = set(names)
    missing, unknown = sorted(OPERATIONS.keys() - names), sorted(names - OPERATIONS.keys())
    if missing or unknown:
        raise ContractError(
            f"The operations in code are not those of the WSDL: missing {missing or 'none'}, unknown {unknown or 'none'}."
        )


class _Files(etree.Resolver):
    """Gives libxml2 the schemas from memory, so that it looks neither at the disk nor at the network."""

    def resolve(self, system_url, public_id, context):
        name = system_url.rpartition("/")[2]
        return self.resolve_string(FILES[name], context, base_url=system_url)


_threads = threading.local()


def schema() -> etree.XMLSchema:
    """The compiled schema of all messages, for the calling thread alone: libxml2 mixes up the error logs of threads
    that share one."""
    if not hasattr(_threads, "schema"):
        parser = etree.XMLParser(no_network=True, resolve_entities=False)
        parser.resolvers.add(_Files())
        # The schema inside the WSDL imports all message schemas; it is compiled as it stands.
        imports = etree.tostring(_parse(FILES, WSDL).find(f"{_WSDL}types/{_XS}schema"), with_tail=False)
        try:
            _threads.schema = etree.XMLSchema(etree.fromstring(imports, parser, base_url=f"contract:///{WSDL}"))
        except etree.XMLSchemaParseError as error:
            raise ContractError(f"The contract cannot be compiled: {error}.") from error
    return _threads.schema


FILES: Mapping[str, bytes] = MappingProxyType({
    WSDL: (resources.directory("wsdl") / WSDL).read_bytes(),
    **{path.name: path.read_bytes() for path in sorted(resources.directory("schemas").glob("*.xsd"))},
})

_contract = read(FILES)
ENDPOINT = _contract.endpoint
FAULT_ELEMENT = _contract.fault_element
OPERATIONS = _contract.operations
BY_REQUEST: Mapping[str, Operation] = MappingProxyType({row.request: row for row in OPERATIONS.values()})
TYPES = _contract.types
SIMPLE_TYPES = _contract.simple_types
ELEMENTS = _contract.elements

schema()  # Compiled at import: a schema that libxml2 refuses must stop the start, not the first request.
