"""Backup and restore on both databases: complete, verified, private, and refused where something would be lost."""

import json
import os
import stat
import threading

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support import desk

from lrs_soap import backup, pgtools
from lrs_soap.cli import main
from lrs_soap.store import copies, schema
from lrs_soap.store import engine as engines


@pytest.fixture
def filled(database_url):
    """A register with learners, history and audit."""
    with_learners = desk.Desk(database_url)
    ann = with_learners.new(desk.ANN)
    with_learners.new(desk.MARY)
    with_learners.updated(ann, 1, desk.ANN | {"last_known_post_code": "LS6 2AB"})
    yield with_learners
    with_learners.register.close()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "copy"


def everything(url):
    """Every row of every table but the count of ULNs, which a restored register moves on."""
    engine = engines.create(url)
    with engine.connect() as conn:
        held = {name: sorted(map(repr, conn.execute(sa.text(f'SELECT * FROM "{name}"')).all()))
                for name in sa.inspect(conn).get_table_names() if name != "uln_issue"}  # fmt: skip
    engine.dispose()
    return held


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_restored_register_is_the_one_backed_up(filled, database_url, databases, file):
    manifest = backup.backup(database_url, file)
    assert manifest.rows["learner"] == 2 and manifest.rows["learner_history"] == 1 and manifest.rows["audit"] == 3
    assert manifest.schema_version == schema.HEAD
    assert backup.read(file) == manifest
    assert mode(file) == mode(backup.manifest_path(file)) == 0o600
    assert sorted(path.name for path in file.parent.iterdir()) == ["copy", "copy.json"]  # nothing else is left behind

    target = databases.empty()
    try:
        backup.restore(target, file)
        assert everything(target) == everything(database_url)
        engine = engines.create(target)
        assert schema.is_current(engine)
        with pytest.raises(sa.exc.DBAPIError), engines.write(engine) as conn:  # the triggers came along
            conn.execute(sa.text("DELETE FROM audit"))
        engine.dispose()
    finally:
        databases.drop(target)


def test_ulns_issued_since_the_backup_are_not_issued_again(filled, database_url, databases, file):
    backup.backup(database_url, file)
    lost = filled.new(desk.KIT)
    target, exact = databases.empty(), databases.empty()
    try:
        issued = {}
        for url, skipped in ((target, 1), (exact, 0)):
            backup.restore(url, file, skip_ulns=skipped)
            restored = desk.Desk.__new__(desk.Desk)
            restored.register, restored.college = desk.register.Register(desk.settings.load(database=url)), filled.college
            issued[skipped] = restored.new(desk.KIT)
            restored.register.close()
        assert issued[0] == lost != issued[1]
    finally:
        databases.drop(target)
        databases.drop(exact)


def test_a_backup_under_load_is_one_state(database_url, databases, tmp_path):
    busy, stop = desk.Desk(database_url), threading.Event()
    written = []

    def register():
        number = 0
        while not stop.is_set():
            name = "".join("abcdefghij"[int(digit)] for digit in str(number))
            written.append(busy.new(desk.ANN | {"family_name": f"Archer{name}"}))
            number += 1

    thread = threading.Thread(target=register)
    thread.start()
    try:
        for number in range(3):
            before = len(written)
            rows = backup.backup(database_url, tmp_path / f"copy{number}").rows
            # A registration is one transaction: learner, identity, and audit of what was answered.
            assert before <= rows["learner"] <= len(written) + 1
            assert rows["learner"] == rows["learner_identity"] == rows["audit_learner"]
    finally:
        stop.set()
        thread.join()
        busy.register.close()
    assert len(written) > 3


def test_what_is_there_is_not_overwritten(filled, database_url, databases, file):
    file.write_text("precious")
    with pytest.raises(backup.BackupError, match="is there already"):
        backup.backup(database_url, file)
    assert file.read_text() == "precious"
    backup.backup(database_url, file, force=True)

    filled.new(desk.KIT)
    filled.register.close()
    with pytest.raises(backup.BackupError, match="not empty"):
        backup.restore(database_url, file)
    assert len(everything(database_url)["learner"]) == 3
    backup.restore(database_url, file, force=True)
    assert len(everything(database_url)["learner"]) == 2


def test_a_register_in_use_is_not_replaced(filled, database_url, file):
    backup.backup(database_url, file)
    with engines.read(filled.register.engine) as conn:  # a server that is up
        conn.execute(sa.select(sa.literal(1)))
        with pytest.raises(backup.BackupError, match="in use"):
            backup.restore(database_url, file, force=True)
    assert len(everything(database_url)["learner"]) == 2


