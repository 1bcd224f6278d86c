"""The binding against the schema and against lxml's own reading of what it wrote."""

import dataclasses

import pytest
from lxml import etree

from lrs_soap import binding, contract, model

REPORT = "http://api.lrs.miap.gov.uk/reportmsg"
FIND = "http://api.lrs.miap.gov.uk/findmsg"


def element(text: str) -> etree._Element:
    return etree.fromstring(text)


def decode(type_name: str, text: str):
    return binding.decoder(contract.TYPES[type_name])(element(text))


def test_an_update_decodes_the_fields_of_the_base_and_its_own():
    learner = decode(
        "LearnerToUpdate",
        "<Learner><GivenName> Ann </GivenName><FamilyName>Lee</FamilyName><Notes/><ULN>9276308686</ULN>"
        "<VersionNumber> +7 </VersionNumber></Learner>".replace(
            "<Notes/>",
            "<LastKnownPostCode>CV1 2WT</LastKnownPostCode><DateOfBirth>1990-01-02</DateOfBirth><Gender>2</Gender>"
            "<VerificationType>2</VerificationType><AbilityToShare>1</AbilityToShare><Notes/>",
        ),
    )
    assert learner.given_name == " Ann ", "white space is the learner's own"
    assert learner.notes == "" and learner.title is None, "empty and absent differ"
    assert learner.version_number == 7


@pytest.mark.parametrize("nil,expected", [("true", None), ("1", None), ("false", ""), ("0", "")])
def test_nil_is_absent_and_not_nil_is_empty(nil, expected):
    decoded = decode(
        "MIAPLearnerToVerify",
        '<LearnerToVerify xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><ULN>9276308686</ULN>'
        f'<FamilyName>Lee</FamilyName><GivenName>Ann</GivenName><DateOfBirth xsi:nil="{nil}"/></LearnerToVerify>',
    )
    assert decoded.date_of_birth == expected


def test_what_a_derived_type_adds_is_left_aside():
    decoded = decode(
        "LearnerToRegister",
        '<Learner xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:l="http://api.lrs.miap.gov.uk/learner" '
        'xsi:type="l:LearnerToUpdate"><GivenName>Ann</GivenName><FamilyName>Lee</FamilyName>'
        "<LastKnownPostCode>CV1 2WT</LastKnownPostCode><DateOfBirth>1990-01-02</DateOfBirth><Gender>2</Gender>"
        "<VerificationType>2</VerificationType><AbilityToShare>1</AbilityToShare><ULN>9276308686</ULN>"
        "<VersionNumber>1</VersionNumber></Learner>",
    )
    assert decoded.given_name == "Ann" and not hasattr(decoded, "uln")


def test_repeating_elements_become_a_tuple_in_order():
    decoded = decode("MIAPULNsToRetrieve", "<x><ULN>1000000001</ULN><ULN>1000000002</ULN></x>")
    assert decoded.uln == ("1000000001", "1000000002")
    assert decode("MIAPLinkedULN", "<x/>").uln == ()


def test_what_is_written_reads_back_as_it_was():
    nasty = "R&D <Ltd> ]]> \"quoted\" 'and'\r\nnext\ttab \U0001f600 é"
    reply = model.FindLearnerResp(response_code="WSRC0001", family_name=nasty, given_name="Ann")
    written = binding.element_encoder(f"{{{FIND}}}FindLearnerResponse")(reply)
    root = element(written)
    assert root.tag == f"{{{FIND}}}FindLearnerResponse"
    assert [child.tag for child in root] == ["ResponseCode", "FamilyName", "GivenName"], "unqualified, in order"
    assert binding.decoder(contract.TYPES["FindLearnerResp"])(root) == reply


def test_nested_and_repeating_values_are_written_valid():
    learner = model.Learner(
        **dict.fromkeys((f.name for f in dataclasses.fields(model.Learner) if f.default is not None), "x")
        | dict(created_date="2026-01-02", last_updated_date="2026-01-02", uln="9276308686", given_name="Ann",
               family_name="Lee", last_known_post_code="CV1 2WT", date_of_birth="1990-01-02", gender="2",
               ability_to_share="1", learner_status="1", version_number=3,
               linked_ulns=model.MIAPLinkedULN(uln=("1000000001", "1000000002")), notes="")
    )  # fmt: skip
    reply = model.FindLearnerResp(response_code="WSRC0022", learner=(learner, learner))
    root = element(binding.element_encoder(f"{{{FIND}}}FindLearnerResponse")(reply))
    assert contract.schema().validate(root), contract.schema().error_log
    assert [uln.text for uln in root.iterfind("Learner[1]/LinkedULNs/ULN")] == ["1000000001", "1000000002"]
    assert root.find("Learner/Notes") is not None, "an empty string is an empty element, not an absent one"


def test_every_type_of_the_contract_has_a_decoder_and_an_encoder():
    for complex_type in contract.TYPES.values():
        assert callable(binding.decoder(complex_type)) and callable(binding.encoder(complex_type))


def test_no_markup_gets_into_a_reply_in_the_place_of_a_number():
    encode = binding.element_encoder(contract.OPERATIONS["getVerifyBatchOutput"].request)
    asked = model.VerifyBatchOutputRqst(org_password="p", user_name="u", job_id="1</JobID><JobID>2")
    assert "<JobID>1&lt;/JobID&gt;&lt;JobID&gt;2</JobID>" in encode(asked)
