"""Servers that are wrong about learners: whom they find, what they show, and what they keep of what they were sent."""

import re

from proxy import Got, Sent
from spoils import Faults

FAULTS = Faults()
caught_by, replaces, reads = FAULTS.server, FAULTS.replaces, FAULTS.reads
_VALUE = "[^<]*"
_STORED = "find-stored-values register-then-found"


@caught_by("find-merged-substituted uln-merged-substituted")
def merged_itself(sent: Sent, on) -> Got:
    """the merged ULN in the place of its master's"""
    got = on(sent)
    if b"WSRC0022" in got.body and b"<LinkedULNs><ULN>" in got.body:
        merged = re.search(rb"<LinkedULNs><ULN>(\d+)", got.body)[1]
        got.body = re.sub(rb"(</LastUpdatedDate><ULN>)\d+", rb"\g<1>" + merged, got.body)
    return got


@caught_by("register-ulns-differ")
def always_the_same(sent: Sent, on) -> Got:
    """one ULN for everybody who is registered"""
    got = on(sent)
    if b"RegisterLearner" in sent.body:
        got.body = re.sub(rb"<ULN>\d+", b"<ULN>4123001008", got.body)
    return got


@caught_by("update-new-details-are-found update-raises-version update-share")
def stores_nothing(sent: Sent, on) -> Got:
    """updates acknowledged and not stored"""
    if b"UpdateLearner" in sent.body:
        sent.body = re.sub(rb"<VersionNumber>\d+", b"<VersionNumber>999", sent.body)
    return on(sent).replace("WSRC0013", "WSRC0006")


replaces("given and family name of a learner swapped", _STORED, f"(<ULN>.*?<GivenName>)({_VALUE})(.*?<FamilyName>)({_VALUE})", r"\1\4\3\2", "FUL")
replaces("possible matches without learners", "find-other-postcode", "(WSRC0003.*?)<Learner>.*</Learner>", r"\1")
replaces("learners shown with too many matches", "find-echo-too-many", "(WSRC0002.*?)(</[a-z0-9]+:FindLearnerResponse>)", r"\1<Learner/>\2")
replaces("postcodes without their space", _STORED, r"(<ULN>.*?<LastKnownPostCode>\w+) ", r"\1", "FUL")
replaces("names in capitals", _STORED, "(<ULN>.*?<FamilyName>)Whitcombe|(<ULN>.*?<GivenName>)[A-Z]", r"\1\2WHITCOMBE", "FUL")
replaces("dates with a time zone", "find-dates find-stored-values replies-valid-lxml", r"(<(?:Created|LastUpdated)Date>[0-9-]+|<DateOfBirth>[0-9-]+)", r"\1Z")
replaces("xsi:nil for what is empty", "replies-valid-lxml replies-valid-xmlschema", "<LinkedULNs></LinkedULNs>|<LinkedULNs/>",
         '<LinkedULNs xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>')  # fmt: skip
replaces("AbilityToShare lost", "register-verification-type-stored update-share", "<AbilityToShare>[0-9]", "<AbilityToShare>0")
replaces("TierLevel always 0", "register-tier-and-status", "<TierLevel>[0-9]", "<TierLevel>0")
replaces("LastUpdatedDate never changed", "update-raises-version", "<LastUpdatedDate>[0-9-]+", "<LastUpdatedDate>2022-09-01")
replaces("VersionNumber raised by two", "update-raises-version", "<VersionNumber>2<", "<VersionNumber>3<")
replaces("entities escaped twice", "register-then-found", "&amp;", "&amp;amp;")
replaces("UTF-8 encoded twice", "find-echo-white-space", "\u00eb", "\u00c3\u00ab")
replaces("no echo by ULN", "uln-echo", "<ULN>4123999998</ULN>", "")
replaces("MasterULN missing", "retrieve-values", f"<MasterULN>{_VALUE}</MasterULN>", "")
replaces("one learner of several", "zeep-reads-lists retrieve-order retrieve-values", "(</VerifiedULN>)<VerifiedULN>.*(</RetrievedULNs>)", r"\1\2")
replaces("records without the learner", "record-shown record-merged", "<LearnerRecord>.*</LearnerRecord>", "")
replaces("learning events in another order of elements", "record-events-valid", f"(<LearnerRecord>.*?)(<[A-Za-z]+>{_VALUE}</[A-Za-z]+>)(<[A-Za-z]+>{_VALUE}</[A-Za-z]+>)", r"\1\3\2")
replaces("the echo of a record only where it is shown", "record-incoming-echo", "(WSEC0208</ResponseCode>)<Incoming.*(</[a-z0-9]+:GetLearnerRecordResp>)", r"\1\2")
reads("FUL as CHK", "find-exact find-stored-values zeep-finds", "<FindType>FUL", "<FindType>CHK")
reads("stored text trimmed when it is registered", "register-then-found", r"\s+(</(?:MiddleOtherName|PlaceOfBirth)>)", r"\1")
reads("postcodes compared letter by letter", "find-postcode-spacing", "<LastKnownPostCode>ls62ab<", "<LastKnownPostCode>YO10 5DD<")
reads("names not looked at by ULN", "uln-not-to-strangers", "Umberslade(.*)Quentin", r"Whitcombe\1Eleanor")
reads("dates of birth that cannot be", "register-impossible-dates", "2099-01-01|1850-01-01|1900-02-29", "2001-01-01")
reads("omitted elements cleared", "update-omitted-keeps", "(UpdateLearner .*</DateOfBirth>)(<Gender>)", r"\1<PlaceOfBirth></PlaceOfBirth>\2")
reads("descriptions of a VerificationType lost", "register-other-with-description", "<OtherVerificationDescription>.*?</OtherVerificationDescription>", "")
