"""Batches: submission, polling, output, and whose it is."""

from lrs_soap.conformance import case, replies

BOOK = case.Book(case.Part.BEHAVIOUR)
_CLAUSE = "Batches"
_COUNTS = ("NewLearnersCount", "ExistsUpdatedLearnersCount", "PossibleMatchLearnersCount", "LearnersNotFoundCount",
           "RejectedLearnersCount")  # fmt: skip
_REGISTRATION = ("submitBatchRegistration", "getBatchRegistrationOutput")
_VERIFY = ("submitVerifyBatch", "getVerifyBatchOutput")
_WRITES = {"writes": True}


def _submit(talk, learners: list[dict], job_type: str = "FUL", count: int | None = None) -> replies.Answer:
    count = len(learners) if count is None else count
    return talk.call(_REGISTRATION[0], {"JobType": job_type, "LearnerRecordCount": str(count), "Learner": learners})


def _submit_verify(talk, learners: list[dict], count: int | None = None) -> replies.Answer:
    count = len(learners) if count is None else count
    return talk.call(_VERIFY[0], {"LearnerRecordCount": str(count), "Learner": learners})


def _new(talk, number: int) -> list[dict]:
    """Learners nobody knows, each with a MISIdentifier."""
    given = {"VerificationType": "2", "AbilityToShare": "1"}
    return [{"MISIdentifier": f"mis {index} "} | given | talk.nobody() for index in range(number)]


def _done(talk, learners: list[dict], job_type: str = "FUL") -> replies.Answer:
    job = _submit(talk, learners, job_type).expect("WSRC0007").text("JobID") or ""
    return talk.output(_REGISTRATION[1], job).expect("WSRC0009")


def _asked(known: dict, number: int) -> dict:
    asked = {name: known[name] for name in ("ULN", "FamilyName", "GivenName", "DateOfBirth", "Gender")}
    return {"MISIdentifier": f"v{number}"} | asked


@BOOK.case("batch-submitted", _CLAUSE, **_WRITES)
def submitted(talk):
    """A batch: WSRC0007 and a JobID of its own"""
    first, second = (_submit(talk, _new(talk, 1)).expect("WSRC0007").text("JobID") for _ in range(2))
    case.require(first and second and first != second, f"the JobIDs are {first} and {second}")


@BOOK.case("batch-count-mismatch", _CLAUSE, **_WRITES)
def mismatch(talk):
    """LearnerRecordCount is not the number of learners: WSRC0017, one more or one fewer, with a JobID"""
    for count in (1, 3):
        answer = _submit(talk, _new(talk, 2), count=count).expect("WSRC0017")
        case.require(answer.text("JobID") is not None, "the reply has no JobID, which is mandatory")


@BOOK.case("batch-refused-job-zero", _CLAUSE, basis="P", **_WRITES)
def zero(talk):
    """The JobID of a refusal is 0"""
    case.equal(_submit(talk, _new(talk, 2), count=3).expect("WSRC0017").text("JobID"), "0", "JobID")


@BOOK.case("batch-output-in-order", _CLAUSE, **_WRITES)
def in_order(talk):
    """The output has every learner, in the order sent, with the values sent"""
    sent = _new(talk, 12)
    found = list(_done(talk, sent).body.iterfind("Learner"))
    case.equal([row.findtext("MISIdentifier") for row in found], [row["MISIdentifier"] for row in sent], "the MISIdentifiers")
    for row, given in zip(found, sent, strict=True):
        for name in ("FamilyName", "GivenName", "DateOfBirth", "LastKnownPostCode"):
            case.equal(row.findtext(name), given[name], f"{name} of {given['MISIdentifier']}")
        case.require(row.findtext("ReturnCode"), "a learner has no ReturnCode")


@BOOK.case("batch-registers", _CLAUSE, basis="P", **_WRITES)
def registers(talk):
    """FUL registers who is new (RC001, with the ULN) and finds who is there (RC002)"""
    sent = _new(talk, 2)
    first = _done(talk, sent)
    case.equal(first.texts("Learner/ReturnCode"), ["RC001", "RC001"], "the ReturnCodes")
    for person, number in zip(sent, first.texts("Learner/ULN"), strict=True):
        case.equal(talk.stored(person).findtext("ULN"), number, "the ULN of who was registered")
    second = _done(talk, sent)
    case.equal(second.texts("Learner/ReturnCode"), ["RC002", "RC002"], "the ReturnCodes of the second time")
    case.equal(second.texts("Learner/ULN"), first.texts("Learner/ULN"), "the ULNs of the second time")


@BOOK.case("batch-check-registers-nobody", _CLAUSE, basis="P", **_WRITES)
def check(talk):
    """CHK registers nobody: RC005"""
    sent = _new(talk, 1)
    case.equal(_done(talk, sent, "CHK").texts("Learner/ReturnCode"), ["RC005"], "the ReturnCodes")
    talk.find(sent[0]).expect("WSRC0001")


@BOOK.case("batch-return-codes-of-mistakes", _CLAUSE, **_WRITES)
def mistakes(talk):
    """Insufficient data: RC006; a wrong format, such as an age that cannot be: RC011; the rest goes on"""
    good, empty, old = _new(talk, 3)
    empty.update(DateOfBirth="", LastKnownPostCode="", Gender="")
    old.update(DateOfBirth="1850-01-01")
    found = _done(talk, [empty, old, good]).texts("Learner/ReturnCode")
    case.require(found[0] in ("RC006", "RC010"), f"the ReturnCode of missing values is {found[0]}")
    case.equal(found[1], "RC011", "the ReturnCode of an impossible date of birth")
    case.require(found[2] not in ("RC006", "RC010", "RC011"), f"the ReturnCode of a good learner is {found[2]}")


