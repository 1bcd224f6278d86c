"""What can befall the file of a SQLite register under a server: the disk is full, another holds it, it is moved away, a
page is broken. Callers get proper faults, nothing is half-written, and when it is over nothing need be restarted."""

import asyncio
import contextlib
import os
import resource
import sqlite3

import pytest
import sqlalchemy as sa
from support import batches, server, soap

from lrs_soap import register, sandbox, settings
from lrs_soap.cli.exits import Failure
from lrs_soap.cli.register import database_failures
from lrs_soap.store import checkpoints, schema
from lrs_soap.store import engine as engines
from lrs_soap.wire import probes
from lrs_soap.wire import soap as wire

WHO = {"OrganisationRef": "SAND01", "OrgPassword": "sandbox-password", "UserName": "J. College"}
FIND = {"FindType": "FUL", "ULN": "4123001008", "FamilyName": "Whitcombe", "GivenName": "Eleanor"}
DETAILS = {"VerificationType": "2", "AbilityToShare": "1", "Gender": "2", "DateOfBirth": "2001-02-03", "LastKnownPostCode": "AB1 2DE"}


class Desk:
    """A register on a file, called in this process."""

    def __init__(self, url: str):
        self.register = register.Register(settings.load(database=url, audit="strict", organisation_cache_seconds=0))
        self.path = sa.make_url(url).database

        @sa.event.listens_for(self.register.engine, "connect")
        def hurry(connection, _record):
            connection.execute("PRAGMA busy_timeout = 50").close()

        sandbox.load(self.register.engine)
        self.people = batches.people()
        self._soap = wire.SoapServer(self.register)

    def send(self, operation, **values):
        reply = self._soap.handle(soap.message(operation, WHO | values), "utf-8", "0")
        answer = soap.answer(server.Reply(reply.status, {"content-type": "text/xml; charset=utf-8"}, reply.body))
        return answer.text("ErrorCode" if answer.is_fault else "ResponseCode")

    def find(self):
        return self.send("learnerByULN", **FIND)

    def register_somebody(self):
        person = next(self.people)
        details = DETAILS | {"GivenName": person["given_name"], "FamilyName": person["family_name"]}
        return self.send("registerSingleLearner", **{f"Learner.{name}": value for name, value in details.items()})

    def sizes(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as conn:
            return [conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                    for table in ("learner", "learner_identity", "learner_history", "audit", "audit_learner")]  # fmt: skip


@pytest.fixture
def desk(sqlite_databases, monkeypatch):
    monkeypatch.setattr(checkpoints, "ROWS", 1_000_000)  # a log that was begun anew would have room on a full disk
    url = sqlite_databases.migrated()
    made = Desk(url)
    assert (made.find(), made.register_somebody()) == ("WSRC0004", "WSRC0005")
    yield made
    made.register.close()
    sqlite_databases.drop(url)


@contextlib.contextmanager
def full_disk(path):
    """No file of this process may grow beyond what the register's log has already."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(f"{path}-wal"), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def held_by_another(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextlib.contextmanager
def moved_away(path):
    os.rename(path, f"{path}.elsewhere")
    try:
        yield
    finally:
        os.rename(f"{path}.elsewhere", path)


@pytest.mark.parametrize("outage", [full_disk, held_by_another, moved_away])
def test_nothing_is_written_and_it_goes_on_afterwards(desk, outage):
    before = desk.sizes()
    with outage(desk.path):
        for _ in range(3):
            assert desk.register_somebody() == "WSEC0999"
            # Strict audit: a find that cannot be noted is not answered.
            assert desk.find() == "WSEC0999"
    assert desk.sizes() == before
    assert desk.register.engine.pool.checkedout() == 0
    assert (desk.find(), desk.register_somebody()) == ("WSRC0004", "WSRC0005")
    after = desk.sizes()
    assert [after[0] - before[0], after[1] - before[1], after[3] - before[3]] == [1, 1, 2]


def test_a_file_that_was_replaced_is_not_written_to(desk, sqlite_databases):
    other = sa.make_url(sqlite_databases.migrated()).database
    with moved_away(desk.path):
        os.rename(other, desk.path)
        assert desk.register_somebody() == "WSEC0999"
        assert not asyncio.run(probes.Probes(desk.register).state()).ready
        os.rename(desk.path, other)
    assert asyncio.run(probes.Probes(desk.register).state()).ready
    assert desk.register_somebody() == "WSRC0005"


def test_a_broken_page_is_the_fault_of_those_who_need_it_alone(desk):
    desk.register.engine.dispose()
    with contextlib.closing(sqlite3.connect(desk.path)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page_size,) = conn.execute("PRAGMA page_size").fetchone()
        (page,) = conn.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'learner_history'").fetchone()
        update = conn.execute("SELECT version_number, given_name, family_name FROM learner WHERE uln = 4123001008").fetchone()
    with open(desk.path, "r+b") as file:
        file.seek((page - 1) * page_size)
        sound = file.read(page_size)
        file.seek((page - 1) * page_size)
        file.write(b"\xff" * page_size)
    version, given_name, family_name = update
    details = DETAILS | {"ULN": "4123001008", "VersionNumber": str(version), "GivenName": given_name, "FamilyName": family_name}
    values = {f"Learner.{name}": value for name, value in details.items()}
    assert desk.send("updateSingleLearner", **values) == "WSEC0999"
    assert (desk.find(), desk.register_somebody()) == ("WSRC0004", "WSRC0005")
    with open(desk.path, "r+b") as file:
        file.seek((page - 1) * page_size)
        file.write(sound)
    desk.register.engine.dispose()  # a page that was read is remembered
    assert desk.send("updateSingleLearner", **values) == "WSRC0006"


def test_a_file_that_is_no_database_is_said_so_at_the_start(tmp_path):
    path, content = tmp_path / "register.sqlite", b"not a database, but longer than its head" * 200
    path.write_bytes(content)
    url = f"sqlite:///{path}"
    engine = engines.create(url)
    with pytest.raises(Failure, match="file is not a database"), database_failures(url):
        schema.is_current(engine)
    engine.dispose()
    assert path.read_bytes() == content
