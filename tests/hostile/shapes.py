"""The message that hostile ones are made of: a find that is answered, and places in it where something is put."""

from support import outcomes, soap

CANARY = "Kanarienvogel"

_ROW = outcomes.named("uln-exact")
# The canary is the user, whom the audit may name and nothing else.
VALUES = _ROW.values | {"UserName": CANARY}
VALID = soap.message(_ROW.operation, VALUES).decode()
BODY = VALID[VALID.index("<soapenv:Body>") + len("<soapenv:Body>") : VALID.index("</soapenv:Body>")]
DECLARED = '<?xml version="1.0" encoding="UTF-8"?>'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
ENVELOPE = f'<soapenv:Envelope xmlns:soapenv="{soap.ENVELOPE}">'
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"


def changed(old: str, new: str, text: str = VALID) -> bytes:
    """The message with the first `old` replaced by `new`; a row that changes nothing is a mistake."""
    if old not in text:
        raise ValueError(f"{old!r} is not in the message")
    return text.replace(old, new, 1).encode()


def envelope(body: str, header: str = "") -> bytes:
    """An envelope with anything in its Body."""
    return soap.envelope(body, header).encode()


def called(name: str, **values) -> bytes:
    """The message with other values."""
    return soap.message(name, VALUES | values)


def value(element: str, content: str) -> bytes:
    """The message with markup, or none, as the content of a value."""
    start = VALID.index(f"<{element}>") + len(element) + 2
    return (VALID[:start] + content + VALID[VALID.index(f"</{element}>") :]).encode()


def attribute(element: str, text: str) -> bytes:
    """The message with attributes written into a start tag."""
    return changed(f"<{element}", f"<{element} {text}")
