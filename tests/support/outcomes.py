"""The rows of fixtures/outcomes.csv as requests, and what a reply says in the words of their `expected` column."""

import dataclasses
import json
from typing import Any

from support import soap

from lrs_soap import sandbox

FLAGGED = "FailureFlag"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A row; `values` are the elements to send, `expected` the codes and flags, `ulns` whose learners are shown."""

    case: str
    operation: str
    values: dict[str, Any]
    expected: list[str]
    ulns: list[str]
    changes: str
    basis: str
    what: str

    @property
    def message(self) -> bytes:
        """The envelope to send."""
        return soap.message(self.operation, self.values)


def rows() -> list[Outcome]:
    """Every row, with the credentials of its organisation where the input says nothing else."""
    passwords = {row["organisation_ref"]: row["password"] for row in sandbox.published_organisations()}
    return [_outcome(row, passwords) for row in sandbox.outcomes()]


def named(case: str) -> Outcome:
    """The row of that case."""
    (row,) = (row for row in rows() if row.case == case)
    return row


def _outcome(row: dict[str, str], passwords: dict[str, str]) -> Outcome:
    reference = row["organisation"]
    values = {"OrganisationRef": reference, "OrgPassword": passwords[reference], "UserName": "A Tester"}
    return Outcome(
        case=row["case"],
        operation=row["operation"],
        values=values | json.loads(row["input"]),
        expected=row["expected"].split(),
        ulns=row["ulns"].split(),
        changes=row["changes"],
        basis=row["basis"],
        what=row["what"],
    )


def said(answer: soap.Answer) -> list[str]:
    """The codes and flags of an answer, in the order in which they stand in it."""
    if answer.is_fault:
        return answer.texts("ErrorCode")
    return [element.text for element in answer.body.iter("ResponseCode", "ReturnCode", FLAGGED)]


def shown(answer: soap.Answer) -> list[str]:
    """The ULNs of the learners whose data an answer of a find, retrieval, verification or record shows, in its order."""
    found = [
        learner.findtext("ULN") for learner in answer.body.iter("Learner") if learner.find("ReturnCode") is None
    ]
    retrieved = [
        row.findtext("MasterULN") or row.findtext("ULN")
        for row in answer.body.iter("VerifiedULN")
        if row.find("FamilyName") is not None
    ]
    verified = [
        row.findtext("ULN") for row in answer.body.iter("VerifiedLearner") if row.find("FamilyName") is not None
    ]
    records = [record.findtext("ULN") for record in answer.body.iter("LearnerRecord")]
    return found + retrieved + verified + records
