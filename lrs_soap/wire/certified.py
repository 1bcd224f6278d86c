"""Whether a client's TLS certificate lets it call for an organisation. P: rules and faults are this project's."""

import datetime
import time
from typing import NamedTuple

from lrs_soap import errors
from lrs_soap.register import Register
from lrs_soap.rules import certificates as rules
from lrs_soap.store import certificates, engine
from lrs_soap.wire import origin as origins

# More certificates than ever showed themselves at once; beyond it the memory starts anew.
_MOST_REMEMBERED = 10_000


class Judgement(NamedTuple):
    """fingerprint: of the certificate, if it is the organisation's, else "". refusal: why the call may not go on."""

    fingerprint: str
    refusal: errors.NotAuthorised | None


_NOT_ASKED = Judgement("", None)


class CertificateJudge:
    """Knows whose certificates are, at most `organisation_cache_seconds` out of date."""

    def __init__(self, register: Register):
        self._register = register
        self._mode = register.settings.tls_client_certificates
        self._rows: dict[tuple[str, str], tuple[float, list[certificates.Certificate]]] = {}

    @property
    def wants_to_know_who_has_any(self) -> bool:
        """Whether it matters that an organisation has a certificate in the register."""
        return self._mode == "optional"

    def recalls(self, presented: rules.Presented | None) -> bool:
        """Whether `judge` will not ask the database."""
        return presented is None or self._mode == "none" or self._remembered(presented) is not None

    def judge(self, organisation_id: int, has_certificates: bool, origin: origins.Origin) -> Judgement:
        """required: the certificate is the organisation's own. optional: so it is for organisations that have one in
        the register, also one out of date; the others may come without, but not with another's.
        """
        if self._mode == "none":
            return _NOT_ASKED
        owner = self._owner(origin.certificate)
        if owner == organisation_id and origin.certificate is not None:
            return Judgement(origin.certificate.fingerprint, None)
        if self._mode == "required" or has_certificates or owner is not None or origin.unreadable:
            text = "The TLS client certificate is not the organisation's."
            return Judgement("", errors.NotAuthorised(text, reason="certificate"))
        return Judgement("", None)

    def _owner(self, presented: rules.Presented | None) -> int | None:
        if presented is None:
            return None
        rows = self._remembered(presented)
        if rows is None:
            with engine.read(self._register.engine) as connection:
                rows = certificates.like(connection, presented)
            if len(self._rows) >= _MOST_REMEMBERED:
                self._rows.clear()
            until = time.monotonic() + self._register.settings.organisation_cache_seconds
            self._rows[presented.fingerprint, presented.subject] = (until, rows)
        return rules.organisation_of(presented, rows, datetime.datetime.now(datetime.UTC))

    def _remembered(self, presented: rules.Presented) -> list[certificates.Certificate] | None:
        found = self._rows.get((presented.fingerprint, presented.subject))
        return found[1] if found is not None and found[0] > time.monotonic() else None
