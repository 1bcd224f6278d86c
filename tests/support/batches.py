"""Learners for batches, and jobs as a college submits them."""

import datetime
import itertools
from collections.abc import Iterator

from lrs_soap.operations import batch
from lrs_soap.rules import access
from lrs_soap.store import engine as engines
from lrs_soap.store import jobs, organisations

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
_SYLLABLES = ("ba", "cor", "dun", "fel", "gra", "hil", "jen", "kem", "lor", "mar", "nor", "pel", "quin", "ros")
_GIVEN = ("Olivia", "Noah", "Amelia", "Arthur", "Isla", "Leo", "Ivy", "Oscar", "Freya", "Harry", "Willow")


def people() -> Iterator[dict[str, str]]:
    """Any number of people, no two alike: what a FUL batch needs to register them, with MISIdentifier 0, 1, ..."""
    for number, syllables in enumerate(itertools.product(_SYLLABLES, repeat=4)):
        yield {
            "mis_identifier": f"{number} ",
            "given_name": _GIVEN[number % len(_GIVEN)],
            "family_name": "".join(syllables).title(),
            "date_of_birth": f"{1990 + number % 15}-{number % 12 + 1:02}-{number % 28 + 1:02}",
            "gender": str(number % 2 + 1),
            "last_known_post_code": f"LS{number % 20 + 1} {number % 9 + 1}AB",
            "ability_to_share": "1",
            "verification_type": "2",
        }


def college(engine, reference: str = "TEST38") -> int:
    """A new organisation; its id."""
    with engines.write(engine) as connection:
        return organisations.add(
            connection, organisation_ref=reference, ukprn=reference + "00", name="A College", password_hash="-",
            rights=access.ALL,
        )  # fmt: skip


def submit(engine, organisation_id: int, learners: list[dict], job_type: str | None = "FUL", at=NOW) -> int:
    """Stores a batch as a submit does; job_type None makes it one to verify."""
    operation = batch.REGISTRATION if job_type else batch.VERIFICATION
    with engines.write(engine) as connection:
        return jobs.add(
            connection, operation, learners, job_type=job_type, organisation_id=organisation_id, reference="TEST38",
            user_name="J. College", request_id="r", at=at,
        )  # fmt: skip


def results(engine, job_id: int) -> list[jobs.Result | None]:
    """What came of each learner of a job, in the order sent."""
    with engines.read(engine) as connection:
        return [learner.result for learner in jobs.learners(connection, job_id, 0, 10_000)]
