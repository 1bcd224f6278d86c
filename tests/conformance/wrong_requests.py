"""Servers that take what they should refuse, refuse what they should take, or do something else than they were asked."""

import html
import re

from proxy import Got, Sent
from spoils import Faults

FAULTS = Faults()
caught_by, reads, refuses = FAULTS.server, FAULTS.reads, FAULTS.refuses
_DELETED = b"4123011739"
_OTHER = (b"SAND02", b"SAND0002", b"awarding-body-02")
_MAIN = (b"SAND01", b"SAND0001", b"sandbox-password")


@caught_by("R1025-headers-before-any-effect")
def registers_all_the_same(sent: Sent, on) -> Got:
    """MustUnderstand said when all is done"""
    got = on(sent)
    if b":MustUnderstand" in got.body:
        sent.body = re.sub(rb"<soapenv:Header>.*?</soapenv:Header>", b"", sent.body)
        on(sent)
    return got


@caught_by("update-stale-version")
def stale(sent: Sent, on) -> Got:
    """a stale version accepted"""
    got = on(sent)
    for version in range(1, 9):
        if b"WSRC0013" not in got.body:
            break
        sent.body = re.sub(rb"<VersionNumber>\d+", b"<VersionNumber>%d" % version, sent.body)
        got = on(sent)
    return got


@caught_by("register-twice")
def registers_twice(sent: Sent, on) -> Got:
    """the same learner registered twice"""
    got = on(sent)
    if b"RegisterLearner" in sent.body and b"WSRC0021" in got.body:
        sent.body = re.sub(rb"(<LastKnownPostCode>)[^<]*", rb"\1ZE3 9ZZ", sent.body)
        got = on(sent)
    return got


@caught_by("register-gives-a-uln")
def wrong_check_digit(sent: Sent, on) -> Got:
    """ULNs without a check digit"""
    got = on(sent)
    if b"RegisterLearner" in sent.body:
        got.body = re.sub(rb"(<ULN>\d{9})(\d)", lambda found: found[1] + b"%d" % ((int(found[2]) + 1) % 10), got.body)
    return got


@caught_by("find-deleted-never")
def deleted_found(sent: Sent, on) -> Got:
    """a deleted learner found"""
    got = on(sent)
    if b"Lonsdale" in sent.body:
        got.replace("</ResponseCode>", "</ResponseCode>").replace(
            b"WSRC0001", b"WSRC0003"
        ).body = re.sub(rb"(</[\w:]*FindLearnerResponse>)", b"<Learner><ULN>" + _DELETED + rb"</ULN></Learner>\1", got.body)
    return got


@caught_by("passwords-are-not-told-by-mistake passwords-are-not-told")
def tells(sent: Sent, on) -> Got:
    """the OrgPassword told in a fault"""
    got = on(sent)
    password = re.search(rb"<OrgPassword>([^<]*)", sent.body)
    return got.replace("</FurtherDetails>", b" (" + (password[1] if password else b"") + b")</FurtherDetails>")


@caught_by("batch-not-for-others")
def anybody(sent: Sent, on) -> Got:
    """the output of a batch shown to another organisation"""
    if b"Output" in sent.body:
        for other, main in zip(_OTHER, _MAIN, strict=True):
            sent.body = sent.body.replace(other, main)
    return on(sent)


@caught_by("register-not-by-others update-not-by-others record-not-by-others")
def rights(sent: Sent, on) -> Got:
    """rights not looked at"""
    if re.search(rb"RegisterLearner|UpdateLearner|GetLearnerRecord", sent.body):
        for other, main in zip(_OTHER, _MAIN, strict=True):
            sent.body = sent.body.replace(other, main)
    return on(sent)


@caught_by("caller-password-in-other-case")
def lower(sent: Sent, on) -> Got:
    """OrgPassword compared without case"""
    sent.body = re.sub(rb"(?<=<OrgPassword>)[^<]*", lambda found: found[0].lower(), sent.body)
    return on(sent)


@caught_by("R1012-utf-16-accepted")
def utf_16(sent: Sent, on) -> Got:
    """UTF-16 refused"""
    if b"\0" in sent.body:
        sent.body = b"?"
    return on(sent)


@caught_by("xml-encodings")
def latin(sent: Sent, on) -> Got:
    """ISO-8859-1 read as if it were UTF-8"""
    if b"\xeb" in sent.body and b"\0" not in sent.body:
        sent.body = sent.body.replace(b"\xeb", b"?")
    return on(sent)


@caught_by("fault-details-in-xerces-words")
def which(sent: Sent, on) -> Got:
    """the value not named in FurtherDetails"""
    got = on(sent)
    got.body = re.sub(rb"Value '[^']*'", b"A value", html.unescape(got.body.decode()).encode()) if b"cvc-pattern" in got.body else got.body
    return got


@caught_by("batch-kinds-apart batch-unknown-job")
def kinds(sent: Sent, on) -> Got:
    """a registration batch read as a verify batch: not finished for ever"""
    return on(sent).replace("WSRC0018", "WSRC0008")


