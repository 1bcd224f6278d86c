"""Learning events: every query about them, by name; and what is kept of loading files of them."""

import dataclasses
import datetime
from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap import model
from lrs_soap.store import statements, tables_events

Event = model.MIAPLearningEvent
Place = tuple[str, bytes]
"""Where an event is kept: the ULN it was loaded for, and its `rules.record.key`."""

# Any number that no other user of a PostgreSQL server locks: "LRS" and "even" in ASCII.
_LOADING_LOCK = 0x4C5253_6576656E

_FIELDS = tuple(field.name for field in dataclasses.fields(Event))
_T = tables_events.learning_event
_EVENT = [_T.c[name] for name in _FIELDS]
_OF_ULNS = {name: sa.select(*_EVENT).where(among) for name, among in statements.among(_T.c.uln, "ulns").items()}
_HELD = sa.select(_T.c.uln, _T.c.event_key, *_EVENT).where(
    sa.tuple_(_T.c.uln, _T.c.event_key).in_(sa.bindparam("places", expanding=True))
)
_INSERT = sa.insert(_T)
_REPLACE = (
    sa.update(_T)
    .where(_T.c.uln == sa.bindparam("of_uln"), _T.c.event_key == sa.bindparam("of_key"))
    .values({name: sa.bindparam(name) for name in _FIELDS})
)

_L = tables_events.learning_event_load
_OF_FILE = (_L.c.digest == sa.bindparam("of_digest"), _L.c.source == sa.bindparam("of_source"))
_INSERT_LOOK = sa.insert(tables_events.record_look)


def of_ulns(conn: Connection, ulns: Collection[str]) -> list[Event]:
    """The events loaded for these ULNs, in no order."""
    return [_event(row) for row in conn.execute(_OF_ULNS[conn.dialect.name], {"ulns": list(map(int, ulns))})]


def held(conn: Connection, places: Collection[Place]) -> dict[Place, Event]:
    """The events stored at these places; places that hold none are left out."""
    if not places:
        return {}
    return {(row[0], bytes(row[1])): _event(row[2:]) for row in conn.execute(_HELD, {"places": list(places)})}


def insert(conn: Connection, new: Mapping[Place, Event], sources: Mapping[Place, str]) -> None:
    """Adds events. sources: where each comes from. Raises sqlalchemy.exc.IntegrityError if one is stored already."""
    if new:
        conn.execute(_INSERT, [
            {"uln": uln, "event_key": key, "source": sources[uln, key]} | _values(event)
            for (uln, key), event in new.items()
        ])  # fmt: skip


def replace(conn: Connection, new: Mapping[Place, Event]) -> None:
    """Replaces stored events by later versions of them."""
    if new:
        conn.execute(_REPLACE, [{"of_uln": uln, "of_key": key} | _values(event) for (uln, key), event in new.items()])


def _event(values) -> Event:
    return Event(**dict(zip(_FIELDS, values, strict=True)))


def _values(event: Event) -> dict:
    return {name: getattr(event, name) for name in _FIELDS}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How far a file was loaded: rows dealt with so far, and what became of them.

    exceptions_bytes: the length of the exceptions file up to the last of those rows.
    """

    digest: bytes
    source: str
    file_name: str
    started_at: datetime.datetime
    finished_at: datetime.datetime | None = None
    rows: int = 0
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    superseded: int = 0
    rejected: int = 0
    exceptions_bytes: int = 0


def load(conn: Connection, digest: bytes, source: str) -> Load | None:
    """How far the file was loaded, or None if it never was."""
    row = conn.execute(sa.select(_L).where(*_OF_FILE), {"of_digest": digest, "of_source": source}).first()
    return Load(**row._asdict() | {"digest": digest}) if row is not None else None


def start(conn: Connection, new: Load) -> None:
    """Begins the loading of a file from its first row, whatever was kept of it."""
    conn.execute(sa.delete(_L).where(*_OF_FILE), {"of_digest": new.digest, "of_source": new.source})
    conn.execute(sa.insert(_L), dataclasses.asdict(new))


def advance(conn: Connection, old: Load, new: Load) -> bool:
    """Keeps how far the file is loaded now; False, and nothing is written, if another has gone on from `old`."""
    values = {name: value for name, value in dataclasses.asdict(new).items() if name not in ("digest", "source")}
    statement = sa.update(_L).where(*_OF_FILE, _L.c.rows == old.rows, _L.c.started_at == old.started_at).values(values)
    return conn.execute(statement, {"of_digest": old.digest, "of_source": old.source}).rowcount == 1


def lock(conn: Connection) -> None:
    """Waits until nobody else loads events: two who load the same event would see neither's. Until the transaction
    ends. SQLite lets one write at a time anyway."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOADING_LOCK)))


def note_look(conn: Connection, request_id: str, user_type: str, lnr_contact_type: str) -> None:
    """Keeps as whom and how a look at a record was asked for, beside its audit row of the same request_id."""
    conn.execute(
        _INSERT_LOOK, {"request_id": request_id, "user_type": user_type, "lnr_contact_type": lnr_contact_type}
    )
