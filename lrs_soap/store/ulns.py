"""Issuing ULNs: each number once, whoever asks, in an order that cannot be guessed."""

import threading
import weakref
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from lrs_soap.rules import uln as rules_uln
from lrs_soap.store import learners, statements, tables

_Q = tables.uln_issue
_KEY = sa.select(_Q.c.permutation_key)
_COUNT = (
    sa.update(_Q).values(next_index=_Q.c.next_index + sa.bindparam("n")).returning(_Q.c.next_index - sa.bindparam("n"))
)
_I = tables.learner_identity
_GIVEN = statements.arrays("given", None, identity=_I.c.identity)
_NEXTVAL = sa.select(sa.func.nextval(sa.literal_column(f"'{tables.ULN_SEQUENCE}'"))).select_from(
    sa.func.generate_series(1, sa.bindparam("n", type_=sa.Integer))
)
_CLAIMED = sa.select(_I.c.uln).where(_I.c.identity == _GIVEN.c.identity).scalar_subquery()
# Not one for each of them: who sends the same person again and again would use the numbers up.
_NEXTVAL_FOR_NEW = sa.select(_NEXTVAL.selected_columns[0]).select_from(_GIVEN).where(_CLAIMED.is_(None))
_HELD = {name: sa.select(tables.learner.c.uln).where(among) for name, among in learners.OF_ULNS.items()}

Asked = tuple[sa.Executable, statements.Values]

# The key never changes, so it is read once for each engine.
_issuers: weakref.WeakKeyDictionary[Engine, rules_uln.Issuer] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def issue(conn: Connection, n: int = 1) -> list[str]:
    """`n` ULNs that no learner has and no other caller gets, even if this transaction is rolled back on PostgreSQL.

    Numbers that were loaded from elsewhere are skipped. Raises what `rules.uln.Issuer` raises when none are left.
    """
    issued: list[str] = []
    while len(issued) < n:
        fresh = draw(conn, n - len(issued))
        taken = held(conn, fresh)
        issued += [uln for uln in fresh if uln not in taken]
    return issued


def draw(conn: Connection, n: int) -> list[str]:
    """The same, but those that were loaded from elsewhere are not skipped: `held` tells them."""
    if conn.dialect.name == "postgresql":
        return drawn(conn, conn.execute(_NEXTVAL, {"n": n}).scalars())
    first = conn.execute(_COUNT, {"n": n}).scalar_one()
    return drawn(conn, range(first, first + n))


def drawing(identities: Collection[bytes]) -> Asked:
    """PostgreSQL: the statement that draws a number for each of these `matching.identity` that nobody has, as `drawn`
    takes them; for a round trip in which something else is asked."""
    return _NEXTVAL_FOR_NEW, {"identity": list(identities)}


def drawn(conn: Connection, indexes: Iterable[int]) -> list[str]:
    """The ULNs of numbers that were drawn."""
    issuer = _issuer(conn)
    return [issuer.uln(index) for index in indexes]


def held(conn: Connection, ulns: Sequence[str]) -> set[str]:
    """Those of the ULNs that a learner has."""
    return set(conn.execute(_HELD[conn.dialect.name], {"ulns": list(map(int, ulns))}).scalars())


def _issuer(conn: Connection) -> rules_uln.Issuer:
    with _lock:
        issuer = _issuers.get(conn.engine)
        if issuer is None:
            issuer = _issuers[conn.engine] = rules_uln.Issuer(bytes(conn.execute(_KEY).scalar_one()))
        return issuer