@BOOK.case("batch-counts", _CLAUSE, **_WRITES)
def counts(talk):
    """The five counts add up to the number of learners"""
    answer = _done(talk, _new(talk, 3))
    case.equal(sum(int(answer.text(name) or 0) for name in _COUNTS), 3, "the sum of the counts")


@BOOK.case("batch-counts-by-return-code", _CLAUSE, basis="P", **_WRITES)
def counts_by_code(talk):
    """New counts RC001; existing RC002 to RC004; rejected the rest"""
    sent = _new(talk, 2)
    _done(talk, sent[:1])
    broken = _new(talk, 1)[0] | {"DateOfBirth": "1850-01-01"}
    answer = _done(talk, [*sent, broken])
    case.equal([answer.text(name) for name in _COUNTS], ["1", "1", "0", "0", "1"], "the counts")


@BOOK.case("batch-job-status", "Batches: JobStatus words", basis="P", **_WRITES)
def status(talk):
    """A finished batch is Successful, and has a start and an end"""
    answer = _done(talk, _new(talk, 1))
    case.equal(answer.text("JobStatus"), "Successful", "JobStatus")
    started, finished = answer.text("JobStartedDateTime") or "", answer.text("JobFinishedDateTime") or ""
    case.require(started <= finished, f"it began {started} and ended {finished}")


@BOOK.case("batch-output-again", _CLAUSE, **_WRITES)
def again(talk):
    """The output of a finished batch can be had again, and is the same"""
    job = _submit(talk, _new(talk, 2)).expect("WSRC0007").text("JobID") or ""
    first, second = (talk.output(_REGISTRATION[1], job).expect("WSRC0009") for _ in range(2))
    case.equal(second.texts("Learner/ULN"), first.texts("Learner/ULN"), "the ULNs of the second time")


@BOOK.case("batch-unknown-job", _CLAUSE)
def unknown(talk):
    """A JobID that was never given: WSRC0018, for both kinds of batches"""
    for operation in (_REGISTRATION[1], _VERIFY[1]):
        talk.call(operation, {"JobID": "9223372036854775807"}).expect("WSRC0018")


@BOOK.case("batch-not-for-others", _CLAUSE, basis="P", writes=True, needs=("other",))
def not_for_others(talk):
    """Another organisation cannot read the output"""
    job = _submit_verify(talk, [_asked(talk.nobody() | {"ULN": "4123999998"}, 1)]).expect("WSRC0007").text("JobID") or ""
    other = talk.call(_VERIFY[1], {"JobID": job}, "other")
    case.require(other.code in ("WSRC0018", "WSEC0006"), f"it was answered with {other.summary()}")
    case.require(b"4123999998" not in other.exchange.body, "the output is shown")
    talk.output(_VERIFY[1], job).expect("WSRC0009")


@BOOK.case("batch-kinds-apart", _CLAUSE, basis="P", **_WRITES)
def kinds(talk):
    """The output of one kind of batch is not the other's: WSRC0018"""
    job = _submit(talk, _new(talk, 1)).expect("WSRC0007").text("JobID") or ""
    talk.call(_VERIFY[1], {"JobID": job}).expect("WSRC0018")


@BOOK.case("batch-of-200", _CLAUSE, **_WRITES)
def largest(talk):
    """A batch may have 200 learners"""
    sent = _new(talk, 200)
    found = _done(talk, sent, "CHK")
    case.equal(found.texts("Learner/MISIdentifier"), [row["MISIdentifier"] for row in sent], "the MISIdentifiers")


@BOOK.case("verify-batch-count-mismatch", _CLAUSE, writes=True)
def verify_mismatch(talk):
    """A verify batch whose LearnerRecordCount is wrong: WSRC0030"""
    _submit_verify(talk, [_asked(talk.nobody() | {"ULN": "4123999998"}, 1)], count=2).expect("WSRC0030")


@BOOK.case("verify-batch-output", _CLAUSE, writes=True, needs=("live", "merged", "absent"))
def verify_output(talk):
    """The output of a verify batch says of each learner what verifyLearner says, in the order sent"""
    live, merged, absent = (talk.learner(role) for role in ("live", "merged", "absent"))
    sent = [_asked(absent, 1), _asked(live, 2), _asked(merged, 3), _asked(live, 4) | {"Gender": "9"}]
    job = _submit_verify(talk, sent).expect("WSRC0007").text("JobID") or ""
    answer = talk.output(_VERIFY[1], job).expect("WSRC0009")
    case.equal(answer.texts("VerifiedLearner/MISIdentifier"), ["v1", "v2", "v3", "v4"], "the MISIdentifiers")
    wanted = ["WSVRC006", "WSVRC001", "WSVRC002", "WSVRC005"]
    case.equal(answer.texts("VerifiedLearner/ResponseCode"), wanted, "the codes")
    case.equal(answer.texts("VerifiedLearner/SearchedULN"), [row["ULN"] for row in sent], "the ULNs that were searched")
    case.equal(answer.texts("VerifiedLearner/FailureFlag"), ["VRF8"], "the failure flags")
