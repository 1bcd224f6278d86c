"""Every facet of every element of every request, at its bounds: refused or taken, as the schema says.

What should be taken is sent in the name of an organisation that the service does not know, so that nothing is done: any
fault but WSEC0001 shows that the message was found valid. What should be refused is sent in the caller's own name; in a
read-only run, and where the caller could change something by it, in that of the unknown organisation too.
"""

from collections.abc import Callable
from typing import Any

from lrs_soap import contract
from lrs_soap.conformance import case, messages, replies, talk, values

BOOK = case.Book(case.Part.CONTRACT)


def taken(conversation: talk.Talk, operation: str, body: str, what: str) -> None:
    """Raises Failed if a message of an unknown organisation is refused as invalid."""
    answer = replies.read(conversation.post(messages.envelope(body)))
    case.require(answer.code != "WSEC0001", f"{what} is valid, and was refused: {answer.summary()}")
    case.require(answer.code != "WSEC0999", f"{what} is valid, and led to {answer.summary()}")


def refused(conversation: talk.Talk, body: str, what: str, anonymous: bool) -> None:
    """Raises Failed unless a message is answered with WSEC0001. anonymous: its organisation is unknown, so that another
    refusal leaves open whether the message was found valid: then NotRun."""
    answer = replies.read(conversation.post(messages.envelope(body)))
    if anonymous and answer.code in ("WSEC0003", "WSEC0005", "WSEC0006"):
        raise case.NotRun(
            f"{what} was answered with {answer.code}: the service judged the caller first, or takes it; only a run that"
            " may write can tell"
        )
    case.require(answer.code == "WSEC0001", f"{what} is invalid, and was answered with {answer.summary()}")


def is_anonymous(conversation: talk.Talk, operation: str) -> bool:
    """Whether an invalid message is sent in the name of the unknown organisation."""
    return conversation.session.read_only and operation in talk.WRITING


def named(conversation: talk.Talk, operation: str, given: dict[str, Any], anonymous: bool) -> dict[str, Any]:
    """The values of a valid request, of the caller or of the unknown organisation."""
    sent = messages.example(operation) | {"OrganisationRef": conversation.target.unknown_organisation_ref}
    return (sent if anonymous else sent | conversation.values()) | given


def _field_case(operation: str, path: str, field: contract.Field) -> Callable[[talk.Talk], None]:
    def run(conversation: talk.Talk) -> None:
        # P: while one element is probed the others are valid.
        for value in values.at_the_bounds(field.simple):
            probe = [value] if field.max_occurs != 1 else value
            unknown = messages.element(operation, named(conversation, operation, {path: probe}, True))
            what = "a value of this length" if path == "OrgPassword" else f"{path} = {values.shown(value)}"
            if replies.is_valid(unknown):
                taken(conversation, operation, messages.text(operation, named(conversation, operation, {path: probe}, True)), what)
            else:
                anonymous = is_anonymous(conversation, operation)
                sent = messages.text(operation, named(conversation, operation, {path: probe}, anonymous))
                refused(conversation, sent, what, anonymous)

    return run


for _operation in contract.OPERATIONS.values():
    for _path, _field in messages.leaves(_operation.request_type):
        BOOK.add(
            f"facet-{_operation.name}-{_path}",
            f"{_operation.name}: values of {_path} are taken and refused at the bounds of {_field.type_name}",
            f"contract: {_field.type_name}",
            _field_case(_operation.name, _path, _field),
        )
