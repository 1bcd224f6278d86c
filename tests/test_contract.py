"""The WSDL and what `contract` makes of it, judged by zeep and lxml."""

import dataclasses
import threading

import pytest
import zeep
from lxml import etree

from lrs_soap import contract, xsd

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
    assert imported == contract.FILES.keys() - {contract.WSDL, contract.CODES, "learner.xsd"}


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


# --- reading -------------------------------------------------------------------------------------------------------


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
