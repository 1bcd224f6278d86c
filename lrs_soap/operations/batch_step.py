"""One step of a batch: some of its learners, in one transaction with their results and their audit row.

A step reads in bulk what its learners may need, decides on them one after the other as if each came alone, and
writes new learners in bulk. What one learner of the step changes, the next ones see.
"""

import collections
import dataclasses
import datetime
import time
from collections.abc import Mapping

from sqlalchemy import Connection

from lrs_soap import errors, model
from lrs_soap.codes import JobStatus, LearnerStatus, ReturnCode, VerificationCode
from lrs_soap.operations import batch as batches
from lrs_soap.operations import register as registration
from lrs_soap.operations import verify
from lrs_soap.rules import batch, matching, registering
from lrs_soap.rules import uln as uln_rules
from lrs_soap.store import audit, bulk, jobs, learners, matches

_DETAILS = tuple(field.name for field in dataclasses.fields(model.LearnerToRegister))
_GIVEN = ("family_name", "given_name", "date_of_birth", "gender", "failure_flag")

# P: what becomes of a learner that cannot be processed: RC011, or the verification that finds nothing.
UNREADABLE = {
    batches.REGISTRATION: jobs.Result(ReturnCode.INCORRECT_FORMAT),
    batches.VERIFICATION: jobs.Result(VerificationCode.ULN_NOT_FOUND),
}


class Conflict(errors.LrsError):
    """Another transaction changed a learner while the step looked at it: the step has to be done again."""


def results(
    connection: Connection, job: jobs.Job, sent: list[jobs.Sent], at: datetime.datetime, limit: int
) -> list[jobs.Result]:
    """What comes of these learners of a job, and the effects on the register.

    at: now, in England; limit: the most possible matches. Raises Conflict: then roll back and try again.
    """
    if job.operation == batches.VERIFICATION:
        return _verify(connection, [model.MIAPBatchLearnerToVerify(**learner.values) for learner in sent])
    step = _Registration(connection, job, at, limit)
    return step.run([model.BatchLearner(**learner.values) for learner in sent])


def entry(job: jobs.Job, start: int, found: list[jobs.Result], at: datetime.datetime, began: float) -> audit.Entry:
    """The audit row of a step: in the name of who submitted the batch, with the ULNs it told or changed.

    start: the number of its first learner; began: time.perf_counter() at its beginning.
    """
    return audit.Entry(
        at=at,
        request_id=f"{job.request_id}/{job.id}/{start}-{start + len(found) - 1}",
        organisation_id=job.organisation_id,
        reference=job.reference,
        user_name=job.user_name,
        operation=job.operation,
        code=JobStatus.IN_PROGRESS.value,
        ulns=tuple(result.uln for result in found if result.uln),
        duration_us=int((time.perf_counter() - began) * 1_000_000),
    )


def _current(connection: Connection, record: learners.StoredLearner) -> learners.StoredLearner | None:
    """The record, or the live master it was merged into; None if that is deleted."""
    current = learners.master_of(connection, record)
    return current if current.learner_status == LearnerStatus.ACTIVE else None


def _verify(connection: Connection, asked: list[model.MIAPBatchLearnerToVerify]) -> list[jobs.Result]:
    held = learners.by_ulns(connection, {one.uln for one in asked if uln_rules.is_valid(one.uln)})
    found = []
    for one in asked:
        stored = held.get(one.uln)
        values = verify.verified(one, stored, _current(connection, stored) if stored is not None else None)
        given = {name: values[name] for name in _GIVEN if values.get(name)}
        found.append(jobs.Result(values["response_code"], values["uln"], given or None))
    return found


