"""LrsClient and AsyncLrsClient against canned replies: what they send, what they make of answers, what they never tell."""

import copy
import datetime
import logging
import pickle
import threading

import pytest
from support import canned, driven

from lrs_soap import client, codes, contract, model

PASSWORD = "pass-word-&-<16>"
REFUSED = "http://127.0.0.1:9"  # the discard port: nothing listens


@pytest.fixture(scope="module")
def server():
    with canned.serving() as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(server):
    server.status, server.content_type, server.headers, server.hold = 200, "text/xml; charset=utf-8", {}, None
    server.requests.clear()
    server.paths.clear()
    server.documents.clear()


@pytest.fixture(params=[client.LrsClient, driven.Driven], ids=["LrsClient", "AsyncLrsClient"])
def connect(request):
    def connecting(url, **more):
        given = {"ukprn": "TEST0001", "org_password": PASSWORD, "user_name": "J Smith", "timeout": 5} | more
        return request.param(url, **given)

    return connecting


@pytest.fixture
def service(connect, server):
    with connect(server.url) as connected:
        yield connected


def learner_to_register(kind=model.LearnerToRegister, **more):
    given = {"given_name": "Zoë", "family_name": "O'Neil", "last_known_post_code": "AB1 2DE", "gender": codes.Gender("2"),
             "date_of_birth": datetime.date(2001, 2, 3), "verification_type": "2", "ability_to_share": "1"}  # fmt: skip
    return kind(**given | more)


CALLER = "<UKPRN>TEST0001</UKPRN><OrgPassword>pass-word-&amp;-&lt;16&gt;</OrgPassword><UserName>J Smith</UserName>"
DETAILS = (
    "<GivenName>Zoë</GivenName><FamilyName>O'Neil</FamilyName><LastKnownPostCode>AB1 2DE</LastKnownPostCode>"
    "<DateOfBirth>2001-02-03</DateOfBirth><Gender>2</Gender>"
)


def test_find_by_uln(server, service):
    server.answer(canned.reply(
        "learnerByULN", f"<ResponseCode>WSRC0022</ResponseCode><ULN>1234567890</ULN>{canned.LEARNER}"
    ))
    found = service.learner_by_uln("1234567890", "Archer", "Ann")
    assert server.sent() == (
        f"<FindLearnerByULN><FindType>FUL</FindType>{CALLER}<ULN>1234567890</ULN>"
        "<FamilyName>Archer</FamilyName><GivenName>Ann</GivenName></FindLearnerByULN>"
    )
    assert found.response_code is codes.ResponseCode.MASTER_SUBSTITUTED
    assert found.family_name is None
    (learner,) = found.learner
    assert learner.linked_ulns == model.MIAPLinkedULN(uln=("1234567890",))
    assert (learner.version_number, learner.given_name, learner.title) == (4, "Ann [x]", None)


def test_find_by_demographics(server, service):
    server.answer(canned.reply("learnerByDemographics", "<ResponseCode>WSRC0001</ResponseCode>"))
    found = service.learner_by_demographics(
        "O'Neil", "Zoë", "2001-02-03", "2", "AB1 2DE", find_type="CHK", email_address="z@example.org"
    )
    assert found == model.FindLearnerResp(response_code=codes.ResponseCode.NO_MATCH)
    assert server.sent() == (
        f"<FindLearnerByDemographics><FindType>CHK</FindType>{CALLER}<FamilyName>O'Neil</FamilyName>"
        "<GivenName>Zoë</GivenName><DateOfBirth>2001-02-03</DateOfBirth><Gender>2</Gender>"
        "<LastKnownPostCode>AB1 2DE</LastKnownPostCode><EmailAddress>z@example.org</EmailAddress>"
        "</FindLearnerByDemographics>"
    )


def test_register(server, service):
    server.answer(canned.reply(
        "registerSingleLearner", "<ResponseCode>WSRC0005</ResponseCode><ULN>9276308686</ULN>"
    ))
    reply = service.register_single_learner(learner_to_register())
    assert reply == model.RegisterSingleLearnerResp(response_code=codes.ResponseCode.REGISTERED, uln="9276308686")
    assert server.sent() == (
        f"<RegisterLearner>{CALLER}<Learner>{DETAILS}<VerificationType>2</VerificationType>"
        "<AbilityToShare>1</AbilityToShare></Learner></RegisterLearner>"
    )


