"""Each Xerces key, its wording, and what it must not give away."""

import re

import pytest
from lxml import etree

from lrs_soap import contract
from lrs_soap.wire import parser, xerces
from tests.support import messages

MIXED_UP = "mixed-up-secret!"  # sixteen characters
NAMESPACES = (
    'xmlns:find="http://api.lrs.miap.gov.uk/findmsg" xmlns:l="http://api.lrs.miap.gov.uk/learner" '
    'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
VALID = {
    "FindType": "<FindType>FUL</FindType>",
    "OrgPassword": "<OrgPassword>sandbox-password</OrgPassword>",
    "UserName": "<UserName>ann</UserName>",
    "ULN": "<ULN>9276308686</ULN>",
    "FamilyName": "<FamilyName>Other</FamilyName>",
    "GivenName": "<GivenName>Ann</GivenName>",
}


def by_uln(attributes: str = "", **children: str) -> str:
    """A FindLearnerByULN with some children, by name, replaced by other XML."""
    content = "".join((VALID | children).values())
    return f"<find:FindLearnerByULN {NAMESPACES} {attributes}>{content}</find:FindLearnerByULN>"


def violation(xml: str) -> str | None:
    return xerces.violation(parser.parse(xml.encode()))


XSI = "http://www.w3.org/2001/XMLSchema-instance"
IN_ULN = "with respect to pattern '[1-9][0-9]{9}' for type 'MIAPULN'."
NIL_TWICE = f"because '{XSI},nil' is specified."
WORDING = {
    "pattern": (
        by_uln(ULN="<ULN>123</ULN>"),
        f"cvc-pattern-valid: Value '123' is not facet-valid {IN_ULN}",
    ),
    "several patterns": (
        messages.request("verifyLearner", DateOfBirth="x", Gender=None),
        "cvc-pattern-valid: Value 'x' is not facet-valid with respect to pattern '"
        + "|".join(contract.SIMPLE_TYPES["MIAPDateNillable"].patterns)
        + "' for type 'MIAPDateNillable'.",
    ),
    "pattern before length": (
        by_uln(FamilyName="<FamilyName> </FamilyName>"),
        r"cvc-pattern-valid: Value ' ' is not facet-valid with respect to pattern '[\s]*[\S][\s\S]*' for type "
        "'MIAPNameNonEmpty'.",
    ),
    "too long": (
        by_uln(FamilyName=f"<FamilyName>{'x' * 36}</FamilyName>"),
        f"cvc-maxLength-valid: Value '{'x' * 36}' with length = '36' is not facet-valid with respect to maxLength "
        "'35' for type 'MIAPNameNonEmpty'.",
    ),
    "too large": (
        messages.request("submitVerifyBatch", LearnerRecordCount="201"),
        "cvc-maxInclusive-valid: Value '201' is not facet-valid with respect to maxInclusive '200' for type "
        "'MIAPLearnerRecordCount'.",
    ),
    "too small": (
        messages.request("submitVerifyBatch", LearnerRecordCount=" 0 "),
        "cvc-minInclusive-valid: Value ' 0 ' is not facet-valid with respect to minInclusive '1' for type "
        "'MIAPLearnerRecordCount'.",
    ),
    "more than an int": (
        messages.request("updateSingleLearner", VersionNumber="2147483648"),
        "cvc-maxInclusive-valid: Value '2147483648' is not facet-valid with respect to maxInclusive '2147483647' for "
        "type 'int'.",
    ),
    "less than a long": (
        messages.request("getVerifyBatchOutput", JobID="-9223372036854775809"),
        "cvc-minInclusive-valid: Value '-9223372036854775809' is not facet-valid with respect to minInclusive "
        "'-9223372036854775808' for type 'long'.",
    ),
    "no number": (
        messages.request("updateSingleLearner", VersionNumber="abc"),
        "cvc-datatype-valid.1.2.1: 'abc' is not a valid value for 'integer'.",
    ),
    "digits of another script": (
        messages.request("updateSingleLearner", VersionNumber="\u0661"),
        "cvc-datatype-valid.1.2.1: '\u0661' is not a valid value for 'integer'.",
    ),
    "one expected": (
        by_uln(FamilyName=""),
        "cvc-complex-type.2.4.a: Invalid content was found starting with element 'GivenName'. One of '{FamilyName}' "
        "is expected.",
    ),
    "several expected": (
        by_uln(OrgPassword=""),
        "cvc-complex-type.2.4.a: Invalid content was found starting with element 'UserName'. One of "
        "'{OrganisationRef, UKPRN, OrgPassword}' is expected.",
    ),
    "qualified child": (
        by_uln(ULN="<find:ULN>9276308686</find:ULN>"),
        "cvc-complex-type.2.4.a: Invalid content was found starting with element 'find:ULN'. One of '{ULN}' is "
        "expected.",
    ),
    "child in the default namespace": (
        by_uln(ULN='<ULN xmlns="urn:x">9276308686</ULN>'),
        "cvc-complex-type.2.4.a: Invalid content was found starting with element '{\"urn:x\":ULN}'. One of '{ULN}' is "
        "expected.",
    ),
    "not complete": (
        by_uln(GivenName=""),
        "cvc-complex-type.2.4.b: The content of element 'find:FindLearnerByULN' is not complete. One of '{GivenName}' "
        "is expected.",
    ),
    "too few of a repeated element": (
        messages.request("retrieveULNs", ULN=None),
        "cvc-complex-type.2.4.b: The content of element 'ULNsToRetrieve' is not complete. One of '{ULN}' is expected.",
    ),
    "nothing expected": (
        by_uln(GivenName=VALID["GivenName"] * 2),
        "cvc-complex-type.2.4.d: Invalid content was found starting with element 'GivenName'. No child element is "
        "expected at this point.",
    ),
    "text between": (
        by_uln(ULN=VALID["ULN"] + "sandbox-password"),
        "cvc-complex-type.2.3: Element 'find:FindLearnerByULN' cannot have character [children], because the type's "
        "content type is element-only.",
    ),
    "attribute": (
        by_uln('find:id="1"'),
        "cvc-complex-type.3.2.2: Attribute 'find:id' is not allowed to appear in element 'find:FindLearnerByULN'.",
    ),
    "xml:lang": (
        by_uln('xml:lang="en"'),
        "cvc-complex-type.3.2.2: Attribute 'xml:lang' is not allowed to appear in element 'find:FindLearnerByULN'.",
    ),
    "attribute of a value": (
        by_uln(ULN='<ULN id="1">9276308686</ULN>'),
        "cvc-type.3.1.1: Element 'ULN' is a simple type, so it cannot have attributes, excepting those whose "
        f"namespace name is identical to '{XSI}' and whose [local name] is one of 'type', 'nil', 'schemaLocation' or "
        "'noNamespaceSchemaLocation'. However, the attribute, 'id' was found.",
    ),
    "child of a value": (
        by_uln(ULN="<ULN>9276308686<b/></ULN>"),
        "cvc-type.3.1.2: Element 'ULN' is a simple type, so it must have no element information item [children].",
    ),
    "nil where it may not be": (
        by_uln(ULN='<ULN xsi:nil="true"/>'),
        f"cvc-elt.3.1: Attribute '{XSI},nil' must not appear on element 'ULN', because the {{nillable}} property of "
        "'ULN' is false.",
    ),
    "nil and not empty": (
        by_uln(FindType=VALID["FindType"] + '<UKPRN xsi:nil="1">SAND0001</UKPRN>'),
        f"cvc-elt.3.2.1: Element 'UKPRN' must have no character or element information [children], {NIL_TWICE}",
    ),
    "nil of no truth": (
        by_uln(FindType=VALID["FindType"] + '<UKPRN xsi:nil="maybe">SAND0001</UKPRN>'),
        "cvc-datatype-valid.1.2.1: 'maybe' is not a valid value for 'boolean'.",
    ),
    "type of no name": (
        by_uln(ULN='<ULN xsi:type="no:such">9276308686</ULN>'),
        f"cvc-elt.4.1: The value 'no:such' of attribute '{XSI},type' on element 'ULN' is not a valid QName.",
    ),
    "unknown type": (
        by_uln(ULN='<ULN xsi:type="l:Such">9276308686</ULN>'),
        "cvc-elt.4.2: Cannot resolve 'l:Such' to a type definition for element 'ULN'.",
    ),
    "known type in another namespace": (
        by_uln(ULN='<ULN xsi:type="find:MIAPULN">9276308686</ULN>'),
        "cvc-elt.4.2: Cannot resolve 'find:MIAPULN' to a type definition for element 'ULN'.",
    ),
    "other type": (
        by_uln(ULN='<ULN xsi:type="xs:string">9276308686</ULN>'),
        "cvc-elt.4.3: Type 'xs:string' is not validly derived from the type definition, 'MIAPULN', of element 'ULN'.",
    ),
    "built-in type of neither kind": (
        by_uln(ULN='<ULN xsi:type="xs:date">9276308686</ULN>'),
        "cvc-elt.4.3: Type 'xs:date' is not validly derived from the type definition, 'MIAPULN', of element 'ULN'.",
    ),
    "unknown root": (
        f"<find:Foo {NAMESPACES}/>",
        "cvc-elt.1: Cannot find the declaration of element 'find:Foo'.",
    ),
    "the first of two": (
        by_uln(ULN="<ULN>1</ULN>", GivenName="<Foo/>"),
        f"cvc-pattern-valid: Value '1' is not facet-valid {IN_ULN}",
    ),
}


@pytest.mark.parametrize(("sent", "expected"), WORDING.values(), ids=WORDING)
def test_wording(sent, expected):
    found = xerces.violation(sent) if isinstance(sent, etree._Element) else violation(sent)
    assert found == expected


NIL_UKPRN = VALID["FindType"] + '<UKPRN xsi:nil="{}">{}</UKPRN>'


@pytest.mark.parametrize(
    "xml",
    [
        by_uln(),
        by_uln(FindType=NIL_UKPRN.format("true", "")),
        by_uln(FindType=NIL_UKPRN.format("1", "")),
        by_uln(FindType=NIL_UKPRN.format("false", "SAND0001")),
        by_uln(FindType=NIL_UKPRN.format("0", "SAND0001")),
        by_uln(ULN='<ULN xsi:type="l:MIAPULN">9276308686</ULN>'),
        by_uln(ULN='<ULN xmlns:q="http://api.lrs.miap.gov.uk/learner" xsi:type="q:MIAPULN">9276308686</ULN>'),
        by_uln('xsi:type="find:LearnerByULNRqst"'),
        by_uln('xsi:schemaLocation="http://api.lrs.miap.gov.uk/findmsg file:///nowhere.xsd"'),
        by_uln(ULN="<ULN>927630<!-- split -->8686</ULN>"),
        by_uln(ULN="\n\t<ULN><![CDATA[9276308686]]></ULN>\r\n"),
    ],
)
def test_what_real_clients_send_is_valid(xml):
    assert violation(xml) is None


def test_xsi_type_finds_the_prefixes_of_the_envelope():
    body = f"<find:FindLearnerByULN>{''.join(VALID.values())}</find:FindLearnerByULN>"
    typed = body.replace("<ULN>", '<ULN xsi:type="l:MIAPULN">')
    root = parser.parse(f"<Envelope {NAMESPACES}><Body>{typed}</Body></Envelope>".encode())
    assert xerces.violation(root[0][0]) is None


def test_a_derived_type_is_judged_as_such():
    """XML Schema lets xsi:type extend a learner to register into one to update; what is then missing is said."""
    element = messages.request("registerSingleLearner")
    etree.cleanup_namespaces(element, top_nsmap={"l": "http://api.lrs.miap.gov.uk/learner"}, keep_ns_prefixes=["l"])
    element[-1].set(f"{{{XSI}}}type", "l:LearnerToUpdate")
    assert xerces.violation(element) == (
        "cvc-complex-type.2.4.b: The content of element 'Learner' is not complete. One of '{Notes, ULN}' is expected."
    )


def test_a_repeated_element_ends_at_its_maximum():
    element = messages.request("retrieveULNs")
    for _ in range(200):
        etree.SubElement(element[-1], "ULN").text = "9276308686"
    assert xerces.violation(element) == (
        "cvc-complex-type.2.4.d: Invalid content was found starting with element 'ULN'. No child element is expected "
        "at this point."
    )


PASSWORDS = {
    "too short": by_uln(OrgPassword="<OrgPassword>secret-1234</OrgPassword>"),
    "too long": by_uln(OrgPassword="<OrgPassword>secret-1234567890</OrgPassword>"),
    "blank": by_uln(OrgPassword=f"<OrgPassword>{' ' * 16}</OrgPassword>"),
    "very long": by_uln(OrgPassword=f"<OrgPassword>{'secret' * 50}</OrgPassword>"),
    "with a child": by_uln(OrgPassword="<OrgPassword>secret-12345678<b>secret</b></OrgPassword>"),
    "with an attribute": by_uln(OrgPassword='<OrgPassword x="">secret-123456789</OrgPassword>'),
    "qualified": by_uln(OrgPassword="<find:OrgPassword>secret-123456789</find:OrgPassword>"),
    "twice": by_uln(OrgPassword="<OrgPassword>secret-123456789</OrgPassword>" * 2),
    "beside its element": by_uln(OrgPassword="<OrgPassword></OrgPassword>secret-123456789"),
    "also as the ULN": by_uln(
        OrgPassword="<OrgPassword>secret-123456789</OrgPassword>", ULN="<ULN>secret-123456789</ULN>"
    ),
    "also inside the user name": by_uln(
        OrgPassword="<OrgPassword>secret-123456789</OrgPassword>",
        UserName="<UserName>ann/secret-123456789 and a long text</UserName>",
    ),
    "also as a name": by_uln(OrgPassword="<OrgPassword>secret-123456789</OrgPassword>", ULN="<secret-123456789/>"),
    "also as a type": by_uln(
        OrgPassword="<OrgPassword>secret-123456789</OrgPassword>", ULN='<ULN xsi:type="secret-123456789">1</ULN>'
    ),
    "changed places with the UKPRN": by_uln(
        FindType=VALID["FindType"] + "<UKPRN>secret-123456789</UKPRN>", OrgPassword="<OrgPassword>SAND0001</OrgPassword>"
    ),
}


@pytest.mark.parametrize("xml", PASSWORDS.values(), ids=PASSWORDS)
def test_no_message_tells_a_password_or_its_length(xml):
    found = violation(xml)
    assert found is not None
    assert "secret" not in found
    if "with length" in found:
        assert "Value '****************' with length = '*'" in found


def test_values_stay_on_one_line_and_short():
    found = violation(by_uln(ULN=f"<ULN>a\nb\tc&#x85;&#x2028;&#x202e;{'d' * 5000}</ULN>"))
    assert found.startswith("cvc-pattern-valid: Value 'a b c   ddd")
    assert found.endswith(f"...' is not facet-valid {IN_ULN}")
    assert found.isprintable() and len(found) < 300


def test_unknown_root_by_either_name():
    assert xerces.unknown_root("find:Foo") == "cvc-elt.1: Cannot find the declaration of element 'find:Foo'."
    assert xerces.unknown_root("{urn:x}Foo") == "cvc-elt.1: Cannot find the declaration of element '{\"urn:x\":Foo}'."
    assert len(xerces.unknown_root("x" * 10_000)) < 300


def test_if_the_schema_refuses_what_the_walk_does_not_the_element_and_type_are_named():
    element = parser.parse(by_uln().encode())
    assert xerces.explain(element, contract.schema().error_log[:0]) == (
        "cvc-elt.5.2.1: The element 'find:FindLearnerByULN' is not valid with respect to the actual type definition "
        "'LearnerByULNRqst' (unknown)."
    )


def test_the_patterns_mean_the_same_to_xml_schema_and_python():
    """`facets` judges with Python's regular expressions; this is the part of XML Schema's syntax the contract uses.

    Outside it stand '.', anchors, \\d, \\w, \\i, \\c, \\p and class subtraction, which the two read differently.
    """
    for type_ in contract.SIMPLE_TYPES.values():
        for pattern in type_.patterns:
            escaped = {pattern[at + 1] for at, character in enumerate(pattern) if character == "\\"}
            assert not escaped & set("dwDWicICpPnrt"), pattern
            assert "[^" not in pattern and "-[" not in pattern, pattern
            assert not set(re.sub(r"\[[^\]]*\]", "", re.sub(r"\\.", "", pattern))) & set(".^$"), pattern
