"""What a test does to its register by hand, beside the calls of its client: learners, organisations, merges, batches.

Everything goes the way it goes in a register in use, with its audit and its rules; a value that the contract does not
allow is refused in the schema's words.
"""

import contextlib
import dataclasses
import itertools
import secrets
import time
from collections.abc import Iterator
from typing import Any

from lrs_soap import binding, contract, errors, model, passwords, sandbox
from lrs_soap.codes import ResponseCode
from lrs_soap.operations import merging
from lrs_soap.operations import register as registering_operations
from lrs_soap.register import Call, Caller, Register
from lrs_soap.rules import access, matching, registering
from lrs_soap.rules import uln as rules_uln
from lrs_soap.store import engine, learners, merges, organisations, queue, ulns
from lrs_soap.wire import parser, xerces

ACTOR = "lrs_register"
"""The user name under which it is done."""

DEFAULTS = {
    "given_name": "Alex",
    "date_of_birth": "2005-06-15",
    "gender": "9",
    "last_known_post_code": "AB1 2DE",
    "verification_type": "1",
    "ability_to_share": "1",
}
"""What a learner has that a test says nothing about; its family name is one that no other learner has."""

_write = binding.element_encoder(contract.OPERATIONS["registerSingleLearner"].request)


class Refused(errors.LrsError):
    """It cannot be done to the register."""


class Handwork:
    """Works on one register, directly."""

    def __init__(self, register: Register):
        self._register = register
        self._numbers = itertools.count(1)
        # The sandbox's batches that never finish, held by nobody.
        self._held = self._queue().in_progress

    def add_learner(self, uln: str | None = None, **details: str | None) -> str:
        """Registers a learner for the first organisation and gives the ULN: `uln`, or a new one. details: attributes of
        model.LearnerToRegister."""
        details = DEFAULTS | {"family_name": f"Example{_letters(next(self._numbers))}"} | details
        first = sandbox.published_organisations()[0]
        wanted = model.LearnerToRegister(**details)
        _check(model.RegisterSingleLearnerRqst(
            organisation_ref=first["organisation_ref"], org_password="*" * 16, user_name=ACTOR, learner=wanted
        ))  # fmt: skip
        if uln is not None and not rules_uln.is_valid(uln):
            raise Refused(f"{uln} is not a ULN: it is not ten digits with a right check digit")
        with self._call(first["organisation_ref"]) as call, call.writing() as connection:
            if problem := registering.date_error(wanted, call.today):
                raise Refused(problem)
            if uln is not None and learners.by_uln(connection, uln) is not None:
                raise Refused(f"there is a learner {uln} already")
            every = {field.name: getattr(wanted, field.name) for field in dataclasses.fields(wanted)}
            new = registering_operations.new_learner(
                uln or ulns.issue(connection)[0], registering.registered(every), call.today
            )
            if not learners.insert(connection, new, matching.identity(new), matching.stored_keys(new)):
                raise Refused("there is a learner with these names, date of birth, gender and postcode already")
            call.code = ResponseCode.REGISTERED
            call.touch(new.uln)
        return new.uln

    def add_organisation(
        self,
        organisation_ref: str | None = None,
        ukprn: str | None = None,
        name: str = "Another Organisation",
        org_password: str | None = None,
        rights: str = "all",
    ) -> dict[str, str]:
        """Adds an organisation and gives what its calls must say. rights: words of rules.access, or "all"."""
        number = next(self._numbers)
        organisation_ref = organisation_ref or f"TEST{number:02d}"
        ukprn = ukprn or f"TEST{number:04d}"
        org_password = org_password or secrets.token_hex(passwords.LENGTH // 2)
        _check(model.RegisterSingleLearnerRqst(
            organisation_ref=organisation_ref, ukprn=ukprn, org_password=org_password, user_name=ACTOR,
            learner=model.LearnerToRegister(family_name="A", **DEFAULTS),
        ))  # fmt: skip
        with engine.write(self._register.engine) as connection:
            organisations.add(
                connection, organisation_ref=organisation_ref, ukprn=ukprn, name=name, sandbox=True,
                password_hash=passwords.hash_password(org_password), rights=access.parse(rights),
            )  # fmt: skip
        return {"organisation_ref": organisation_ref, "ukprn": ukprn, "org_password": org_password}

    def merge(self, merged_uln: str, master_uln: str) -> None:
        """Merges one learner into another."""
        self._decide(merging.merge, merged_uln, master_uln)

    def unmerge(self, uln: str) -> None:
        """Undoes the merge of a learner."""
        self._decide(merging.unmerge, uln)

    def delete(self, uln: str) -> None:
        """Deletes a learner."""
        self._decide(merging.delete, uln)

    def restore(self, uln: str) -> None:
        """Makes a deleted learner live again."""
        self._decide(merging.restore, uln)

    def show(self, organisation_ref: str, *shown: str) -> None:
        """Lets the reports of an organisation be about these learners, as if it had found them."""
        with engine.write(self._register.engine) as connection:
            organisation = organisations.by_reference(connection, organisation_ref, None)
            merges.add_to_scope(connection, organisation.id, shown)

    def finish_batches(self, timeout: float) -> None:
        """Returns when every batch submitted is worked on."""
        deadline = time.monotonic() + timeout
        while (found := self._queue()).waiting or found.in_progress > self._held:
            if time.monotonic() > deadline:
                raise Refused(f"batches are not finished after {timeout:g} seconds")
            time.sleep(0.01)

    def _queue(self) -> queue.Queue:
        with engine.read(self._register.engine) as connection:
            return queue.length(connection, self._register.now())

    def _decide(self, decision: Any, *concerned: str) -> None:
        act = merging.Act(user_name=ACTOR, reason="A test wants it so.")
        with engine.write(self._register.engine) as connection:
            decision(connection, *concerned, act)

    @contextlib.contextmanager
    def _call(self, organisation_ref: str) -> Iterator[Call]:
        with engine.read(self._register.engine) as connection:
            organisation = organisations.by_reference(connection, organisation_ref, None)
        call = Call(
            register=self._register, request_id=secrets.token_hex(8), operation="registerSingleLearner",
            reference=organisation_ref, user_name=ACTOR,
        )  # fmt: skip
        call.caller = Caller(
            organisation_id=organisation.id, reference=organisation_ref, rights=organisation.rights, user_name=ACTOR
        )
        yield call


def _check(request: model.RegisterSingleLearnerRqst) -> None:
    """Raises Refused for values that no request could carry."""
    if problem := xerces.violation(parser.parse(_write(request).encode())):
        raise Refused(problem)


def _letters(number: int) -> str:
    """1 is "a", 27 is "aa": names have no digits."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text
