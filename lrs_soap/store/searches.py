"""The last search an organisation made for a person, for find-before-register."""

import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from lrs_soap.store import tables


class Search(NamedTuple):
    """What a search answered, and when."""

    code: str
    at: datetime.datetime


_S = tables.search
_LAST = sa.select(_S.c.code, _S.c.at).where(
    _S.c.organisation_id == sa.bindparam("organisation_id"), _S.c.identity == sa.bindparam("identity")
)
_FORGET = sa.delete(_S).where(_S.c.at < sa.bindparam("before"))


def _put(dialect):
    insert = dialect.insert(_S)
    return insert.on_conflict_do_update(
        index_elements=["organisation_id", "identity"],
        set_={"code": insert.excluded.code, "at": insert.excluded.at},
    )


_PUT = {"sqlite": _put(sqlite), "postgresql": _put(postgresql)}


def remember(conn: Connection, organisation_id: int, identity: bytes, code: str, at: datetime.datetime) -> None:
    """Notes that the organisation searched for the person of this `matching.identity`; replaces its search before."""
    conn.execute(
        _PUT[conn.dialect.name],
        {"organisation_id": organisation_id, "identity": identity, "code": str(code), "at": at},
    )


def last(conn: Connection, organisation_id: int, identity: bytes) -> Search | None:
    """The organisation's last search for this person, or None."""
    row = conn.execute(_LAST, {"organisation_id": organisation_id, "identity": identity}).first()
    return Search(*row) if row is not None else None


def forget(conn: Connection, before: datetime.datetime) -> int:
    """Removes the searches made before that moment; gives how many."""
    return conn.execute(_FORGET, {"before": before}).rowcount
