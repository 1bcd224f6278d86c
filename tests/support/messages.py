"""Requests made from the contract: valid ones for every operation, and strategies for values and for mistakes.

Nothing here names an element, except where a type's pattern is not enough to make an example.
"""

import re

from hypothesis import strategies as st
from lxml import etree

from lrs_soap import contract

PASSWORD = "Canary16Password"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"

# One valid value for each simple type that requests use; the others are made of letters.
EXAMPLES = {
    "MIAPOrganisationRef": "SAND01",
    "MIAPUKPRN": "SAND0001",
    "MIAPULN": "9276308686",
    "MIAPULNNillable": "9276308686",
    "MIAPOrgPassword": PASSWORD,
    "MIAPDate": "1990-12-31",
    "MIAPDateNillable": "2004-02-29",
    "MIAPGender": "2",
    "MIAPGenderNillable": "9",
    "MIAPPostCode": "SW1A 1AA",
    "MIAPPostCodeNillable": "BFPO 1234",
    "MIAPEmail": "ann.other@example.ac.uk",
    "MIAPScottishCandidateNumber": "123456789",
    "MIAPVerificationType": "999",
    "MIAPAbilityToShare": "1",
    "MIAPBatchJobType": "FUL",
    "MIAPFindType": "CHK",
    "MIAPUserType": "ORG",
    "MIAPContactType": "FTF",
    "MIAPLearnerRecordCount": "1",
}


def request(operation: str, *, full: bool = False, **values: str | None) -> etree._Element:
    """The body element of a valid request for an operation of the WSDL.

    full: with every optional element, else with none. values: text by element name, at any depth; naming an optional
    element includes it, None leaves an element out.
    """
    row = contract.OPERATIONS[operation]
    namespace, name = row.request[1:].split("}")
    element = etree.Element(f"{{{namespace}}}{name}", nsmap={"msg": namespace})
    _fill(element, row.request_type, full, values)
    return element


def _fill(element, type_, full, values) -> None:
    for field in type_.fields:
        if field.name in values:
            if values[field.name] is not None:
                etree.SubElement(element, field.name).text = values[field.name]
        elif field.min_occurs or full:
            child = etree.SubElement(element, field.name)
            if field.complex:
                _fill(child, field.complex, full, values)
            else:
                child.text = example(field.simple)


def example(type_) -> str:
    """A valid value of a simple type."""
    return EXAMPLES.get(type_.name) or ("Ann" if type_.base == "string" else "7")


def envelope(body: etree._Element | None, *headers: etree._Element) -> bytes:
    """A SOAP 1.1 message around a body element; None makes an empty Body."""
    root = etree.Element(SOAP + "Envelope", nsmap={"soapenv": SOAP[1:-1]})
    if headers:
        etree.SubElement(root, SOAP + "Header").extend(headers)
    content = etree.SubElement(root, SOAP + "Body")
    if body is not None:
        content.append(body)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def message(operation: str, *, full: bool = False, **values: str | None) -> bytes:
    """`request`, in its envelope."""
    return envelope(request(operation, full=full, **values))


XML_CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\t\n", exclude_characters="\ufffe\uffff"
)
# Any text with one character that is not white space: the pattern of names and passwords, made without a regex
# because almost nothing a regex makes has the right length.
_NOT_BLANK = r"[\s]*[\S][\s\S]*"


def valid_values(type_) -> st.SearchStrategy[str]:
    """Valid values of a simple type, its bounds often among them."""
    if type_.base != "string":
        low, high = type_.min_inclusive, type_.max_inclusive
        return st.one_of(st.sampled_from([low, low + 1, high - 1, high]), st.integers(low, high)).map(str)
    longest = type_.max_length if type_.max_length is not None else 100
    text = st.text(XML_CHARACTERS, min_size=type_.min_length or 0, max_size=longest)
    bounds = [letters for n in {type_.min_length or 0, longest} if fits(type_, letters := "x" * n)]
    text = st.one_of(text, st.sampled_from(bounds)) if bounds else text
    if not type_.patterns:
        return text
    if type_.patterns == (_NOT_BLANK,):
        return text.filter(lambda value: value.strip(" \t\n\r"))
    made = st.one_of(*(st.from_regex(re.compile(p, re.ASCII), fullmatch=True) for p in type_.patterns))
    return made.filter(lambda value: len(value) <= longest)


def fits(type_, value: str) -> bool:
    """Whether a string is of a simple type, said here a second time as simply as can be."""
    return (
        len(value) >= (type_.min_length or 0)
        and (type_.max_length is None or len(value) <= type_.max_length)
        and (not type_.patterns or any(re.fullmatch(pattern, value, re.ASCII) for pattern in type_.patterns))
    )


