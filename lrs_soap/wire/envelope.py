"""The SOAP 1.1 envelope of a request: what is in it, and what must not be."""

from typing import Any

from lrs_soap import errors
from lrs_soap.wire import faults

_ENVELOPE = f"{{{faults.SOAP_ENVELOPE}}}Envelope"
_HEADER = f"{{{faults.SOAP_ENVELOPE}}}Header"
_BODY = f"{{{faults.SOAP_ENVELOPE}}}Body"
_MUST_UNDERSTAND = f"{{{faults.SOAP_ENVELOPE}}}mustUnderstand"
_ACTOR = f"{{{faults.SOAP_ENVELOPE}}}actor"
_NEXT_ACTOR = "http://schemas.xmlsoap.org/soap/actor/next"


def body_element(envelope: Any) -> Any:
    """The one element in the Body of a SOAP 1.1 envelope.

    Raises VersionMismatch for another envelope (SOAP 1.1, 4.4), MustUnderstand for a header block meant for us that
    is marked so (4.2.3: nothing is understood here), InvalidRequest for what is not one Body with one element.
    """
    if envelope.tag != _ENVELOPE:
        if str(envelope.tag).endswith("}Envelope"):
            raise errors.VersionMismatch("The envelope is not of SOAP 1.1 (http://schemas.xmlsoap.org/soap/envelope/).")
        raise errors.InvalidRequest("The message is not a SOAP envelope.", reason="no-envelope")
    children = list(envelope)
    if children and children[0].tag == _HEADER:
        _check_header(children.pop(0))
    if not children or children[0].tag != _BODY:
        raise errors.InvalidRequest("The SOAP envelope has no Body, or not in its place.", reason="no-body")
    if len(children) > 1:
        # P: SOAP 1.1 allows elements behind the Body, no client sends any, and a second Body would mean two things.
        raise errors.InvalidRequest("Nothing may follow the SOAP Body.", reason="after-body")
    entries = list(children[0])
    if len(entries) != 1:
        found = "is empty" if not entries else f"has {len(entries)} child elements"
        raise errors.InvalidRequest(f"The SOAP Body {found}; it must have exactly one.", reason="body-children")
    return entries[0]


def raw_name(element: Any) -> str:
    """The element's name as it was written, with its prefix."""
    local = str(element.tag).rpartition("}")[2]
    return f"{element.prefix}:{local}" if element.prefix else local


def _check_header(header: Any) -> None:
    for block in header:
        meant_for_us = block.get(_ACTOR, "") in ("", _NEXT_ACTOR)
        if meant_for_us and block.get(_MUST_UNDERSTAND, "").strip() in ("1", "true"):
            raise errors.MustUnderstand("A header block marked mustUnderstand is not understood.")
