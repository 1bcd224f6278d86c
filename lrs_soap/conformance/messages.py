"""Requests, made of element names and texts in the order of the contract, and valid ones for every operation."""

from collections.abc import Iterator
from typing import Any

from lxml import etree

from lrs_soap import contract

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

# One valid value for each simple type of the requests whose pattern or range "Ann" and "1" do not fit.
EXAMPLES = {
    "MIAPOrganisationRef": "NOBODY",
    "MIAPUKPRN": "NOBODY00",
    "MIAPULN": "4123999998",
    "MIAPULNNillable": "4123999998",
    "MIAPOrgPassword": "0123456789abcdef",
    "MIAPDate": "2004-03-17",
    "MIAPDateNillable": "2004-03-17",
    "MIAPGender": "2",
    "MIAPGenderNillable": "2",
    "MIAPPostCode": "LS6 2AB",
    "MIAPPostCodeNillable": "LS6 2AB",
    "MIAPEmail": "ann@example.org",
    "MIAPScottishCandidateNumber": "123456789",
    "MIAPVerificationType": "1",
    "MIAPAbilityToShare": "1",
    "MIAPBatchJobType": "CHK",
    "MIAPFindType": "CHK",
    "MIAPUserType": "ORG",
    "MIAPContactType": "FTF",
}


def envelope(body: str, header: str = "") -> bytes:
    """`body`, the text of what stands in the Body, in a SOAP 1.1 envelope."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}">'
        f"{header}<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def message(operation: str, values: dict[str, Any]) -> bytes:
    """The envelope that calls `operation` with `values`, which `element` describes."""
    return envelope(text(operation, values))


def text(operation: str, values: dict[str, Any]) -> str:
    """The body element as text."""
    return etree.tostring(element(operation, values), encoding="unicode")


def element(operation: str, values: dict[str, Any]) -> etree._Element:
    """The body element of a request.

    values: texts by element name, dots leading into nested elements, a list for an element that repeats, None for one
    to leave out. Elements stand in the order of the contract, those it does not have behind them. An operation that
    the WSDL does not have is an element of that name in the namespace of the finds.
    """
    row = contract.OPERATIONS.get(operation)
    request = row.request if row else f"{{http://api.lrs.miap.gov.uk/findmsg}}{operation}"
    root = etree.Element(request, nsmap={"m": request[1:].partition("}")[0]})
    _fill(root, row.request_type.fields if row else (), values)
    return root


def _fill(parent: etree._Element, fields: Any, values: dict[str, Any]) -> None:
    tree: dict[str, Any] = {}
    for path, value in values.items():
        name, _, rest = path.partition(".")
        if rest:
            tree.setdefault(name, {})[rest] = value
        elif value is not None:
            tree[name] = value
    order = {field.name: number for number, field in enumerate(fields)}
    types = {field.name: field.complex for field in fields}
    for name in sorted(tree, key=lambda name: order.get(name, len(order))):
        for item in tree[name] if isinstance(tree[name], list) else [tree[name]]:
            child = etree.SubElement(parent, name)
            if isinstance(item, dict):
                _fill(child, types[name].fields if types.get(name) is not None else (), item)
            else:
                child.text = item


def leaves(kind: contract.ComplexType, prefix: str = "") -> Iterator[tuple[str, contract.Field]]:
    """Every field of a request that holds a value, with its path, in document order."""
    for field in kind.fields:
        if field.complex is None:
            yield prefix + field.name, field
        else:
            yield from leaves(field.complex, f"{prefix}{field.name}.")


def example(operation: str, full: bool = False, **values: Any) -> dict[str, Any]:
    """Values that make a valid request of no known organisation, so that it changes nothing. full: with every optional
    element. values: replace or add to them."""
    made = {
        path: of_type(field)
        for path, field in leaves(contract.OPERATIONS[operation].request_type)
        if full or field.min_occurs or path == "OrganisationRef"
    }
    return made | values


def of_type(field: contract.Field) -> str:
    """A valid value of a field."""
    return EXAMPLES.get(field.simple.name) or ("Ann" if field.simple.base == "string" else "1")
