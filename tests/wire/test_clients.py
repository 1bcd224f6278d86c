"""Clients that others wrote, and ours, against the running server: every operation, from the WSDL it serves."""

import dataclasses

import pytest
import requests
import suds.client
import suds.sudsobject
import zeep
import zeep.exceptions
import zeep.helpers
from support import outcomes, soap

from lrs_soap import client, codes, contract, model

# One row for each operation, and what must be told apart: a fault.
CASES = [
    "uln-merged",
    "find-best-first",
    "retrieve-all-kinds",
    "verify-names-swapped",
    "register-existing",
    "update-no-changes",
    "record-merged",
    "report-merged-found",
    "report-deleted-found",
    "batch-count-mismatch",
    "batch-output",
    "verify-batch-count-mismatch",
    "verify-batch-output",
]
FAULT = "fault-wrong-password"


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """What a client made of a reply: the codes and flags, or the fault's five values."""

    said: list[str]
    fault: dict[str, str] | None = None


def nested(values: dict) -> dict:
    """Dotted names as nested dictionaries, without what is left out."""
    tree: dict = {}
    for path, value in values.items():
        name, _, rest = path.partition(".")
        if rest:
            tree.setdefault(name, {})[rest] = value
        elif value is not None:
            tree[name] = value
    return tree


def heard_in(reply) -> Heard:
    """What stands in a reply; zeep and suds give the only element of a reply instead of the reply."""
    return Heard([str(reply)] if isinstance(reply, str) else collect(reply))


def collect(value, names=("ResponseCode", "ReturnCode", "FailureFlag")) -> list[str]:
    """The texts of the elements of these names in what zeep or suds made of a reply, in order."""
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in collect(item, names)]
    if isinstance(value, dict):
        found = []
        for name, item in value.items():
            if name in names:
                found += [
                    str(text) for text in (item if isinstance(item, (list, tuple)) else [item]) if text is not None
                ]
            else:
                found += collect(item, names)
        return found
    return []


def by_zeep(sandbox, row) -> Heard:
    """zeep as it comes, from the WSDL that the server serves."""
    with requests.Session() as session:
        transport = zeep.Transport(session=session, timeout=20, operation_timeout=20)
        service = zeep.Client(f"{sandbox.url}?wsdl", transport=transport).service
        try:
            reply = getattr(service, row.operation)(**nested(row.values))
        except zeep.exceptions.Fault as fault:
            assert fault.code == "soapenv:Server"
            (element,) = fault.detail
            return Heard([element.findtext("ErrorCode")], {child.tag: child.text for child in element})
        return heard_in(zeep.helpers.serialize_object(reply, dict))


def by_suds(sandbox, row) -> Heard:
    """suds-community from the same WSDL."""
    service = suds.client.Client(f"{sandbox.url}?wsdl", cache=None, timeout=20)
    try:
        reply = getattr(service.service, row.operation)(**nested(row.values))
    except suds.WebFault as fault:
        detail = fault.fault.detail.MIAPAPIException
        return Heard([str(detail.ErrorCode)], {name: str(value) for name, value in suds.sudsobject.items(detail)})
    return heard_in(plain(reply))


def plain(value):
    """A suds object as dictionaries and lists."""
    if isinstance(value, suds.sudsobject.Object):
        return {name: plain(item) for name, item in suds.sudsobject.items(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def by_raw_xml(sandbox, row) -> Heard:
    """Hand-made XML."""
    answer = soap.answer(sandbox.post(row.message))
    return Heard(outcomes.said(answer), {child.tag: child.text for child in answer.body} if answer.is_fault else None)


def by_lrs_client(sandbox, row) -> Heard:
    """LrsClient with the packaged WSDL."""
    return _lrs_client(row, sandbox.url, None)


def by_lrs_client_from_the_wsdl(sandbox, row) -> Heard:
    """LrsClient with the WSDL that the server serves."""
    return _lrs_client(row, None, f"{sandbox.url}?wsdl")


CALLER = ("OrganisationRef", "UKPRN", "OrgPassword", "UserName")


def _lrs_client(row, url, wsdl) -> Heard:
    fields = {contract.attribute_name(name): row.values[name] for name in CALLER if row.values.get(name)}
    kind = contract.OPERATIONS[row.operation].request_type
    parameters = {name: value for name, value in nested(row.values).items() if name not in CALLER}
    with client.LrsClient(url, wsdl=wsdl, timeout=20, **fields) as service:
        try:
            reply = service.call(row.operation, **_attributes(parameters, kind))
        except client.LrsServiceFault as fault:
            values = {"ErrorCode": fault.error_code, "ErrorActor": fault.error_actor, "Description": fault.description,
                      "FurtherDetails": fault.further_details, "ErrorTimestamp": fault.error_timestamp}  # fmt: skip
            return Heard([fault.error_code], values)
    return Heard(collect(dataclasses.asdict(reply), ("response_code", "return_code", "failure_flag")))


def _attributes(values: dict, kind: contract.ComplexType) -> dict:
    made = {}
    for field in kind.fields:
        if field.name in values:
            value = values[field.name]
            if field.complex is not None:
                items = [_value(item, field.complex) for item in (value if isinstance(value, list) else [value])]
                value = tuple(items) if field.max_occurs != 1 else items[0]
            elif field.simple.base in ("int", "long"):
                value = int(value)
            made[field.attribute] = value
    return made


def _value(values: dict, kind: contract.ComplexType):
    return getattr(model, kind.name)(**_optional(kind) | _attributes(values, kind))


def _optional(kind: contract.ComplexType) -> dict:
    return {field.attribute: None for field in kind.fields if field.min_occurs == 0 and field.max_occurs == 1}


CLIENTS = [by_zeep, by_suds, by_raw_xml, by_lrs_client, by_lrs_client_from_the_wsdl]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("call", CLIENTS)
def test_every_operation_with_every_client(sandbox, call, case):
    row = outcomes.named(case)
    assert call(sandbox, row).said == row.expected


@pytest.mark.parametrize("call", CLIENTS)
def test_every_client_reads_all_of_a_fault(sandbox, call):
    heard = call(sandbox, outcomes.named(FAULT))
    assert heard.said == ["WSEC0005"]
    assert list(heard.fault) == ["ErrorCode", "ErrorActor", "Description", "FurtherDetails", "ErrorTimestamp"]
    assert heard.fault["Description"] == codes.ErrorCode.WRONG_PASSWORD.meaning


def test_the_cases_are_of_every_operation():
    assert {outcomes.named(case).operation for case in CASES} == {
        row.operation for row in outcomes.rows() if row.operation in contract.OPERATIONS
    }
