"""Upgrading an older register with everything in it, while calls go on: nothing is lost, on both databases."""

import concurrent.futures
import dataclasses
import itertools
import threading
import time

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from support import desk as desks

from lrs_soap.store import audit, auditchain, auditverify, schema, statements, tables
from lrs_soap.store import engine as engines

CALLERS = 3
# The oldest tables with which the program of `before_masters` can make these calls.
OLD = ["0003", "0005"]
MERGED = "EXISTS (SELECT 1 FROM learner AS merged WHERE merged.master_uln = learner.uln)"
ENTRY = audit.Entry(at=desks.NOON, request_id="1", organisation_id=None, reference="", user_name="", operation="verifyLearner",
                    code="WSVRC006", duration_us=1)  # fmt: skip


def migrate(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "lrs_soap:store/migrations")
    engine = engines.create(url)
    with engines.write(engine) as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
    engine.dispose()


@pytest.fixture
def before_masters(monkeypatch):
    """Has the calls of a Desk ask who is a master, as the program before revision 0009 did, whose tables do not say."""
    made = statements.Statement.__init__

    def make(self, *arguments):
        made(self, *arguments)
        self.sql = self.sql.replace("learner.is_master", MERGED)

    monkeypatch.setattr(statements.Statement, "__init__", make)


def everything(engine) -> dict[str, list[str]]:
    """The values of all rows by table, but for what later revisions add to a table."""
    with engine.connect() as conn:
        look = sa.inspect(conn)
        names = sorted(set(look.get_table_names()) - {"alembic_version", "uln_issue"})
        columns = {name: [column["name"] for column in look.get_columns(name) if column["name"] != "is_master"] for name in names}
        return {name: sorted(map(repr, conn.execute(sa.text(f'SELECT {", ".join(columns[name])} FROM "{name}"')).all()))
                for name in names}  # fmt: skip


def masters(engine) -> set[str]:
    with engine.connect() as conn:
        return set(conn.execute(sa.select(tables.learner.c.uln).where(tables.learner.c.is_master)).scalars())


def sealed_whole(engine) -> int:
    """Seals what waits, and gives the rows of the trail; every one is in the chain."""
    while auditchain.seal(engine, None, desks.NOON):
        pass
    problems = []
    summary = auditverify.verify(engine, {}, problems.append)
    assert problems == []
    with engines.read(engine) as conn:
        rows = conn.execute(sa.select(sa.func.count().label("rows")).select_from(tables.audit)).first().rows
    assert (summary.rows, summary.waiting) == (rows, 0)
    return rows


@dataclasses.dataclass
class Caller:
    """Registers people and updates each once, until told to stop; remembers what was acknowledged."""

    desk: desks.Desk
    number: int
    stop: threading.Event
    told: dict[str, str] = dataclasses.field(default_factory=dict)

    def run(self) -> None:
        for turn in itertools.count():
            name = f"Archer{'abc'[self.number]}" + "".join("abcdefghij"[int(digit)] for digit in str(turn))
            person = desks.ANN | {"family_name": name}
            uln = self.desk.new(person)
            assert self.desk.updated(uln, 1, person | {"notes": name}) == "WSRC0006"
            assert self.desk.by_uln(uln, person).response_code == "WSRC0004"
            self.told[uln] = name
            if self.stop.is_set():
                return


@pytest.mark.usefixtures("before_masters")
@pytest.mark.parametrize("revision", OLD)
def test_nothing_is_lost_and_nobody_is_turned_away(empty_database_url, revision):
    migrate(empty_database_url, revision)
    with desks.opened(empty_database_url) as desk:
        ann, mary, kit = map(desk.new, (desks.ANN, desks.MARY, desks.KIT))
        desk.merge(ann, mary)
        desk.delete(kit)
        before = everything(desk.register.engine)

        stop = threading.Event()
        callers = [Caller(desk, number, stop) for number in range(CALLERS)]
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            running = [pool.submit(caller.run) for caller in callers]
            try:
                while not all(caller.told for caller in callers) and not any(one.done() for one in running):
                    time.sleep(0.01)
                upgraded = engines.create(empty_database_url)
                schema.upgrade(upgraded)
            finally:
                stop.set()
            for one in running:
                one.result()
        assert schema.is_current(upgraded)

        after = everything(upgraded)
        for table, rows in before.items():
            assert not set(rows) - set(after[table]), table
        for uln, name in ((uln, name) for caller in callers for uln, name in caller.told.items()):
            held = desk.held(uln)
            assert (held.version_number, held.notes) == (2, name)
        assert desk.by_uln(ann, desks.ANN).response_code == "WSRC0022"
        assert masters(upgraded) == {mary}
        sealed_whole(upgraded)
        upgraded.dispose()


def test_a_call_that_is_not_yet_committed_is_sealed_too(empty_database_url):
    migrate(empty_database_url, "0005")
    with desks.opened(empty_database_url) as desk:
        upgraded = engines.create(empty_database_url)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            with engines.write(desk.register.engine) as conn:
                audit.write(conn, [ENTRY])
                conn.execute(sa.select(1))  # on PostgreSQL the row went with this
                upgrading = pool.submit(schema.upgrade, upgraded)
                # It must wait for what it cannot see.
                assert concurrent.futures.wait([upgrading], timeout=0.5).not_done
            upgrading.result(timeout=30)
        assert sealed_whole(upgraded) == 1
        upgraded.dispose()
