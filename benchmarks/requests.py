"""The requests of the benchmarks, made from learners of a synthetic register."""

import dataclasses
import random
import string

from lrs_soap import binding, contract, model
from lrs_soap.rules import names
from lrs_soap.store.learners import StoredLearner
from lrs_soap.wire import faults

CREDENTIALS = {"ukprn": "BENCH001", "org_password": "benchmark-secret", "user_name": "benchmark"}
SEPARATOR = "\f"
Learners = list[StoredLearner]


def message(operation: str, **values) -> str:
    """The request of `operation` in its envelope, with the benchmark's credentials."""
    request = contract.OPERATIONS[operation]
    value = getattr(model, request.request_type.name)(**CREDENTIALS, **values)
    return faults.ENVELOPE_START + binding.element_encoder(request.request)(value) + faults.ENVELOPE_END


def by_uln(learner: StoredLearner, **changed) -> str:
    named = {"uln": learner.uln, "family_name": learner.family_name, "given_name": learner.given_name} | changed
    return message("learnerByULN", find_type="FUL", **named)


def by_demographics(learner: StoredLearner, **changed) -> str:
    fields = ("family_name", "given_name", "date_of_birth", "gender", "last_known_post_code")
    asked = {name: getattr(learner, name) for name in fields} | changed
    return message("learnerByDemographics", find_type="FUL", **asked)


def verify(learner: StoredLearner) -> str:
    asked = model.MIAPLearnerToVerify(
        uln=learner.uln, family_name=learner.family_name, given_name=learner.given_name,
        date_of_birth=learner.date_of_birth, gender=learner.gender,
    )  # fmt: skip
    return message("verifyLearner", learner_to_verify=asked)


def retrieve(learners: Learners) -> str:
    return message("retrieveULNs", ulns_to_retrieve=model.MIAPULNsToRetrieve(uln=tuple(one.uln for one in learners)))


def register(learner: StoredLearner, rng: random.Random) -> str:
    """A registration of somebody new: the learner's details with a family name that nobody has."""
    details = {field.name: getattr(learner, field.name) for field in dataclasses.fields(model.LearnerToRegister)}
    invented = "".join(rng.choices(string.ascii_lowercase, k=14)).capitalize()
    details |= {"family_name": invented, "verification_type": "2", "ability_to_share": "1", "notes": None}
    details["date_of_address_capture"] = None
    return message("registerSingleLearner", learner=model.LearnerToRegister(**details))


def kinds(learners: Learners, seed: int = 1) -> dict[str, list[str]]:
    """The kinds of requests, by name, each many times with another learner.

    "worst" asks for the commonest family name and birth date among the learners given.
    """
    rng = random.Random(seed)
    unknown = "Zzyzx"
    born = [f"{year}-{month:02}-{day:02}" for year in range(1950, 2012) for month in range(1, 13) for day in (3, 17)]
    counts: dict[tuple[str, str], list[StoredLearner]] = {}
    for one in learners:
        counts.setdefault((names.fold(one.family_name), one.date_of_birth), []).append(one)
    worst = max(counts.values(), key=len)
    return {
        "learnerByULN, exact": [by_uln(one) for one in learners],
        "learnerByULN, possible": [by_uln(one, given_name=one.given_name + "e") for one in learners],
        "learnerByULN, miss": [by_uln(one, family_name=unknown) for one in learners],
        "learnerByDemographics, exact": [by_demographics(one) for one in learners],
        "learnerByDemographics, moved": [by_demographics(one, last_known_post_code="ZE3 9ZZ") for one in learners],
        "learnerByDemographics, miss": [
            by_demographics(one, family_name=unknown, date_of_birth=rng.choice(born)) for one in learners
        ],
        "learnerByDemographics, worst": [by_demographics(one, last_known_post_code="ZE3 9ZZ") for one in worst],
        "verifyLearner": [verify(one) for one in learners],
        "retrieveULNs, 20": [retrieve(rng.sample(learners, 20)) for _ in range(200)],
        "registerSingleLearner": [register(rng.choice(learners), rng) for _ in range(30_000)],
    }
