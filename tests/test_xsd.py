"""The XSDs and what `xsd` reads from them, judged by xmlschema and lxml."""

import dataclasses
import hashlib

import pytest
import xmlschema
from lxml import etree

from lrs_soap import contract, resources, xsd

SCHEMAS = resources.directory("schemas")
LEARNER = "http://api.lrs.miap.gov.uk/learner"


def simple_as_xmlschema_sees_it(type_):
    base = type_.root_type if type_.is_atomic() and type_.local_name in xsd.BUILTIN else type_.base_type
    return xsd.SimpleType(
        name=type_.local_name,
        base=type_.local_name if type_.local_name in xsd.BUILTIN else base.local_name,
        patterns=tuple(type_.patterns.regexps) if type_.patterns else (),
        min_length=type_.min_length,
        max_length=type_.max_length,
        min_inclusive=type_.min_value,
        max_inclusive=type_.max_value,
    )


def complex_as_xmlschema_sees_it(type_):
    return xsd.ComplexType(
        name=type_.local_name,
        namespace=type_.target_namespace,
        base=type_.base_type.local_name if type_.derivation == "extension" else None,
        fields=tuple(
            xsd.Field(
                name=row.name,
                attribute=contract.attribute_name(row.local_name),
                type_name=row.type.local_name,
                simple=simple_as_xmlschema_sees_it(row.type) if row.type.is_simple() else None,
                complex=complex_as_xmlschema_sees_it(row.type) if row.type.is_complex() else None,
                min_occurs=row.min_occurs,
                max_occurs=row.max_occurs,
                nillable=row.nillable,
            )
            for row in type_.content.iter_elements()
        ),
    )


@pytest.fixture(scope="module")
def by_xmlschema():
    return [xmlschema.XMLSchema(str(path)) for path in sorted(SCHEMAS.glob("*.xsd"))]


def test_xmlschema_reads_the_same_complex_types(by_xmlschema):
    seen = {
        t.local_name: complex_as_xmlschema_sees_it(t) for s in by_xmlschema for t in s.types.values() if t.is_complex()
    }
    assert seen == contract.TYPES
    assert len(seen) == 47


def test_xmlschema_reads_the_same_simple_types(by_xmlschema):
    seen = {
        t.local_name: simple_as_xmlschema_sees_it(t) for s in by_xmlschema for t in s.types.values() if t.is_simple()
    }
    assert seen == contract.SIMPLE_TYPES
    assert len(seen) == 38


def test_xmlschema_reads_the_same_elements(by_xmlschema):
    seen = {e.name: e.type.local_name for schema in by_xmlschema for e in schema.elements.values()}
    assert seen == {name: type_.name for name, type_ in contract.ELEMENTS.items()}
    assert len(seen) == 27


def test_children_are_unqualified(by_xmlschema):
    assert {schema.element_form_default for schema in by_xmlschema} == {"unqualified"}
    assert not any("{" in field.name for type_ in contract.TYPES.values() for field in type_.fields)
    message = '<m:UpdateLearnerResponse xmlns:m="http://api.lrs.miap.gov.uk/regmsg">{}</m:UpdateLearnerResponse>'
    assert contract.schema().validate(etree.fromstring(message.format("<ResponseCode>WSRC0006</ResponseCode>")))
    qualified = message.format("<m:ResponseCode>WSRC0006</m:ResponseCode>")
    assert not contract.schema().validate(etree.fromstring(qualified))


