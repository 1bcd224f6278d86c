"""Between the XML of the contract and its dataclasses, in both directions.

Decoders and encoders are compiled once from `contract.TYPES`; no element is named here. A decoder takes an element
that the schema has accepted; an encoder writes text that the schema accepts if the values keep the facets.
"""

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from lrs_soap import contract, model

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

# A carriage return written as itself would be read back as a line feed (XML 1.0, 2.11).
_TO_ESCAPE = re.compile("[&<>\r]")
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}

Decoder = Callable[[etree._Element], Any]
Encoder = Callable[[Any, list[str]], None]


def escape(text: str) -> str:
    """`text` as XML character data."""
    return text.translate(_ESCAPES) if _TO_ESCAPE.search(text) else text


def _text(element: etree._Element) -> str:
    return element.text or ""


def _integer(element: etree._Element) -> int:
    return int(element.text)


def _reader(field: contract.Field) -> Decoder:
    if field.complex is not None:
        return decoder(field.complex)
    return _text if field.simple.base == "string" else _integer


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
    factory = getattr(model, complex_type.name)
    single = {f.name: (f.attribute, _reader(f), f.nillable) for f in complex_type.fields if f.max_occurs == 1}
    many = {f.name: (f.attribute, _reader(f)) for f in complex_type.fields if f.max_occurs != 1}

    def decode(element: etree._Element) -> Any:
        values: dict[str, Any] = {}
        for child in element:
            tag = child.tag
            if tag in single:
                attribute, read, nillable = single[tag]
                if not (nillable and child.get(NIL, "").strip() in ("true", "1")):
                    values[attribute] = read(child)
            elif tag in many:
                attribute, read = many[tag]
                values.setdefault(attribute, []).append(read(child))
            # What else a derived type, named by xsi:type, may hold is not part of this message.
        for attribute, _ in many.values():
            values[attribute] = tuple(values.get(attribute, ()))
        return factory(**values)

    return decode


def encoder(complex_type: contract.ComplexType) -> Encoder:
    """The function that appends the XML of a value's children, as text, to a list. None and () are left out."""
    if complex_type.name not in _ENCODERS:
        _ENCODERS[complex_type.name] = _compile_encoder(complex_type)
    return _ENCODERS[complex_type.name]


def _compile_encoder(complex_type: contract.ComplexType) -> Encoder:
    """Written out as the Python one would write by hand for the type, which takes half the time of a loop over fields."""
    names: dict[str, Any] = {"escape": escape}
    lines = ["def encode(value, out):", "    append = out.append"]
    for number, field in enumerate(complex_type.fields):
        lines.append(f"    item = value.{field.attribute}")
        if field.max_occurs != 1:
            lines.append("    for item in item:")
        else:
            lines.append("    if item is not None:")
        if field.complex is not None:
            names[f"nested{number}"] = encoder(field.complex)
            lines.append(f"        append('<{field.name}>'); nested{number}(item, out); append('</{field.name}>')")
        else:
            text = "escape(item)" if field.simple.base == "string" else "item"
            lines.append(f"        append(f'<{field.name}>{{{text}}}</{field.name}>')")
    exec(compile("\n".join(lines), f"<encoder of {complex_type.name}>", "exec"), names)
    return names["encode"]


def element_encoder(qualified_name: str) -> Callable[[Any], str]:
    """The function that writes a value as the global element `{namespace}Name`, children unqualified."""
    namespace, name = qualified_name[1:].split("}")
    encode = encoder(contract.ELEMENTS[qualified_name])
    start, end = f'<ns1:{name} xmlns:ns1="{namespace}">', f"</ns1:{name}>"

    def write(value: Any) -> str:
        out = [start]
        encode(value, out)
        out.append(end)
        return "".join(out)

    return write
