"""Who calls: the organisation, its TLS client certificate, its OrgPassword, its rights and its user.

`recall` answers from memory, which it can for most calls; `admit` asks the database and computes. What either finds
is an `Admission`, with which `authenticate` ends.
"""

import asyncio
import concurrent.futures
import functools
import time
from typing import Any, NamedTuple

from lrs_soap import errors
from lrs_soap.register import Call, Caller, Register
from lrs_soap.rules import lockout
from lrs_soap.rules.access import Right
from lrs_soap.store import certificates, engine, organisations
from lrs_soap.wire import certified, verifier
from lrs_soap.wire import origin as origins


# User names are what callers make them; beyond so many the memory starts anew.
_MOST_CALLERS = 1_000


class Admission(NamedTuple):
    """The organisation that calls, or what keeps it from calling."""

    organisation: organisations.Organisation | None
    refusal: Exception | None = None


class _Known(NamedTuple):
    """An enabled organisation; has_certificates: in the register, if that matters."""

    until: float
    organisation: organisations.Organisation
    has_certificates: bool


class Authenticator:
    """Turns the OrganisationRef, UKPRN, OrgPassword and UserName of a request into its Caller."""

    def __init__(self, register: Register):
        self._register = register
        self._verifier = verifier.Verifier(register.settings.password_cache_seconds)
        self._certificates = certified.CertificateJudge(register)
        self._organisations: dict[tuple[str | None, str | None], _Known] = {}
        self._callers: dict[tuple[int, str], tuple[organisations.Organisation, Caller]] = {}

    def recall(self, request: Any, origin: origins.Origin) -> Admission | None:
        """Whether the request's organisation is admitted, if that is known without waiting for anything."""
        if refusal := self._out_of_hours():
            return Admission(None, refusal)
        known = self._organisations.get((request.organisation_ref or None, request.ukprn or None))
        if known is None or known.until <= time.monotonic() or not self._certificates.recalls(origin.certificate):
            return None
        source, refusal = self._judge(known, origin)
        if refusal is not None:
            return Admission(None, refusal)
        verdict = self._verifier.recall(known.organisation, request.org_password, source)
        return None if verdict is None else _admission(known.organisation, verdict)

    async def admit(self, request: Any, origin: origins.Origin, threads: concurrent.futures.Executor) -> Admission:
        """Whether the request's organisation is admitted. The database is asked in `threads`; passwords are compared
        in the verifier's own, so that neither waits for the other. Raises nothing: what goes wrong is the refusal."""
        try:
            loop = asyncio.get_running_loop()
            known, source = await loop.run_in_executor(threads, self._identify, request, origin)
            verdict = self._verifier.recall(known.organisation, request.org_password, source)
            if verdict is None:
                verdict = await self._verifier.verify_in_turn(known.organisation, request.org_password, source)
            return _admission(known.organisation, verdict)
        except Exception as error:  # becomes the fault of this call, as what operations raise does
            return Admission(None, error)

    def authenticate(
        self,
        call: Call,
        request: Any,
        right: Right,
        admission: Admission | None = None,
        origin: origins.Origin = origins.NOWHERE,
    ) -> Caller:
        """The caller, if it may make this call. admission: of `recall` or `admit`; without it, it is found here.

        Raises OutOfHours (WSEC0004), UnknownOrganisation (WSEC0003), WrongPassword (WSEC0005) or NotAuthorised
        (WSEC0006). D: OrganisationRef or UKPRN or both name the organisation. P: neither, unknown, disabled, or the
        two naming different organisations is WSEC0003; a certificate that is not the organisation's is WSEC0006, and
        comes before the password, so that only those who hold one can guess.
        """
        reference, ukprn = _names(request)
        call.reference = f"{reference} {ukprn}" if reference and ukprn else reference or ukprn or ""
        call.user_name = request.user_name
        organisation, refusal = admission or self._admit_now(request, origin)
        if refusal is not None:
            raise refusal
        if right not in organisation.rights:
            raise errors.NotAuthorised(f"The organisation does not hold the right to {right}.", reason="right")
        if not self._user_may_call(organisation, request.user_name):
            raise errors.NotAuthorised("The UserName is unknown or disabled.", reason="user")
        return self._caller(organisation, request.user_name)

    def _caller(self, organisation: organisations.Organisation, user_name: str) -> Caller:
        known = self._callers.get((organisation.id, user_name))
        if known is not None and known[0] is organisation:
            return known[1]
        caller = Caller(
            organisation_id=organisation.id,
            reference=organisation.organisation_ref or organisation.ukprn,
            rights=organisation.rights,
            user_name=user_name,
        )
        if len(self._callers) >= _MOST_CALLERS:
            self._callers.clear()
        self._callers[organisation.id, user_name] = organisation, caller
        return caller

    def _admit_now(self, request: Any, origin: origins.Origin) -> Admission:
        known, source = self._identify(request, origin)
        return _admission(known.organisation, self._verifier.verify(known.organisation, request.org_password, source))

    def _identify(self, request: Any, origin: origins.Origin) -> tuple[_Known, verifier.Source]:
        """The organisation that the request names, if time and certificate are right. Raises as `authenticate`."""
        if refusal := self._out_of_hours():
            raise refusal
        known = self._organisation(*_names(request))
        if known is None:
            raise errors.UnknownOrganisation("Give the OrganisationRef or the UKPRN of one known organisation.")
        source, refusal = self._judge(known, origin)
        if refusal is not None:
            raise refusal
        return known, source

    def _judge(self, known: _Known, origin: origins.Origin) -> tuple[verifier.Source, errors.NotAuthorised | None]:
        fingerprint, refusal = self._certificates.judge(known.organisation.id, known.has_certificates, origin)
        return _source(origin.address, fingerprint), refusal

    def _out_of_hours(self) -> errors.OutOfHours | None:
        hours = self._register.settings.hours
        if hours.is_always or hours.open_at(self._register.now()):
            return None
        return errors.OutOfHours(f"The service is open {hours}.")

    def _organisation(self, reference: str | None, ukprn: str | None) -> _Known | None:
        """The enabled organisation, at most `organisation_cache_seconds` out of date."""
        if reference is None and ukprn is None:
            return None
        now = time.monotonic()
        known = self._organisations.get((reference, ukprn))
        if known is not None and known.until > now:
            return known
        has_certificates = False
        with engine.read(self._register.engine) as connection:
            organisation = organisations.by_reference(connection, reference, ukprn)
            if organisation is not None and self._certificates.wants_to_know_who_has_any:
                has_certificates = certificates.has_any(connection, organisation.id)
        # Only what exists is remembered, so that made-up names cannot fill the memory.
        if organisation is None or organisation.disabled_at is not None:
            self._organisations.pop((reference, ukprn), None)
            return None
        until = now + self._register.settings.organisation_cache_seconds
        known = self._organisations[reference, ukprn] = _Known(until, organisation, has_certificates)
        return known

    def _user_may_call(self, organisation: organisations.Organisation, user_name: str) -> bool:
        """P: any user name will do, unless the setting says that only users on the list may call."""
        if not self._register.settings.known_users_only:
            return True
        with engine.read(self._register.engine) as connection:
            user = organisations.user(connection, organisation.id, user_name)
        return user is not None and user.disabled_at is None


@functools.lru_cache(maxsize=4096)
def _source(address: str, fingerprint: str) -> verifier.Source:
    return verifier.Source(lockout.source(address), fingerprint)


def _names(request: Any) -> tuple[str | None, str | None]:
    return request.organisation_ref or None, request.ukprn or None


def _admission(organisation: organisations.Organisation, verdict: verifier.Verdict) -> Admission:
    if verdict is verifier.Verdict.RIGHT:
        return Admission(organisation)
    # P: whatever is wrong, the caller is told the same; the log has the reason.
    return Admission(None, errors.WrongPassword("Check the OrgPassword.", reason=verdict.value))
