"""Updates: versions, the order of checks, and what an update leaves alone."""

import datetime
import re

from lrs_soap.conformance import case

BOOK = case.Book(case.Part.BEHAVIOUR)
_CLAUSE = "Update"
_WRITES = {"writes": True}


def _next(version: str) -> str:
    return str(int(version) + 1)


def _version(learner) -> str:
    return learner.findtext("VersionNumber") or ""


@BOOK.case("update-raises-version", _CLAUSE, **_WRITES)
def raises_version(talk):
    """An update is stored: WSRC0006, VersionNumber + 1, LastUpdatedDate today"""
    person = talk.registered()
    version = _version(talk.stored(person))
    talk.update(person, version, PlaceOfBirth="Whitby").expect("WSRC0006")
    learner = talk.stored(person)
    case.equal(learner.findtext("PlaceOfBirth"), "Whitby", "the stored PlaceOfBirth")
    case.equal(_version(learner), _next(version), "VersionNumber")
    changed, today = learner.findtext("LastUpdatedDate") or "", datetime.datetime.now(datetime.UTC).date()
    # A day more or less, for a service in another time zone or with another clock.
    days = {str(today + datetime.timedelta(days)) for days in (-1, 0, 1)}
    case.require(changed in days, f"LastUpdatedDate is {changed!r}")
    case.require(re.fullmatch(r"\d{4}-\d\d-\d\d", learner.findtext("CreatedDate") or ""), "CreatedDate is not yyyy-MM-dd")


@BOOK.case("update-stale-version", _CLAUSE, **_WRITES)
def stale(talk):
    """A VersionNumber that is not the current one: WSRC0013, and nothing is stored"""
    person = talk.registered()
    version = _version(talk.stored(person))
    talk.update(person, version, PlaceOfBirth="Whitby").expect("WSRC0006")
    for wrong in (version, str(int(version) + 7)):
        talk.update(person, wrong, PlaceOfBirth="Truro").expect("WSRC0013")
    learner = talk.stored(person)
    case.equal(learner.findtext("PlaceOfBirth"), "Whitby", "the stored PlaceOfBirth")
    case.equal(_version(learner), _next(version), "VersionNumber")


@BOOK.case("update-no-changes", _CLAUSE, **_WRITES)
def no_changes(talk):
    """The same values again: WSRC0020, and the version stays"""
    person = talk.registered()
    version = _version(talk.stored(person))
    talk.update(person, version).expect("WSRC0020")
    case.equal(_version(talk.stored(person)), version, "VersionNumber")


@BOOK.case("update-unknown", _CLAUSE, writes=True, needs=("absent",))
def unknown(talk):
    """A ULN that nobody has: WSRC0019"""
    talk.update(talk.nobody() | {"ULN": talk.learner("absent")["ULN"]}, "1").expect("WSRC0019")


@BOOK.case("update-deleted", _CLAUSE, writes=True, needs=("deleted",))
def deleted(talk):
    """A deleted learner: WSRC0019"""
    talk.update(talk.learner("deleted"), "2").expect("WSRC0019")


@BOOK.case("update-merged", _CLAUSE, basis="P", writes=True, needs=("merged",))
def merged(talk):
    """A learner merged away: WSRC0022, whatever the version, and nothing is written to the master"""
    known = talk.learner("merged")
    before = talk.find(known).expect("WSRC0022").learners()[0]
    person = {name: value for name, value in known.items() if name != "MasterULN"}
    talk.update(person, "1", PlaceOfBirth="Whitby").expect("WSRC0022")
    after = talk.find(known).expect("WSRC0022").learners()[0]
    case.equal(_version(after), _version(before), "the master's VersionNumber")


@BOOK.case("update-insufficient", _CLAUSE, **_WRITES)
def insufficient(talk):
    """VerificationType 999 without a description: WSRC0015"""
    person = talk.registered()
    talk.update(person, _version(talk.stored(person)), VerificationType="999").expect("WSRC0015")


