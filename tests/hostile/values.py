"""Values and elements: types, nil, comments and CDATA in values, text and attributes out of place, injections."""

from hostile.shapes import BODY, CANARY, XSI, attribute, called, changed, envelope, value

_TYPED = f'{XSI} xmlns:xs="http://www.w3.org/2001/XMLSchema"'
_VERIFY = {"FindType": None, "FamilyName": None, "GivenName": None, "ULN": None}
_VERIFIED = {"LearnerToVerify.ULN": "9276308686", "LearnerToVerify.FamilyName": "X", "LearnerToVerify.GivenName": "Y"}


def _nil(element: str, written: str, content: str = "") -> bytes:
    message = called("verifyLearner", **_VERIFY, **_VERIFIED, **{f"LearnerToVerify.{element}": "PLACE"}).decode()
    return message.replace(f"<{element}>PLACE", f'<{element} {XSI} xsi:nil="{written}">{content}', 1).encode()


def _find(**values: str) -> bytes:
    return called("learnerByULN", **values)


def _split(element: str, comment: str) -> bytes:
    text = changed("", "").decode()
    start = text.index(f"<{element}>") + len(element) + 4
    return (text[:start] + comment + text[start:]).encode()


ROWS = [
    ("the declared type", "WSRC0004", attribute("m:FindLearnerByULN", f'{XSI} xsi:type="m:LearnerByULNRqst"')),
    ("the type of another request", "WSEC0001 cvc-elt.4.3", attribute("m:FindLearnerByULN", f'{XSI} xsi:type="m:LearnerByDemographicsRqst"')),
    ("the type of anything", "WSEC0001 cvc-elt.4.3", attribute("m:FindLearnerByULN", f'{_TYPED} xsi:type="xs:anyType"')),
    ("a string for a ULN", "WSEC0001 cvc-elt.4.3", attribute("ULN", f'{_TYPED} xsi:type="xs:string"')),
    ("a type that is none", "WSEC0001 cvc-elt.4.2", attribute("ULN", f'{XSI} xsi:type="m:{CANARY}"')),
    ("a type of no declared prefix", "WSEC0001 cvc-elt.4.1", attribute("ULN", f'{XSI} xsi:type="{CANARY}:x"')),
    ("a type that is no name", "WSEC0001 cvc-elt.4.1", attribute("ULN", f'{XSI} xsi:type="a b"')),
    ("an empty type", "WSEC0001 cvc-elt.4.1", attribute("ULN", f'{XSI} xsi:type=""')),
    ("a long type", "WSEC0001 cvc-elt.4.2", attribute("ULN", f'{XSI} xsi:type="m:{"x" * 50_000}"')),
    ("nil for the user", "WSEC0001 cvc-elt.3.1", attribute("UserName", f'{XSI} xsi:nil="true"')),
    ("nil for a mandatory value", "WSEC0001 cvc-elt.3.1", attribute("ULN", f'{XSI} xsi:nil="true"')),
    ("nil for the request", "WSEC0001 cvc-elt.3.1", attribute("m:FindLearnerByULN", f'{XSI} xsi:nil="true"')),
    ("nil for the password", "WSEC0001 cvc-elt.3.1", attribute("OrgPassword", f'{XSI} xsi:nil="true"')),
    ("nil that is empty", "WSVRC006", _nil("DateOfBirth", "true")),
    ("nil with a value", "WSEC0001 cvc-elt.3.2.1", _nil("DateOfBirth", "true", "2001-01-01")),
    ("nil with an element", "WSEC0001 cvc-elt.3.2.1", _nil("DateOfBirth", "1", f"<{CANARY}/>")),
    ("nil with blanks", "WSEC0001 cvc-elt.3.2.1", _nil("Gender", "true", " ")),
    ("nil that is neither", "WSEC0001 cvc-datatype-valid.1.2.1", _nil("DateOfBirth", CANARY)),
    ("a comment in a value", "WSRC0004", _split("ULN", f"<!--{CANARY}-->")),
    ("a comment in the password", "WSRC0004", _split("OrgPassword", "<!-- a -->")),
    ("CDATA in a value", "WSRC0004", _split("ULN", "<![CDATA[]]>")),
    ("a thousand comments in a value", "WSRC0004", _split("ULN", "<!---->" * 1000)),
    ("markup in CDATA", "WSRC0001", _find(FamilyName="XCDATAX").replace(b"XCDATAX", b"<![CDATA[</FamilyName><ULN>1</ULN>]]>")),
    ("a DTD in CDATA", "WSRC0001", _find(FamilyName="XCDATAX").replace(b"XCDATAX", b"<![CDATA[<!DOCTYPE a>]]>")),
    ("CDATA around an element", "WSEC0001 cvc-complex-type.2.3", changed("<ULN>", "<![CDATA[<ULN>]]><ULN>")),
    ("text between elements", "WSEC0001 cvc-complex-type.2.3", changed("<ULN>", f"{CANARY}<ULN>")),
    ("text before all elements", "WSEC0001 cvc-complex-type.2.3", changed("<FindType>", f"{CANARY}<FindType>")),
    ("a reference between elements", "WSEC0001 cvc-complex-type.2.3", changed("<ULN>", "&#65;<ULN>")),
    ("a hard blank between elements", "WSEC0001 cvc-complex-type.2.3", changed("<ULN>", "\u00a0<ULN>")),
    ("an attribute on the request", "WSEC0001 cvc-complex-type.3.2.2", attribute("m:FindLearnerByULN", f'a="{CANARY}"')),
    ("an attribute on a value", "WSEC0001 cvc-type.3.1.1", attribute("ULN", f'a="{CANARY}"')),
    ("an attribute in a namespace", "WSEC0001 cvc-type.3.1.1", attribute("ULN", f'xmlns:p="urn:x" p:a="{CANARY}"')),
    ("xml:lang on a value", "WSEC0001 cvc-type.3.1.1", attribute("FamilyName", 'xml:lang="en"')),
    ("xml:id", "WSEC0001 cvc-type.3.1.1", attribute("FamilyName", 'xml:id="a"')),
    ("an attribute of xsi that is none", "WSEC0001 cvc-type.3.1.1", attribute("ULN", f'{XSI} xsi:{CANARY}="1"')),
    ("attributes on every element", "WSEC0001 cvc-complex-type.3.2.2",
     envelope(BODY.replace("<m:FindLearnerByULN", '<m:FindLearnerByULN z=""').replace("Name>", 'Name z="">', 1))),
    ("children in the namespace", "WSEC0001 cvc-complex-type.2.4.a", changed("<FindType>FUL</FindType>", "<m:FindType>FUL</m:FindType>")),
    ("a namespace by default", "WSEC0001 cvc-complex-type.2.4.a", attribute("m:FindLearnerByULN", f'xmlns="urn:{CANARY}"')),
    ("an element that is none", "WSEC0001 cvc-complex-type.2.4.a", changed("<ULN>", f"<{CANARY}/><ULN>")),
    ("an element twice", "WSEC0001 cvc-complex-type.2.4.a", changed("<ULN>", "<UserName>x</UserName><ULN>")),
    ("two passwords", "WSEC0001 cvc-complex-type.2.4.a", changed("<UserName>", f"<OrgPassword>{CANARY}xxx</OrgPassword><UserName>")),
    ("an element in a value", "WSEC0001 cvc-type.3.1.2", value("ULN", "<ULN>9276308686</ULN>")),
    ("the request in itself", "WSEC0001 cvc-complex-type.2.4.a", changed("<FindType>", BODY + "<FindType>")),
    ("the request in a value", "WSEC0001 cvc-type.3.1.2", value("FamilyName", BODY)),
    ("SQL in a name", "WSRC0001", _find(FamilyName="'; DROP TABLE learner; --")),
    ("SQL in a given name", "WSRC0001", _find(GivenName="x' OR '1'='1")),
    ("SQL in the user", "WSRC0004", _find(UserName="'; DELETE FROM audit; --")),
    ("SQL as a ULN", "WSEC0001 cvc-pattern-valid", _find(ULN="1 OR 1=1")),
    ("SQL as the organisation", "WSEC0001 cvc-pattern-valid", _find(OrganisationRef="' OR 1=1")),
    ("SQL as the password", "WSEC0005 wrong-password", _find(OrgPassword="' OR '1'='1' -- ")),
    ("wild cards as names", "WSRC0001", _find(FamilyName="%", GivenName="_")),
    ("a line for the log in the user", "WSRC0004", _find(UserName='x\n{"event": "forged"}')),
    ("a line for the log in a name", "WSRC0001", _find(FamilyName=f"{CANARY}\r\n127.0.0.1 forged")),
    ("colours for the terminal", "WSRC0001", _find(FamilyName="\x9b31m\u009b2J")),
    ("Log4Shell", "WSRC0001", _find(FamilyName="${{jndi:ldap://127.0.0.1:{port}/a}}", GivenName="${{jndi:dns://127.0.0.1/a}}")),
    ("a template", "WSRC0001", _find(FamilyName="{{7*7}}${7*7}<%= 7*7 %>#{7*7}")),
    ("a format string", "WSRC0001", _find(FamilyName="%s%s%n%x{0.__class__}")),
    ("a command", "WSRC0001", _find(FamilyName="$(touch /tmp/x)`id`; ls |")),
    ("a script", "WSRC0001", _find(FamilyName="<script>alert(1)</script>")),
    ("XPath", "WSRC0001", _find(FamilyName="' or count(//*)=1 or 'a'='b")),
    ("LDAP", "WSRC0001", _find(FamilyName="*)(uid=*))(|(uid=*")),
    ("a path", "WSRC0001", _find(FamilyName="../../../../etc/passwd")),
    ("a formula of Excel", "WSRC0001", _find(FamilyName="=cmd|' /C calc'!A0")),
    ("writing from right to left", "WSRC0001", _find(FamilyName="\u202egnirts\u2066")),
    ("letters stacked high", "WSRC0001", _find(FamilyName="Z" + "\u0351" * 34)),
    ("a letter that becomes eighteen", "WSRC0001", _find(FamilyName="\ufdfa" * 35, GivenName="\ufdfa" * 35)),
    ("letters outside the plane", "WSRC0001", _find(FamilyName="\U0001f600" * 35)),
    ("digits of another script", "WSEC0001 cvc-pattern-valid", _find(ULN="\u0661" * 10)),
    ("a name of blanks", "WSEC0001 cvc-pattern-valid", _find(FamilyName=" " * 35)),
    ("a name of hard blanks", "WSRC0001", _find(FamilyName="\u00a0" * 35)),
    ("a number with a sign", "WSEC0001 cvc-pattern-valid", _find(ULN="+927630868")),
    ("a ULN and a line", "WSEC0001 cvc-pattern-valid", _find(ULN="9276308686\n")),
]  # fmt: skip
