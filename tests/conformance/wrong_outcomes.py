"""Servers that answer with a wrong code, or that are wrong about batches, reports and who calls."""

import re

from proxy import Got, Sent
from spoils import Faults

FAULTS = Faults()
caught_by, replaces, reads, refuses = FAULTS.server, FAULTS.replaces, FAULTS.reads, FAULTS.refuses


@caught_by("batch-output-again")
def only_once(sent: Sent, on) -> Got:
    """the output of a batch given once only"""
    job = re.search(rb"Output .*<JobID>(\d+)", sent.body)
    got = on(sent)
    if job and b"WSRC0009" in got.body:
        if job[1] in _given:
            got.replace("WSRC0009", "WSRC0018")
        _given.add(job[1])
    return got


_given: set[bytes] = set()


@caught_by("caller-of-another")
def anybodys_password(sent: Sent, on) -> Got:
    """the password of any organisation opens every other"""
    if b"SAND01" in sent.body or b"SAND0001" in sent.body:
        sent.body = sent.body.replace(b"awarding-body-02", b"sandbox-password")
    return on(sent)


replaces("a registration twice, accepted twice", "register-at-once register-twice", "WSRC0021", "WSRC0005", "RegisterLearner")
replaces("the ULN told in a refusal", "register-refusal-without-uln", "(WSRC0021</ResponseCode>)", r"\1<ULN>4123001008</ULN>")
replaces("namesakes refused", "register-namesake", "WSRC0005", "WSRC0021", "YO10 5DD")
replaces("no changes acknowledged as an update", "update-no-changes", "WSRC0020", "WSRC0006")
replaces("an unknown learner updated", "update-unknown update-deleted", "WSRC0019", "WSRC0006")
replaces("a learner merged away updated", "update-merged", "WSRC0022", "WSRC0006", "UpdateLearner")
replaces("AbilityToShare taken back", "update-unshare update-order-sharing-before-data", "WSRC0014", "WSRC0006")
replaces("an update that makes two learners alike", "update-becomes-another", "WSRC0021", "WSRC0006", "UpdateLearner")
replaces("the data judged before the version", "update-order-stale-first", "WSRC0013", "WSRC0015", ">999<")
replaces("a match called similar", "verify-match verify-without-date-and-gender verify-batch-output", "WSVRC001", "WSVRC003")
replaces("a match without the stored values", "verify-shows-what-is-stored verify-linked-gives-the-master", r"(WSVRC00[12]</ResponseCode>)<ULN>.*?</Gender>", r"\1")
replaces("a linked match called a match", "verify-linked-match", "WSVRC002", "WSVRC001")
replaces("an unknown ULN called no match", "verify-not-found", "WSVRC006", "WSVRC005")
replaces("three failure flags of six", "verify-flags-names", "<FailureFlag>VRF[135]</FailureFlag>", "")
replaces("flags of both names for one", "verify-flags-family-name-alone", "(<FailureFlag>VRF4)", r"<FailureFlag>VRF1</FailureFlag>\1")
replaces("Searched* from the register", "verify-searched-echo", "<SearchedFamilyName>[^<]*", "<SearchedFamilyName>Whitcombe")
replaces("an unknown organisation told a wrong password", "caller-unknown", "WSEC0003", "WSEC0005")
replaces("a JobID for all batches", "batch-submitted", r"<JobID>\d+", "<JobID>7")
replaces("a JobID for a batch refused", "batch-refused-job-zero", "<JobID>0<", "<JobID>17<")
replaces("who is there registered again by a batch", "batch-registers", "RC002", "RC001")
replaces("any mistake in a batch an insufficiency", "batch-return-codes-of-mistakes", "RC011", "RC006")
replaces("the rejected of a batch counted as new", "batch-counts-by-return-code", r"(<NewLearnersCount>)\d+(.*<RejectedLearnersCount>)\d+", r"\g<1>2\g<2>0")
replaces("a JobStatus of its own", "batch-job-status", "Successful", "Done")
replaces("the code of registrations for a verify batch", "verify-batch-count-mismatch", "WSRC0030", "WSRC0017")
replaces("an empty report called found", "report-empty", "WSRC0024", "WSRC0023")
replaces("a report that begins today", "report-echoes-dates", "<FromDate>[^<]*", "<FromDate>2026-01-01")
replaces("a record for who does not know the details", "record-not-verified", "WSEC0208", "WSRC0004")
reads("CHK as FUL in batches", "batch-check-registers-nobody", "<JobType>CHK", "<JobType>FUL")
reads("two organisations in one call", "caller-contradicts-itself", "(<OrganisationRef>SAND01</OrganisationRef>)<UKPRN>SAND0002</UKPRN>", r"\1")
reads("reports without an end, backwards", "report-backwards", "<ToDate>.*?</ToDate>", "")
refuses("user names with an apostrophe refused", "caller-any-user-name", "<UserName>[^<]*Neill")
refuses("batches of 200 refused", "batch-of-200", "<LearnerRecordCount>200<")
refuses("reports without an end refused", "report-without-to-date", "</FromDate>(?!<ToDate>)")
