"""The contract's files and what `contract` reads from them, judged by xmlschema, zeep and lxml."""

import dataclasses
import hashlib
import threading

import pytest
import xmlschema
import zeep
from lxml import etree

from lrs_soap import contract, resources, xsd

SCHEMAS = resources.directory("schemas")
LEARNER = "http://api.lrs.miap.gov.uk/learner"

# What clients of 2008 were generated from: input name, message, part, element; the same of the output.
MESSAGES = """
learnerByULN learnerByULNRequest learnerByULNRequest learnerByULN findmsg:FindLearnerByULN
    findLearnerByULNResponse findLearnerByULNResponse findLearnerResponse findmsg:FindLearnerResponse
learnerByDemographics learnerByDemographicsRequest learnerByDemographicsRequest learnerByDemographics
    findmsg:FindLearnerByDemographics findLearnerByDemographicsResponse findLearnerByDemographicsResponse
    findLearnerResponse findmsg:FindLearnerResponse
registerSingleLearner registerSingleLearnerRequest registerSingleLearnerRequest registerSingleLearner
    regmsg:RegisterLearner registerSingleLearnerResponse registerSingleLearnerResponse registerSingleLearnerResponse
    regmsg:RegisterLearnerResponse
updateSingleLearner updateLearnerRequest updateSingleLearnerRequest updateSingleLearner regmsg:UpdateLearner
    updateLearnerResponse updateLearnerResponse updateSingleLearnerResponse regmsg:UpdateLearnerResponse
submitBatchRegistration submitBatchRequest submitBatchRequest submitBatch batchmsg:SubmitBatch
    submitBatchResponse submitBatchResponse submitBatchResponse batchmsg:SubmitBatchResponse
getBatchRegistrationOutput batchOutputRequest batchOutputRequest batchOutput batchmsg:GetSubmitBatchOutput
    batchOutputResponse batchOutputResponse batchOutputResponse batchmsg:GetSubmitBatchOutputResponse
submitVerifyBatch submitVerifyBatchRequest submitVerifyBatchRequest submitVerifyBatch vldmsg:SubmitVerifyBatch
    submitVerifyBatchResponse submitVerifyBatchResponse submitVerifyBatchResponse vldmsg:SubmitVerifyBatchResponse
getVerifyBatchOutput verifyBatchOutputRequest verifyBatchOutputRequest verifyBatchOutput vldmsg:GetVerifyBatchOutput
    verifyBatchOutputResponse verifyBatchOutputResponse verifyBatchOutputResponse vldmsg:GetVerifyBatchOutputResponse
getMergedUnmergedULNsReport mergedUnmergedULNsReportRequest mergedUnmergedULNsReportRequest
    mergedUnmergedULNsReportRqst reportmsg:GetMergedUnmergedULNs mergedUnmergedULNsReportResponse
    mergedUnmergedULNsReportResponse mergedUnmergedULNsReportResp reportmsg:MergedUnmergedULNsResponse
getDeletedULNsReport deletedULNsReportRequest deletedULNsReportRequest deletedULNsReportRqst reportmsg:GetDeletedULNs
    deletedULNsReportResponse deletedULNsReportResponse deletedULNsReportResp reportmsg:DeletedULNsResponse
retrieveULNs retrieveULNsRequest retrieveULNsRequest retrieveULNsRqst reportmsg:RetrieveULNs
    retrieveULNsResponse retrieveULNsResponse retrieveULNsResp reportmsg:RetrieveULNsResponse
verifyLearner verifyLearnerRequest verifyLearnerRequest verifyLearnerRqst reportmsg:VerifyLearner
    verifyLearnerResponse verifyLearnerResponse verifyLearnerResp reportmsg:VerifyLearnerResponse
getLearnerRecord getLearnerRecordRequest learnerRecordRequest getLearnerRecord learnerrec:GetLearnerRecord
    getLearnerRecordResponse learnerRecordResponse learnerRecordResponse learnerrec:GetLearnerRecordResp
""".split()
ROWS = [MESSAGES[i : i + 9] for i in range(0, len(MESSAGES), 9)]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The files side by side, as a client sees them."""
    directory = tmp_path_factory.mktemp("served")
    for name, content in contract.FILES.items():
        (directory / name).write_bytes(content)
    return directory


@pytest.fixture(scope="module")
def by_zeep(served):
    return zeep.Client(str(served / contract.WSDL)).wsdl


# --- the WSDL -------------------------------------------------------------------------------------------------------


def element(prefixed):
    prefix, _, name = prefixed.partition(":")
    return f"{{http://api.lrs.miap.gov.uk/{prefix}}}{name}"


def test_zeep_sees_the_service_the_contract_names(by_zeep):
    namespace = "{http://learner.webservice.miap.gov.uk}"
    assert list(by_zeep.services) == ["LearnerService"]
    port = by_zeep.services["LearnerService"].ports["LearnerService"]
    assert port.binding.name == namespace + "LearnerBinding"
    assert port.binding.port_type.name == namespace + "LearnerPortType"
    assert list(port.binding.port_type.operations) == list(contract.OPERATIONS) == [row[0] for row in ROWS]
    assert len(contract.OPERATIONS) == 13
    assert port.binding_options["address"].endswith(contract.ENDPOINT)
    assert contract.ENDPOINT == "/MIAPWebService/services/LearnerService"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_zeep_sees_the_messages_of_each_operation(by_zeep, row):
    name, input_name, request, request_part, request_element, output_name, response, response_part, response_element = (
        row
    )
    binding = by_zeep.services["LearnerService"].ports["LearnerService"].binding
    operation, concrete = binding.port_type.operations[name], binding.get(name)
    for message, message_name, part_name, part_element in (
        (operation.input_message, request, request_part, request_element),
        (operation.output_message, response, response_part, response_element),
        (operation.fault_messages["exception"], "MIAPAPIFault", "MIAPAPIFault", "exceptions:MIAPAPIException"),
    ):
        assert etree.QName(message.name).localname == message_name
        ((found, part),) = message.parts.items()
        assert (found, part.element.qname.text) == (part_name, element(part_element))
    assert (concrete.style, concrete.soapaction) == ("document", "")
    assert list(operation.fault_messages) == ["exception"]
    ours = contract.OPERATIONS[name]
    assert (ours.request, ours.response) == (element(request_element), element(response_element))
    assert contract.BY_REQUEST[ours.request] is ours
    assert contract.ELEMENTS[ours.request] is ours.request_type
    assert contract.ELEMENTS[ours.response] is ours.response_type
    definitions = etree.fromstring(contract.FILES[contract.WSDL])
    for place in ("portType", "binding"):
        directions = definitions.xpath(f"*[local-name()='{place}']/*[@name=$name]/*[@name]/@name", name=name)
        assert directions == [input_name, output_name, "exception"]


def test_the_wsdl_is_literal_and_sends_an_empty_soap_action():
    definitions = etree.fromstring(contract.FILES[contract.WSDL])
    soap = "{http://schemas.xmlsoap.org/wsdl/soap/}"
    uses = [row.get("use") for kind in ("body", "fault") for row in definitions.iter(soap + kind)]
    assert uses == ["literal"] * 39
    assert [row.get("soapAction") for row in definitions.iter(soap + "operation")] == [""] * 13
    assert [row.get("name") for row in definitions.iter(soap + "fault")] == ["exception"] * 13


def test_the_wsdl_imports_every_message_schema_by_its_file_name():
    (schema,) = etree.fromstring(contract.FILES[contract.WSDL]).iter(f"{xsd.XS}schema")
    assert schema.get("targetNamespace") is None
    imported = {row.get("schemaLocation") for row in schema}
    assert imported == contract.FILES.keys() - {contract.WSDL, "learner.xsd"}


def test_fault_element_is_the_one_clients_look_for():
    assert contract.FAULT_ELEMENT == "{http://api.lrs.miap.gov.uk/exceptions}MIAPAPIException"
    names = [field.name for field in contract.ELEMENTS[contract.FAULT_ELEMENT].fields]
    assert names == ["ErrorCode", "ErrorActor", "Description", "FurtherDetails", "ErrorTimestamp"]


@pytest.mark.parametrize("address", ["https://lrs.example.org:8443/x", 'http://h/?a=1&b="<2>"', "http://h/été"])
def test_wsdl_for_changes_the_address_and_nothing_else(address):
    ours, original = etree.fromstring(contract.wsdl_for(address)), etree.fromstring(contract.FILES[contract.WSDL])
    (location,) = ours.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    (before,) = original.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert location.get("location") == address
    location.set("location", before.get("location"))
    assert etree.tostring(ours, method="c14n") == etree.tostring(original, method="c14n")


def test_wsdl_for_refuses_what_xml_cannot_hold():
    with pytest.raises(ValueError):
        contract.wsdl_for("http://h/\x00")


# --- the schemas ----------------------------------------------------------------------------------------------------


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


# --- reading --------------------------------------------------------------------------------------------------------


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


def test_what_was_read_cannot_be_changed():
    for mapping in (contract.OPERATIONS, contract.BY_REQUEST, contract.TYPES, contract.SIMPLE_TYPES, contract.FILES):
        with pytest.raises(TypeError):
            mapping["new"] = None
    with pytest.raises(dataclasses.FrozenInstanceError):
        contract.OPERATIONS["learnerByULN"].name = "other"


def test_check_operations():
    contract.check_operations(reversed(contract.OPERATIONS))
    with pytest.raises(contract.ContractError, match=r"missing learnerByULN; unknown findByULN\.$"):
        contract.check_operations(contract.OPERATIONS.keys() - {"learnerByULN"} | {"findByULN"})


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("learner.xsd", b"</xs:schema>", b"", "learner.xsd"),
        ("learner.xsd", b'name="MIAPUKPRN"', b'name="MIAPULN"', "MIAPULN is not unique"),
        ("learner.xsd", b"<xs:minLength", b"<xs:length", "MIAPULN has a facet length"),
        ("learner.xsd", b'base="tns:BatchLearner"', b'base="tns:Missing"', "OutputBatchLearner extends Missing"),
        ("learner.xsd", b"xs:sequence>", b"xs:choice>", "MIAPLinkedULN is not a sequence"),
        ("fault.xsd", b"<xs:schema ", b'<xs:schema elementFormDefault="qualified" ', "qualifies"),
        ("fault.xsd", b'type="tns:ErrorCode"', b'type="tns:Missing"', "ErrorCode is of type Missing"),
        ("findlearner.xsd", b'"learner:MIAPULN"', b'"xs:date"', "ULN is of type date"),
        ("findlearner.xsd", b'schemaLocation="learner.xsd"', b'schemaLocation="other.xsd"', "other.xsd is missing"),
        ("findlearner.xsd", b'<xs:element name="FindLearnerByULN"', b'<xs:element name="Other"', "learnerByULNRequest"),
        (contract.WSDL, b'reportmsg:RetrieveULNs"', b'reportmsg:VerifyLearner"', "two operations share a request"),
        (contract.WSDL, b'namespace="http://api.lrs.miap.gov.uk/regmsg"', b'namespace="urn:x"', "another namespace"),
        (contract.WSDL, b'message="tns:MIAPAPIFault"', b'message="tns:submitBatchRequest"', "do not share one fault"),
        (contract.WSDL, b'message="tns:learnerByULNRequest"', b"", "learnerByULNRequest has no message"),
        (contract.WSDL, b"wsdl:binding", b"wsdl:bound", "has no binding"),
        (
            contract.WSDL,
            b'<wsdl:operation name="verifyLearner"',
            b'<wsdl:operation name="verify"',
            "portType and binding",
        ),
    ],
)
def test_files_that_do_not_fit_together_are_refused(file, old, new, message):
    assert old in contract.FILES[file]
    everywhere = b"binding" in old or b"choice" in new
    changed = contract.FILES[file].replace(old, new, -1 if everywhere else 1)
    with pytest.raises(contract.ContractError, match=message):
        contract.read({**contract.FILES, file: changed})


def test_a_missing_file_is_named():
    with pytest.raises(contract.ContractError, match="batchlearner.xsd is missing"):
        contract.read({name: content for name, content in contract.FILES.items() if name != "batchlearner.xsd"})


# --- the compiled schema --------------------------------------------------------------------------------------------


def test_each_thread_has_its_own_schema():
    def look():
        schemas.append((contract.schema(), contract.schema()))

    schemas = []
    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(first is second for first, second in schemas)
    assert len({id(first) for first, _ in schemas} | {id(contract.schema())}) == 4
    assert contract.schema() is contract.schema()


def test_the_schema_knows_every_message():
    for name in contract.ELEMENTS:
        assert not contract.schema().validate(etree.Element(name, attrib={"unknown": ""}))
        assert "No matching global declaration" not in contract.schema().error_log.last_error.message
    assert not contract.schema().validate(etree.Element("{urn:x}Unknown"))
    assert "No matching global declaration" in contract.schema().error_log.last_error.message
