"""Too much of everything: depth, attributes, namespaces, headers, text, names, elements. Made when they are needed."""

from hostile.shapes import BODY, CANARY, ENVELOPE, VALID, attribute, called, envelope, value

MEGA = 1_000_000
_TWO = "<a b='' c=''/>"


def _attributes(number: int, name: str = "a") -> str:
    return " ".join(f'{name}{n}="{CANARY}"' for n in range(number))


def _namespaces(number: int) -> str:
    return " ".join(f'xmlns:n{n}="urn:n{n}"' for n in range(number))


def _batch(number: int) -> bytes:
    learner = {"MISIdentifier": CANARY, "GivenName": "A", "FamilyName": "B", "DateOfBirth": "2001-01-01", "Gender": "1"}
    left_out = dict.fromkeys(("FindType", "FamilyName", "GivenName", "ULN"))
    values = {"BatchJobType": "FUL", "LearnerRecordCount": "200", "BatchLearner": [learner] * number}
    return called("submitBatchRegistration", **left_out, **values)


ROWS = [
    ("255 levels", "WSEC0001 cvc-complex-type.2.4.a", lambda: envelope(BODY.replace("<FindType>", "<a>" * 240 + "</a>" * 240 + "<FindType>", 1))),
    ("300 levels", "WSEC0001 too-complex", lambda: envelope("<a>" * 300 + "</a>" * 300)),
    ("100,000 levels", "WSEC0001 too-complex", lambda: envelope("<a>" * 90_000 + "</a>" * 90_000)),
    ("a million levels, none closed", "WSEC0001 too-complex", lambda: b"<a>" * MEGA),
    ("levels of long names", "WSEC0001 too-complex", lambda: f"<{CANARY * 100}>".encode() * 5_000),
    ("levels that declare namespaces", "WSEC0001 too-complex", lambda: b'<a xmlns="urn:a" xmlns:b="urn:b">' * 50_000),
    ("a header of 300 levels", "WSEC0001 too-complex", lambda: envelope(BODY, f"<soapenv:Header>{'<a>' * 300}{'</a>' * 300}</soapenv:Header>")),
    ("10,000 attributes", "WSEC0001 cvc-complex-type.3.2.2", lambda: attribute("m:FindLearnerByULN", _attributes(10_000))),
    ("a million attributes", "WSEC0001 too-complex", lambda: ("<a " + " ".join(f"a{n}=''" for n in range(600_000)) + "/>").encode()),
    ("50,000 elements of two attributes", "WSEC0001 no-body", lambda: f'{ENVELOPE}{_TWO * 49_000}</soapenv:Envelope>'.encode()),
    ("attributes whose hashes may collide", "WSEC0001 cvc-complex-type.3.2.2", lambda: attribute(
        "m:FindLearnerByULN", " ".join(f'{a}{b}{c}{d}=""' for a in "AaBb" for b in "AaBbCc" for c in "AaBbCcDd" for d in "AaBbCcDdEeFf")
    )),
    ("1,000 namespaces", "WSRC0004", lambda: attribute("m:FindLearnerByULN", _namespaces(1_000))),
    ("10,000 namespaces", "WSRC0004", lambda: attribute("soapenv:Envelope", _namespaces(10_000))),
    ("50,000 namespaces", "WSEC0001 too-complex", lambda: attribute("soapenv:Envelope", _namespaces(50_000))),
    ("10,000 namespaces and an unknown element", "WSEC0001 cvc-complex-type.2.4.a", lambda: attribute(
        "soapenv:Envelope", _namespaces(10_000)).replace(b"<FindType>", b'<n7:a n8:b="" n9:c=""/><FindType>')),
    ("10,000 namespaces and a type", "WSEC0001 cvc-elt.4.2", lambda: attribute("soapenv:Envelope", _namespaces(10_000)).replace(
        b"<FindType>", b'<FindType xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="n7:a">')),
    ("10,000 namespaces and 89,000 attributes", "WSEC0001 too-complex", lambda: envelope(
        f"<a {_namespaces(10_000)} " + " ".join(f"n9000:a{n}=''" for n in range(89_000)) + "/>")),
    ("200,000 namespaces", "WSEC0001 too-complex", lambda: attribute("soapenv:Envelope", _namespaces(200_000))),
    ("namespaces on every level", "WSEC0001 too-complex", lambda: envelope(
        "".join(f'<a {_namespaces(100)}>' for _ in range(200)) + "</a>" * 200)),
    ("a namespace of a megabyte", "WSEC0002 unknown-request", lambda: envelope(f'<a xmlns="urn:{CANARY * 70_000}"/>')),
    ("50,000 header blocks", "WSRC0004", lambda: envelope(BODY, f"<soapenv:Header>{'<a/>' * 50_000}</soapenv:Header>")),
    ("a million header blocks", "WSEC0001 too-complex", lambda: envelope(BODY, f"<soapenv:Header>{'<a/>' * MEGA}</soapenv:Header>")),
    ("a header of 5 MB", "WSRC0004", lambda: envelope(BODY, f"<soapenv:Header><a>{'x' * 5 * MEGA}</a></soapenv:Header>")),
    ("50,000 requests", "WSEC0001 body-children", lambda: envelope("<a/>" * 50_000)),
    ("a name of 5 MB", "WSEC0001 cvc-maxLength-valid", lambda: value("FamilyName", "x" * 5 * MEGA)),
    ("a ULN of 5 MB", "WSEC0001 cvc-pattern-valid", lambda: value("ULN", "1" * 5 * MEGA)),
    ("a password of 5 MB", "WSEC0001 cvc-maxLength-valid", lambda: value("OrgPassword", "x" * 5 * MEGA)),
    ("an e-mail address of a dear shape", "WSEC0001 cvc-complex-type.2.4.d", lambda: envelope(
        BODY.replace("</m:FindLearnerByULN>", f"<EmailAddress>{'a.' * 500_000}</EmailAddress></m:FindLearnerByULN>"))),
    ("a password that is everywhere", "WSEC0001 cvc-minLength-valid", lambda: value("FamilyName", "x" * 16 * 50_000).replace(
        b"<OrgPassword>", b"<OrgPassword>x</OrgPassword><OrgPassword>")),
    ("a value of a million references", "WSEC0001 cvc-maxLength-valid", lambda: value("FamilyName", "&#65;" * MEGA)),
    ("a value of 100,000 CDATA sections", "WSEC0001 cvc-maxLength-valid", lambda: value("FamilyName", "<![CDATA[a]]>" * 100_000)),
    ("a value of 100,000 comments", "WSEC0001 cvc-maxLength-valid", lambda: value("FamilyName", "a<!---->" * 100_000)),
    ("a comment of 7 MB", "WSRC0004", lambda: value("FamilyName", f"<!--{'x' * 7 * MEGA}-->").replace(b"--><", b"-->" + _family() + b"<")),
    ("half a million comments", "WSEC0001 too-complex", lambda: b"<!---->" * 500_000 + VALID.encode()),
    ("comments before a DTD", "WSEC0001 doctype", lambda: b"<!-- < -->" * 50_000 + b"<!DOCTYPE a>" + VALID.encode()),
    ("brackets before a DTD", "WSEC0001 not-well-formed", lambda: b"<!-- " + b"x>" * MEGA + b"<!DOCTYPE"),
    ("an attribute of 7 MB", "WSEC0001 cvc-type.3.1.1", lambda: attribute("ULN", f'a="{"x" * 7 * MEGA}"')),
    ("an element's name of 40,000 letters", "WSEC0001 cvc-complex-type.2.4.a", lambda: envelope(BODY.replace("<FindType>", f"<{'x' * 40_000}/><FindType>"))),
    ("an element's name of a megabyte", "WSEC0001 too-complex", lambda: f"<{CANARY * 80_000}/>".encode()),
    ("an instruction of 7 MB", "WSEC0001 processing-instruction", lambda: f"<?a {'x' * 7 * MEGA}?>{VALID}".encode()),
    ("a declaration of 7 MB", "WSEC0001 not-well-formed", lambda: f'<?xml version="1.0" {" " * 7 * MEGA}'.encode()),
    ("a declaration of attributes", "WSEC0001 too-complex", lambda: b'<?xml version="1.0"' + b" encoding='utf-8'" * 100_000 + b"?><a/>"),
    ("blanks of 7 MB", "WSEC0001 empty", lambda: b" " * 7 * MEGA),
    ("blanks of 7 MB around a message", "WSRC0004", lambda: b" " * 3 * MEGA + VALID.encode() + b"\n" * 4 * MEGA),
    ("7 MB of brackets", "WSEC0001 too-complex", lambda: b"<" * 7 * MEGA),
    ("7 MB of ampersands", "WSEC0001 not-xml", lambda: b"&" * 7 * MEGA),
    ("7 MB of zeros", "WSEC0001 unknown-encoding", lambda: bytes(7 * MEGA), {"Content_Type": "text/xml"}),
    ("7 MB of UTF-16", "WSEC0001 cvc-maxLength-valid", lambda: value("FamilyName", "x" * 3 * MEGA).decode().encode("utf-16"), {"Content_Type": "text/xml"}),
    ("9 MB", "WSEC0001 too-long", lambda: value("FamilyName", "x" * 9 * MEGA)),
    ("201 learners in a batch", "WSEC0001 cvc-complex-type.2.4.a", lambda: _batch(201)),
    ("15,000 learners in a batch", "WSEC0001 cvc-complex-type.2.4.a", lambda: _batch(15_000)),
    ("20,000 ULNs to retrieve", "WSEC0001 cvc-complex-type.2.4.d", lambda: called(
        "retrieveULNs", FindType=None, FamilyName=None, GivenName=None, ULN=None, **{"ULNsToRetrieve.ULN": ["9276308686"] * 20_000})),
]  # fmt: skip


def _family() -> bytes:
    start = VALID.index("<FamilyName>") + len("<FamilyName>")
    return VALID[start : VALID.index("</FamilyName>")].encode()
