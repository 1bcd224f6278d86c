"""The bytes of a fault, to the letter: prefixes soapenv and ns10, children unqualified."""

import datetime

from lrs_soap import binding, codes, contract, errors

SOAP_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
# D: the faultstring of every declared fault, from the class the historic service threw.
FAULTSTRING = "uk.gov.miap.lrs.api.exceptions.MIAPAPIException"

ENVELOPE_START = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<soapenv:Envelope xmlns:soapenv="{SOAP_ENVELOPE}"><soapenv:Body>'
)
ENVELOPE_END = "</soapenv:Body></soapenv:Envelope>"

_NAMESPACE, _NAME = contract.FAULT_ELEMENT[1:].split("}")


def declared(fault: errors.LrsFault, at: datetime.datetime) -> bytes:
    """The reply for a MIAPAPIException. D: faultcode Server also for the caller's mistakes; prefix literally ns10.

    at: the time in England, written as yyyy-MM-dd HH:mm:ss.
    """
    children = (
        ("ErrorCode", fault.code.value),
        ("ErrorActor", codes.ERROR_ACTOR[fault.code]),
        ("Description", fault.code.meaning),
        ("FurtherDetails", fault.further_details),
        ("ErrorTimestamp", at.strftime("%Y-%m-%d %H:%M:%S")),
    )
    detail = "".join(f"<{name}>{binding.escape(value)}</{name}>" for name, value in children)
    return _fault("Server", FAULTSTRING, f'<detail><ns10:{_NAME} xmlns:ns10="{_NAMESPACE}">{detail}</ns10:{_NAME}></detail>')


def soap(error: errors.SoapError) -> bytes:
    """The reply for a fault that is SOAP's own: no detail, since the body was not processed (SOAP 1.1, 4.4)."""
    return _fault(error.faultcode, error.faultstring, "")


def _fault(code: str, string: str, detail: str) -> bytes:
    return (
        f"{ENVELOPE_START}<soapenv:Fault><faultcode>soapenv:{code}</faultcode>"
        f"<faultstring>{binding.escape(string)}</faultstring>{detail}</soapenv:Fault>{ENVELOPE_END}"
    ).encode()
