"""Who calls: the organisation, its OrgPassword, its rights and its user.

Argon2 makes a guess at a stolen hash dear and would make every call dear, so a password that was verified is
remembered for minutes, as a hash keyed with a secret of this process, and forgotten when the stored hash changes.
"""

import hashlib
import secrets
import threading
import time
from typing import Any

from lrs_soap import errors, passwords
from lrs_soap.register import Call, Caller, Register
from lrs_soap.rules.access import Right
from lrs_soap.store import engine, organisations

# More organisations than ever held a password at once; beyond it the memory starts anew.
_MOST_REMEMBERED = 10_000


class Authenticator:
    """Turns the OrganisationRef, UKPRN, OrgPassword and UserName of a request into its Caller."""

    def __init__(self, register: Register):
        self._register = register
        self._key = secrets.token_bytes(32)
        self._verified: dict[bytes, float] = {}
        self._organisations: dict[tuple[str | None, str | None], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def authenticate(self, call: Call, request: Any, right: Right) -> Caller:
        """The caller, if it may make this call.

        Raises OutOfHours (WSEC0004), UnknownOrganisation (WSEC0003), WrongPassword (WSEC0005) or NotAuthorised
        (WSEC0006). D: OrganisationRef or UKPRN or both name the organisation. P: neither, unknown, disabled, or the
        two naming different organisations is WSEC0003.
        """
        reference, ukprn = request.organisation_ref or None, request.ukprn or None
        call.reference, call.user_name = " ".join(filter(None, (reference, ukprn))), request.user_name
        settings = self._register.settings
        if not settings.hours.open_at(self._register.now()):
            raise errors.OutOfHours(f"The service is open {settings.hours}.")
        organisation = self._organisation(reference, ukprn)
        if organisation is None:
            raise errors.UnknownOrganisation("Give the OrganisationRef or the UKPRN of one known organisation.")
        if not self._password_is_right(organisation, request.org_password):
            raise errors.WrongPassword("Check the OrgPassword.")
        if right not in organisation.rights:
            raise errors.NotAuthorised(f"The organisation does not hold the right to {right}.", reason="right")
        if not self._user_may_call(organisation, request.user_name):
            raise errors.NotAuthorised("The UserName is unknown or disabled.", reason="user")
        return Caller(
            organisation_id=organisation.id,
            reference=organisation.organisation_ref or organisation.ukprn,
            rights=organisation.rights,
            user_name=request.user_name,
        )

    def remembers(self, request: Any) -> bool:
        """Whether `authenticate` can answer from memory: the organisation is known and its password was verified."""
        reference, ukprn = request.organisation_ref or None, request.ukprn or None
        known = self._organisations.get((reference, ukprn))
        return known is not None and self._verified.get(self._token(known[1], request.org_password), 0) > time.monotonic()

    def _organisation(self, reference: str | None, ukprn: str | None) -> Any:
        """The enabled organisation, at most `organisation_cache_seconds` out of date."""
        if reference is None and ukprn is None:
            return None
        now = time.monotonic()
        known = self._organisations.get((reference, ukprn))
        if known is not None and known[0] > now:
            return known[1]
        with engine.read(self._register.engine) as connection:
            organisation = organisations.by_reference(connection, reference, ukprn)
        if organisation is not None and organisation.disabled_at is not None:
            organisation = None
        # Only what exists is remembered, so that made-up names cannot fill the memory.
        if organisation is not None:
            self._organisations[reference, ukprn] = (now + self._register.settings.organisation_cache_seconds, organisation)
        else:
            self._organisations.pop((reference, ukprn), None)
        return organisation

    def _password_is_right(self, organisation: Any, password: str) -> bool:
        token = self._token(organisation, password)
        now = time.monotonic()
        if self._verified.get(token, 0.0) > now:
            return True
        if not passwords.verify_password(organisation.password_hash, password):
            return False
        with self._lock:
            if len(self._verified) >= _MOST_REMEMBERED:
                self._verified.clear()
            self._verified[token] = now + self._register.settings.password_cache_seconds
        return True

    def _token(self, organisation: Any, password: str) -> bytes:
        material = f"{organisation.id}\0{organisation.password_hash}\0{password}".encode()
        return hashlib.blake2b(material, key=self._key, digest_size=32).digest()

    def _user_may_call(self, organisation: Any, user_name: str) -> bool:
        """P: any user name will do, unless the setting says that only users on the list may call."""
        if not self._register.settings.known_users_only:
            return True
        with engine.read(self._register.engine) as connection:
            user = organisations.user(connection, organisation.id, user_name)
        return user is not None and user.disabled_at is None
