"""The forms in which clients write one and the same message: encodings, white space, prefixes, attributes."""

import pytest
from support import outcomes, server, soap

FOUND = outcomes.named("uln-exact").message
# The same names as those of the row, spelled so that every encoding has something to encode.
ACCENTED = FOUND.decode().replace("<GivenName>Eleanor<", "<GivenName>Éléanor<")


def codes_of(reply: server.Reply) -> list[str]:
    return outcomes.said(soap.answer(reply))


@pytest.mark.parametrize(
    ("charset", "declaration", "encoding"),
    [
        ("; charset=utf-8", "", "utf-8"),
        ("", "", "utf-8"),
        ("; charset=utf-8", '<?xml version="1.0" encoding="UTF-8"?>', "utf-8"),
        ("", '<?xml version="1.0" encoding="ISO-8859-1"?>', "iso-8859-1"),
        ("; charset=iso-8859-1", "", "iso-8859-1"),
        ("; charset=ISO-8859-1", '<?xml version="1.0" encoding="UTF-8"?>', "iso-8859-1"),
        ("; charset=utf-16", "", "utf-16"),
        ("", '<?xml version="1.0" encoding="UTF-16"?>', "utf-16"),
        ("", "", "utf-8-sig"),
        ("; charset=utf-8", '<?xml version="1.0" encoding="utf-8"?>', "utf-8-sig"),
    ],
)
def test_charsets(sandbox, charset, declaration, encoding):
    reply = sandbox.post((declaration + ACCENTED).encode(encoding), Content_Type=f"text/xml{charset}")
    answer = soap.answer(reply)
    assert outcomes.said(answer) == ["WSRC0004"]
    assert answer.body.findtext("GivenName") == "Éléanor"
    assert "Éléanor".encode() in reply.body


XSI = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
START, BODY, NAME = "<soapenv:Envelope", "<soapenv:Body>", "<GivenName>"
# What is replaced in the plain message, and by what.
FORMS = {
    "white space before": (START, " \r\n\t" + START),
    "white space after": ("</soapenv:Envelope>", "</soapenv:Envelope>\n\n"),
    "a comment before": (START, "<!-- before -->" + START),
    "a comment inside": (NAME + "Ele", NAME + "Ele<!-- no -->"),
    "CDATA": (NAME + "Eleanor", NAME + "<![CDATA[Eleanor]]>"),
    "character references": (NAME + "Eleanor", NAME + "&#69;leano&#x72;"),
    "indented": ("><", ">\r\n  <"),
    "another prefix": ("soapenv", "S"),
    "an empty Header": (BODY, "<soapenv:Header/>" + BODY),
    "a header to ignore": (BODY, '<soapenv:Header><a xmlns="urn:a">b</a></soapenv:Header>' + BODY),
    "encodingStyle": (START, START + ' soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'),
    "nil false": ("<OrganisationRef>", f'<OrganisationRef {XSI} i:nil="false">'),
    "nil true": ("<OrgPassword>", f'<UKPRN {XSI} i:nil="true"/><OrgPassword>'),
    "type of the body": ("<m:FindLearnerByULN ", f'<m:FindLearnerByULN {XSI} i:type="m:LearnerByULNRqst" '),
    "type of a value": (
        NAME,
        f'<GivenName {XSI} xmlns:l="http://api.lrs.miap.gov.uk/learner" i:type="l:MIAPNameNonEmpty">',
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_that_clients_send(sandbox, form):
    message = FOUND.decode().replace(*FORMS[form])
    assert message.encode() != FOUND
    assert codes_of(sandbox.post(message.encode())) == ["WSRC0004"]


def test_an_empty_optional_element_is_one_that_is_not_given(sandbox):
    row = outcomes.named("find-exact")
    values = row.values | {"PreviousFamilyName": "", "SchoolAtAge16": "", "EmailAddress": ""}
    assert codes_of(sandbox.post(soap.message(row.operation, values))) == ["WSRC0004"]
