"""Verification, and who may call."""

from lrs_soap.conformance import case, messages, replies

BOOK = case.Book(case.Part.BEHAVIOUR)
_CLAUSE = "Verify, retrieve"
_ASKED = ("ULN", "FamilyName", "GivenName", "DateOfBirth", "Gender")
_STORED = ("ULN", "FamilyName", "GivenName", "DateOfBirth", "Gender")


def _verify(talk, learner: dict, **more: str | None) -> replies.Answer:
    given = {name: learner[name] for name in _ASKED} | more
    return talk.call("verifyLearner", {f"LearnerToVerify.{name}": value for name, value in given.items()})


def _row(answer: replies.Answer) -> dict[str, str | None]:
    case.require(answer.text("VerifiedLearner") is not None, f"the reply has no VerifiedLearner: {answer.summary()}")
    return {child.tag: child.text for child in answer.body.find("VerifiedLearner")}


@BOOK.case("verify-match", _CLAUSE, needs=("live",))
def match(talk):
    """Every value equal: WSVRC001"""
    _verify(talk, talk.learner("live")).expect("WSVRC001")


@BOOK.case("verify-without-date-and-gender", _CLAUSE, needs=("live",))
def names_only(talk):
    """Date of birth and gender need not be given, or may be empty or nil"""
    known = talk.learner("live")
    _verify(talk, known, DateOfBirth=None, Gender=None).expect("WSVRC001")
    _verify(talk, known, DateOfBirth="", Gender="").expect("WSVRC001")
    body = messages.text("verifyLearner", talk.values() | {f"LearnerToVerify.{n}": known[n] for n in _ASKED})
    xsi = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
    for name in ("DateOfBirth", "Gender"):
        body = body.replace(f"<{name}>{known[name]}</{name}>", f"<{name} {xsi}")
    replies.read(talk.post(messages.envelope(body))).expect("WSVRC001")


@BOOK.case("verify-linked-match", _CLAUSE, needs=("merged",))
def linked(talk):
    """Every value equal to a record merged away: WSVRC002"""
    _verify(talk, talk.learner("merged")).expect("WSVRC002")


@BOOK.case("verify-linked-gives-the-master", _CLAUSE, basis="P", needs=("merged",))
def linked_master(talk):
    """WSVRC002 gives the ULN of the master"""
    known = talk.learner("merged")
    case.equal(_row(_verify(talk, known)).get("ULN"), known["MasterULN"], "the ULN")


@BOOK.case("verify-not-found", _CLAUSE, needs=("absent",))
def not_found(talk):
    """A ULN that nobody has: WSVRC006"""
    _verify(talk, talk.learner("absent")).expect("WSVRC006")


@BOOK.case("verify-flags-date-and-gender", _CLAUSE, needs=("live",))
def flags(talk):
    """A wrong date of birth: WSVRC005 with VRF7 alone; a wrong gender: VRF8 alone"""
    known = talk.learner("live")
    case.equal(_verify(talk, known, DateOfBirth="1950-01-01").codes, ["WSVRC005", "VRF7"], "the codes")
    case.equal(_verify(talk, known, Gender="9").codes, ["WSVRC005", "VRF8"], "the codes")


@BOOK.case("verify-flags-names", _CLAUSE, needs=("live",))
def flags_names(talk):
    """Names that are none of the learner's: WSVRC005 with VRF1 to VRF6"""
    answer = _verify(talk, talk.learner("live"), FamilyName="Umberslade", GivenName="Quentin")
    case.equal(answer.codes, ["WSVRC005", *(f"VRF{number}" for number in range(1, 7))], "the codes")


@BOOK.case("verify-flags-family-name-alone", _CLAUSE, basis="P", needs=("live",))
def flags_family(talk):
    """A wrong family name alone: no flag of the given name"""
    answer = _verify(talk, talk.learner("live"), FamilyName="Umberslade")
    case.equal(answer.codes, ["WSVRC005", "VRF4", "VRF5", "VRF6"], "the codes")


@BOOK.case("verify-searched-echo", "contract: MIAPVerifiedLearner", needs=("live", "absent"))
def searched(talk):
    """Searched* repeat what was asked, whatever the outcome"""
    for sent in (talk.learner("live") | {"FamilyName": "Umberslade"}, talk.learner("absent")):
        row = _row(_verify(talk, sent))
        for name in _ASKED:
            case.equal(row.get(f"Searched{name}"), sent[name], f"Searched{name}")


@BOOK.case("verify-shows-what-is-stored", _CLAUSE, basis="P", needs=("live",))
def shows(talk):
    """A match shows the stored values"""
    known = talk.learner("live")
    row = _row(_verify(talk, known))
    for name in _STORED:
        case.equal(row.get(name), known[name], f"the stored {name}")