reads("OrgPassword not looked at", "caller-wrong-password", "(?<=<OrgPassword>)not-the-password", "sandbox-password")
reads("mustUnderstand ignored", "R1027-must-understand", 'soapenv:mustUnderstand="1"', "")
reads("mustUnderstand looked at behind the body", "R1025-headers-before-the-body",
      '<soapenv:Header>.*?</soapenv:Header>(?=.*<FindType>XXX)', "")  # fmt: skip
reads("headers for others not ignored", "R1027-others-headers-ignored", 'soapenv:actor="urn:example:else"', "")
reads("SOAP 1.2 accepted", "R1015-soap-12-version-mismatch", "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")
reads("a DTD accepted", "soap-dtd-refused", "<!DOCTYPE.*?]>", "")
reads("an entity replaced", "soap-entity-refused", r"<!DOCTYPE.*?]>(.*)&e;", r"\1FUL")
reads("a processing instruction accepted", "soap-pi-refused", r"<\?go away\?>", "")
reads("two requests in a Body: the first taken", "soap-two-requests", r"(</m:\w+>)<m:.*?(</soapenv:Body>)", r"\1\2")
reads("maxLength not looked at", "facet-learnerByULN-FamilyName", r"(<FamilyName>[^<]{35})[^<]+", r"\1")
reads("minLength not looked at", "facet-learnerByULN-OrgPassword", r"<OrgPassword>[^<]{1,15}</", "<OrgPassword>0123456789abcdef</")
reads("a pattern one digit too wide", "facet-retrieveULNs-ULNsToRetrieve.ULN", "<ULN>0", "<ULN>1")
reads("29 February every year", "facet-verifyLearner-LearnerToVerify.DateOfBirth", "2001-02-29", "2001-02-28")
reads("LearnerRecordCount of 201 accepted", "facet-submitBatchRegistration-LearnerRecordCount", "<LearnerRecordCount>201<", "<LearnerRecordCount>200<")
reads("an integer that is none accepted", "facet-updateSingleLearner-Learner.VersionNumber", "<VersionNumber>1.0<", "<VersionNumber>1<")
reads("unknown elements accepted", "form-learnerByULN-unknown", "<ShoeSize/>", "")
reads("qualified children accepted", "form-learnerByULN-qualified", r"<m:(?!FindLearner)(\w+)>(.*?)</m:\1>", r"<\1>\2</\1>")
reads("an element twice: the last taken", "form-learnerByULN-twice", r"<FindType>\w+</FindType>(?=<FindType>)", "")
reads("elements in any order", "form-learnerByULN-order", "(<UserName>.*?</UserName>)(<OrgPassword>.*?</OrgPassword>)", r"\2\1")
reads("missing elements made up", "form-verifyLearner-missing", "(<LearnerToVerify>)(<FamilyName>)", r"\1<ULN>4123999998</ULN>\2")
reads("LearnerRecordCount not compared", "batch-count-mismatch", "<LearnerRecordCount>[13]<", "<LearnerRecordCount>2<")
reads("VerificationType 999 without a description", "register-other-needs-description update-insufficient", "999</VerificationType>", "0</VerificationType>")
reads("CHK as FUL", "find-check-only", "<FindType>CHK", "<FindType>FUL")
reads("reports without an end", "report-found", "<ToDate>.*?</ToDate>", "")
refuses("xsi:nil refused", "form-learnerByDemographics-nil", ':nil="true"')
refuses("the last day of the century refused", "facet-learnerByDemographics-DateOfBirth", "2099-12-31")
refuses("letters in a UKPRN refused", "facet-learnerByULN-UKPRN", "<UKPRN>abcd")
refuses("text beyond ASCII counted in bytes", "facet-registerSingleLearner-Learner.GivenName", "(?:é){20}")
refuses("comments refused", "xml-ways-of-writing", "<!--")
refuses("both names of an organisation refused", "caller-by-either-name", "<OrganisationRef>SAND01.*<UKPRN>SAND0001")
reads("mustUnderstand ignored for the next", "R1027-must-understand-next", 'actor/next" soapenv:mustUnderstand="1"', 'actor/next"')
reads("any root taken for an Envelope", "R1015-other-root-refused", "soapenv:Letter", "soapenv:Envelope")
reads("mustUnderstand looked at before the version", "R2725-order-of-checks",
      'http://www.w3.org/2003/05/soap-envelope(?=.*soapenv:mustUnderstand="1")', "http://schemas.xmlsoap.org/soap/envelope/")  # fmt: skip
refuses("xsi:type refused", "R1017-xsi-type-not-needed", "xsi:type=")
refuses("an encodingStyle refused", "soap-encoding-style-accepted", "<soapenv:Envelope soapenv:encodingStyle")
refuses("other prefixes refused", "soap-other-prefixes", "SOAP-ENV:")