def test_update_tells_absent_from_empty(server, service):
    server.answer(canned.reply("updateSingleLearner", "<ResponseCode>WSRC0006</ResponseCode>"))
    reply = service.update_single_learner(
        learner_to_register(model.LearnerToUpdate, uln="9276308686", version_number=4, notes="")
    )
    assert reply == model.UpdateLearnerResp(response_code=codes.ResponseCode.UPDATED)
    assert server.sent() == (
        f"<UpdateLearner>{CALLER}<Learner>{DETAILS}<VerificationType>2</VerificationType><AbilityToShare>1</AbilityToShare>"
        "<Notes></Notes><ULN>9276308686</ULN><VersionNumber>4</VersionNumber></Learner></UpdateLearner>"
    )


def test_verify(server, service):
    server.answer(canned.reply(
        "verifyLearner",
        "<VerifiedLearner><SearchedULN>9276308686</SearchedULN><SearchedFamilyName>A</SearchedFamilyName>"
        "<SearchedGivenName>B</SearchedGivenName><ResponseCode>WSVRC005</ResponseCode><FailureFlag>VRF1</FailureFlag>"
        "<FailureFlag>VRF8</FailureFlag></VerifiedLearner>",
    ))
    reply = service.verify_learner(model.MIAPLearnerToVerify(uln="9276308686", family_name="A", given_name="B"))
    assert reply.verified_learner.response_code is codes.VerificationCode.NO_MATCH
    assert reply.verified_learner.failure_flag == (codes.FailureFlag.GIVEN_NAME, codes.FailureFlag.GENDER)
    assert "DateOfBirth" not in server.sent()


def test_retrieve(server, service):
    server.answer(canned.reply(
        "retrieveULNs",
        "<RetrievedULNs><VerifiedULN><ULN>9276308686</ULN><ResponseCode>WSRC0001</ResponseCode></VerifiedULN>"
        "<VerifiedULN><ULN>1234567890</ULN><MasterULN>9276308686</MasterULN><ResponseCode>WSRC0022</ResponseCode>"
        "</VerifiedULN></RetrievedULNs>",
    ))
    rows = service.retrieve_ulns(["9276308686", "1234567890"]).retrieved_ulns.verified_uln
    assert [row.response_code for row in rows] == [codes.ResponseCode.NO_MATCH, codes.ResponseCode.MASTER_SUBSTITUTED]
    assert "<ULN>9276308686</ULN><ULN>1234567890</ULN>" in server.sent()


def test_any_operation_by_name(server, service):
    server.answer(canned.reply(
        "getDeletedULNsReport",
        "<ResponseCode>WSRC0023</ResponseCode><FromDate>2026-01-01</FromDate><ULNReport><DeletedLearners><DeletedLearner>"
        "<ULN>9276308686</ULN><DeletedDate>2026-02-01</DeletedDate></DeletedLearner></DeletedLearners></ULNReport>",
    ))
    reply = service.call("getDeletedULNsReport", from_date=datetime.date(2026, 1, 1))
    assert "<FromDate>2026-01-01</FromDate>" in server.sent()
    deleted = model.MIAPDeletedLearner(uln="9276308686", deleted_date="2026-02-01")
    assert reply.uln_report.deleted_learners.deleted_learner == (deleted,)


def test_an_unknown_code_stays_text(server, service):
    server.answer(canned.reply("learnerByULN", "<ResponseCode>WSRC0999</ResponseCode>"))
    assert service.learner_by_uln("1234567890", "A", "B").response_code == "WSRC0999"


@pytest.mark.parametrize("code", ["WSEC0005", "WSEC7777"])
def test_fault(server, service, code):
    server.answer(canned.fault(code, "cvc-x: 'Archer'"), status=500)
    with pytest.raises(client.LrsServiceFault) as raised:
        service.learner_by_uln("1234567890", "Archer", "B")
    fault = raised.value
    assert fault.error_code == code
    assert isinstance(fault.error_code, codes.ErrorCode) == (code == "WSEC0005")
    assert (fault.error_actor, fault.description) == ("actor()", "What it means")
    assert (fault.further_details, fault.error_timestamp) == ("cvc-x: 'Archer'", "2026-11-23 10:11:12")
    assert str(fault) == f"the service answered with the fault {code}: What it means"