@pytest.mark.parametrize("harm", ["one byte", "cut short", "no manifest", "no JSON", "newer"])
def test_a_harmed_backup_is_not_restored(filled, database_url, databases, file, harm):
    backup.backup(database_url, file)
    manifest = backup.manifest_path(file)
    held = bytearray(file.read_bytes())
    if harm == "one byte":
        held[len(held) // 2] ^= 1
        file.write_bytes(held)
    elif harm == "cut short":
        file.write_bytes(held[:-100])
    elif harm == "no manifest":
        manifest.unlink()
    elif harm == "no JSON":
        manifest.write_text("{")
    else:
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"schema_version": "9999"}))
    target = databases.empty()
    try:
        with pytest.raises((backup.BackupError, schema.NewerDatabase)):
            backup.restore(target, file)
        assert everything(target) == {}
    finally:
        databases.drop(target)


def test_a_backup_that_fails_leaves_the_one_before(filled, database_url, file, monkeypatch):
    before = backup.backup(database_url, file)
    filled.new(desk.KIT)
    monkeypatch.setattr(copies, "is_sound", lambda path: False)
    monkeypatch.setattr(pgtools, "rows", lambda path: {})
    with pytest.raises(backup.BackupError):
        backup.backup(database_url, file, force=True)
    assert backup.read(file) == before
    assert len(list(file.parent.glob("*copy*"))) == 2


def test_the_commands(filled, database_url, databases, file):
    def run(*arguments):
        return CliRunner().invoke(main.main, [str(one) for one in arguments])

    done = run("backup", file, "--database", database_url)
    assert done.exit_code == 0 and "2 learners" in done.output and "verified" in done.output
    again = run("backup", file, "--database", database_url)
    assert again.exit_code == 6 and "--force" in again.output
    target = databases.empty()
    try:
        done = run("restore", file, "--database", target, "--json")
        assert done.exit_code == 0 and json.loads(done.output)["rows"]["learner"] == 2
        assert run("restore", file, "--database", target).exit_code == 6
    finally:
        databases.drop(target)


def test_no_register_no_backup(tmp_path, file):
    missing = tmp_path / "none.sqlite"
    done = CliRunner().invoke(main.main, ["backup", str(file), "--database", f"sqlite:///{missing}"])
    assert done.exit_code == 6 and "no register" in done.output
    assert not missing.exists() and not file.exists()


def test_another_kind_of_database_is_refused(sqlite_databases, file):
    url = sqlite_databases.migrated()
    backup.backup(url, file)
    with pytest.raises(backup.BackupError, match="cannot be restored to postgresql"):
        backup.restore("postgresql://nobody@127.0.0.1:1/none", file)
    sqlite_databases.drop(url)


@pytest.mark.parametrize("part", [0.05, 0.5])  # the list of the tables, and what is in them
def test_a_damaged_register_makes_no_backup(sqlite_databases, file, part):
    url = sqlite_databases.migrated()
    path = sa.make_url(url).database
    with open(path, "r+b") as stream:
        stream.seek(int(os.path.getsize(path) * part))
        stream.write(b"\xff" * 8192)
    with pytest.raises(backup.BackupError, match="damaged"):
        backup.backup(url, file)
    assert list(file.parent.glob("*copy*")) == []
    sqlite_databases.drop(url)


def test_the_password_is_on_no_command_line(tmp_path, monkeypatch):
    told = tmp_path / "told"
    for name, script in (("psql", f'echo "$@" "-" "$PGPASSWORD" "$PGHOST" "$PGSSLMODE" > {told}'), ("pg_restore", "true")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    engine = engines.create("postgresql://me:geheim@db.example/lrs?sslmode=verify-full")
    pgtools.load(engine, tmp_path / "copy")
    arguments, _, environment = told.read_text().rpartition(" - ")
    assert environment.split() == ["geheim", "db.example", "verify-full"]
    assert "geheim" not in arguments and "--single-transaction" in arguments


def test_what_pg_restore_could_not_read_whole_is_not_there_by_half(postgresql_databases, tmp_path, monkeypatch):
    (tmp_path / "pg_restore").write_text("#!/bin/sh\necho 'CREATE TABLE half (n integer);'\nsleep 0.2\necho broken >&2\nexit 1\n")
    (tmp_path / "pg_restore").chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    url = postgresql_databases.empty()
    engine = engines.create(url)
    with pytest.raises(pgtools.ToolFailed, match="pg_restore: broken"):
        pgtools.load(engine, tmp_path / "copy")
    with engine.connect() as conn:
        assert copies.is_empty(conn)
    engine.dispose()
    postgresql_databases.drop(url)


def test_missing_and_failing_programs_are_named(tmp_path, monkeypatch):
    engine = engines.create("postgresql://me:geheim@127.0.0.1:1/lrs")
    # Both fail, one for want of a server and one of a file; whichever does first is told of.
    with pytest.raises(pgtools.ToolFailed, match="psql|pg_restore") as failed:
        pgtools.load(engine, tmp_path / "none")
    assert "geheim" not in str(failed.value)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pgtools.ToolFailed, match="postgresql-client"):
        pgtools.load(engine, tmp_path / "none")