@BOOK.case("verify-no-match-shows-nothing", _CLAUSE, basis="P", needs=("live",))
def shows_nothing(talk):
    """WSVRC005 shows nothing of the learner"""
    row = _row(_verify(talk, talk.learner("live"), DateOfBirth="1950-01-01"))
    case.equal([name for name in _STORED if name in row], [], "what is shown")


def _who(talk, **more: str | None) -> replies.Answer:
    values = talk.values() | {"FindType": "CHK", "ULN": "4123999998", "FamilyName": "Ann", "GivenName": "Ann"} | more
    return replies.read(talk.post(messages.message("learnerByULN", values)))


@BOOK.case("caller-by-either-name", "Who calls")
def either(talk):
    """An organisation is known by OrganisationRef, by UKPRN, or by both"""
    given = talk.target.organisations["main"].identified()
    case.require(not _who(talk).is_fault, "the organisation as the target file names it is refused")
    for name in ("OrganisationRef", "UKPRN"):
        if given["OrganisationRef"] and given["UKPRN"]:
            case.require(not _who(talk, **{name: None}).is_fault, f"without {name} the organisation is refused")


@BOOK.case("caller-wrong-password", "Who calls")
def wrong_password(talk):
    """A wrong OrgPassword: WSEC0005"""
    _who(talk, OrgPassword="not-the-password").expect("WSEC0005")


@BOOK.case("caller-password-in-other-case", "Who calls")
def password_case(talk):
    """OrgPassword is compared to the letter"""
    password = talk.target.organisations["main"].org_password
    if password.swapcase() == password:
        raise case.NotRun("the password has no letters")
    _who(talk, OrgPassword=password.swapcase()).expect("WSEC0005")


@BOOK.case("caller-of-another", "Who calls", needs=("other",))
def password_of_another(talk):
    """The password of another organisation is a wrong one"""
    _who(talk, OrgPassword=talk.target.organisations["other"].org_password).expect("WSEC0005")


@BOOK.case("caller-unknown", "Who calls", basis="P")
def unknown(talk):
    """An unknown organisation, or none: WSEC0003"""
    _who(talk, OrganisationRef=talk.target.unknown_organisation_ref, UKPRN=None).expect("WSEC0003")
    _who(talk, OrganisationRef=None, UKPRN=None).expect("WSEC0003")


@BOOK.case("caller-contradicts-itself", "Who calls", basis="P", needs=("other",))
def contradiction(talk):
    """OrganisationRef and UKPRN of different organisations: WSEC0003"""
    main, other = (talk.target.organisations[role] for role in ("main", "other"))
    if not (main.organisation_ref and other.ukprn):
        raise case.NotRun("the target file has not both names")
    _who(talk, OrganisationRef=main.organisation_ref, UKPRN=other.ukprn).expect("WSEC0003")


@BOOK.case("caller-any-user-name", "Who calls")
def user_name(talk):
    """Any UserName is taken that the schema takes (a service may be set up to know its users)"""
    answer = _who(talk, UserName="Zo\u00eb O'Neill-Smith (MIS)")
    if answer.code == "WSEC0006":
        raise case.NotRun("the service knows its users: WSEC0006")
    case.require(not answer.is_fault, f"it was answered with {answer.summary()}")


@BOOK.case("operation-unknown", "Faults", basis="P")
def unknown_operation(talk):
    """A body element that is no operation's: WSEC0002"""
    replies.read(talk.post(messages.envelope('<x:Find xmlns:x="urn:example:x"/>'))).expect("WSEC0002")
    talk.call("learnerByShoeSize", {"ShoeSize": "43"}).expect("WSEC0002")


_XERCES = {
    "cvc-pattern-valid": {"ULN": "0123456789"},
    "cvc-maxLength-valid": {"FamilyName": "W" * 36},
    "cvc-complex-type.2.4.a": {"FindType": None},
    "cvc-complex-type.2.4.b": {"GivenName": None},
}


@BOOK.case("fault-details-in-xerces-words", "Faults")
def xerces(talk):
    """FurtherDetails of WSEC0001 begin with the key of Xerces, and name value, facet and type"""
    for key, mistake in _XERCES.items():
        details = _who(talk, **mistake).expect("WSEC0001").text("FurtherDetails") or ""
        case.require(details.startswith(f"{key}:"), f"{case.brief(details)} does not begin with {key}")
    details = _who(talk, **_XERCES["cvc-pattern-valid"]).text("FurtherDetails") or ""
    for word in ("0123456789", "[1-9][0-9]{9}", "MIAPULN"):
        case.require(word in details, f"{case.brief(details)} does not name {word}")
