"""Judges the learners of a batch file: by the contract's facets, and by rules that no facet holds."""

import datetime
from collections.abc import Iterator

from lrs_soap import contract
from lrs_soap.batchfile import facets, layout, problems, source
from lrs_soap.batchfile.problems import Effect
from lrs_soap.codes import BatchJobType
from lrs_soap.rules import batch, dates, registering, uln

_SCHEMA_MANDATORY = tuple(field.attribute for field in layout.FIELDS if field.min_occurs)
_FIELDS = {field.attribute: field for field in layout.FIELDS}
_TO_REGISTER = tuple(
    field.attribute for field in contract.TYPES["LearnerToRegister"].fields
    if field.min_occurs and field.attribute not in batch.SEARCHED
)  # fmt: skip


def learner(item: source.Learner, today: datetime.date, job_type: BatchJobType) -> Iterator[problems.Problem]:
    """Every problem of a learner's values. today: the day on which ages count."""
    for attribute, value in item.values.items():
        wrong = facets.error(value.text, _FIELDS[attribute])
        if wrong:
            yield value.problem(*wrong)
        elif attribute in _OWN:
            yield from _OWN[attribute](value, today)
    if not item.unreadable:
        yield from _missing(item, job_type)
        if not registering.is_sufficient(item.text("verification_type"), item.text("other_verification_description")):
            yield item.missing("other_verification_description").problem(
                "description", "VerificationType 999 (other) needs OtherVerificationDescription",
                "Say what was seen", Effect.SERVICE,
            )  # fmt: skip


def _missing(item: source.Learner, job_type: BatchJobType) -> Iterator[problems.Problem]:
    for attribute in _SCHEMA_MANDATORY:
        if attribute not in item.values:
            yield item.missing(attribute).problem("mandatory", "The value is mandatory", "Fill it in", Effect.LEARNER)
    if item.text("uln") not in ("", batch.NOT_YET_KNOWN):
        return
    for attribute in batch.SEARCHED:
        if attribute not in item.values and attribute not in _SCHEMA_MANDATORY:
            yield item.missing(attribute).problem(
                "needed", "The value is needed to find a ULN", "Fill it in, or give the learner's ULN", Effect.SERVICE
            )
    if job_type == BatchJobType.FULL:
        for attribute in _TO_REGISTER:
            if attribute not in item.values:
                yield item.missing(attribute).problem(
                    "needed", "The value is needed to create a ULN", "Fill it in, or give the learner's ULN",
                    Effect.SERVICE,
                )  # fmt: skip


def _uln(value: source.Value, _today) -> Iterator[problems.Problem]:
    if value.text == batch.NOT_YET_KNOWN:
        yield value.problem("uln", "This is the ILR's number for a ULN that is not known yet",
                            "Leave it empty", Effect.SERVICE)
    elif not uln.is_valid(value.text):
        yield value.problem("uln", "The check digit of the ULN is wrong",
                            "Compare the number with the learner's: a digit is wrong or two have changed places",
                            Effect.SERVICE)  # fmt: skip


def _age(value: source.Value, today: datetime.date) -> Iterator[problems.Problem]:
    age = dates.age(value.text, today)
    if not batch.YOUNGEST <= age <= dates.OLDEST:
        message = f"The learner would be {age} years old" if age >= 0 else "The date lies in the future"
        yield value.problem("age", message, f"Correct it: ages from {batch.YOUNGEST} to {dates.OLDEST} are accepted",
                            Effect.SERVICE)


_OWN = {"uln": _uln, "date_of_birth": _age}


class Identifiers:
    """Finds MISIdentifiers that stand twice, by which the output could not be taken back.

    It keeps those of as many learners as a file may hold, so that a longer file takes no more memory.
    """

    def __init__(self):
        self._lines: dict[str, int] = {}

    def problem(self, item: source.Learner) -> problems.Problem | None:
        """The problem if the learner's MISIdentifier stood in an earlier one."""
        value = item.values.get("mis_identifier")
        if value is None:
            return None
        first = self._lines.get(value.text)
        if first is None:
            if len(self._lines) < layout.MAX_LEARNERS:
                self._lines[value.text] = value.line
            return None
        return value.problem("duplicate", f"The same MISIdentifier stands in line {first}",
                             "Give each learner its own, or delete the learner that stands twice", Effect.SERVICE)

