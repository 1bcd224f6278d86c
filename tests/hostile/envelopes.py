"""Envelopes: attachments, other versions of SOAP, headers that must be understood, and bodies that mean two things."""

from hostile.shapes import BODY, CANARY, ENVELOPE, SOAP12, VALID, XSI, attribute, changed, envelope
from support import soap

_MUST = 'soapenv:mustUnderstand="1"'
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_ENCODED = 'soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
_SIGNED = BODY.replace("<m:FindLearnerByULN", '<m:FindLearnerByULN Id="signed"', 1)
_MTOM = (
    f"--b\r\nContent-Type: application/xop+xml; type=\"text/xml\"\r\n\r\n{VALID}\r\n--b\r\nContent-ID: <a>\r\n\r\n{CANARY}\r\n--b--"
).encode()


def _type(text: str) -> dict[str, str]:
    return {"Content_Type": text}


def _header(block: str) -> bytes:
    return envelope(BODY, f"<soapenv:Header>{block}</soapenv:Header>")


ROWS = [
    ("multipart/related", "415", _MTOM, _type("multipart/related; boundary=b")),
    ("MTOM", "415", _MTOM, _type('multipart/related; type="application/xop+xml"; start-info="text/xml"; boundary=b')),
    ("SOAP with attachments", "415", _MTOM, _type('multipart/related; type="text/xml"; boundary=b; start="<a>"')),
    ("multipart said to be text/xml", "WSEC0001 not-xml", _MTOM),
    ("multipart/form-data", "415", _MTOM, _type("multipart/form-data; boundary=b")),
    ("a multipart of a thousand boundaries", "415", b"--b\r\n\r\n" * 1000, _type("multipart/mixed; boundary=b")),
    ("application/xop+xml", "415", VALID.encode(), _type("application/xop+xml")),
    ("application/soap+xml", "415", VALID.encode(), _type("application/soap+xml; action=x")),
    ("application/xml", "415", VALID.encode(), _type("application/xml")),
    ("application/json", "415", VALID.encode(), _type("application/json")),
    ("application/fastinfoset", "415", VALID.encode(), _type("application/fastinfoset")),
    ("application/dime", "415", VALID.encode(), _type("application/dime")),
    ("application/octet-stream", "415", VALID.encode(), _type("application/octet-stream")),
    ("a form of the web", "415", VALID.encode(), _type("application/x-www-form-urlencoded")),
    ("text/html", "415", VALID.encode(), _type("text/html")),
    ("text/xml and more", "415", VALID.encode(), _type("text/xml, application/json")),
    ("text/xmlx", "415", VALID.encode(), _type("text/xmlx")),
    ("a type of slashes", "415", VALID.encode(), _type("/" * 2000)),
    ("a type of parameters", "WSRC0004", VALID.encode(), _type("text/xml" + "; a=b" * 2000)),
    ("a type of a dear shape", "WSRC0004", VALID.encode(), _type("text/xml; " + '"\\' * 2000)),
    ("an include of XOP in a value", "WSEC0001 cvc-type.3.1.2", changed(
        f">{CANARY}<", '><x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:a"/><'
    )),
    ("SOAP 1.2", "soap:VersionMismatch", changed(soap.ENVELOPE, SOAP12)),
    ("the draft of SOAP 1.2", "soap:VersionMismatch", changed(soap.ENVELOPE, "http://www.w3.org/2001/12/soap-envelope")),
    ("an envelope of no known version", "soap:VersionMismatch", changed(soap.ENVELOPE, f"urn:{CANARY}")),
    ("an envelope in no namespace", "WSEC0001 no-envelope", f"<Envelope><Body>{BODY}</Body></Envelope>".encode()),
    ("an envelope in capitals", "WSEC0001 no-envelope", VALID.replace("Envelope", "ENVELOPE").encode()),
    ("SOAP 1.2 in SOAP 1.1", "WSEC0002 unknown-request", envelope(changed(soap.ENVELOPE, SOAP12).decode())),
    ("an envelope in an envelope", "WSEC0002 unknown-request", envelope(VALID)),
    ("no envelope", "WSEC0001 no-envelope", BODY.encode()),
    ("no Body", "WSEC0001 no-body", f"{ENVELOPE}</soapenv:Envelope>".encode()),
    ("an empty Body", "WSEC0001 body-children", envelope("")),
    ("a Body of text", "WSEC0001 body-children", envelope(CANARY)),
    ("a Body of SOAP 1.2", "WSEC0001 no-body", f'{ENVELOPE}<b:Body xmlns:b="{SOAP12}">{BODY}</b:Body></soapenv:Envelope>'.encode()),
    ("two requests", "WSEC0001 body-children", envelope(BODY + BODY)),
    ("a request and a fault", "WSEC0001 body-children", envelope(BODY + "<soapenv:Fault/>")),
    ("a fault as the request", "WSEC0002 unknown-request", envelope(f"<soapenv:Fault><faultstring>{CANARY}</faultstring></soapenv:Fault>")),
    ("two Bodies", "WSEC0001 after-body", changed("</soapenv:Body>", f"</soapenv:Body><soapenv:Body>{BODY}</soapenv:Body>")),
    ("two Headers", "WSEC0001 no-body", envelope(BODY, "<soapenv:Header/>" * 2)),
    ("a Header after the Body", "WSEC0001 after-body", changed("</soapenv:Body>", "</soapenv:Body><soapenv:Header/>")),
    ("a stranger between Header and Body", "WSEC0001 no-body", envelope(BODY, f"<soapenv:Header/><{CANARY}/>")),
    ("a header that must be understood", "soap:MustUnderstand", _header(f"<{CANARY} {_MUST}/>")),
    ("one of thousands that must be understood", "soap:MustUnderstand", _header("<a/>" * 5000 + f"<b {_MUST}/>")),
    ("one that must be understood, as true", "soap:MustUnderstand", _header('<b soapenv:mustUnderstand="true"/>')),
    ("one that must be understood by the next", "soap:MustUnderstand", _header(
        f'<b {_MUST} soapenv:actor="http://schemas.xmlsoap.org/soap/actor/next"/>'
    )),
    ("one that another must understand", "WSRC0004", _header(f'<b {_MUST} soapenv:actor="urn:{CANARY}"/>')),
    ("WS-Security that must be understood", "soap:MustUnderstand", _header(f'<s:Security xmlns:s="{_WSSE}" {_MUST}/>')),
    ("WS-Security with another password", "WSRC0004", _header(
        f'<s:Security xmlns:s="{_WSSE}"><s:UsernameToken><s:Password>{CANARY}</s:Password></s:UsernameToken></s:Security>'
    )),
    ("WS-Addressing to elsewhere", "WSRC0004", _header(
        '<a:ReplyTo xmlns:a="http://www.w3.org/2005/08/addressing"><a:Address>http://127.0.0.1:{port}/</a:Address></a:ReplyTo>'
    )),
    ("a signature that moved the body", "WSEC0001 cvc-complex-type.3.2.2", envelope(
        BODY.replace("<m:FindLearnerByULN", '<m:FindLearnerByULN Id="evil"', 1),
        f'<soapenv:Header><w xmlns="urn:w">{_SIGNED}</w>'
        f'<d:Signature xmlns:d="{_DSIG}"><d:SignedInfo><d:Reference URI="#signed"/></d:SignedInfo></d:Signature></soapenv:Header>',
    )),
    ("a signed request in the header only", "WSEC0001 body-children", envelope("", f"<soapenv:Header>{BODY}</soapenv:Header>")),
    ("a Body in the header", "WSEC0001 body-children", envelope("", f"<soapenv:Header><soapenv:Body>{BODY}</soapenv:Body></soapenv:Header>")),
    ("a Body with an Id", "WSRC0004", attribute("soapenv:Body", f'Id="{CANARY}"')),
    ("a signature in the request", "WSEC0001 cvc-complex-type.2.4.d", changed(
        "</m:FindLearnerByULN>", f'<d:Signature xmlns:d="{_DSIG}"><d:Reference URI="http://127.0.0.1:{{port}}/"/></d:Signature></m:FindLearnerByULN>'
    )),
    ("an external transform", "WSRC0004", _header(
        f'<d:Signature xmlns:d="{_DSIG}"><d:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></d:Signature>'
    )),
    ("an operation that is none", "WSEC0002 unknown-request", envelope(f'<m:{CANARY} xmlns:m="http://api.lrs.miap.gov.uk/findmsg"/>')),
    ("an operation in another namespace", "WSEC0002 unknown-request", changed("http://api.lrs.miap.gov.uk/findmsg", f"urn:{CANARY}")),
    ("an operation in no namespace", "WSEC0002 unknown-request", envelope(BODY.replace("m:FindLearnerByULN", "FindLearnerByULN"))),
    ("an operation by its WSDL name", "WSEC0002 unknown-request", envelope(BODY.replace("m:FindLearnerByULN", "m:learnerByULN"))),
    ("an operation in small letters", "WSEC0002 unknown-request", envelope(BODY.replace("m:FindLearnerByULN", "m:findlearnerbyuln"))),
    ("a reply as a request", "WSEC0002 unknown-request", envelope(BODY.replace("m:FindLearnerByULN", "m:FindLearnerResponse"))),
    ("the declared fault as a request", "WSEC0002 unknown-request", envelope(
        '<e:MIAPAPIException xmlns:e="http://api.lrs.miap.gov.uk/exceptions"/>'
    )),
    ("a method of Python", "WSEC0002 unknown-request", envelope('<m:__class__ xmlns:m="http://api.lrs.miap.gov.uk/findmsg"/>')),
    ("the other request of its schema", "WSEC0001 cvc-complex-type.2.4.a", envelope(
        BODY.replace("m:FindLearnerByULN", "m:FindLearnerByDemographics")
    )),
    ("an encodingStyle", "WSRC0004", attribute("soapenv:Envelope", _ENCODED)),
    ("an encodingStyle on the request", "WSEC0001 cvc-complex-type.3.2.2", attribute("m:FindLearnerByULN", _ENCODED)),
    ("an array of SOAP-RPC", "WSEC0001 cvc-complex-type.3.2.2", attribute(
        "m:FindLearnerByULN", 'xmlns:n="http://schemas.xmlsoap.org/soap/encoding/" n:arrayType="xsd:string[999999999]"'
    )),
    ("a reference of SOAP-RPC", "WSEC0001 cvc-type.3.1.1", changed(f"<UserName>{CANARY}</UserName>", '<UserName href="#a"/>')),
    ("a multiRef beside the request", "WSEC0001 body-children", envelope(BODY + f'<multiRef id="a">{CANARY}</multiRef>')),
    ("a reference to itself", "WSEC0001 cvc-complex-type.3.2.2", attribute("m:FindLearnerByULN", 'id="a" href="#a"')),
    ("a href to a file", "WSEC0001 cvc-type.3.1.1", attribute("FamilyName", 'href="file:///etc/passwd"')),
    ("text in the envelope", "WSRC0004", changed("<soapenv:Body>", f"{CANARY}<soapenv:Body>")),
    ("xsi:type on the envelope", "WSRC0004", attribute("soapenv:Envelope", f'{XSI} xsi:type="{CANARY}"')),
]  # fmt: skip
