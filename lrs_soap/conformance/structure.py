"""The structure of a schema and of a WSDL as plain values, so that two can be compared whatever their bytes."""

from collections.abc import Iterable
from typing import Any

from lrs_soap.conformance.description import S, W, X, qualified

_NOTES = (f"{X}annotation",)


def facets(schemas: Iterable[Any]) -> dict[str, Any]:
    """By name of a simple type: what it restricts, and its facets (several patterns in any order)."""
    return {
        row.get("name"): [_base(row), *sorted((_local(facet), facet.get("value")) for facet in row.iterfind(f"{X}restriction/*")
                                              if facet.tag not in _NOTES)]
        for schema in schemas
        for row in schema.iterfind(f"{X}simpleType")
    }  # fmt: skip


def types(schemas: Iterable[Any]) -> dict[str, Any]:
    """By name of a complex type: what it extends, and its elements in order, each with type, cardinality and nillable."""
    return {row.get("name"): _content(row) for schema in schemas for row in schema.iterfind(f"{X}complexType")}


def elements(schemas: Iterable[Any]) -> dict[str, Any]:
    """By name of a global element: its type."""
    return {
        row.get("name"): (qualified(row, "type") if row.get("type") else [_content(child) for child in row.iterchildren("{*}*")])
        for schema in schemas
        for row in schema.iterfind(f"{X}element")
    }


def forms(schemas: Iterable[Any]) -> dict[str, Any]:
    """What makes local names qualified: the defaults of the schemas, and any form attribute."""
    found = {}
    for schema in schemas:
        found["elementFormDefault"] = schema.get("elementFormDefault", "unqualified")
        found["attributeFormDefault"] = schema.get("attributeFormDefault", "unqualified")
        for row in schema.iter(f"{X}element"):
            if row.get("form", "unqualified") != "unqualified":
                found[row.get("name") or "?"] = row.get("form")
    return found


def operation(description: Any, name: str) -> dict[str, Any]:
    """An operation as port type, messages and binding say it together; empty if there is none of that name."""
    found = {}
    for row in description.operations():
        if row.get("name") == name:
            for child in row.iterchildren(f"{W}*"):
                kind, message = _local(child), description.message(row, _local(child))
                if kind == "documentation":
                    continue
                found[f"name of the {kind}"] = child.get("name")
                found[f"message of the {kind}"] = None if message is None else message.get("name")
                found[f"parts of the {kind}"] = [] if message is None else [
                    (part.get("name"), qualified(part, "element")) for part in message.iterfind(f"{W}part")
                ]  # fmt: skip
    for row in description.wsdl.iterfind(f"{W}binding/{W}operation"):
        if row.get("name") == name:
            soap = row.find(f"{S}operation")
            found["soapAction"] = "" if soap is None else soap.get("soapAction", "")
            found["bound"] = sorted(_local(child) for child in row.iterchildren(f"{W}*") if _local(child) != "documentation")
    return found


def names(description: Any) -> dict[str, Any]:
    """The names that generated clients carry: target namespace, port type, binding, service, port, operations."""
    wsdl = description.wsdl
    found: dict[str, Any] = {"targetNamespace": wsdl.get("targetNamespace")}
    for kind in ("portType", "binding", "service"):
        found[kind] = [row.get("name") for row in wsdl.iterfind(W + kind)]
    found["port"] = [row.get("name") for row in wsdl.iterfind(f"{W}service/{W}port") if row.find(f"{S}address") is not None]
    found["operations"] = sorted(row.get("name") or "" for row in description.operations())
    return found


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """In words, what `found` lacks, has too much or has otherwise."""
    said = [f"{name} is missing" for name in wanted if name not in found]
    said += [f"{name} is not in the contract" for name in found if name not in wanted]
    said += [f"{name}: {_first(found[name], said_there)}" for name, said_there in wanted.items() if
             name in found and found[name] != said_there]  # fmt: skip
    return said


def _first(found: Any, wanted: Any) -> str:
    """The first thing in which two values differ."""
    if isinstance(found, list) and isinstance(wanted, list):
        for one, other in zip(found, wanted, strict=False):
            if one != other:
                return f"{_word(one)} instead of {_word(other)}"
        longer = found if len(found) > len(wanted) else wanted
        return f"{_word(longer[min(len(found), len(wanted))])} is {'too much' if longer is found else 'missing'}"
    return f"{_word(found)} instead of {_word(wanted)}"


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value if part is not None)
    return repr(value)


def _local(row: Any) -> str:
    return str(row.tag).rpartition("}")[2]


def _base(row: Any) -> Any:
    restriction = row.find(f"{X}restriction")
    return _local(row[0]) if restriction is None else qualified(restriction, "base")


def _content(row: Any) -> Any:
    """Of a complex type: the base, and the elements in order. Anything that is not a sequence stands there as itself."""
    extension = row.find(f"{X}complexContent/{X}extension")
    holder = row if extension is None else extension
    found: list[Any] = [] if extension is None else [("extends", *qualified(extension, "base"))]
    for group in holder.iterchildren("{*}*"):
        if group.tag in _NOTES or _local(group) == "complexContent":
            continue
        if group.tag != f"{X}sequence":
            found.append((_local(group), *(f"{key}={value}" for key, value in sorted(group.attrib.items()))))
        found += [_element(child) for child in group.iterchildren("{*}*") if child.tag not in _NOTES]
    return found


def _element(row: Any) -> tuple:
    namespace, local = qualified(row, "type") if row.get("type") else (None, _local(row))
    low, high = row.get("minOccurs", "1"), row.get("maxOccurs", "1")
    nillable = "nillable" if row.get("nillable") in ("true", "1") else None
    return (row.get("name") or qualified(row, "ref")[1], f"{{{namespace}}}{local}", f"{low}..{high}", nillable)
