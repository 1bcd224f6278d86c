"""Registrations, and changes of learners, that are made together: one transaction, a handful of statements and one commit for
all of them.

Each is decided as if it came alone, registrations in their order and then changes in theirs; one alone is a group of one. The
database's constraint on the five folded details decides between groups that register the same person at once.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection

from lrs_soap import model
from lrs_soap.codes import LearnerStatus, ResponseCode
from lrs_soap.register import Call, Register
from lrs_soap.rules import registering
from lrs_soap.store import audit, bulk, engine, learners, searches, writing

Reply = model.RegisterSingleLearnerResp | model.UpdateLearnerResp
Outcome = Reply | Exception
"""The reply, or why there is none."""


@dataclasses.dataclass(slots=True)
class Application:
    """A learner whom a call wants to register: everything that can be worked out without the database."""

    call: Call
    newcomer: bulk.Newcomer
    outcome: Outcome | None = None


@dataclasses.dataclass(slots=True)
class Change:
    """A change of the learner of a ULN that a call wants. `decide` gives, of the learner or of None if there is none, the code
    and the learner's new version, or None if it is not to be changed."""

    call: Call
    uln: str
    decide: Callable[[learners.StoredLearner | None], tuple[ResponseCode, learners.StoredLearner | None]]
    outcome: Outcome | None = None


Wanted = Application | Change


def make_together(register: Register, take: Callable[[], Sequence[Wanted]]) -> Sequence[Wanted]:
    """Does what is wanted by those that `take` gives once the transaction is open; gives these, each with its outcome.
    Raises nothing.

    No group waits for what others are changing, or two could wait for each other: a change that would have to has no outcome
    and is still to be made, alone. One that is alone always has an outcome.

    What one of them makes impossible is undone, and each is tried alone. Where the database is the trouble, or the answer
    to the commit is lost, nothing is tried again: a learner might be there already, by this very call.
    """
    attempt = _Attempt(register)
    try:
        attempt.make(take)
    except Exception as error:
        taken = attempt.taken if attempt.has_taken else take()
        if len(taken) == 1 or not attempt.may_repeat(error):
            for application in taken:
                application.outcome = error
        else:
            for application in taken:
                make_together(register, lambda one=application: [one])
        return taken
    return attempt.taken


class _Attempt:
    """One transaction for some applications."""

    def __init__(self, register: Register):
        self._register = register
        self._is_over = False  # nothing but the commit is left
        self.has_taken = False
        self.taken: Sequence[Wanted] = ()

    def make(self, take: Callable[[], Sequence[Wanted]]) -> None:
        """Decides on all, writes, audits and commits."""
        with engine.write(self._register.engine) as connection:
            # Not before: who came while others wrote is taken along.
            self.taken, self.has_taken = take(), True
            decided = list(_decided(connection, self.taken))
            audit.write(connection, [one.call.entry() for one, _ in decided])
            self._is_over = True
        for one, reply in decided:
            one.outcome = reply
            one.call.audited = True

    def may_repeat(self, error: Exception) -> bool:
        """Whether it is certain that nothing was committed, and one of several may be to blame."""
        return engine.is_of_statement(error) or not (self._is_over or engine.is_trouble(error))


def _decided(connection: writing.Writer, wanted: Sequence[Wanted]) -> Iterator[tuple[Wanted, Reply]]:
    """Does what may be done; gives each with its reply, and leaves out who is to be made alone."""
    applications = [one for one in wanted if isinstance(one, Application)]
    changes = [one for one in wanted if isinstance(one, Change)]
    if applications:
        yield from _registered(connection, applications)
    if changes:
        # On SQLite a writer is alone.
        free = None
        if len(wanted) > 1 and connection.dialect.name == "postgresql":
            free = learners.free_by_ulns(connection, {one.uln for one in changes})
        for one in changes:
            reply = _changed(connection, one, free)
            if reply is not None:
                yield one, reply


def _changed(
    connection: writing.Writer, change: Change, free: dict[str, learners.StoredLearner] | None
) -> model.UpdateLearnerResp | None:
    """Makes the change, if it may be made. free: the learners as they are, of a group that waits for nobody; then None is
    given of who is not among them, and of who would claim another identity, which somebody else may be about to claim."""
    call = change.call
    call.ulns.clear()  # of an attempt that was rolled back
    if free is None:
        old = learners.by_uln(connection, change.uln, for_update=True)
    elif (old := free.get(change.uln)) is None:
        return None
    call.code, new = change.decide(old)
    if new is not None:
        if free is not None and not learners.keeps_identity(old, new):
            return None
        replaced = learners.replace(
            connection, old, new, changed_by=call.caller.organisation_id, user_name=call.user_name, is_kept=True
        )
        if replaced is learners.Replaced.IDENTITY_TAKEN:
            call.code = ResponseCode.NOT_REGISTERED
        else:
            call.touch(new.uln)
            if free is not None:
                free[new.uln] = new
    return model.UpdateLearnerResp(response_code=call.code)


def _registered(connection: writing.Writer, applications: Sequence[Application]) -> Iterator[tuple[Application, Reply]]:
    """Adds those who may be added; gives each with its reply."""
    there, drawn = _identities_there(connection, applications)
    new = []
    for application in applications:
        identity = application.newcomer.identity
        if identity not in there and _was_searched(connection, application):
            there.add(identity)
            new.append(application)
    given = bulk.register(connection, [application.newcomer for application in new], drawn)
    own = {id(application): uln for application, uln in zip(new, given, strict=True)}
    for application in applications:
        uln = own.get(id(application))
        code = ResponseCode.NOT_REGISTERED if uln is None else ResponseCode.REGISTERED
        application.call.code = code
        application.call.ulns = {} if uln is None else {uln: None}
        yield application, model.RegisterSingleLearnerResp(response_code=code, uln=uln)


def _identities_there(
    connection: writing.Writer, applications: Sequence[Application]
) -> tuple[set[bytes], list[str]]:
    """Those of the applications' identities that somebody live has, or somebody merged away; and ULNs for the others.

    P: someone whose details equal a record merged away is there already, under the master's ULN; one whose master was
    deleted is as good as deleted itself.
    """
    found, drawn = bulk.equal_and_drawn(connection, [application.newcomer for application in applications])
    there = {
        identity
        for identity, equals in found.items()
        if any(learners.master_of(connection, one).learner_status == LearnerStatus.ACTIVE for one in equals)
    }
    return there, drawn


def _was_searched(connection: Connection, application: Application) -> bool:
    """D: the historic service wanted a recent search with the same details first. P: a setting, off by default."""
    call = application.call
    settings = call.register.settings
    if not settings.find_before_register:
        return True
    search = searches.last(connection, call.caller.organisation_id, application.newcomer.identity)
    return search is not None and registering.search_allows(
        search.code,
        (call.at - search.at).total_seconds(),
        max_age=settings.search_max_age_seconds,
        min_age=settings.search_min_age_seconds,
    )
