"""What every operation works with: the register's database, settings, clock and audit, and one call on it."""

import contextlib
import dataclasses
import datetime
import time
import zoneinfo
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine

from lrs_soap import frozen
from lrs_soap.rules import access
from lrs_soap.settings import Settings
from lrs_soap.store import audit, engine, reading, replicas
from lrs_soap.store.replication import Position

# Dates on the wire are England's (P: the historic service states no zone).
ENGLAND = zoneinfo.ZoneInfo("Europe/London")

_entry = frozen.maker(audit.Entry, (
    "at", "request_id", "organisation_id", "reference", "user_name", "operation", "code", "ulns", "duration_us",
))  # fmt: skip


class Register:
    """An open register: `engine`, what reads from it, `settings`, the audit writer, and `replicas` or None. Close it to flush
    the audit."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.engine: Engine = engine.create(
            settings.database,
            sqlite_synchronous=settings.sqlite_synchronous,
            statement_timeout=settings.statement_timeout_seconds,
        )
        self.read = engine.reads(self.engine)
        self.audit = audit.AuditWriter(self.engine, flush_seconds=settings.audit_flush_seconds)
        self.replicas = replicas.Replicas(self.engine, settings.replica) if settings.replica else None

    def now(self) -> datetime.datetime:
        """The time now, in England."""
        return datetime.datetime.now(ENGLAND)

    def close(self) -> None:
        """Writes what audit is still held in memory and gives the database connections back."""
        self.audit.close()
        if self.replicas is not None:
            self.replicas.close()
        self.engine.dispose()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The organisation that calls, once its OrgPassword is verified, and the MIS user it names."""

    organisation_id: int
    reference: str
    rights: frozenset[access.Right]
    user_name: str


@dataclasses.dataclass(slots=True, kw_only=True)
class Call:
    """One call of one operation: what it may use, and what the audit will say of it.

    reference and user_name are what the request named, also when it was turned away; `code` is the code answered;
    `ulns` the learners shown or changed, in order. Demographics never come here. `position` is what a replica must
    have for the call to read from it, if that was asked for already; `ahead` what was read for it together with others
    (`operations.ahead`).
    """

    register: Register
    request_id: str
    operation: str = ""
    reference: str = ""
    user_name: str = ""
    caller: Caller | None = None
    code: str = ""
    ulns: dict[str, None] = dataclasses.field(default_factory=dict)
    started: float = dataclasses.field(default_factory=time.perf_counter)
    at: datetime.datetime = dataclasses.field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))
    audited: bool = False
    position: Position | None = None
    ahead: dict[Any, Any] = dataclasses.field(default_factory=dict)

    @property
    def today(self) -> datetime.date:
        """The date of the call in England."""
        return self.at.astimezone(ENGLAND).date()

    def touch(self, *ulns: str) -> None:
        """Notes that these learners were shown to the caller or changed by it."""
        for uln in ulns:
            self.ulns[uln] = None

    def reading(self) -> reading.Reader | replicas.Fallible | Connection:
        """A connection for looking things up, as a context manager: it shows all that was answered before the call."""
        if (found := self.register.replicas) is not None:
            return found.read(self.position or found.settled_position())
        return self.register.read()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that changes the register; its audit row is part of it. Set `code` before it ends."""
        with engine.write(self.register.engine) as connection:
            yield connection
            audit.write(connection, [self.entry()])
        self.audited = True

    def entry(self) -> audit.Entry:
        """The audit row of this call as it stands."""
        return _entry((
            self.at,
            self.request_id,
            self.caller.organisation_id if self.caller else None,
            self.reference,
            self.user_name,
            self.operation,
            str(self.code),
            tuple(self.ulns),
            int((time.perf_counter() - self.started) * 1_000_000),
        ))  # fmt: skip

    def finish(self) -> None:
        """Audits the call unless its own transaction did: in a group, or at once if the setting says strict."""
        if self.audited:
            return
        if self.register.settings.audit == "strict":
            with engine.write(self.register.engine) as connection:
                audit.write(connection, [self.entry()])
        else:
            self.register.audit.add(self.entry())
        self.audited = True