def test_a_fault_that_is_not_the_declared_one(server, service):
    body = "<soapenv:Fault><faultcode>soapenv:MustUnderstand</faultcode><faultstring>no</faultstring></soapenv:Fault>"
    server.answer(canned.ENVELOPE.format(body), status=500)
    with pytest.raises(client.LrsServiceFault) as raised:
        service.learner_by_uln("1234567890", "A", "B")
    assert (raised.value.error_code, raised.value.description) == ("soapenv:MustUnderstand", "no")


def test_the_password_is_never_told(server, service, caplog):
    caplog.set_level(logging.DEBUG)
    escaped = PASSWORD.replace("&", "&amp;").replace("<", "&lt;")
    server.answer(canned.fault("WSEC0001", f"value '{escaped}'"), status=500)
    with pytest.raises(client.LrsServiceFault) as raised:
        service.learner_by_uln("1234567890", "Archer", "B")
    assert raised.value.further_details == "value '***'"
    told = [repr(service), caplog.text, str(raised.value), repr(raised.value.__dict__)]
    assert [text for text in told if PASSWORD in text or escaped in text or "Archer" in text] == []
    assert "***" in repr(service)


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", "<html/>"),
        (404, "text/html", "not here"),
        (502, "text/xml", "<x/>"),
        (200, "text/xml", "<x/>"),
        (200, "text/xml", "not XML"),
        (200, "text/xml", ""),
        (200, "text/xml", '<!DOCTYPE x [<!ENTITY e "v">]><x>&e;</x>'),
        (200, "text/xml", canned.ENVELOPE.format("")),
        (200, "text/xml", canned.ENVELOPE.format('<n:FindLearnerResponse xmlns:n="http://api.lrs.miap.gov.uk/findmsg"/>')),
        (200, "text/xml", canned.ENVELOPE.format(
            '<n:FindLearnerResponse xmlns:n="http://api.lrs.miap.gov.uk/findmsg"><Secret>Archer</Secret>'
            "</n:FindLearnerResponse>"
        )),
    ],
)  # fmt: skip
def test_something_else_answers(server, service, status, kind, body):
    server.content_type = kind
    server.answer(body, status)
    with pytest.raises(client.LrsUnexpectedReply) as raised:
        service.learner_by_uln("1234567890", "Archer", "B")
    assert raised.value.url in str(raised.value)
    assert "Archer" not in str(raised.value)


def test_no_redirect_takes_the_password_elsewhere(server, service):
    server.headers = {"Location": server.url + "/elsewhere"}
    server.answer("", 307)
    with pytest.raises(client.LrsUnexpectedReply, match="307"):
        service.learner_by_uln("1234567890", "A", "B")
    assert server.paths == [contract.ENDPOINT]


def test_nothing_listens(connect):
    with pytest.raises(client.LrsUnreachable) as raised, connect(REFUSED + "/x?wsdl") as service:
        service.learner_by_uln("1234567890", "A", "B")
    assert raised.value.url == REFUSED + "/x?wsdl"
    assert "no connection" in str(raised.value)


def test_no_answer_in_time(connect, server):
    server.hold = threading.Event()
    with connect(server.url, timeout=0.2) as service, pytest.raises(client.LrsTimeout, match=r"0\.2 seconds"):
        service.learner_by_uln("1234567890", "A", "B")


@pytest.mark.parametrize(
    ("url", "more", "words"),
    [
        ("nonsense", {}, "not an http or https URL"),
        ("https://127.0.0.1:9", {"client_certificate": "/no/such.pem"}, "TLS file"),
        ("https://127.0.0.1:9", {"ca_bundle": "/no/such.pem"}, "TLS file"),
    ],
)
def test_what_cannot_be_reached(connect, url, more, words):
    with connect(url, **more) as service, pytest.raises(client.LrsUnreachable, match=words):
        service.learner_by_uln("1234567890", "A", "B")


