"""Finds and retrievals: what is found, what is shown of it, and to whom."""

import re
from concurrent.futures import ThreadPoolExecutor

from lrs_soap import contract
from lrs_soap.conformance import case, replies
from lrs_soap.conformance import talk as talks

BOOK = case.Book(case.Part.BEHAVIOUR)
_CLAUSE = "Finds"
_ALWAYS = {"LinkedULNs", "Notes"}  # D: there even when empty
_LEARNER = [field.name for field in contract.TYPES["Learner"].fields]


def _echoed(answer: replies.Answer, sent: dict, names=talks.FIVE) -> None:
    for name in names:
        case.equal(answer.text(name), sent[name], f"the echo of {name}")


def _ulns(answer: replies.Answer) -> list[str | None]:
    return [learner.findtext("ULN") for learner in answer.learners()]


@BOOK.case("find-echo-exact", _CLAUSE, needs=("live",))
def echo_exact(talk):
    """A find echoes the five details as they were sent, not as they are stored"""
    known = talk.learner("live")
    sent = known | {"LastKnownPostCode": known["LastKnownPostCode"].lower()}
    answer = talk.find(sent).expect("WSRC0004")
    _echoed(answer, sent)


@BOOK.case("find-echo-no-match", _CLAUSE)
def echo_no_match(talk):
    """A find that finds nobody echoes the five details, and shows no learner"""
    sent = talk.nobody()
    answer = talk.find(sent).expect("WSRC0001")
    _echoed(answer, sent)
    case.equal(_ulns(answer), [], "the learners shown")


@BOOK.case("find-echo-too-many", _CLAUSE, needs=("many",))
def echo_too_many(talk):
    """A find with too many matches echoes the five details, and shows no learner"""
    sent = talk.learner("many")
    answer = talk.find(sent).expect("WSRC0002")
    _echoed(answer, sent)
    case.equal(_ulns(answer), [], "the learners shown")


@BOOK.case("find-echo-white-space", _CLAUSE)
def echo_white_space(talk):
    """The echo keeps case, accents and spaces at the end"""
    sent = talk.nobody() | {"GivenName": "zoë-Mae  ", "FamilyName": "d’ARCY "}
    answer = talk.find(sent)
    case.equal(answer.text("GivenName"), "zoë-Mae  ", "the echo of GivenName")
    case.equal(answer.text("FamilyName"), "d’ARCY ", "the echo of FamilyName")


@BOOK.case("uln-echo", _CLAUSE, basis="P")
def uln_echo(talk):
    """A find by ULN echoes ULN and names, also when nobody is found"""
    sent = {"ULN": "4123999998", "FamilyName": "Umberslade", "GivenName": "Quentin"}
    answer = talk.find_uln(sent).expect("WSRC0001")
    _echoed(answer, sent, sent)
    case.equal(_ulns(answer), [], "the learners shown")


@BOOK.case("find-exact", _CLAUSE, needs=("live",))
def exact(talk):
    """All five details equal: WSRC0004 with that learner alone"""
    known = talk.learner("live")
    case.equal(_ulns(talk.find(known).expect("WSRC0004")), [known["ULN"]], "the ULNs shown")


@BOOK.case("find-stored-values", _CLAUSE, needs=("live",))
def stored(talk):
    """A learner is shown with what is stored, each value in its own element"""
    known = talk.learner("live")
    (learner,) = talk.find(known).expect("WSRC0004").learners() or [None]
    for name in [name for name in known if name in _LEARNER]:
        case.equal(None if learner is None else learner.findtext(name), known[name], f"the stored {name}")


@BOOK.case("find-stored-text-untouched", _CLAUSE, needs=("untidy",))
def untouched(talk):
    """Stored text comes back as it was stored: case and spaces at the end"""
    known = talk.learner("untidy")
    (learner,) = talk.find(known).expect("WSRC0004").learners() or [None]
    for name in [name for name in known if name in _LEARNER]:
        case.equal(None if learner is None else learner.findtext(name), known[name], f"the stored {name}")


@BOOK.case("find-learner-optional-elements", _CLAUSE, needs=("plain",))
def optional(talk):
    """An empty LinkedULNs and Notes are there; other elements without a value are not"""
    (learner,) = talk.find(talk.learner("plain")).expect("WSRC0004").learners()[:1] or [None]
    case.require(learner is not None, "no learner is shown")
    for name in sorted(_ALWAYS):
        case.require(learner.find(name) is not None, f"{name} is missing")
    empty = [child.tag for child in learner if not len(child) and not child.text and child.tag not in _ALWAYS]
    case.require(not empty, f"{', '.join(empty)} is there and empty")
    case.require(learner.find("MasterSubstituted") is None, "MasterSubstituted is there though nothing was merged")


@BOOK.case("find-learner-order", "contract: Learner", needs=("live", "merged"))
def order(talk):
    """The elements of a learner stand in the order of the contract"""
    for role in ("live", "merged"):
        for learner in talk.find(talk.learner(role)).learners():
            found = [child.tag for child in learner]
            case.equal(found, [name for name in _LEARNER if name in found], "the order of the elements")


@BOOK.case("find-dates", _CLAUSE, needs=("live",))
def dates(talk):
    """Dates of a learner are yyyy-MM-dd"""
    for learner in talk.find(talk.learner("live")).expect("WSRC0004").learners():
        for name in ("CreatedDate", "LastUpdatedDate", "DateOfBirth"):
            case.require(re.fullmatch(r"\d{4}-\d\d-\d\d", learner.findtext(name) or ""), f"{name} is {learner.findtext(name)!r}")


