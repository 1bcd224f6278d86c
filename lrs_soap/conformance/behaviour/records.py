"""Reports and the learner record."""

from lrs_soap.conformance import case, replies

BOOK = case.Book(case.Part.BEHAVIOUR)
_REPORTS = ("getMergedUnmergedULNsReport", "getDeletedULNsReport")
_DATES = ("MergedDate", "UnmergedDate", "DeletedDate")


def _record(talk, known: dict, user_type: str = "ORG", **more: str):
    names = ("ULN", "FamilyName", "GivenName", "DateOfBirth", "Gender", "LastKnownPostCode")
    given = {name: known[name] for name in names} | {"UserType": user_type, "LNRContactType": "FTF"} | more
    return talk.call("getLearnerRecord", given)


@BOOK.case("report-found", "Reports; code tables", basis="P", needs=("report_period",))
def found(talk):
    """A period with merges and deletions: WSRC0023, each row with a date of the period"""
    period = talk.learner("report_period")
    for operation in _REPORTS:
        answer = talk.call(operation, period).expect("WSRC0023")
        dates = [element.text or "" for element in answer.body.iter(*_DATES)]
        case.require(dates, f"{operation} shows no rows")
        outside = [day for day in dates if not period["FromDate"] <= day <= period["ToDate"]]
        case.require(not outside, f"{operation} shows a row of {outside[:1]}")


@BOOK.case("report-empty", "Reports; code tables", basis="P", needs=("empty_period",))
def empty(talk):
    """A period without any: WSRC0024, and no rows"""
    for operation in _REPORTS:
        answer = talk.call(operation, talk.learner("empty_period")).expect("WSRC0024")
        case.require(not list(answer.body.iter(*_DATES)), f"{operation} shows rows")


@BOOK.case("report-echoes-dates", "contract: ULNReportResp", needs=("empty_period",))
def echoes(talk):
    """A report repeats FromDate"""
    for operation in _REPORTS:
        period = talk.learner("empty_period")
        case.equal(talk.call(operation, period).text("FromDate"), period["FromDate"], "FromDate")


@BOOK.case("report-without-to-date", "Reports")
def no_to_date(talk):
    """ToDate need not be given"""
    for operation in _REPORTS:
        answer = talk.call(operation, {"FromDate": "2020-01-01"})
        case.require(not answer.is_fault, f"{operation} was answered with {answer.summary()}")


@BOOK.case("report-backwards", "Reports", basis="P")
def backwards(talk):
    """ToDate before FromDate: WSEC0001"""
    for operation in _REPORTS:
        talk.call(operation, {"FromDate": "2023-08-31", "ToDate": "2022-09-01"}).expect("WSEC0001")


@BOOK.case("record-shown", "Learner record", basis="P", needs=("live",))
def shown(talk):
    """All details right and the learner shares: WSRC0004 with the record"""
    known = talk.learner("live")
    answer = _record(talk, known).expect("WSRC0004")
    case.equal(answer.text("LearnerRecord/ULN"), known["ULN"], "the ULN of the record")


@BOOK.case("record-incoming-echo", "Learner record", basis="P", needs=("live",))
def incoming(talk):
    """Incoming* repeat what was asked, also when nothing is shown"""
    known = talk.learner("live")
    for sent in (known, known | {"LastKnownPostCode": "YO10 5DD"}):
        answer = _record(talk, sent)
        for name in ("ULN", "FamilyName", "GivenName", "DateOfBirth", "Gender", "LastKnownPostCode"):
            case.equal(answer.text(f"Incoming{name}"), sent[name], f"Incoming{name}")


@BOOK.case("record-not-verified", "code tables; Learner record", basis="P", needs=("live", "absent"))
def not_verified(talk):
    """One detail wrong, or an unknown ULN: WSEC0208 as a ResponseCode, and no record"""
    for sent in (talk.learner("live") | {"LastKnownPostCode": "YO10 5DD"}, talk.learner("absent")):
        answer = _record(talk, sent).expect("WSEC0208")
        case.require(not answer.is_fault, "WSEC0208 came as a fault")
        case.equal(answer.text("LearnerRecord"), None, "the record")


@BOOK.case("record-not-shared", "code tables; Learner record", basis="P", needs=("private",))
def not_shared(talk):
    """A learner who does not share: WSEC0206 as a ResponseCode and no record, but the learner may look"""
    known = talk.learner("private")
    answer = _record(talk, known).expect("WSEC0206")
    case.require(not answer.is_fault, "WSEC0206 came as a fault")
    case.equal(answer.text("LearnerRecord"), None, "the record")
    case.equal(_record(talk, known, "LNR").expect("WSRC0004").text("LearnerRecord/ULN"), known["ULN"], "the ULN")


@BOOK.case("record-merged", "Learner record", basis="P", needs=("merged",))
def merged(talk):
    """A ULN merged away: WSRC0022 with the master's record"""
    known = talk.learner("merged")
    case.equal(_record(talk, known).expect("WSRC0022").text("LearnerRecord/ULN"), known["MasterULN"], "the ULN")


@BOOK.case("record-events-valid", "contract: MIAPLearningEvent", needs=("live",))
def events(talk):
    """The learning events of a record are valid against the contract"""
    answer = _record(talk, talk.learner("live"))
    case.require(not answer.is_fault, f"it was answered with {answer.summary()}")
    problem = replies.invalid_by_lxml(answer.body)
    case.require(not problem, problem)


@BOOK.case("record-not-by-others", "Who calls", basis="P", needs=("live", "other"))
def not_by_others(talk):
    """An organisation without the right to records: WSEC0006"""
    known = talk.learner("live")
    names = ("ULN", "FamilyName", "GivenName", "DateOfBirth", "Gender", "LastKnownPostCode")
    given = {name: known[name] for name in names} | {"UserType": "ORG", "LNRContactType": "FTF"}
    talk.call("getLearnerRecord", given, "other").expect("WSEC0006")
