"""Servers whose replies are wrong: what they say, or how it is written."""

import re

from proxy import Got
from spoils import Faults

FAULTS = Faults()
caught_by, replaces = FAULTS.reply, FAULTS.replaces


@caught_by("replies-children-unqualified")
def qualified(got: Got) -> None:
    """qualified children"""
    got.body = re.sub(rb"<(\w+Response) xmlns=|<(\w+:\w+Response) xmlns:(\w+)=", _default_namespace, got.body)


def _default_namespace(found: re.Match) -> bytes:
    # With a default namespace beside the prefix, every child without a prefix is in it.
    if found[1]:
        return found[0]
    return b'<%b xmlns="http://api.lrs.miap.gov.uk/findmsg" xmlns:%b=' % (found[2], found[3])


@caught_by("fault-one-exception zeep-sees-the-declared-fault")
def qualified_fault(got: Got) -> None:
    """qualified children in the fault's detail"""
    got.body = re.sub(rb"(</?)(Error\w+|Description|FurtherDetails)>", rb"\1ns10:\2>", got.body)


@caught_by("find-nobody-else")
def _mixed_up(got: Got) -> None:
    """learners mixed up between callers"""
    if b"<Learner>" in got.body:
        _before.append(got.body)
        got.body = _before[-2] if len(_before) > 1 else got.body


_before: list[bytes] = []


@caught_by("R1126-500-for-a-fault")
def fault_200(got: Got) -> None:
    """faults with HTTP 200"""
    got.status = 200


@caught_by("R1126-500-for-a-fault")
def fault_400(got: Got) -> None:
    """faults with HTTP 400"""
    got.status = 400 if b":Fault>" in got.body else got.status


@caught_by("R1111-200-for-a-reply")
def reply_202(got: Got) -> None:
    """replies with HTTP 202"""
    got.status = 202 if got.status == 200 else got.status


@caught_by("R1018-charset-in-content-type")
def application_xml(got: Got) -> None:
    """replies as application/xml"""
    got.headers["content-type"] = "application/xml; charset=utf-8"


@caught_by("R1018-charset-in-content-type")
def no_charset(got: Got) -> None:
    """replies without a charset"""
    got.headers["content-type"] = "text/xml"


@caught_by("R1012-utf-8-or-utf-16")
def latin(got: Got) -> None:
    """replies in ISO-8859-1"""
    got.body = got.body.decode().replace("UTF-8", "ISO-8859-1").encode("iso-8859-1", "xmlcharrefreplace")
    got.headers["content-type"] = "text/xml; charset=iso-8859-1"


@caught_by("retrieve-order")
def sorted_ulns(got: Got) -> None:
    """retrieved ULNs in numerical order"""
    rows = re.findall(rb"<VerifiedULN>.*?</VerifiedULN>", got.body, re.DOTALL)
    got.body = got.body.replace(b"".join(rows), b"".join(sorted(rows)))


@caught_by("batch-output-in-order")
def reversed_batch(got: Got) -> None:
    """the output of a batch in another order"""
    rows = re.findall(rb"<Learner>(?:(?!</Learner>).)*<ReturnCode>.*?</Learner>", got.body, re.DOTALL)
    got.body = got.body.replace(b"".join(rows), b"".join(reversed(rows)))


@caught_by("verify-no-match-shows-nothing")
def shows_on_no_match(got: Got) -> None:
    """WSVRC005 with the learner's stored name"""
    got.replace("<ResponseCode>WSVRC005</ResponseCode>", "<ResponseCode>WSVRC005</ResponseCode><FamilyName>Whitcombe</FamilyName>")


