"""Registrations: what is made, what is refused, and what happens to the same call twice."""

from concurrent.futures import ThreadPoolExecutor

from lrs_soap.conformance import case
from lrs_soap.conformance import talk as talks
from lrs_soap.rules import uln

BOOK = case.Book(case.Part.BEHAVIOUR)
_CLAUSE = "Register"
_WRITES = {"writes": True}


@BOOK.case("register-gives-a-uln", "Register; ULN", **_WRITES)
def gives_a_uln(talk):
    """A new learner: WSRC0005 and a ULN with a right check digit"""
    number = talk.registered()["ULN"]
    case.require(uln.is_valid(number), f"{number} is no ULN: its check digit is wrong")
    case.require(number != "9999999999", "9999999999 is never issued")


@BOOK.case("register-ulns-differ", "ULN", **_WRITES)
def ulns_differ(talk):
    """Two learners get two ULNs"""
    case.require(talk.registered()["ULN"] != talk.registered()["ULN"], "two learners got the same ULN")


@BOOK.case("register-then-found", _CLAUSE, **_WRITES)
def then_found(talk):
    """Who was registered is found by the five details and by ULN, with every value as it was sent"""
    more = {
        "Title": "Dr", "MiddleOtherName": "Maria  ", "PreferredGivenName": "Zo", "SchoolAtAge16": "St Aidan's & Sons",
        "LastKnownAddressLine1": "1 Quay", "LastKnownAddressTown": "Łódź", "DateOfAddressCapture": "2020-02-29",
        "PlaceOfBirth": "York ", "EmailAddress": "a.b@example.org", "Nationality": "GBR",
        "ScottishCandidateNumber": "012345678", "Notes": "first\nsecond", "PreviousFamilyName": "O’Neill",
    }  # fmt: skip
    person = talk.registered(**more)
    by_details, by_uln = talk.stored(person), (talk.find_uln(person).expect("WSRC0004").learners() or [None])[0]
    for name, value in person.items():
        for found in (by_details, by_uln):
            case.equal(None if found is None else found.findtext(name), value, f"the stored {name}")


@BOOK.case("register-twice", _CLAUSE, **_WRITES)
def twice(talk):
    """The same call twice: WSRC0021 the second time, and one learner"""
    person = talk.registered()
    answer = talk.register(person).expect("WSRC0021")
    case.equal(talk.stored(person).findtext("ULN"), person["ULN"], "the ULN of the learner who is found")
    case.require(answer.text("ULN") in (None, person["ULN"]), "the refusal names another ULN")


@BOOK.case("register-refusal-without-uln", _CLAUSE, basis="P", **_WRITES)
def no_uln(talk):
    """WSRC0021 comes without a ULN"""
    person = talk.registered()
    case.equal(talk.register(person).expect("WSRC0021").text("ULN"), None, "the ULN of the refusal")


@BOOK.case("register-at-once", _CLAUSE, **_WRITES)
def at_once(talk):
    """The same call from several clients at once makes one learner"""
    person = talk.nobody()

    def one(_):
        return talk.register(person)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(one, range(4)))
    case.equal(sorted(answer.code for answer in answers), ["WSRC0005", "WSRC0021", "WSRC0021", "WSRC0021"], "the codes")


@BOOK.case("register-other-needs-description", "Enumerations; Register", **_WRITES)
def description(talk):
    """VerificationType 999 without a description: WSRC0015, and nobody is registered"""
    person = talk.nobody()
    talk.register(person | {"VerificationType": "999"}).expect("WSRC0015")
    talk.find(person).expect("WSRC0001")


@BOOK.case("register-other-with-description", "Enumerations; Register", **_WRITES)
def with_description(talk):
    """VerificationType 999 with a description: WSRC0005"""
    talk.registered(VerificationType="999", OtherVerificationDescription="A letter")


@BOOK.case("register-verification-type-stored", "Enumerations", **_WRITES)
def verification(talk):
    """VerificationType and AbilityToShare are kept as they were sent"""
    person = talk.registered(VerificationType="5", AbilityToShare="2")
    learner = talk.stored(person)
    case.equal(learner.findtext("VerificationType"), "5", "VerificationType")
    case.equal(learner.findtext("AbilityToShare"), "2", "AbilityToShare")


@BOOK.case("register-tier-and-status", "Enumerations", basis="P", **_WRITES)
def tier(talk):
    """TierLevel follows VerificationType (0: 0, 1: 1, others: 2); a new learner is active"""
    for verification_type, level in (("0", "0"), ("1", "1"), ("6", "2")):
        learner = talk.stored(talk.registered(VerificationType=verification_type))
        case.equal(learner.findtext("TierLevel"), level, f"TierLevel for VerificationType {verification_type}")
        case.equal(learner.findtext("LearnerStatus"), "1", "LearnerStatus")


@BOOK.case("register-impossible-dates", _CLAUSE, basis="P", **_WRITES)
def dates(talk):
    """A date of birth in the future, over 110 years ago, or 29 February 1900: WSEC0001"""
    for day in ("2099-01-01", "1850-01-01", "1900-02-29"):
        talk.register(talk.nobody() | {"DateOfBirth": day}).expect("WSEC0001")


@BOOK.case("register-not-by-others", "Who calls", basis="P", writes=True, needs=("other",))
def not_by_others(talk):
    """An organisation without the right to register: WSEC0006, and nobody is registered"""
    person = talk.nobody()
    given = {f"Learner.{name}": value for name, value in (person | {"VerificationType": "2", "AbilityToShare": "1"}).items()}
    talk.call("registerSingleLearner", given, "other").expect("WSEC0006")
    talk.find(person).expect("WSRC0001")


@BOOK.case("register-namesake", _CLAUSE, **_WRITES)
def namesake(talk):
    """Four of five details equal is another learner: WSRC0005"""
    person = talk.registered()
    other = talks.five(person) | {"LastKnownPostCode": "YO10 5DD"}
    case.require(talk.register(other).expect("WSRC0005").text("ULN") != person["ULN"], "both got the same ULN")
