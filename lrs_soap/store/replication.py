"""How far a replica has replayed the changes of its primary, on the very connection that is read from.

A `Position` is the end of what the primary has made durable at one moment. PostgreSQL applies changes in their order,
so a replica that has replayed up to a position shows everything that was committed, and so answered, before it was
asked for. Positions compare only within one history: docs/replicas.md says why, and how a replica shows which it has.
"""

import secrets
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Engine

from lrs_soap import errors
from lrs_soap.store import reading, tables_replicas


class Position(NamedTuple):
    """A place in the WAL. history: the number of the sequence of changes it is in; offset: in bytes."""

    history: int
    offset: int


class Promoted(errors.LrsError):
    """The server is no replica any more: it takes changes of its own."""


class Stranger(errors.LrsError):
    """The server does not follow the history of the primary, or has not come to its beginning."""


class Disconnected(errors.LrsError):
    """The connection to the replica is gone, and with it what was known of the replica."""


_W = tables_replicas.wal_history


def _bigint(sql: str) -> sa.ColumnElement[int]:
    return sa.literal_column(f"({sql})::bigint", sa.BigInteger)


# Where commits need not wait for the disk, what was answered may not be flushed yet.
_OFFSET = sa.select(
    _bigint(
        "CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()"
        " ELSE pg_current_wal_flush_lsn() END - '0/0'"
    )
)
_KEY = {
    "system_identifier": _bigint("(pg_control_system()).system_identifier"),
    "database": _bigint("SELECT oid FROM pg_database WHERE datname = current_database()"),
    "timeline": _bigint("('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)"),
}
_HISTORY = sa.select(_W.c.number).where(*(_W.c[name] == value for name, value in _KEY.items()))
_NOTE = (
    postgresql.insert(_W)
    .from_select([*_KEY, "number"], sa.select(*_KEY.values(), sa.bindparam("number", type_=sa.BigInteger)))
    .on_conflict_do_nothing()
)
_REPLAYED = sa.select(
    sa.literal_column("pg_is_in_recovery()", sa.Boolean).label("in_recovery"),
    sa.exists().where(_W.c.number == sa.bindparam("number")).label("follows"),
    _bigint("pg_last_wal_replay_lsn() - '0/0'").label("offset"),
)


def note(conn: Connection) -> None:
    """Gives the history of this primary a number, if it has none, so that its replicas can show that they follow."""
    conn.execute(_NOTE, {"number": secrets.randbits(63)})


class Primary(reading.Reader):
    """A connection to the primary that says how far it is. A connection is to one server, and so in one history."""

    def __init__(self, engine: Engine, patience: float):
        super().__init__(engine, {}, patience)
        self._history: int | None = None

    def position(self) -> Position | None:
        """Everything that was committed before the call lies before it; None if nobody gave the history a number.

        One round trip. Raises sqlalchemy.exc.DBAPIError, also where the server is a replica."""
        while True:
            offset = self.execute(_OFFSET).scalar_one()
            if self._history is not None:
                return Position(self._history, offset)
            self._history = self.execute(_HISTORY).scalar()
            if self._history is None:
                return None

    def close(self) -> None:
        """Closes the connection; `position` opens another."""
        self._history = None
        super().close()


class Replica(reading.Reader):
    """A connection to a replica that knows how far it is. It is never replaced by another without a word: what a
    server had replayed before it was started again, it may have to replay once more."""

    def __init__(self, engine: Engine, prepared: dict, patience: float):
        super().__init__(engine, prepared, patience)
        self._replayed: Position | None = None

    def missing(self, position: Position) -> int:
        """How many bytes of changes it has yet to replay; 0: a statement that begins now sees everything before the
        position. Asks the replica only if that is not known. Raises as `look`."""
        known = self._replayed
        if known is not None and known.history == position.history and known.offset >= position.offset:
            return 0
        return self.look(position)

    def look(self, position: Position) -> int:
        """As `missing`, and asks in any case; connects if need be.

        Raises Promoted, Stranger, Disconnected, sqlalchemy.exc.DBAPIError."""
        if self._session is None:
            super()._open()
        row = self.execute(_REPLAYED, {"number": position.history}).first()
        if not row.in_recovery:
            raise Promoted()
        if not row.follows:
            raise Stranger()
        self._replayed = Position(position.history, row.offset)
        return max(position.offset - row.offset, 0)

    def close(self) -> None:
        """Closes the connection; `look` opens another."""
        self._replayed = None
        super().close()

    def _open(self) -> Any:
        raise Disconnected()

    def _expanded(self, statement: sa.Select, values: reading.Values) -> reading.Rows:
        # It would take another connection, of which nothing is known. PostgreSQL takes a list as an array.
        raise NotImplementedError
