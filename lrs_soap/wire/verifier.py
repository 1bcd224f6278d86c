"""Is this the organisation's password? Without letting the question cost the others anything.

Argon2 makes a guess at a stolen hash dear and would make every call dear, so a password that was verified is
remembered for minutes, as a hash keyed with a secret of this process, bound to the hashes and terms it was compared
with. What must be computed is computed two at a time (P), in fair turns of the addresses that ask, and the same
question only once at a time. `rules.lockout` slows those who guess. All of it is the memory of one worker process.
"""

import asyncio
import dataclasses
import datetime
import enum
import hashlib
import secrets
import threading
import time
from typing import Any, NamedTuple

from lrs_soap import passwords
from lrs_soap.rules import lockout
from lrs_soap.rules import passwords as terms
from lrs_soap.store.organisations import Organisation
from lrs_soap.wire import turns

# More organisations than ever held a password at once; beyond it the memory starts anew.
_MOST_REMEMBERED = 10_000
# P: argon2 takes 64 MiB and several processor cores for each.
_AT_ONCE = 2
# P: clients wait 20 seconds for a reply.
_PATIENCE_SECONDS = 12.0


class Verdict(str, enum.Enum):
    """What is to be said of a password; the value is the reason that is logged. Callers learn right or wrong only."""

    RIGHT = "right"
    WRONG = "wrong-password"
    EXPIRED = "expired-password"
    PUBLISHED = "published-password"
    LOCKED = "locked-out"


class Source(NamedTuple):
    """Who asks, as far as the connection shows it: the address as `lockout.source` gives it, and the fingerprint of
    its TLS client certificate, if that is the organisation's."""

    address: str
    fingerprint: str = ""


@dataclasses.dataclass(slots=True, frozen=True)
class _Question:
    """One password for one organisation from one source. `token` stands for the password; it says nothing of it."""

    organisation: Organisation
    password: str = dataclasses.field(repr=False)
    token: bytes = dataclasses.field(repr=False)
    key: tuple[int, Source]


class Verifier:
    """Answers whether a password is an organisation's. remember_seconds: how long a right one is remembered."""

    def __init__(self, remember_seconds: float):
        self._remember_seconds = remember_seconds
        self._key = secrets.token_bytes(32)
        self._verified: dict[bytes, float] = {}
        # The beginning of the tokens of an organisation, as it was last read.
        self._begun: dict[int, tuple[Organisation, Any]] = {}
        self._attempts = lockout.Attempts()
        self._lock = threading.Lock()
        self._turns = turns.Turns("password", _AT_ONCE, _PATIENCE_SECONDS)
        self._asked: dict[tuple, asyncio.Future] = {}

    def recall(self, organisation: Organisation, password: str, source: Source) -> Verdict | None:
        """The verdict, if it is known without computing anything. Each call may count as a guess."""
        token, key = self._token(organisation, password), (organisation.id, source)
        if self._verified.get(token, 0.0) > time.monotonic() and not self._attempts.are_known(key):
            return Verdict.RIGHT  # nothing was tried that could count
        return self._recall(organisation, password, token, key)

    def verify(self, organisation: Organisation, password: str, source: Source) -> Verdict:
        """The verdict; takes 0.1 to 0.2 s if it must be computed. Raises passwords.UnusableHash."""
        question = self._question(organisation, password, source)
        verdict = self._recall(organisation, password, question.token, question.key)
        if verdict is None:
            verdict = self._compute(question) if self._begin(question) else Verdict.LOCKED
        return verdict

    async def verify_in_turn(self, organisation: Organisation, password: str, source: Source) -> Verdict:
        """The verdict, when it is this source's turn. Raises passwords.UnusableHash, turns.TooBusy.

        `recall` did not know it."""
        question = self._question(organisation, password, source)
        same = question.token, question.key
        if same not in self._asked:
            if not self._begin(question):
                return Verdict.LOCKED
            asked = self._asked[same] = asyncio.ensure_future(self._compute_in_turn(question))
            asked.add_done_callback(lambda _: self._asked.pop(same, None))
        return await asyncio.shield(self._asked[same])

    async def _compute_in_turn(self, question: _Question) -> Verdict:
        try:
            return await self._turns.run(question.key[1].address, lambda: self._compute(question))
        except turns.TooBusy:
            self._end(question, None)
            raise

    def _recall(
        self, organisation: Organisation, password: str, token: bytes, key: tuple[int, Source]
    ) -> Verdict | None:
        if not organisation.sandbox and passwords.is_published(password):
            return Verdict.PUBLISHED
        now = time.monotonic()
        with self._lock:
            if wrong := self._attempts.known_wrong(key, token, now):
                return Verdict(wrong)
            waits = self._attempts.must_wait(key, now)
            # Asking the memory is a guess too; so those who must wait may not do it at will.
            if waits and not self._attempts.may_look(key, now):
                return Verdict.LOCKED
            if self._verified.get(token, 0.0) > now:
                return Verdict.RIGHT
            return Verdict.LOCKED if waits else None

    def _begin(self, question: _Question) -> bool:
        with self._lock:
            return self._attempts.begin(question.key, time.monotonic())

    def _end(self, question: _Question, wrong: Verdict | None) -> None:
        with self._lock:
            self._attempts.end(question.key, time.monotonic(), question.token, wrong and wrong.value)

    def _compute(self, question: _Question) -> Verdict:
        verdict: Verdict | None = None
        try:
            verdict = self._compare(question)
            return verdict
        finally:
            self._end(question, None if verdict in (None, Verdict.RIGHT) else verdict)

    def _compare(self, question: _Question) -> Verdict:
        organisation = question.organisation
        if self._verified.get(question.token, 0.0) > time.monotonic():  # another source asked the same meanwhile
            return Verdict.RIGHT
        now = datetime.datetime.now(datetime.UTC)
        for accepted in terms.accepted(organisation.password_hash, organisation.terms, now):
            if passwords.verify_password(accepted.password_hash, question.password):
                if accepted.expired:
                    return Verdict.EXPIRED
                left = (accepted.until - now).total_seconds() if accepted.until else self._remember_seconds
                self._remember(question.token, min(left, self._remember_seconds))
                return Verdict.RIGHT
        return Verdict.WRONG

    def _remember(self, token: bytes, seconds: float) -> None:
        with self._lock:
            if len(self._verified) >= _MOST_REMEMBERED:
                self._verified.clear()
            self._verified[token] = time.monotonic() + seconds

    def _question(self, organisation: Organisation, password: str, source: Source) -> _Question:
        return _Question(organisation, password, self._token(organisation, password), (organisation.id, source))

    def _token(self, organisation: Organisation, password: str) -> bytes:
        """What stands for the password in this process's memory, bound to what it is compared with."""
        known = self._begun.get(organisation.id)
        if known is None or known[0] is not organisation:
            # `sandbox` too: what is published opens nothing else.
            compared = organisation.id, organisation.sandbox, organisation.password_hash, organisation.terms
            material = "".join(f"{one}\0" for one in compared).encode()
            known = organisation, hashlib.blake2b(material, key=self._key, digest_size=32)
            self._begun[organisation.id] = known
        token = known[1].copy()
        token.update(password.encode())
        return token.digest()