def test_credentials_in_a_url_are_not_shown(connect):
    with connect("http://user:secret@127.0.0.1:9/x") as service, pytest.raises(client.LrsUnreachable) as raised:
        service.learner_by_uln("1234567890", "A", "B")
    assert "secret" not in str(raised.value) + repr(service)


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.call("learnerByMagic"),
        lambda s: s.call("learnerByULN", uln="1234567890"),
        lambda s: s.call("learnerByULN", find_type="FUL", uln="1", family_name="A", given_name="B", shoe_size="9"),
        lambda s: s.update_single_learner(learner_to_register()),
        lambda s: s.learner_by_uln("1234567890", "A\0Archer", "B"),
        lambda s: s.learner_by_uln(None, "Archer", "B"),
        lambda s: s.retrieve_ulns([]),
    ],
)
def test_a_call_that_cannot_be_made_sends_nothing(server, service, call):
    with pytest.raises(client.LrsInvalidCall) as raised:
        call(service)
    assert server.requests == []
    assert "Archer" not in str(raised.value)
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize(("url", "more"), [(None, {}), (REFUSED, {"ukprn": None})])
def test_what_a_client_needs(connect, url, more):
    with pytest.raises(client.LrsInvalidCall, match="give"):
        connect(url, **more)


@pytest.mark.parametrize("path", [contract.ENDPOINT, contract.ENDPOINT + "?wsdl", "/other"])
def test_the_url_is_used_as_given(connect, server, path):
    server.answer(canned.reply("learnerByULN", "<ResponseCode>WSRC0001</ResponseCode>"))
    with connect(server.url + path) as service:
        service.learner_by_uln("1234567890", "A", "B")
    assert server.paths == [path]


def test_a_wsdl_from_a_url(connect, server):
    server.documents.update(contract.FILES)
    server.documents[contract.WSDL] = contract.wsdl_for(server.url + "/from-the-wsdl")
    server.answer(canned.reply("learnerByULN", "<ResponseCode>WSRC0001</ResponseCode>"))
    with connect(None, wsdl=f"{server.url}/x/{contract.WSDL}", organisation_ref="TEST01") as service:
        service.learner_by_uln("1234567890", "A", "B")
    assert server.paths == ["/from-the-wsdl"]
    assert "<OrganisationRef>TEST01</OrganisationRef><UKPRN>TEST0001</UKPRN>" in server.sent()


def test_a_wsdl_from_a_file(connect, server, tmp_path):
    for name, data in contract.FILES.items():
        (tmp_path / name).write_bytes(data)
    server.answer(canned.reply("learnerByULN", "<ResponseCode>WSRC0001</ResponseCode>"))
    for wsdl in (str(tmp_path / contract.WSDL), (tmp_path / contract.WSDL).as_uri()):
        with connect(server.url, wsdl=wsdl) as service:
            assert service.learner_by_uln("1234567890", "A", "B").response_code is codes.ResponseCode.NO_MATCH


@pytest.mark.parametrize(
    "wsdl",
    [
        b"<x/>",
        b"not XML",
        contract.FILES[contract.WSDL].replace(b'"findlearner.xsd"', b'"http://192.0.2.1/findlearner.xsd"'),
        b'<!DOCTYPE x [<!ENTITY e "v">]>' + contract.FILES[contract.WSDL].split(b"?>", 1)[-1],
    ],
)
def test_a_wsdl_that_is_not_used(connect, server, wsdl):
    server.documents.update(contract.FILES)
    server.documents[contract.WSDL] = wsdl
    with pytest.raises(client.LrsUnexpectedReply):
        connect(None, wsdl=f"{server.url}/{contract.WSDL}")


def test_a_wsdl_that_is_not_there(connect, server):
    with pytest.raises(client.LrsUnexpectedReply, match="404"):
        connect(None, wsdl=f"{server.url}/{contract.WSDL}")


@pytest.mark.parametrize(
    "failure",
    [
        client.LrsServiceFault(codes.ErrorCode.OUT_OF_HOURS, "a", "b", "c", "d"),
        client.LrsTimeout("http://h", "p", "a"),
        client.LrsUnexpectedReply("http://h", "p"),
    ],
)
def test_failures_survive_a_process_pool(failure):
    for again in (copy.copy(failure), pickle.loads(pickle.dumps(failure))):
        assert (str(again), again.__dict__) == (str(failure), failure.__dict__)
