"""How the service's answers are shown, and which of them are a success."""

from collections.abc import Iterable

import click

from lrs_soap import codes, contract, model
from lrs_soap.cli import exits, output

_RESPONSE, _VERIFIED = codes.ResponseCode, codes.VerificationCode

# The codes that end a command with exit code 0; any other is an answer, but not the one asked for.
_DONE = {
    "learnerByULN": {_RESPONSE.EXACT_MATCH, _RESPONSE.MASTER_SUBSTITUTED},
    "learnerByDemographics": {_RESPONSE.EXACT_MATCH, _RESPONSE.MASTER_SUBSTITUTED},
    "registerSingleLearner": {_RESPONSE.REGISTERED},
    "updateSingleLearner": {_RESPONSE.UPDATED},
    "verifyLearner": {_VERIFIED.MATCH, _VERIFIED.LINKED_MATCH},
    "retrieveULNs": {_RESPONSE.EXACT_MATCH, _RESPONSE.MASTER_SUBSTITUTED},
    "getLearnerRecord": {_RESPONSE.EXACT_MATCH, _RESPONSE.MASTER_SUBSTITUTED},
}
_COLUMNS = ("uln", "given_name", "family_name", "date_of_birth", "gender", "last_known_post_code", "version_number")
_EVENT_COLUMNS = ("academic_year", "qualification_title", "subject_title", "learning_outcome_grade_desc",
                  "achievement_award_date", "achievement_provider_name")  # fmt: skip


def find(as_json: bool, operation: str, reply: model.FindLearnerResp) -> None:
    """One learner in full, several as a table."""
    if as_json:
        _print_json(operation, reply.response_code, reply)
    else:
        _print_code(reply.response_code)
        if len(reply.learner) == 1:
            _print_fields("Learner", reply.learner[0])
        elif reply.learner:
            _print_rows("Learner", _COLUMNS, reply.learner)
    _leave(operation, [reply.response_code])


def short(as_json: bool, operation: str, reply, uln: str | None) -> None:
    """A reply that is a code, and the ULN it is about, if any."""
    if as_json:
        _print_json(operation, reply.response_code, reply)
    else:
        _print_code(reply.response_code)
        if uln:
            click.echo(f"ULN {uln}")
    _leave(operation, [reply.response_code])


def verify(as_json: bool, reply: model.VerifyLearnerResp) -> None:
    """What was asked beside what is held, and the flags."""
    verified = reply.verified_learner
    if as_json:
        _print_json("verifyLearner", verified.response_code, reply)
    else:
        _print_code(verified.response_code)
        _print_fields("MIAPVerifiedLearner", verified)
        for flag in verified.failure_flag:
            _print_code(flag)
    _leave("verifyLearner", [verified.response_code])


def retrieve(as_json: bool, reply: model.RetrieveULNsResp) -> None:
    """A row for each ULN."""
    rows = reply.retrieved_ulns.verified_uln
    if as_json:
        _print_json("retrieveULNs", None, reply)
    else:
        names = [field.attribute for field in contract.TYPES["MIAPRetrievedULN"].fields]
        _print_rows("MIAPRetrievedULN", names, rows)
    _leave("retrieveULNs", [row.response_code for row in rows])


def record(as_json: bool, reply: model.LearnerRecordResp) -> None:
    """The learner, and a row for each learning event; --json has all of their fields."""
    shown = reply.learner_record
    if as_json:
        _print_json("getLearnerRecord", reply.response_code, reply)
    else:
        _print_code(reply.response_code)
        if shown is not None:
            _print_fields("MIAPLearnerRecord", shown)
            found = shown.learning_events.learning_event if shown.learning_events else ()
            click.echo()
            if found:
                _print_rows("MIAPLearningEvent", _EVENT_COLUMNS, found)
            else:
                click.echo("no learning events")
    _leave("getLearnerRecord", [reply.response_code])


def _print_code(code: str) -> None:
    click.echo(f"{code}  {getattr(code, 'meaning', 'a code this program does not know')}")


def _print_json(operation: str, code: str | None, reply) -> None:
    output.as_json({
        "operation": operation,
        "code": None if code is None else str(code),
        "meaning": getattr(code, "meaning", None),
        "reply": reply,
    })


def _names(type_name: str) -> dict[str, str]:
    """The elements of a type by attribute."""
    return {field.attribute: field.name for field in contract.TYPES[type_name].fields}


def _print_rows(type_name: str, attributes: Iterable[str], rows) -> None:
    names = _names(type_name)
    output.table([names[a] for a in attributes], [[getattr(row, a) for a in attributes] for row in rows])


def _print_fields(type_name: str, value) -> None:
    rows = []
    for attribute, name in _names(type_name).items():
        held = getattr(value, attribute)
        if isinstance(held, model.MIAPLinkedULN):
            held = " ".join(held.uln)
        if isinstance(held, (str, int)) and held != "" and name not in ("ResponseCode",):
            rows.append([name, held])
    output.table(["element", "value"], rows)


def _leave(operation: str, answered: list[str]) -> None:
    done = all(code in _DONE[operation] for code in answered)
    exits.leave(exits.Exit.DONE if done else exits.Exit.NEGATIVE)
