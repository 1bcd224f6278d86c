"""An audit trail to seal, and to tamper with as somebody with every right on the database could."""

import contextlib

import sqlalchemy as sa
from store_samples import NOW

from lrs_soap.rules import chain
from lrs_soap.store import audit, auditchain, auditverify
from lrs_soap.store import engine as engines

KEY = b"a key that is not in the database"
KEYS = {chain.key_name(KEY): KEY}
_TABLES = ("audit", "audit_learner", "audit_block", "audit_block_row", "audit_prune")


def entry(number=1, **values) -> audit.Entry:
    """A call; its ULN tells its number."""
    return audit.Entry(
        **{
            "at": NOW, "request_id": f"request-{number}", "organisation_id": None, "reference": "TEST38 TEST0038",
            "user_name": "A Teacher", "operation": "learnerByULN", "code": "WSRC0004", "duration_us": 1234,
            "ulns": (str(1_000_000_000 + number), "1999999999"),
        } | values
    )  # fmt: skip


def write(engine, *entries) -> None:
    with engines.write(engine) as conn:
        audit.write(conn, entries)


def seal(engine, key=KEY, at=NOW, **more) -> int:
    """Seals until nothing waits; how many rows."""
    total = 0
    while rows := auditchain.seal(engine, key, at, **more):
        total += rows
    return total


def verify(engine, keys=KEYS, **more):
    """The summary and the problems."""
    problems = []
    summary = auditverify.verify(engine, keys, problems.append, **{"must_be_keyed": bool(keys)} | more)
    assert summary.problems == len(problems)
    return summary, problems


def told(problems):
    """What is wrong and where: (kind, block, row)."""
    return [(str(problem.kind), problem.block, problem.audit_id) for problem in problems]


@contextlib.contextmanager
def tampering(engine):
    """A connection without the triggers that guard the trail; they are back at the end."""
    with engines.write(engine) as conn:
        if engine.dialect.name == "postgresql":
            for table in _TABLES:
                conn.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            yield conn
            for table in _TABLES:
                conn.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
            return
        conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        triggers = conn.execute(sa.text(query)).all()
        for name, _ in triggers:
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        yield conn
        for _, statement in triggers:
            conn.exec_driver_sql(statement)


def ids(engine) -> list[int]:
    """The ids of the rows, in order."""
    with engines.read(engine) as conn:
        return list(conn.execute(sa.select(auditchain.ROW[0]).order_by(auditchain.ROW[0])).scalars())


def head(engine) -> chain.Head:
    with engines.read(engine) as conn:
        return auditchain.head(conn)
