"""Finding rows of the audit trail, and giving all of them as a stream."""

import dataclasses
import datetime
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap.store import auditchain, tables

_PAGE = 2_000

_A = tables.audit
_L = tables.audit_learner
_O = tables.organisation
_ROW = [column for column in auditchain.ROW if column.name != "organisation_id"]
_LEARNERS = (
    sa.select(_L.c.audit_id, _L.c.uln)
    .where(_L.c.audit_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(_L.c.audit_id, _L.c.uln)
)


def _stretches() -> sa.CTE:
    """SQLite: all stretches of the trail, each of which is looked through by its index."""
    first, last = (sa.select(tables.audit_stretch(end(_L.c.audit_id))) for end in (sa.func.min, sa.func.max))
    number = sa.select(first.scalar_subquery().label("number")).cte("stretch", recursive=True)
    return number.union_all(sa.select(number.c.number + 1).where(number.c.number < last.scalar_subquery()))


_STRETCH = _stretches()
_OF_ULN = {
    "postgresql": sa.select(_L.c.audit_id),
    "sqlite": sa.select(_L.c.audit_id).join(_STRETCH, tables.audit_stretch(_L.c.audit_id) == _STRETCH.c.number),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A row of the trail. organisation_ref: of the organisation that called, if it is one of the register; reference
    and user_name are what the request named; ulns: the learners shown or changed."""

    id: int
    at: datetime.datetime
    request_id: str
    organisation_ref: str | None
    reference: str
    user_name: str
    operation: str
    code: str
    duration_us: int
    ulns: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows: those that meet all that is given. organisation: its id; since and until: from a moment to before
    another; request_id: also of the steps of the batch that this request submitted."""

    uln: str | None = None
    organisation: int | None = None
    user_name: str | None = None
    operation: str | None = None
    code: str | None = None
    request_id: str | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None


def search(conn: Connection, wanted: Wanted, *, newest_first: bool = False, limit: int | None = None) -> Iterator[Found]:
    """The rows, in the order of their ids; a page of them at a time is in memory."""
    order = _A.c.id.desc() if newest_first else _A.c.id
    statement = sa.select(*_ROW, _O.c.organisation_ref).outerjoin(_O, _O.c.id == _A.c.organisation_id)
    statement = statement.where(*_conditions(wanted, conn.dialect.name)).order_by(order)
    last, left = None, limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        beyond = () if last is None else ((_A.c.id < last) if newest_first else (_A.c.id > last),)
        page = conn.execute(statement.where(*beyond).limit(size)).all()
        ulns = auditchain.by_row(conn.execute(_LEARNERS, {"ids": [row.id for row in page]}) if page else ())
        for row in page:
            yield Found(**row._asdict(), ulns=tuple(ulns.get(row.id, ())))
        if len(page) < size:
            return
        last, left = page[-1].id, None if left is None else left - size


def _conditions(wanted: Wanted, database: str) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.uln is not None:
        yield _A.c.id.in_(_OF_ULN[database].where(_L.c.uln == wanted.uln))
    for column, value in (
        (_A.c.organisation_id, wanted.organisation),
        (_A.c.user_name, wanted.user_name),
        (_A.c.operation, wanted.operation),
        (_A.c.code, wanted.code),
    ):
        if value is not None:
            yield column == value
    if wanted.request_id is not None:
        yield sa.or_(_A.c.request_id == wanted.request_id,
                     _A.c.request_id.startswith(wanted.request_id + "/", autoescape=True))  # fmt: skip
    if wanted.since is not None:
        yield _A.c.at >= wanted.since
    if wanted.until is not None:
        yield _A.c.at < wanted.until