@caught_by("record-not-shared")
def not_shared_as_fault(got: Got) -> None:
    """WSEC0206 as a fault"""
    if b"WSEC0206" in got.body:
        got.status = 500
        got.body = (
            b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault>'
            b"<faultcode>soapenv:Server</faultcode><faultstring>x</faultstring><detail><ns10:MIAPAPIException "
            b'xmlns:ns10="http://api.lrs.miap.gov.uk/exceptions"><ErrorCode>WSEC0206</ErrorCode></ns10:MIAPAPIException>'
            b"</detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        )


replaces("the wrong code for no match", "find-echo-no-match outcome-find-no-match", "WSRC0001", "WSRC0002")
replaces("codes of three digits", "codes-are-of-the-tables", "WSRC0(?=\\d{3}<)", "WSRC")
replaces("no echo without a match", "find-echo-no-match", "(<ResponseCode>WSRC0001</ResponseCode>)<FamilyName>.*?</FamilyName>", r"\1")
replaces("the echo trimmed", "find-echo-white-space", r"[ ]+(</(?:GivenName|FamilyName)>)", r"\1")
replaces("the echo of what is stored", "find-echo-exact", "ls6 2ab", "LS6 2AB")
replaces("two elements of a learner swapped", "replies-valid-lxml find-learner-order", "(<GivenName>[^<]*</GivenName>)(<MiddleOtherName>[^<]*</MiddleOtherName>)", r"\2\1")
replaces("two values of a learner swapped", "find-stored-values", "<PreviousFamilyName>(Ashdown)</PreviousFamilyName><FamilyNameAtAge16>(Whitcombe)<",
         r"<PreviousFamilyName>\2</PreviousFamilyName><FamilyNameAtAge16>\1<")
replaces("no LinkedULNs where it is empty", "find-learner-optional-elements", "<LinkedULNs/>|<LinkedULNs></LinkedULNs>", "")
replaces("no Notes where it is empty", "find-learner-optional-elements", "<Notes/>|<Notes></Notes>", "")
replaces("empty elements for what is not known", "find-learner-optional-elements", "(</ULN>)(<GivenName>Katherine)", r"\1<Title/>\2")
replaces("MasterSubstituted N", "find-learner-optional-elements", "(</ULN>)(<GivenName>Katherine)", r"\1<MasterSubstituted>N</MasterSubstituted>\2")
replaces("stored text trimmed", "find-stored-text-untouched", "Salford <", "Salford<")
replaces("dates as dd/MM/yyyy", "find-dates", r"<CreatedDate>(\d{4})-(\d\d)-(\d\d)<", r"<CreatedDate>\3/\2/\1<")
replaces("a merged ULN not substituted", "find-merged-substituted", "WSRC0022", "WSRC0004")
replaces("MasterSubstituted missing", "uln-merged-substituted", "<MasterSubstituted>Y</MasterSubstituted>", "")
replaces("merged ULNs not in LinkedULNs", "find-merged-substituted", "<LinkedULNs>.*?</LinkedULNs>", "<LinkedULNs/>")
replaces("VersionNumber never raised", "update-raises-version", r"<VersionNumber>\d+<", "<VersionNumber>1<")
replaces("no failure flag of gender", "verify-flags-date-and-gender", "<FailureFlag>VRF8</FailureFlag>", "")
replaces("one count of a batch wrong", "batch-counts", r"<NewLearnersCount>\d+", "<NewLearnersCount>7")
replaces("the prefix ns1", "fault-prefix-ns10", "ns10", "ns1")
replaces("the prefix soap", "fault-prefix-soapenv", "soapenv", "soap")
replaces("a faultactor", "fault-no-actor", "(</faultstring>)", r"\1<faultactor/>")
replaces("the faultcode Client", "fault-code-server", "soapenv:Server", "soapenv:Client")
replaces("a faultcode of its own", "R1004-faultcode-known", "soapenv:Server", "soapenv:Oracle")
replaces("a faultcode with a dot", "R1031-no-dot-in-faultcode", "soapenv:Server", "soapenv:Server.Invalid")
replaces("another faultstring", "fault-string", "uk.gov.miap.lrs.api.exceptions.MIAPAPIException", "Invalid request")
replaces("a qualified faultcode", "R1001-fault-children-unqualified", "(</?)faultcode", r"\1soapenv:faultcode")
replaces("a fifth child of the fault", "R1000-fault-children", "(</faultstring>)", r"\1<reason>x</reason>")
replaces("no detail", "fault-one-exception", "<detail>.*</detail>", "")
replaces("the time of a fault in ISO form", "fault-timestamp", r"(<ErrorTimestamp>[^ <]*) ", r"\1T")
replaces("details in the server's own words", "fault-details-in-xerces-words", "cvc-[a-zA-Z0-9.-]+:", "Error:")
replaces("another ErrorActor", "fault-actor-of-wsec0001", "<ErrorActor>[^<]*", "<ErrorActor>me")
replaces("a header block", "replies-no-header", "(<soapenv:Body>)", r'<soapenv:Header><t:t xmlns:t="urn:t"/></soapenv:Header>\1')
replaces("mustUnderstand true in a reply", "R1013-must-understand-0-or-1", "(<soapenv:Body>)",
         r'<soapenv:Header><t:t xmlns:t="urn:t" soapenv:mustUnderstand="true"/></soapenv:Header>\1')
replaces("an encodingStyle", "R1005-no-encoding-style-on-envelope", "<soapenv:Body>", '<soapenv:Body soapenv:encodingStyle="urn:x">')
replaces("something behind the Body", "R1011-nothing-after-body", "(</soapenv:Body>)", r'\1<t:t xmlns:t="urn:t"/>')
replaces("a DTD in replies", "R1008-no-dtd", r"(\?>)", r"\1<!DOCTYPE Envelope>")
replaces("a processing instruction in replies", "R1009-no-processing-instruction", r"(\?>)", r"\1<?x y?>")
replaces("a value that the schema does not have", "replies-valid-xmlschema", "<Gender>2</Gender>(?=<EmailAddress>)", "<Gender>F</Gender>")
replaces("an encodingStyle on a reply", "R1006-no-encoding-style-in-body", "(<soapenv:Body><[^ >]+)", r'\1 soapenv:encodingStyle="urn:x"')
replaces("a fault in no namespace", "R1014-body-children-qualified", "(</?)soapenv:Fault>", r"\1Fault>")
replaces("an actor on the Body", "R1032-no-soap-attributes-on-soap-elements", "<soapenv:Body>", '<soapenv:Body soapenv:actor="urn:x">')
replaces("a reply twice in its Body", "R2301-one-body-child", "(<soapenv:Body>)(.*)(</soapenv:Body>)", r"\1\2\2\3")
replaces("the reply of another report", "R2712-reply-of-the-operation", "(</?[a-z0-9]+:)MergedUnmergedULNsResponse", r"\1DeletedULNsResponse")
