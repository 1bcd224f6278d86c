"""Judges a simple value as Xerces does, and resolves the types that xsi:type may name.

The order of checks is Xerces's: patterns, then the lexical form, then lengths or ranges.
"""

import dataclasses
import functools
import re

from lrs_soap import contract, xsd
from lrs_soap.wire import parser, sent

XS_NAMESPACE = xsd.XS[1:-1]
BLANK = " \t\n\r"  # white space as XML knows it

_INTEGER = re.compile(r"[+-]?[0-9]+")

# xsi:type may name any built-in type. Those derived from the contract's int and long are legal where it says so.
_SHORT = dataclasses.replace(xsd.BUILTIN["int"], name="short", min_inclusive=-(2**15), max_inclusive=2**15 - 1)
_BYTE = dataclasses.replace(_SHORT, name="byte", min_inclusive=-(2**7), max_inclusive=2**7 - 1)
_DERIVED = {"short": _SHORT, "byte": _BYTE}
_BUILTIN_BASE = {"int": "long", "short": "int", "byte": "short"}
_OTHER_BUILTIN = frozenset(
    "anyType anySimpleType boolean decimal float double duration dateTime time date gYearMonth gYear gMonthDay gDay "
    "gMonth hexBinary base64Binary anyURI QName NOTATION normalizedString token language NMTOKEN NMTOKENS Name NCName "
    "ID IDREF IDREFS ENTITY ENTITIES integer nonPositiveInteger negativeInteger nonNegativeInteger unsignedLong "
    "unsignedInt unsignedShort unsignedByte positiveInteger".split()
)

_SIMPLE_NAMESPACES = {
    row.get("name"): schema.get("targetNamespace")
    for name, data in contract.FILES.items()
    if name.endswith(".xsd")
    for schema in [parser.parse(data)]
    for row in schema.iter(f"{xsd.XS}simpleType")
}

Type = xsd.ComplexType | xsd.SimpleType


def value_error(value: str, type_: xsd.SimpleType, shown: str) -> str | None:
    """Why `value` is not of the type, in Xerces's words, or None if it is.

    shown: the value as it may appear in the message; for sent.MASK no true length appears either.
    """
    if type_.patterns and not pattern(type_.name).fullmatch(value):
        patterns = "|".join(type_.patterns)
        return _not_facet_valid("pattern", shown, patterns, type_)
    return _length_error(value, type_, shown) if type_.base == "string" else _range_error(value, type_, shown)


def _length_error(value: str, type_: xsd.SimpleType, shown: str) -> str | None:
    length = len(value)
    facet = None
    if type_.max_length is not None and length > type_.max_length:
        facet, limit = "maxLength", type_.max_length
    elif type_.min_length is not None and length < type_.min_length:
        facet, limit = "minLength", type_.min_length
    if facet is None:
        return None
    counted = "*" if shown == sent.MASK else length
    return (
        f"cvc-{facet}-valid: Value '{shown}' with length = '{counted}' is not facet-valid with respect to {facet} "
        f"'{limit}' for type '{type_.name}'."
    )


def _range_error(value: str, type_: xsd.SimpleType, shown: str) -> str | None:
    digits = value.strip(BLANK)
    if not _INTEGER.fullmatch(digits):
        return f"cvc-datatype-valid.1.2.1: '{shown}' is not a valid value for 'integer'."
    number = _number(digits)
    if number > type_.max_inclusive:
        return _not_facet_valid("maxInclusive", shown, type_.max_inclusive, type_)
    if number < type_.min_inclusive:
        return _not_facet_valid("minInclusive", shown, type_.min_inclusive, type_)
    return None


def _number(digits: str) -> int:
    """The number, or for one of more digits than any type holds just one that is out of every range: turning
    thousands of digits into an int is slow, and Python refuses it."""
    negative, digits = digits.startswith("-"), digits.lstrip("+-").lstrip("0")
    number = int(digits or "0") if len(digits) <= 20 else 10**20
    return -number if negative else number


def _not_facet_valid(facet: str, shown: str, limit: object, type_: xsd.SimpleType) -> str:
    name = type_.name
    return f"cvc-{facet}-valid: Value '{shown}' is not facet-valid with respect to {facet} '{limit}' for type '{name}'."


@functools.cache
def pattern(name: str) -> re.Pattern:
    """The patterns of a simple type as one expression. ASCII, so that \\s is XML's white space; the contract's
    patterns use nothing else that XML Schema and Python read differently (a test holds them to that)."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in contract.SIMPLE_TYPES[name].patterns), re.ASCII)


def resolve(namespace: str | None, name: str) -> Type | None:
    """The type that a qualified name stands for, or None if there is none."""
    if namespace == XS_NAMESPACE:
        if name in _OTHER_BUILTIN:
            return xsd.SimpleType(name, name)
        return xsd.BUILTIN.get(name) or _DERIVED.get(name)
    if name in contract.TYPES and contract.TYPES[name].namespace == namespace:
        return contract.TYPES[name]
    return contract.SIMPLE_TYPES.get(name) if _SIMPLE_NAMESPACES.get(name) == namespace else None


def derives(type_: Type, declared: Type) -> bool:
    """Whether xsi:type may name `type_` for an element of the type `declared`: the same or one derived from it."""
    name: str | None = type_.name
    while name is not None and name != declared.name:
        if name in contract.TYPES:
            name = contract.TYPES[name].base
        elif name in contract.SIMPLE_TYPES:
            name = contract.SIMPLE_TYPES[name].base
        else:
            name = _BUILTIN_BASE.get(name)
    return name is not None