class _Registration:
    """A step of a registration batch. New learners wait in `_new`, without ULN, until the end or an update that claims an
    identity; updates that claim none wait in `_updates` until the end or the learner's next one."""

    def __init__(self, connection: Connection, job: jobs.Job, at: datetime.datetime, limit: int):
        self._connection = connection
        self._job = job
        self._at = at
        self._limit = limit
        self._records: dict[str, learners.StoredLearner] = {}  # by ULN, new ones by a word that stands for it
        self._changed: dict[matching.Lookup, list[str]] = collections.defaultdict(list)
        self._words: dict[str, str] = {}  # those of learners that have their ULN by now
        self._new: list[str] = []
        self._updates: dict[str, tuple[learners.StoredLearner, learners.StoredLearner]] = {}  # by ULN

    def run(self, wanted: list[model.BatchLearner]) -> list[jobs.Result]:
        refused = [batch.refusal(learner, self._at.date()) for learner in wanted]
        searches = {
            n: batch.query(learner)
            for n, learner in enumerate(wanted)
            if refused[n] is None and batch.given_uln(learner) is None
        }
        found = self._read([batch.given_uln(learner) for learner in wanted], searches)
        outcomes = []
        for n, learner in enumerate(wanted):
            if refused[n] is not None:
                outcomes.append((refused[n], None))
            elif n in searches:
                outcomes.append(self._search(learner, searches[n], found[n]))
            else:
                outcomes.append(self._look_up(learner))
        self._write_updates()  # before identities are claimed, as a single update does: so neither waits for the other
        self._insert()
        return [jobs.Result(code, self._records[word].uln if word else None) for code, word in outcomes]

    def _read(self, given: list[str | None], searches: dict[int, matching.Query]) -> dict[int, list[str]]:
        """Reads all records that the learners may need; gives the ULNs that each search found."""
        lookups = [matching.lookups(query) for query in searches.values()]
        found: dict[int, list[str]] = {}
        for n, some in zip(searches, matches.first_candidates_of_all(self._connection, lookups), strict=True):
            if len(some) > matches.FEW:
                found[n] = self._crowd(searches[n])
            else:
                found[n] = [learner.uln for learner in some]
                self._records.update((learner.uln, learner) for learner in some)
        needed = {uln for ulns_found in found.values() for uln in ulns_found}
        needed.update(uln for uln in given if uln and uln_rules.is_valid(uln))
        if missing := needed - self._records.keys():
            self._records |= learners.by_ulns(self._connection, missing)
        return found

    def _crowd(self, query: matching.Query) -> list[str]:
        """The ULNs of those whom a search may mean that leads to very many: who is an exact match is among them."""
        *_, (likely, _) = matches.likely_candidates(self._connection, query)
        exact = matches.by_details(self._connection, query)
        return [one.uln for one in likely] + ([exact.uln] if exact is not None else [])

    def _look_up(self, learner: model.BatchLearner) -> tuple[ReturnCode, str | None]:
        stored = self._records.get(learner.uln)
        current = _current(self._connection, stored) if stored is not None else None
        return self._do(learner, batch.with_uln(self._job.job_type, learner, stored, current))

    def _search(
        self, learner: model.BatchLearner, query: matching.Query, found: list[str]
    ) -> tuple[ReturnCode, str | None]:
        words = dict.fromkeys(found)
        if self._changed:
            words.update((word, None) for lookup in matching.lookups(query) for word in self._changed.get(lookup, ()))
        candidates, masters = [], {}
        for record in map(self._records.__getitem__, words):
            current = _current(self._connection, record) if record.master_uln else record
            if current is not None:
                candidates.append(record if current is record else dataclasses.replace(record, master_uln=current.uln))
                masters[record.uln] = current
        decision = matching.decide(query, candidates, self._limit)
        current = masters[decision.matches[0].learner.uln] if decision.matches else None
        return self._do(learner, batch.without_uln(self._job.job_type, learner, decision, current))

    def _do(self, learner: model.BatchLearner, outcome: batch.Outcome) -> tuple[ReturnCode, str | None]:
        """Carries an outcome out; gives the code and the learner's word or ULN."""
        if outcome.code is ReturnCode.REGISTERED:
            return outcome.code, self._register(learner)
        if outcome.code is ReturnCode.UPDATED:
            return self._update(self._word(outcome.learner), outcome.changes)
        if outcome.learner is None:
            return outcome.code, None
        self._records.setdefault(self._word(outcome.learner), outcome.learner)  # a master, perhaps
        return outcome.code, self._word(outcome.learner)

    def _word(self, learner: learners.StoredLearner) -> str:
        return self._words.get(learner.uln, learner.uln)

    def _register(self, learner: model.BatchLearner) -> str:
        word = f"new {len(self._records)}"
        details = {name: getattr(learner, name) for name in _DETAILS}
        self._records[word] = registration.new_learner(word, registering.registered(details), self._at.date())
        self._new.append(word)
        self._note(word)
        return word

    def _update(self, word: str, changes: Mapping[str, str]) -> tuple[ReturnCode, str | None]:
        if word in self._new:
            self._insert()
        old = self._records[word]
        if "verification_type" in changes:
            changes = {**changes, "tier_level": registering.tier_level(changes["verification_type"]).value}
        new = dataclasses.replace(
            old, **changes, version_number=old.version_number + 1, last_updated_date=self._at.date().isoformat()
        )
        if old.uln in self._updates:
            self._write_updates()
        if learners.keeps_identity(old, new):
            self._updates[old.uln] = (old, new)
        else:
            self._insert()  # in the order of the batch, for both may claim an identity
            replaced = learners.replace(
                self._connection, old, new, changed_by=self._job.organisation_id, user_name=self._job.user_name
            )
            if replaced is learners.Replaced.STALE:
                raise Conflict()
            if replaced is learners.Replaced.IDENTITY_TAKEN:
                return ReturnCode.POSSIBLE_MATCH, None
        self._records[word] = new
        self._note(word)
        return ReturnCode.UPDATED, word

    def _write_updates(self) -> None:
        # In one order everywhere: two steps that update the same learners then wait, where they could deadlock.
        waiting = [self._updates[uln] for uln in sorted(self._updates)]
        self._updates = {}
        replaced = learners.replace_details(
            self._connection, waiting, changed_by=self._job.organisation_id, user_name=self._job.user_name
        )
        if replaced is learners.Replaced.STALE:
            raise Conflict()

    def _note(self, word: str) -> None:
        """Lets the searches of later learners of the step find a record as it is now."""
        record = self._records[word]
        keys = matching.stored_keys(record)
        for columns in matching.READS:
            values = tuple(getattr(keys if hasattr(keys, name) else record, name) for name in columns)
            self._changed[matching.Lookup(columns, values)].append(word)

    def _insert(self) -> None:
        """Gives the new learners their ULNs and writes them."""
        if not self._new:
            return
        given = bulk.register(self._connection, [bulk.newcomer(self._records[word]) for word in self._new])
        if None in given:
            raise Conflict()
        for word, uln in zip(self._new, given, strict=True):
            self._records[word] = dataclasses.replace(self._records[word], uln=uln)
            self._words[uln] = word
        self._new = []