@BOOK.case("find-check-only", _CLAUSE, basis="P", needs=("live",))
def check_only(talk):
    """FindType CHK gives the code and the echo, and no learner"""
    for answer in (talk.find(talk.learner("live"), "CHK"), talk.find_uln(talk.learner("live"), "CHK")):
        case.equal(_ulns(answer.expect("WSRC0004")), [], "the learners shown for CHK")


@BOOK.case("find-postcode-spacing", _CLAUSE, needs=("live",))
def postcode(talk):
    """Postcodes are compared without space and case"""
    known = talk.learner("live")
    talk.find(known | {"LastKnownPostCode": known["LastKnownPostCode"].replace(" ", "").lower()}).expect("WSRC0004")


@BOOK.case("find-other-postcode", _CLAUSE, needs=("live",))
def other_postcode(talk):
    """Another postcode alone, or with another gender, makes a possible match: WSRC0003"""
    known = talk.learner("live")
    elsewhere = known | {"LastKnownPostCode": "YO10 5DD"}
    for sent in (elsewhere, elsewhere | {"Gender": "1" if known["Gender"] == "2" else "2"}):
        case.require(known["ULN"] in _ulns(talk.find(sent).expect("WSRC0003")), "the learner is not among the possible ones")


@BOOK.case("find-merged-substituted", _CLAUSE, needs=("merged",))
def merged(talk):
    """Exact on a record merged away: WSRC0022 with the master, MasterSubstituted Y and the ULN in LinkedULNs"""
    _substituted(talk, talk.find(talk.learner("merged")))


@BOOK.case("uln-merged-substituted", _CLAUSE, needs=("merged",))
def uln_merged(talk):
    """A ULN that was merged away: the same"""
    _substituted(talk, talk.find_uln(talk.learner("merged")))


def _substituted(talk, answer: replies.Answer) -> None:
    known = talk.learner("merged")
    case.equal(_ulns(answer.expect("WSRC0022")), [known["MasterULN"]], "the ULNs shown")
    (learner,) = answer.learners()
    case.equal(learner.findtext("MasterSubstituted"), "Y", "MasterSubstituted")
    case.require(known["ULN"] in [row.text for row in learner.iterfind("LinkedULNs/ULN")], "LinkedULNs lacks the merged ULN")


@BOOK.case("find-deleted-never", _CLAUSE, needs=("deleted",))
def deleted(talk):
    """Deleted learners are never found, by details or by ULN"""
    known = talk.learner("deleted")
    for answer in (talk.find(known), talk.find_uln(known)):
        case.require(known["ULN"] not in _ulns(answer), "the deleted learner is shown")


@BOOK.case("uln-not-to-strangers", _CLAUSE, basis="P", needs=("live",))
def strangers(talk):
    """By ULN, who does not know the names learns nothing"""
    known = talk.learner("live")
    answer = talk.find_uln(known | {"FamilyName": "Umberslade", "GivenName": "Quentin"}).expect("WSRC0001")
    case.require(known["FamilyName"].encode() not in answer.exchange.body, "the reply tells the family name")


@BOOK.case("find-nobody-else", _CLAUSE, needs=("live", "plain", "untidy"))
def nobody_else(talk):
    """Searches made at the same time get their own learner each, and their own echo"""
    known = [talk.learner(role) for role in ("live", "plain", "untidy")] * 8

    def one(learner):
        return talk.find(learner)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(one, known))
    for learner, answer in zip(known, answers, strict=True):
        _echoed(answer.expect("WSRC0004"), learner)
        case.equal(_ulns(answer), [learner["ULN"]], "the learner shown")


@BOOK.case("retrieve-order", "Verify, retrieve", needs=("live", "plain", "absent"))
def retrieve_order(talk):
    """retrieveULNs answers for each ULN in the order asked"""
    asked = [talk.learner(role)["ULN"] for role in ("plain", "absent", "live", "plain")]
    answer = talk.call("retrieveULNs", {"ULNsToRetrieve.ULN": asked})
    case.equal(answer.texts(".//VerifiedULN/ULN"), asked, "the ULNs of the reply")


@BOOK.case("retrieve-values", "Verify, retrieve", basis="P", needs=("live", "merged", "absent"))
def retrieve_values(talk):
    """retrieveULNs shows a learner's data, the master of a merged one, and nothing of an unknown ULN"""
    live, merged_away, absent = (talk.learner(role) for role in ("live", "merged", "absent"))
    answer = talk.call("retrieveULNs", {"ULNsToRetrieve.ULN": [live["ULN"], merged_away["ULN"], absent["ULN"]]})
    case.equal(answer.codes, ["WSRC0004", "WSRC0022", "WSRC0001"], "the codes")
    first, second, third = answer.body.iter("VerifiedULN")
    for name in ("FamilyName", "GivenName", "DateOfBirth", "Gender"):
        case.equal(first.findtext(name), live[name], f"the {name} of the first")
    case.equal(second.findtext("MasterULN"), merged_away["MasterULN"], "the MasterULN of the second")
    case.equal([child.tag for child in third], ["ULN", "ResponseCode"], "what is shown of an unknown ULN")
