"""Every row of a table of outcomes as a case: which request gives which code, and whose data it shows."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from lrs_soap.conformance import case, messages, replies

_CLAUSES = {"learnerBy": "Finds", "register": "Register", "update": "Update", "verify": "Verify, retrieve",
            "retrieve": "Verify, retrieve", "getLearnerRecord": "Learner record", "get": "Reports"}  # fmt: skip
_WRITING = ("registerSingleLearner", "updateSingleLearner", "submitBatchRegistration", "submitVerifyBatch")


def book(rows: Iterable[dict[str, str]]) -> case.Book:
    """The cases of the rows of fixtures/outcomes.csv, or of a table like it."""
    made = case.Book(case.Part.BEHAVIOUR)
    for row in rows:
        operation = row["operation"]
        clause = next((text for start, text in _CLAUSES.items() if operation.startswith(start)), "Faults")
        made.add(
            f"outcome-{row['case']}",
            f"{operation}, {row['expected']}: {row['what']}",
            "Faults" if row["expected"].startswith("WSEC00") else clause,
            _run(row),
            row["basis"],
            # A refusal changes nothing where the service is right, which is what is to be shown.
            writes=operation in _WRITING,
            needs=("outcomes",),
        )
    return made


def _run(row: dict[str, str]) -> Callable[[Any], None]:
    def run(talk: Any) -> None:
        matching = [one for one in talk.target.organisations.values() if row["organisation"] in (one.organisation_ref, one.ukprn)]
        if not matching:
            raise case.NotRun(f"the target file has no organisation {row['organisation']}")
        who = {"OrganisationRef": None, "UKPRN": None, "OrgPassword": matching[0].org_password}
        who["OrganisationRef" if row["organisation"] == matching[0].organisation_ref else "UKPRN"] = row["organisation"]
        sent = who | {"UserName": talk.target.user_name} | json.loads(row["input"])
        answer = replies.read(talk.post(messages.message(row["operation"], sent)))
        # A row that changes the register gives another code the second time.
        afterwards = [row["changes"].rpartition(": ")[2].removeprefix("afterwards ").split()] if row["changes"] else []
        case.require(answer.codes in [row["expected"].split(), *afterwards], f"{row['expected']} was expected, "
                     f"{' '.join(answer.codes) or answer.summary()} came")  # fmt: skip
        if answer.codes == row["expected"].split():
            case.equal(shown(answer), row["ulns"].split(), "the learners whose data is shown")

    return run


def shown(answer: replies.Answer) -> list[str | None]:
    """The ULNs of the learners whose data a find, retrieval, verification or record shows, in its order; a batch repeats
    what was sent, which is another thing."""
    if answer.body is None:
        return []
    found = [learner.findtext("ULN") for learner in answer.body.iter("Learner") if learner.find("ReturnCode") is None]
    for name in ("VerifiedULN", "VerifiedLearner"):
        rows = [row for row in answer.body.iter(name) if row.find("FamilyName") is not None]
        found += [row.findtext("MasterULN") or row.findtext("ULN") for row in rows]
    return found + [record.findtext("ULN") for record in answer.body.iter("LearnerRecord")]
