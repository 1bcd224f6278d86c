"""Between the dataclasses of lrs_soap.model and what zeep takes and gives, by the field specs of the contract."""

import datetime
from typing import Any

from lrs_soap import codes, contract, model

# Elements whose values are codes, and the tables they come from; no code stands in two tables of one element.
_TABLES = {
    "ResponseCode": (codes.ResponseCode, codes.VerificationCode),
    "FailureFlag": (codes.FailureFlag,),
    "ReturnCode": (codes.ReturnCode,),
    "JobStatus": (codes.JobStatus,),
}


class Unreadable(ValueError):
    """A reply lacks a mandatory element."""


def code(element: str, text: str) -> str:
    """The member of the table of `element` that `text` stands for; `text` itself when no table has it."""
    for table in _TABLES.get(element, ()):
        if text in table._value2member_map_:
            return table(text)
    return text


def encode(value: Any, kind: contract.ComplexType) -> dict[str, Any]:
    """`value`, a dataclass of the type `kind`, as the keyword arguments zeep takes. None is left out; a date may stand
    for its "yyyy-MM-dd"."""
    fields = ((field, getattr(value, field.attribute)) for field in kind.fields)
    return {field.name: _encode(item, field) for field, item in fields if item is not None and item != ()}


def _encode(item: Any, field: contract.Field) -> Any:
    if field.max_occurs != 1:
        return [_encode_one(one, field) for one in item]
    return _encode_one(item, field)


def _encode_one(item: Any, field: contract.Field) -> Any:
    if field.complex is not None:
        return encode(item, field.complex)
    if isinstance(item, datetime.date):
        return item.isoformat()
    # A code is a str and an enum member, whose text in some Pythons would be its name.
    return str(item) if isinstance(item, str) else item


def decode(result: Any, kind: contract.ComplexType) -> Any:
    """The dataclass of the type `kind` that holds `result`, what zeep gave. Raises Unreadable for a mandatory element
    that is absent."""
    if len(kind.fields) == 1 and not hasattr(result, kind.fields[0].name):
        # zeep gives the only element of a reply instead of the reply.
        (field,) = kind.fields
        return getattr(model, kind.name)(**{field.attribute: _decode(result, field)})
    values = {field.attribute: _decode(getattr(result, field.name, None), field) for field in kind.fields}
    return getattr(model, kind.name)(**values)


def _decode(item: Any, field: contract.Field) -> Any:
    if field.max_occurs != 1:
        return tuple(_decode_one(one, field) for one in item or ())
    if item is None and field.min_occurs == 0:
        return None
    return _decode_one(item, field)


def _decode_one(item: Any, field: contract.Field) -> Any:
    if item is None:
        # zeep does not tell an empty element from an absent one: a mandatory text without facets may be empty.
        if field.simple is None or field.simple.base != "string" or field.name in _TABLES or field.simple.min_length:
            raise Unreadable(f"the element {field.name} is missing")
        return ""
    if field.complex is not None:
        return decode(item, field.complex)
    return code(field.name, item)
