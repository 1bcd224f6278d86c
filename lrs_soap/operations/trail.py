"""What operators do with the audit trail itself: looking into it, removing what is old. Both are audited (P)."""

import datetime
import secrets
import time
from collections.abc import Iterator

from sqlalchemy import Connection, Engine

from lrs_soap import errors
from lrs_soap.rules import chain
from lrs_soap.store import audit, auditprune
from lrs_soap.store import engine as engines


class TooYoung(errors.LrsError):
    """The policy keeps audit rows of that age."""


def note(connection: Connection, operation: str, user_name: str, *, reason: str = "", ulns: tuple[str, ...] = (),
         began: float | None = None) -> None:  # fmt: skip
    """Audits what an operator did. P: the reason stands where a call's row has the organisation it named."""
    entry = audit.Entry(
        at=datetime.datetime.now(datetime.UTC),
        request_id=secrets.token_hex(8),
        organisation_id=None,
        reference=reason,
        user_name=user_name,
        operation=operation,
        code="done",
        ulns=ulns,
        duration_us=0 if began is None else int((time.perf_counter() - began) * 1_000_000),
    )
    audit.write(connection, [entry])


def years_before(moment: datetime.datetime, years: int) -> datetime.datetime:
    """The same day so many years earlier; of 29 February the 28th, if it must."""
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:
        return moment.replace(year=moment.year - years, day=28)


def prune(
    engine: Engine,
    key: bytes | None,
    older_than: datetime.datetime,
    *,
    keep_years: int,
    user_name: str,
    reason: str,
    at: datetime.datetime,
) -> Iterator[chain.Prune]:
    """Removes the rows older than that moment, some blocks in each transaction, and gives the record of each step.

    P: only rows older than keep_years; the moment is the policy's, not the operator's. Raises TooYoung.
    """
    if older_than > years_before(at, keep_years):
        raise TooYoung(f"audit rows are kept for {keep_years} years (audit_keep_years)")
    while True:
        with engines.write(engine) as connection:
            due = auditprune.due(connection, older_than)
            if due is None:
                return
            record = auditprune.prune(
                connection, due, key, user_name=user_name, reason=reason, older_than=older_than, at=at
            )
            note(connection, "audit prune", user_name, reason=reason)
        yield record
