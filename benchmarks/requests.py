"""The requests of the benchmarks: messages made from learners of a synthetic register."""

import dataclasses
from collections.abc import Sequence

from lrs_soap import binding, contract, model
from lrs_soap.store.learners import StoredLearner
from lrs_soap.synth import people
from lrs_soap.wire import faults

Person = StoredLearner | people.Learner
"""Of a register, or made for one."""

CREDENTIALS = {"ukprn": "BENCH001", "org_password": "benchmark-secret", "user_name": "benchmark"}
SEPARATOR = "\f"
ELSEWHERE = "ZE3 9ZZ"
"""A postcode that no synthetic learner has."""

_FIVE = ("family_name", "given_name", "date_of_birth", "gender", "last_known_post_code")
_TO_REGISTER = tuple(field.name for field in dataclasses.fields(model.LearnerToRegister))


def message(operation: str, **values) -> str:
    """The request of `operation` in its envelope, with the benchmark's credentials."""
    request = contract.OPERATIONS[operation]
    value = getattr(model, request.request_type.name)(**CREDENTIALS, **values)
    return faults.ENVELOPE_START + binding.element_encoder(request.request)(value) + faults.ENVELOPE_END


def by_uln(learner: StoredLearner, **changed) -> str:
    """learnerByULN for the learner, with some values changed; so are the others below."""
    named = {"uln": learner.uln, "family_name": learner.family_name, "given_name": learner.given_name} | changed
    return message("learnerByULN", find_type="FUL", **named)


def by_demographics(learner: StoredLearner, **changed) -> str:
    """learnerByDemographics."""
    return message("learnerByDemographics", find_type="FUL", **_five(learner) | changed)


def verify(learner: StoredLearner, **changed) -> str:
    """verifyLearner."""
    return message("verifyLearner", learner_to_verify=model.MIAPLearnerToVerify(**to_verify(learner) | changed))


def retrieve(ulns: Sequence[str]) -> str:
    """retrieveULNs."""
    return message("retrieveULNs", ulns_to_retrieve=model.MIAPULNsToRetrieve(uln=tuple(ulns)))


def record(learner: StoredLearner, **changed) -> str:
    """getLearnerRecord, asked by the learner."""
    asked = _five(learner) | {"uln": learner.uln, "user_type": "LNR", "lnr_contact_type": "WEB"} | changed
    return message("getLearnerRecord", **asked)


def report(operation: str, since: str, until: str | None = None) -> str:
    """One of the two reports."""
    return message(operation, from_date=since, to_date=until)


def register(learner: Person) -> str:
    """registerSingleLearner with the learner's details."""
    return message("registerSingleLearner", learner=model.LearnerToRegister(**_to_register(learner)))


def update(learner: StoredLearner, **changed) -> str:
    """updateSingleLearner of the version that is given."""
    values = {"uln": learner.uln, "version_number": learner.version_number, **_to_register(learner)} | changed
    return message("updateSingleLearner", learner=model.LearnerToUpdate(**values))


def batch(learners: Sequence[Person], count: int | None = None) -> str:
    """submitBatchRegistration, FUL. count: another LearnerRecordCount."""
    sent = tuple(model.BatchLearner(**_to_register(one)) for one in learners)
    return message("submitBatchRegistration", job_type="FUL", learner_record_count=count or len(sent), learner=sent)


def verify_batch(learners: Sequence[StoredLearner], count: int | None = None) -> str:
    """submitVerifyBatch."""
    sent = tuple(model.MIAPBatchLearnerToVerify(**to_verify(one)) for one in learners)
    return message("submitVerifyBatch", learner_record_count=count or len(sent), learner=sent)


def output(operation: str, job: int) -> str:
    """getBatchRegistrationOutput or getVerifyBatchOutput."""
    return message(operation, job_id=job)


def _five(learner: StoredLearner) -> dict[str, str]:
    return {name: getattr(learner, name) for name in _FIVE}


def to_verify(learner: StoredLearner) -> dict[str, str]:
    """What of a learner is sent to be verified."""
    return {name: getattr(learner, name) for name in ("uln", "family_name", "given_name", "date_of_birth", "gender")}


def _to_register(learner: Person) -> dict[str, str | None]:
    # What a synthetic learner does not have is a field it lacks, or "".
    details = {name: getattr(learner, name, None) or None for name in _TO_REGISTER}
    return details | {"verification_type": "2", "ability_to_share": "1", "notes": None, "date_of_address_capture": None}