def values_at_the_bounds(type_) -> list[str]:
    """For each facet of a type, values on both sides of its bound; some are valid, some are not."""
    if type_.base != "string":
        low, high = type_.min_inclusive, type_.max_inclusive
        numbers = [low - 1, low, low + 1, high - 1, high, high + 1, -(10**30), 10**5000]
        return [format(n, "d") if abs(n) < 10**4000 else "1" + "0" * 5000 for n in numbers] + [
            "", " ", "x", "1.0", "1e3", "+1", "007", " 1 ", "-0", "1 2", "--1",
        ]
    valid, longest, shortest = example(type_), type_.max_length or 0, type_.min_length or 0
    sizes = {0, shortest - 1, shortest, shortest + 1, longest - 1, longest, longest + 1, 5000}
    made = [letter * n for n in sizes if n >= 0 for letter in ("x", " ", "1", "\U0001f600")]
    made += [valid + " " * n for n in range(5)] + [" " + valid, valid[:-1], valid + "1", valid.lower(), valid + "\n"]
    made += ["1900-02-29", "2001-02-29", "2000-02-29", "2000-04-31", "2000-12-31", "1799-12-31", "2100-01-01"]
    made += ["a@b.uk", "aa@bb.uk", "a" * 249 + "@bb.u", "a" * 248 + "@bb.uk", "a" * 249 + "@bb.uk"]
    made += ["\u0660" * longest, "\u00a0", "\x85" * 3, "999", "8", "ful", "FUL|CHK"]
    return made


MISTAKES = ("missing", "twice", "swapped", "unknown", "qualified", "value", "attribute", "text", "nil", "type", "nested")


@st.composite
def requests(draw, mistakes: int = 0) -> etree._Element:
    """Body elements of any operation, with some of the optional elements, repeated ones, and drawn values.

    mistakes: how many of MISTAKES to make; some leave the request valid.
    """
    row = contract.OPERATIONS[draw(st.sampled_from(sorted(contract.OPERATIONS)))]
    element = request(row.name, UserName=None)
    for child in list(element):
        element.remove(child)
    _draw(draw, element, row.request_type)
    for _ in range(mistakes):
        _make_mistake(draw, element)
    return element


def _draw(draw, element, type_) -> None:
    for field in type_.fields:
        most = 3 if field.max_occurs is None else min(field.max_occurs, 3)
        for _ in range(draw(st.integers(field.min_occurs, most))):
            child = etree.SubElement(element, field.name)
            if field.complex:
                _draw(draw, child, field.complex)
            elif field.nillable and draw(st.booleans()):
                child.set(XSI + "nil", "true")
            elif field.name == "OrgPassword":
                child.text = PASSWORD
            else:
                child.text = draw(valid_values(field.simple))


def _make_mistake(draw, root) -> None:
    mistake = draw(st.sampled_from(MISTAKES))
    target = draw(st.sampled_from(list(root.iter())))
    parent = target.getparent()
    if mistake == "missing" and parent is not None:
        parent.remove(target)
    elif mistake == "twice" and parent is not None:
        target.addnext(etree.fromstring(etree.tostring(target, with_tail=False)))
    elif mistake == "swapped":
        other = draw(st.sampled_from(list(root.iter())))
        if not len(target) and not len(other):
            target.text, other.text = other.text, target.text
    elif mistake == "unknown":
        target.append(etree.Element(draw(st.sampled_from(["Foo", "ULN", "{urn:x}ULN", "OrgPassword"]))))
    elif mistake == "qualified":
        target.tag = root.tag.partition("}")[0] + "}" + etree.QName(target).localname
    elif mistake == "value" and not len(target):
        types = list(contract.SIMPLE_TYPES.values())
        values = draw(st.sampled_from([values_at_the_bounds(type_) for type_ in types]))
        target.text = re.sub("[\x85]", "", draw(st.sampled_from(values)))
    elif mistake == "attribute":
        target.set(draw(st.sampled_from(["id", "{urn:x}id", XSI + "foo", XSI + "schemaLocation"])), PASSWORD)
    elif mistake == "text":
        target.tail = draw(st.sampled_from([PASSWORD, " ", "\n", "x"])) if parent is not None else None
    elif mistake == "nil":
        target.set(XSI + "nil", draw(st.sampled_from(["true", "false", "1", "0", "maybe", ""])))
    elif mistake == "nested":
        etree.SubElement(target, "OrgPassword").text = PASSWORD
    elif mistake == "type":
        target.set(XSI + "type", draw(st.sampled_from(["msg:LearnerByULNRqst", "x:y", "", "Foo"])))
