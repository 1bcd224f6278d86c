"""The kinds of calls that are measured: every operation, hit and miss, and the worst that a register has for finds."""

import dataclasses
import random
from collections.abc import Callable, Sequence

from benchmarks import register, requests
from benchmarks.register import Sample
from benchmarks.requests import ELSEWHERE, by_demographics, by_uln
from lrs_soap.store.learners import StoredLearner

UNKNOWN = "Zzyzx"
LIST = 20
"""Learners of a list: of retrieveULNs, and of the batches whose submission is measured."""

CALLERS = 32
"""Connections of a busy day: writes that wait together share a commit, so what many make is not what few make."""

Jobs = dict[str, int]
"""By the operation that submitted it, a batch that is finished."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """name: operation and case; code: the code that the reply must have, None for any; bodies: makes so many requests
    at least, or as many as there are. once: a request is not sent twice, for its second reply would be another.
    connections: at full rate, if they are not the run's."""

    name: str
    code: str | None
    bodies: Callable[[int], list[str]]
    once: bool = False
    connections: int | None = None


def kinds(sample: Sample, jobs: Jobs, fresh: Callable[[Sequence[str]], list[StoredLearner]]) -> list[Kind]:
    """Every kind, finds first. fresh: reads learners as they are now."""
    return [*finds(sample), *looks(sample), *_writes(sample, fresh), *_batches(sample, jobs)]


def _kind(name: str, code: str | None, make: Callable, of: Sequence) -> Kind:
    made: list[str] = []

    def bodies(_least: int) -> list[str]:
        if not made:
            made.extend(map(make, of))
        return made

    return Kind(name, code, bodies)


def finds(sample: Sample) -> list[Kind]:
    """The finds."""
    many, rng = sample.learners, random.Random(1)
    # A slip in a name that is long enough to be known by the rest of it.
    long = [one for one in many if len(one.given_name) > 6]
    born = [f"{year}-{month:02}-{day:02}" for year in range(1950, 2012) for month in range(1, 13) for day in (3, 17)]

    def stranger(one: StoredLearner) -> str:
        return by_demographics(one, family_name=UNKNOWN, date_of_birth=rng.choice(born))

    def elsewhere(one: StoredLearner) -> str:
        return by_demographics(one, last_known_post_code=ELSEWHERE)

    return [
        _kind("learnerByULN, exact", "WSRC0004", by_uln, many),
        _kind("learnerByULN, possible", "WSRC0003", lambda one: by_uln(one, given_name=one.given_name + "q"), long),
        _kind("learnerByULN, other name", "WSRC0001", lambda one: by_uln(one, family_name=UNKNOWN), many),
        _kind("learnerByULN, no such ULN", "WSRC0001", lambda uln: by_uln(many[0], uln=uln), sample.unknown),
        _kind("learnerByDemographics, exact", "WSRC0004", by_demographics, many),
        _kind("learnerByDemographics, one possible", "WSRC0003", elsewhere, many),
        _kind("learnerByDemographics, five possibles", "WSRC0003", elsewhere, sample.fives),
        _kind("learnerByDemographics, no match", "WSRC0001", stranger, many),
        _kind("learnerByDemographics, worst of the register", None, elsewhere, sample.worst),
        _kind("learnerByDemographics, crowd", "WSRC0002", elsewhere, sample.crowd),
    ]


def looks(sample: Sample) -> list[Kind]:
    """What else only reads."""
    many, rng = sample.learners, random.Random(2)
    ulns = [one.uln for one in many]
    merged, deleted = "getMergedUnmergedULNsReport", "getDeletedULNsReport"
    return [
        _kind("verifyLearner, match", "WSVRC001", requests.verify, many),
        _kind("verifyLearner, does not match", "WSVRC005", lambda one: requests.verify(one, family_name=UNKNOWN), many),
        _kind("verifyLearner, no such ULN", "WSVRC006", lambda uln: requests.verify(many[0], uln=uln), sample.unknown),
        _kind(f"retrieveULNs, {LIST}", "WSRC0004", lambda _: requests.retrieve(rng.sample(ulns, LIST)), range(1000)),
        _kind(f"retrieveULNs, {LIST} unknown", "WSRC0001",
              lambda _: requests.retrieve(rng.sample(sample.unknown, LIST)), range(100)),
        _kind("getLearnerRecord, ten events", "WSRC0004", requests.record, sample.recorded),
        _kind("getLearnerRecord, not verified", "WSEC0208", lambda one: requests.record(one, family_name=UNKNOWN), many),
        _kind(f"{merged}, found", "WSRC0023", lambda _: requests.report(merged, "2020-01-01"), "x"),
        _kind(f"{merged}, none", "WSRC0024", lambda _: requests.report(merged, "2001-01-01", "2001-12-31"), "x"),
        _kind(f"{deleted}, found", "WSRC0023", lambda _: requests.report(deleted, "2020-01-01"), "x"),
        _kind(f"{deleted}, none", "WSRC0024", lambda _: requests.report(deleted, "2001-01-01", "2001-12-31"), "x"),
    ]  # fmt: skip


def _writes(sample: Sample, fresh: Callable[[Sequence[str]], list[StoredLearner]]) -> list[Kind]:
    # Not the same again in the next run: the register may be kept.
    many, rng = sample.learners, random.SystemRandom()

    def registrations(least: int) -> list[str]:
        return list(map(requests.register, register.newcomers(least)))

    def updates(least: int) -> list[str]:
        wanted = fresh([one.uln for one in rng.sample(many, min(least, len(many)))])
        return [requests.update(one, last_known_address_line1=f"{rng.randrange(10**9)} Long Lane") for one in wanted]

    return [
        Kind("registerSingleLearner, new", "WSRC0005", registrations, once=True),
        Kind(f"registerSingleLearner, new, {CALLERS} callers", "WSRC0005", registrations, once=True, connections=CALLERS),
        _kind("registerSingleLearner, there already", "WSRC0021", requests.register, sample.fives),
        Kind("updateSingleLearner, changed", "WSRC0006", updates, once=True),
        Kind(f"updateSingleLearner, changed, {CALLERS} callers", "WSRC0006", updates, once=True, connections=CALLERS),
        _kind("updateSingleLearner, old version", "WSRC0013", lambda one: requests.update(one, version_number=0), many),
    ]


def _batches(sample: Sample, jobs: Jobs) -> list[Kind]:
    few = [sample.learners[at : at + LIST] for at in range(0, min(len(sample.learners), 2000) - LIST, LIST)]
    wrong = LIST + 1
    found = []
    for submit, get, mismatch, make in (
        ("submitBatchRegistration", "getBatchRegistrationOutput", "WSRC0017", requests.batch),
        ("submitVerifyBatch", "getVerifyBatchOutput", "WSRC0030", requests.verify_batch),
    ):
        found += [
            _kind(f"{get}, 200", "WSRC0009", lambda job, get=get: requests.output(get, job), [jobs[submit]]),
            _kind(f"{get}, no such job", "WSRC0018", lambda job, get=get: requests.output(get, job), [10**12]),
            _kind(f"{submit}, {LIST}", "WSRC0007", make, few),
            _kind(f"{submit}, wrong count", mismatch, lambda some, make=make: make(some, count=wrong), few),
        ]
    return found