@BOOK.case("update-unshare", _CLAUSE, basis="P", **_WRITES)
def unshare(talk):
    """AbilityToShare from 1 or 2 back to 0: WSRC0014"""
    for held in ("1", "2"):
        person = talk.registered(AbilityToShare=held)
        talk.update(person, _version(talk.stored(person)), AbilityToShare="0").expect("WSRC0014")


@BOOK.case("update-share", _CLAUSE, **_WRITES)
def share(talk):
    """AbilityToShare from 1 to 2: WSRC0006"""
    person = talk.registered()
    talk.update(person, _version(talk.stored(person)), AbilityToShare="2").expect("WSRC0006")
    case.equal(talk.stored(person).findtext("AbilityToShare"), "2", "AbilityToShare")


@BOOK.case("update-becomes-another", _CLAUSE, basis="P", **_WRITES)
def becomes_another(talk):
    """The five details become those of another learner: WSRC0021, and nothing is stored"""
    one, other = talk.registered(), talk.registered()
    talk.update(other | {"ULN": one["ULN"]}, _version(talk.stored(one))).expect("WSRC0021")
    case.equal(talk.stored(one).findtext("ULN"), one["ULN"], "the learner with the old details")


@BOOK.case("update-omitted-keeps", _CLAUSE, basis="P", **_WRITES)
def keeps(talk):
    """An omitted element keeps the stored value, an empty one clears it"""
    person = talk.registered(PlaceOfBirth="Whitby", SchoolAtAge16="Quay School")
    rest = {name: value for name, value in person.items() if name != "PlaceOfBirth"}
    talk.update(rest, _version(talk.stored(person)), SchoolAtAge16="").expect("WSRC0006")
    learner = talk.stored(person)
    case.equal(learner.findtext("PlaceOfBirth"), "Whitby", "PlaceOfBirth, which was omitted")
    case.equal(learner.findtext("SchoolAtAge16") or "", "", "SchoolAtAge16, which was cleared")


@BOOK.case("update-order-stale-first", _CLAUSE, **_WRITES)
def order_stale(talk):
    """A stale version is found before what is wrong with the values, or unchanged"""
    person = talk.registered()
    wrong = str(int(_version(talk.stored(person))) + 5)
    talk.update(person, wrong).expect("WSRC0013")
    talk.update(person, wrong, VerificationType="999").expect("WSRC0013")


@BOOK.case("update-order-sharing-before-data", _CLAUSE, basis="P", **_WRITES)
def order_sharing(talk):
    """An invalid change of AbilityToShare is found before insufficient data"""
    person = talk.registered()
    answer = talk.update(person, _version(talk.stored(person)), AbilityToShare="0", VerificationType="999")
    answer.expect("WSRC0014")


@BOOK.case("update-new-details-are-found", _CLAUSE, **_WRITES)
def new_details(talk):
    """After a change of name the learner is found by the new details, and still has the ULN"""
    person = talk.registered()
    changed = person | {"FamilyName": talk.nobody()["FamilyName"]}
    talk.update(changed, _version(talk.stored(person))).expect("WSRC0006")
    case.equal(talk.stored(changed).findtext("ULN"), person["ULN"], "the ULN")


@BOOK.case("update-not-by-others", "Who calls", basis="P", writes=True, needs=("other",))
def not_by_others(talk):
    """An organisation without the right to update: WSEC0006, and nothing is stored"""
    person = talk.registered()
    version = _version(talk.stored(person))
    given = person | {"VerificationType": "2", "AbilityToShare": "1", "VersionNumber": version, "PlaceOfBirth": "Truro"}
    talk.call("updateSingleLearner", {f"Learner.{k}": v for k, v in given.items()}, "other").expect("WSEC0006")
    case.equal(_version(talk.stored(person)), version, "VersionNumber")
