"""Issuing ULNs: each number once, whoever asks, in an order that cannot be guessed."""

import threading
import weakref

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from lrs_soap.rules import uln as rules_uln
from lrs_soap.store import learners, tables

_Q = tables.uln_issue
_KEY = sa.select(_Q.c.permutation_key)
_COUNT = (
    sa.update(_Q).values(next_index=_Q.c.next_index + sa.bindparam("n")).returning(_Q.c.next_index - sa.bindparam("n"))
)
_NEXTVAL = sa.select(sa.func.nextval(sa.literal_column(f"'{tables.ULN_SEQUENCE}'"))).select_from(
    sa.func.generate_series(1, sa.bindparam("n", type_=sa.Integer))
)
_HELD = {name: sa.select(tables.learner.c.uln).where(among) for name, among in learners.OF_ULNS.items()}

# The key never changes, so it is read once for each engine.
_issuers: weakref.WeakKeyDictionary[Engine, rules_uln.Issuer] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def issue(conn: Connection, n: int = 1) -> list[str]:
    """`n` ULNs that no learner has and no other caller gets, even if this transaction is rolled back on PostgreSQL.

    Numbers that were loaded from elsewhere are skipped. Raises what `rules.uln.Issuer` raises when none are left.
    """
    issuer = _issuer(conn)
    issued: list[str] = []
    while len(issued) < n:
        fresh = [issuer.uln(index) for index in _indexes(conn, n - len(issued))]
        held = set(conn.execute(_HELD[conn.dialect.name], {"ulns": list(map(int, fresh))}).scalars())
        issued += [uln for uln in fresh if uln not in held]
    return issued


def _indexes(conn: Connection, n: int) -> list[int]:
    if conn.dialect.name == "postgresql":
        return list(conn.execute(_NEXTVAL, {"n": n}).scalars())
    first = conn.execute(_COUNT, {"n": n}).scalar_one()
    return list(range(first, first + n))


def _issuer(conn: Connection) -> rules_uln.Issuer:
    with _lock:
        issuer = _issuers.get(conn.engine)
        if issuer is None:
            issuer = _issuers[conn.engine] = rules_uln.Issuer(bytes(conn.execute(_KEY).scalar_one()))
        return issuer