FACETS = [
    ("MIAPDateTime", "2008-03-01 09:30:00", True),
    ("MIAPDateTime", "2008-02-29 23:59:59", True),
    ("MIAPDateTime", "2007-02-29 09:30:00", False),
    ("MIAPDateTime", "2008-03-01", False),
    ("MIAPDateTime", "2008-03-01 24:00:00", False),
    ("MIAPDateTime", "2008-03-01T09:30:00", False),
    ("MIAPDate", "2008-02-29", True),
    ("MIAPDate", "2007-02-29", False),
    ("MIAPDate", "1900-02-29", True),  # As published; the business rule refuses it.
    ("MIAPDate", "1990-04-31", False),
    ("MIAPDate", "1799-12-31", False),
    ("MIAPDate", "2100-01-01", False),
    ("MIAPDate", "", False),
    ("MIAPDateNillable", "", True),
    ("MIAPULN", "9276308686", True),
    ("MIAPULN", "0276308686", False),
    ("MIAPULN", "927630868", False),
    ("MIAPULN", "", False),
    ("MIAPULNNillable", "", True),
    ("MIAPULNNillable", " ", False),
    ("MIAPGender", "9", True),
    ("MIAPGender", "3", False),
    ("MIAPGender", "", False),
    ("MIAPGenderNillable", "", True),
    ("MIAPPostCode", "CV1 2WT", True),
    ("MIAPPostCode", "cv12wt", True),
    ("MIAPPostCode", "CV1 2CT", False),
    ("MIAPPostCode", "BFPO 801", True),
    ("MIAPPostCode", "", False),
    ("MIAPPostCodeNillable", "", True),
    ("MIAPEmail", "a.b'c@example.ac.uk", True),
    ("MIAPEmail", "a@b", False),
    ("MIAPEmail", "", True),
    ("MIAPNameNonEmpty", " x", True),
    ("MIAPNameNonEmpty", "   ", False),
    ("MIAPNameNonEmpty", "é" * 35, True),
    ("MIAPNameNonEmpty", "x" * 36, False),
    ("MIAPName", "", True),
    ("MIAPOrgPassword", "sandbox-password", True),
    ("MIAPOrgPassword", "fifteen-letters", False),
    ("MIAPVerificationType", "999", True),
    ("MIAPVerificationType", "8", False),
    ("MIAPScottishCandidateNumber", "", True),
    ("MIAPScottishCandidateNumber", "12345678", False),
    ("MIAPLearnerRecordCount", "200", True),
    ("MIAPLearnerRecordCount", "201", False),
    ("MIAPLearnerRecordCount", "0", False),
    ("MIAPLearnerRecordCount", "", False),
]


@pytest.mark.parametrize(("type_name", "value", "valid"), FACETS)
def test_facets_by_two_judges(by_xmlschema, type_name, value, valid):
    (learner,) = (schema for schema in by_xmlschema if schema.target_namespace == LEARNER)
    assert learner.types[type_name].is_valid(value) is valid
    probe = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:l="{LEARNER}">
        <xs:import namespace="{LEARNER}" schemaLocation="learner.xsd"/>
        <xs:element name="Probe" type="l:{type_name}"/></xs:schema>"""
    by_lxml = etree.XMLSchema(etree.fromstring(probe, base_url=str(SCHEMAS / "probe.xsd")))
    document = etree.Element("Probe")
    document.text = value
    assert by_lxml.validate(document) is valid


def test_the_interface_of_2008_has_not_changed():
    """The files were compared with the published contract, item by item, when this digest was taken.

    A client of 2008 cannot follow a change of a name, an order, a cardinality or a facet: so if this fails, the
    files are wrong, not the digest, unless the contract itself was misread.
    """
    said = [*contract.SIMPLE_TYPES.values(), *contract.TYPES.values()]
    elements = [(name, type_.name) for name, type_ in contract.ELEMENTS.items()]
    text = "\n".join(sorted(f"{dataclasses.astuple(row)}" for row in said) + sorted(map(str, elements)))
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest == "a48671ae51d0ce866a76837a5e5b06d86ad4013e78c371af119cdfb067c63157"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ULN", "uln"),
        ("LinkedULNs", "linked_ulns"),
        ("ULNsToRetrieve", "ulns_to_retrieve"),
        ("ULNReport", "uln_report"),
        ("MISIdentifier", "mis_identifier"),
        ("LNRContactType", "lnr_contact_type"),
        ("AchievementProviderUKPRN", "achievement_provider_ukprn"),
        ("LastKnownAddressLine1", "last_known_address_line1"),
        ("FamilyNameAtAge16", "family_name_at_age16"),
        ("JobID", "job_id"),
    ],
)
def test_attribute_names(name, expected):
    assert contract.attribute_name(name) == expected


def test_attribute_names_are_unique_and_usable():
    for type_ in contract.TYPES.values():
        names = [field.attribute for field in type_.fields]
        assert len(set(names)) == len(names)
        assert all(name.isidentifier() for name in names)
