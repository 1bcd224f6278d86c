"""What is to be said of a request and of its reply: the operation, the code, and whether the schema accepts them."""

from typing import NamedTuple

from lxml import etree

from lrs_soap import contract, errors
from lrs_soap.wire import envelope, faults, parser, xerces

VALID = "valid"

_FAULT = f"{{{faults.SOAP_ENVELOPE}}}Fault"
# More codes than these are those of retrieveULNs, or of a batch: the reply shows them.
_MOST_CODES = 3


class Judgement(NamedTuple):
    """subject: a request's operation or a reply's code, "" if there is none. verdict: VALID, or what is wrong."""

    subject: str
    verdict: str


def request(data: bytes, charset: str | None) -> Judgement:
    """The operation that a message asks for, and what the service thinks of its form."""
    body, problem = _body(data, charset)
    if body is None:
        return Judgement("", problem)
    operation = contract.BY_REQUEST.get(body.tag)
    if operation is None:
        return Judgement("", xerces.unknown_root(envelope.raw_name(body)))
    return Judgement(operation.name, xerces.violation(body) or VALID)


def reply(data: bytes) -> Judgement:
    """The code that a reply gives, and what the schema thinks of it; of a fault, what it thinks of the detail."""
    body, problem = _body(data, None)
    if body is None:
        return Judgement("", problem)
    if body.tag != _FAULT:
        codes = list(dict.fromkeys(element.text or "" for element in body.iter("ResponseCode")))
        more = ", ..." if len(codes) > _MOST_CODES else ""
        return Judgement(", ".join(codes[:_MOST_CODES]) + more, xerces.violation(body) or VALID)
    details = [child for detail in body.iterchildren("detail") for child in detail.iterchildren(etree.Element)]
    code = body.findtext(".//ErrorCode") or (body.findtext("faultcode") or "").rpartition(":")[2]
    violations = [violation for detail in details if (violation := xerces.violation(detail))]
    return Judgement(code, violations[0] if violations else VALID)


def _body(data: bytes, charset: str | None) -> tuple[etree._Element | None, str]:
    try:
        return envelope.body_element(parser.parse(data, charset)), ""
    except errors.InvalidRequest as error:
        return None, error.further_details
    except errors.SoapError as error:
        return None, error.faultstring
