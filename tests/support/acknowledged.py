"""Whether what `callers` were told is in the register, once: after processes or the database were killed."""

import time

import sqlalchemy as sa
from support import callers

from lrs_soap import codes, sandbox
from lrs_soap.store import engine as engines
from lrs_soap.store import tables, tables_jobs

_L, _H = tables.learner.c, tables.learner_history.c
_J, _R = tables_jobs.job.c, tables_jobs.job_result.c


def prepare(url: str) -> frozenset[str]:
    """Loads the sandbox into an empty register; the ULNs that are there now."""
    engine = engines.create(url)
    sandbox.load(engine)
    with engines.read(engine) as conn:
        known = frozenset(conn.execute(sa.select(_L.uln)).scalars())
    engine.dispose()
    assert known
    return known


def await_jobs(url: str, told: callers.Told, seconds: float = 60) -> None:
    """Returns when every batch that was taken is finished, or after so many seconds."""
    engine, until = engines.create(url), time.monotonic() + seconds
    unfinished = sa.select(sa.func.count()).where(_J.id.in_(list(told.jobs)), _J.finished_at.is_(None))
    while time.monotonic() < until:
        with engines.write(engine) as conn:
            if not conn.execute(unfinished).scalar():
                break
        time.sleep(0.1)
    engine.dispose()


def check(url: str, told: callers.Told, known: frozenset[str]) -> None:
    """Asserts that it is all there, each learner, version and result once. known: whom to leave out."""
    engine = engines.create(url)
    with engines.write(engine) as conn:
        rows = conn.execute(sa.select(_L.uln, _L.family_name, _L.version_number, _L.notes))
        stored = {row.uln: row for row in rows if row.uln not in known}
        history = _counted(conn, _H.uln)
        results = _counted(conn, _R.job_id)
        registered = _counted(conn, tables.learner_identity.c.uln)
    engine.dispose()
    assert told.cut + len(told.faults) and len(told.ulns) >= 10 and told.notes and told.jobs
    by_name: dict[str, str] = {}
    for uln, row in stored.items():
        assert by_name.setdefault(row.family_name, uln) == uln, "one person, two learners"
        assert registered[uln] == 1
        assert history.get(uln, 0) == row.version_number - 1  # each update kept what it replaced
    for family_name, uln in told.ulns.items():
        assert stored[uln].family_name == family_name
    for uln, notes in told.notes.items():
        assert stored[uln].version_number >= len(notes) + 1
        assert {note[-8:] for note in notes} == {str(codes.ResponseCode.UPDATED)}
        assert stored[uln].notes >= notes[-1][:-9]
    for job_id, names in told.jobs.items():
        assert results[job_id] == len(names)
        assert all(name in by_name for name in names)


def _counted(conn: sa.Connection, column: sa.Column) -> dict:
    return dict(map(tuple, conn.execute(sa.select(column, sa.func.count()).group_by(column))))
