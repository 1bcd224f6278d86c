"""Between the XML of the contract and its dataclasses, in both directions.

Decoders and encoders are compiled once from `contract.TYPES`; no element is named here. A decoder takes an element
that the schema has accepted; an encoder writes text that the schema accepts if the values keep the facets.
"""

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from lrs_soap import contract, frozen, model

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

# A carriage return written as itself would be read back as a line feed (XML 1.0, 2.11).
_TO_ESCAPE = re.compile("[&<>\r]")
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}

Decoder = Callable[[etree._Element], Any]
Encoder = Callable[[Any], str]


def escape(text: str) -> str:
    """`text` as XML character data."""
    return text.translate(_ESCAPES) if _TO_ESCAPE.search(text) else text


def _integer(element: etree._Element) -> int:
    return int(element.text)


def _reader(field: contract.Field) -> Decoder:
    return _integer if field.complex is None else decoder(field.complex)


_DECODERS: dict[str, Decoder] = {}
_ENCODERS: dict[str, Encoder] = {}


def decoder(complex_type: contract.ComplexType) -> Decoder:
    """The function that turns a valid element of `complex_type` into its dataclass of `model`.

    An absent element and one with xsi:nil="true" become None (or the empty tuple); an empty one becomes "".
    """
    if complex_type.name not in _DECODERS:
        _DECODERS[complex_type.name] = _compile_decoder(complex_type)
    return _DECODERS[complex_type.name]


def _compile_decoder(complex_type: contract.ComplexType) -> Decoder:
    make = frozen.maker(getattr(model, complex_type.name), [field.attribute for field in complex_type.fields])
    places = {
        field.name: (number, None if field.simple and field.simple.base == "string" else _reader(field))
        for number, field in enumerate(complex_type.fields)
    }
    nillable = {field.name for field in complex_type.fields if field.nillable}
    many = [number for number, field in enumerate(complex_type.fields) if field.max_occurs != 1]
    absent = [None] * len(complex_type.fields)

    def decode(element: etree._Element) -> Any:
        values = absent.copy()
        for number in many:
            values[number] = []
        for child in element:
            tag = child.tag
            if tag not in places:
                continue  # what else a derived type, named by xsi:type, may hold is not part of this message
            number, read = places[tag]
            value = (child.text or "") if read is None else read(child)
            if number in many:
                values[number].append(value)
            elif value or tag not in nillable or child.get(NIL, "").strip() not in ("true", "1"):
                values[number] = value
        for number in many:
            values[number] = tuple(values[number])
        return make(values)

    return decode


def encoder(complex_type: contract.ComplexType) -> Encoder:
    """The function that gives the XML of a value's children. None and () are left out."""
    if complex_type.name not in _ENCODERS:
        _ENCODERS[complex_type.name] = _compile_encoder(complex_type)
    return _ENCODERS[complex_type.name]


def _compile_encoder(complex_type: contract.ComplexType) -> Encoder:
    """Written out as one would write it by hand for the type, which takes a third of the time of a loop over fields."""
    names: dict[str, Any] = {"escape": escape}
    fields = list(enumerate(complex_type.fields))
    plain = {f"v{number}": field.simple.base for number, field in fields if field.max_occurs == 1 and field.simple is not None}
    lines = ["def encode(value):", *(f"    v{number} = value.{field.attribute}" for number, field in fields)]
    if plain:
        # Looked at all at once, numbers as they will be printed: hardly any reply has a character to escape.
        texts = [name if base == "string" else f"f'{{{name}}}'" for name, base in plain.items()]
        lines.append(f"    raw = ''.join(filter(None, ({', '.join(texts)},)))")
        lines.append("    if '&' in raw or '<' in raw or '>' in raw or '\\r' in raw:")
        lines += [f"        if isinstance({name}, str): {name} = escape({name})" for name in plain]
    parts = []
    for number, field in fields:
        item = f"v{number}" if field.max_occurs == 1 else "item"
        if field.complex is not None:
            names[f"nested{number}"] = encoder(field.complex)
            item = f"nested{number}({item})"
        elif field.max_occurs != 1:
            item = f"escape({item})" if field.simple.base == "string" else item
        element = f"f'<{field.name}>{{{item}}}</{field.name}>'"
        if field.max_occurs == 1:
            parts.append(f"'' if v{number} is None else {element}")
        else:
            parts.append(f"''.join([{element} for item in v{number}])")
    lines.append(f"    return ''.join(({', '.join(parts)},))")
    exec(compile("\n".join(lines), f"<encoder of {complex_type.name}>", "exec"), names)
    return names["encode"]


def element_encoder(qualified_name: str) -> Callable[[Any], str]:
    """The function that writes a value as the global element `{namespace}Name`, children unqualified."""
    namespace, name = qualified_name[1:].split("}")
    encode = encoder(contract.ELEMENTS[qualified_name])
    return lambda value: f'<ns1:{name} xmlns:ns1="{namespace}">{encode(value)}</ns1:{name}>'
