"""All SOAP replies of a run together, for cases that say something of every one."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from lrs_soap.conformance import case, messages, replies, talk, wire

_SOME = "<x xmlns='urn:x' soapenv:mustUnderstand='1'/>"


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """A reply that holds an envelope: as it came, and its root."""

    exchange: wire.Exchange
    root: Any

    @property
    def fault(self) -> Any:
        """The soap:Fault element, or None."""
        return self.root.find(f"{replies.BODY}/{replies.FAULT}")

    @property
    def entry(self) -> Any:
        """The first element in the Body, or None."""
        body = self.root.find(replies.BODY)
        return body[0] if body is not None and len(body) else None


def everything(conversation: talk.Talk) -> list[Heard]:
    """Every envelope that came back in this run; a few calls are made first, so that there are some of each kind."""
    session = conversation.session
    with session.lock:
        if session.census is None:
            session.census = list(_envelopes(heard(conversation)))
    case.require(session.census, "no reply of this run held a SOAP envelope")
    return session.census


def heard(conversation: talk.Talk) -> list[wire.Exchange]:
    """Every exchange of this run, those of the same few calls among them."""
    session = conversation.session
    with session.lock:
        if not session.sampled:
            session.sampled = True
            _sample(talk.Talk(session))
        return session.heard


def every(conversation: talk.Talk, wrong: Callable[[Heard], str | None], some: Callable[[Heard], Any] = bool) -> None:
    """Raises Failed if `wrong` says something of any reply for which `some` holds, NotRun if there is none."""
    looked_at = [row for row in everything(conversation) if some(row)]
    if not looked_at:
        raise case.NotRun("no reply of this run was of this kind")
    problems = [(row, problem) for row in looked_at if (problem := wrong(row))]
    if problems:
        conversation.exchanges.extend(row.exchange for row, _ in problems[:3])
        raise case.Failed(f"{problems[0][1]} ({len(problems)} of {len(looked_at)} replies)")
    conversation.exchanges.append(looked_at[0].exchange)


def is_fault(row: Heard) -> bool:
    """Whether it is a fault."""
    return row.fault is not None


def _envelopes(exchanges: list[wire.Exchange]) -> Iterator[Heard]:
    for exchange in exchanges:
        if exchange.method == "POST" and b"Envelope" in exchange.body[:2000].replace(b"\0", b""):
            try:
                yield Heard(exchange, replies.document(exchange))
            except case.Failed:
                continue  # what cannot be read at all fails the case that asked for it


def _sample(conversation: talk.Talk) -> None:
    """One reply of each operation that changes nothing, and faults of every kind."""
    about = conversation.target
    person = dict(about.learners.get("live") or about.learners.get("absent") or conversation.nobody() | {"ULN": "4123999998"})
    nobody = conversation.nobody()
    names = {name: person[name] for name in ("ULN", "FamilyName", "GivenName")}
    record = {"UserType": "ORG", "LNRContactType": "FTF", "ULN": person["ULN"]} | talk.five(person)
    for operation, values in (
        ("learnerByDemographics", {"FindType": "FUL"} | talk.five(person)),
        ("learnerByDemographics", {"FindType": "FUL"} | talk.five(nobody)),
        ("learnerByULN", {"FindType": "FUL"} | names),
        ("verifyLearner", {f"LearnerToVerify.{name}": value for name, value in names.items()}),
        ("retrieveULNs", {"ULNsToRetrieve.ULN": [person["ULN"]]}),
        ("getLearnerRecord", record),
        ("getMergedUnmergedULNsReport", {"FromDate": "2022-09-01"}),
        ("getDeletedULNsReport", {"FromDate": "2022-09-01"}),
        ("getBatchRegistrationOutput", {"JobID": "1"}),
        ("getVerifyBatchOutput", {"JobID": "1"}),
        ("learnerByULN", {"FindType": "FUL"} | names | {"ULN": "0"}),
        ("learnerByShoeSize", {"ShoeSize": "43"}),
    ):
        conversation.post(conversation.message(operation, values))
    body = messages.text("learnerByULN", conversation.values() | {"FindType": "FUL"} | names)
    conversation.post(messages.message("learnerByULN", messages.example("learnerByULN")))
    conversation.post(messages.envelope(body, f"<soapenv:Header>{_SOME}</soapenv:Header>"))
    conversation.post(messages.envelope(body).replace(messages.ENVELOPE.encode(), b"http://www.w3.org/2003/05/soap-envelope"))
