"""Reads the XSDs of the contract into values; `contract` holds what the project's own files say.

It understands only what the contract uses: sequences of elements of named types, extension, and restrictions of
string, int and long. Anything else stops the reading with `ContractError`, so that a change of the files cannot be
half understood.
"""

import dataclasses
import re
from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

from lrs_soap import errors

XS = "{http://www.w3.org/2001/XMLSchema}"


class ContractError(errors.LrsError):
    """The files of the contract do not agree with each other or with the code."""


@dataclasses.dataclass(frozen=True, slots=True)
class SimpleType:
    """The format of a value: a text, or a number of base "int" or "long". A value matches any one of the patterns.

    A facet the type does not have is None, patterns it does not have are (). Lengths count characters.
    """

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


# The types of XML Schema that the contract uses, with the ranges that XML Schema gives them.
BUILTIN = MappingProxyType(
    {
        "string": SimpleType("string", "string"),
        "int": SimpleType("int", "int", min_inclusive=-(2**31), max_inclusive=2**31 - 1),
        "long": SimpleType("long", "long", min_inclusive=-(2**63), max_inclusive=2**63 - 1),
    }
)

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


def require(condition: object, message: str) -> None:
    """Raises ContractError with `message` unless `condition` holds."""
    if not condition:
        raise ContractError(f"The contract cannot be read: {message}.")


def parse(files: Mapping[str, bytes], name: str) -> etree._Element:
    """The root of the file `name`, one of ours. Raises ContractError if it is missing or not well-formed."""
    require(name in files, f"the file {name} is missing")
    try:
        return etree.fromstring(files[name], base_url=name)
    except etree.XMLSyntaxError as error:
        raise ContractError(f"The contract cannot be read: {name}: {error}.") from error


def child(row: etree._Element, path: str) -> etree._Element:
    """The element at `path` under `row`. Raises ContractError if there is none."""
    found = row.find(path)
    require(found is not None, f"{row.get('name') or row.tag} has no {path.rpartition('}')[2]}")
    return found


def qualified(row: etree._Element, attribute: str) -> str:
    """The prefixed name in `attribute` of `row` as "{namespace}local". Raises ContractError if it is absent."""
    name = row.get(attribute)
    require(name, f"{row.get('name') or row.tag} has no {attribute}")
    prefix, _, local = name.rpartition(":")
    return f"{{{row.nsmap.get(prefix or None)}}}{local}"


class Schemas:
    """What the schemas read so far define.

    An imported schema is read before its importer, and a type must stand before its use: so every reference is
    resolved when it is met, and no type can contain itself.
    """

    def __init__(self, files: Mapping[str, bytes]):
        self.files = files
        self.namespaces: dict[str, str] = {}  # by file name
        self.types: dict[str, ComplexType] = {}
        self.simple_types: dict[str, SimpleType] = {}
        self.elements: dict[str, ComplexType] = {}  # by "{namespace}Name"

    def read_imports(self, schema: etree._Element) -> None:
        """Reads the files that the imports of `schema` name, each once. Raises ContractError."""
        for row in schema.iterfind(f"{XS}import"):
            name = row.get("schemaLocation")
            if name not in self.namespaces:
                self._read(name)
            require(self.namespaces[name] == row.get("namespace"), f"{name} is imported for another namespace")

    def _read(self, name: str) -> None:
        schema = parse(self.files, name)
        self.namespaces[name] = namespace = schema.get("targetNamespace")
        require(schema.get("elementFormDefault") is None, f"{name} qualifies its local elements")
        self.read_imports(schema)
        for row in schema.iterfind(f"{XS}simpleType"):
            self._add(self.simple_types, self._simple_type(row))
        for row in schema.iterfind(f"{XS}complexType"):
            self._add(self.types, self._complex_type(row, namespace))
        for row in schema.iterfind(f"{XS}element"):
            type_ = self.types.get(self._type_name(row, "type"))
            require(type_ is not None, f"element {row.get('name')} has no known complex type")
            self.elements[f"{{{namespace}}}{row.get('name')}"] = type_

    def _add(self, types: dict, type_: SimpleType | ComplexType) -> None:
        known = type_.name in self.types or type_.name in self.simple_types or type_.name in BUILTIN
        require(not known, f"the type name {type_.name} is not unique")
        types[type_.name] = type_

    def _type_name(self, row: etree._Element, attribute: str) -> str:
        """The local name of a type; its prefix must stand for XML Schema or for a schema read."""
        namespace, _, local = qualified(row, attribute)[1:].rpartition("}")
        require(namespace == XS[1:-1] or namespace in self.namespaces.values(), f"{local} is of an unknown namespace")
        return local

    def _simple_type(self, row: etree._Element) -> SimpleType:
        restriction = child(row, f"{XS}restriction")
        base = self._type_name(restriction, "base")
        require(base in BUILTIN, f"{row.get('name')} restricts {base}")
        patterns, facets = [], {}
        for facet in restriction.iterchildren(etree.Element):
            kind, value = etree.QName(facet).localname, facet.get("value")
            if kind == "pattern":
                patterns.append(value)
            else:
                require(kind in _FACETS, f"{row.get('name')} has a facet {kind}")
                facets[_FACETS[kind]] = int(value)
        return dataclasses.replace(BUILTIN[base], name=row.get("name"), patterns=tuple(patterns), **facets)

    def _complex_type(self, row: etree._Element, namespace: str) -> ComplexType:
        base, inherited, content = None, (), row
        extension = row.find(f"{XS}complexContent/{XS}extension")
        if extension is not None:
            base, content = self._type_name(extension, "base"), extension
            require(base in self.types, f"{row.get('name')} extends {base}, which does not stand before it")
            inherited = self.types[base].fields
        parts = [part.tag for part in content.iterchildren(etree.Element)]
        require(parts == [f"{XS}sequence"], f"{row.get('name')} is not a sequence alone")
        own = (self._field(element) for element in content[0].iterchildren(etree.Element))
        return ComplexType(row.get("name"), namespace, base, (*inherited, *own))

    def _field(self, row: etree._Element) -> Field:
        require(row.tag == f"{XS}element", f"{row.tag} stands where an element should")
        name, type_name = row.get("name"), self._type_name(row, "type")
        simple, complex_ = self.simple_types.get(type_name) or BUILTIN.get(type_name), self.types.get(type_name)
        require(simple or complex_, f"element {name} is of type {type_name}, which does not stand before it")
        most = row.get("maxOccurs", "1")
        return Field(
            name=name,
            attribute=attribute_name(name),
            type_name=type_name,
            simple=simple,
            complex=complex_,
            min_occurs=int(row.get("minOccurs", "1")),
            max_occurs=None if most == "unbounded" else int(most),
            nillable=row.get("nillable") == "true",
        )
