"""SQLite's log is emptied beside those who write."""

import contextlib
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from lrs_soap.store import checkpoints
from lrs_soap.store import engine as engines

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


@pytest.fixture
def register(database_url, monkeypatch):
    """An engine whose file has a table to write to, and checkpoints after ten rows."""
    monkeypatch.setattr(checkpoints, "ROWS", 10)
    engine = engines.create(database_url)
    with engines.write(engine) as conn:
        conn.execute(sa.text("CREATE TABLE written (n)"))
    yield engine
    engine.dispose()


def write(engine, rows):
    with engines.write(engine) as conn:
        conn.execute(sa.text("INSERT INTO written VALUES (:n)"), [{"n": n} for n in range(rows)])
    joined()


def joined():
    for thread in threading.enumerate():
        if thread.name == "checkpoint":
            thread.join()


def pages_of_the_log(engine):
    with contextlib.closing(sqlite3.connect(engine.url.database)) as conn:
        return conn.execute("PRAGMA wal_checkpoint").fetchone()[1]


def in_the_file_alone(engine, tmp_path):
    """How many rows the file holds without its log; None for not even the table."""
    copy = tmp_path / "copy.sqlite"
    while True:
        shutil.copy(engine.url.database, copy)
        with contextlib.closing(sqlite3.connect(copy)) as conn:
            # Not one that was copied in the middle of a checkpoint: such a file is nothing without its log.
            with contextlib.suppress(sqlite3.DatabaseError):
                if conn.execute("PRAGMA quick_check").fetchone() == ("ok",):
                    break
    with contextlib.closing(sqlite3.connect(copy)) as conn:
        if not conn.execute("SELECT count(*) FROM sqlite_master WHERE name = 'written'").fetchone()[0]:
            return None
        return conn.execute("SELECT count(*) FROM written").fetchone()[0]


def test_the_file_gets_what_was_written_once_it_is_enough(register, tmp_path):
    write(register, 4)
    assert in_the_file_alone(register, tmp_path) is None
    write(register, 6)
    assert in_the_file_alone(register, tmp_path) == 10
    write(register, 4)
    assert in_the_file_alone(register, tmp_path) == 10


def test_what_is_undone_does_not_count(register, tmp_path):
    with pytest.raises(ZeroDivisionError), engines.write(register) as conn:
        conn.execute(sa.text("INSERT INTO written VALUES (:n)"), [{"n": n} for n in range(20)])
        raise ZeroDivisionError
    write(register, 4)
    assert in_the_file_alone(register, tmp_path) is None


def test_a_reader_keeps_what_it_sees_and_keeps_nobody_from_writing(register, tmp_path):
    write(register, 3)
    with register.connect() as reader, reader.begin():
        assert reader.execute(sa.text("SELECT count(*) FROM written")).scalar() == 3
        write(register, 10)
        assert reader.execute(sa.text("SELECT count(*) FROM written")).scalar() == 3
    write(register, 10)
    assert in_the_file_alone(register, tmp_path) == 23


def test_a_file_that_is_gone_is_not_made_anew(register):
    file = Path(register.url.database)
    made = checkpoints.Checkpoints(file, contextlib.nullcontext)
    register.dispose()
    file.unlink()
    made.written(10)
    joined()
    assert not file.exists()


def test_a_long_log_is_begun_anew_though_others_write_meanwhile(register, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "LONG_PAGES", 5)
    write(register, 1)

    @contextlib.contextmanager
    def turn():
        with sqlite3.connect(register.url.database) as conn:
            conn.execute("INSERT INTO written VALUES (1)")
        conn.close()
        yield

    made = checkpoints.Checkpoints(Path(register.url.database), turn)
    for _ in range(5):
        write(register, 1)
    made.written(10)
    joined()
    assert in_the_file_alone(register, tmp_path) == 7
    write(register, 1)
    assert 0 < pages_of_the_log(register) < 5


def test_writers_who_give_no_turn_keep_nothing_else_from_the_file(register, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "LONG_PAGES", 1)

    def turn():
        raise sa.exc.OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))

    made = checkpoints.Checkpoints(Path(register.url.database), turn)
    for rows in (3, 6):
        write(register, 3)
        made.written(10)
        joined()
        assert in_the_file_alone(register, tmp_path) == rows


def test_who_reads_the_end_of_a_long_log_does_not_keep_writers_waiting_again_and_again(register, monkeypatch):
    monkeypatch.setattr(checkpoints, "LONG_PAGES", 1)
    turns = []

    @contextlib.contextmanager
    def turn():
        turns.append(1)
        yield

    made = checkpoints.Checkpoints(Path(register.url.database), turn)
    with contextlib.closing(sqlite3.connect(register.url.database)) as own, register.connect() as reader, reader.begin():
        reader.execute(sa.text("SELECT count(*) FROM written")).scalar()
        with engines.write(register) as conn:
            conn.execute(sa.text("INSERT INTO written VALUES (1)"))
        long = made._make(own, 1)
        for _ in range(3):
            long = made._make(own, long)
    assert turns == [1]
    monkeypatch.setattr(checkpoints, "_LONGER_PAGES", 0)
    with contextlib.closing(sqlite3.connect(register.url.database)) as own:
        assert made._make(own, made._make(own, long)) == 1
    assert turns == [1, 1]


def test_checkpoints_go_on_while_there_is_writing(register, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "_PAUSES", 10**6)
    with engines.write(register) as conn:
        conn.execute(sa.text("INSERT INTO written VALUES (:n)"), [{"n": n} for n in range(10)])
    for rows in range(11, 14):
        with engines.write(register) as conn:
            conn.execute(sa.text("INSERT INTO written VALUES (1)"))
        while in_the_file_alone(register, tmp_path) != rows:
            pass
    assert [thread.name for thread in threading.enumerate()].count("checkpoint") == 1
    monkeypatch.setattr(checkpoints, "_PAUSES", 0)
    write(register, 1)  # the pauses that are counted already are not long


def test_the_log_has_a_bound(register):
    with engines.write(register) as conn:
        assert conn.execute(sa.text("PRAGMA wal_autocheckpoint")).scalar() == checkpoints.LOG_PAGES


def test_what_is_put_back_is_in_memory_and_what_is_sorted_need_not_be(register):
    def kept(conn):
        return {0: "FILE", 1: "FILE", 2: "MEMORY"}[conn.execute(sa.text("PRAGMA temp_store")).scalar()]

    with engines.write(register) as conn:
        assert kept(conn) == "MEMORY"
    with register.connect() as conn, engines.write_on(conn):
        assert kept(conn) == "FILE"
    with engines.write(register) as conn:
        assert kept(conn) == "MEMORY"


def test_whoever_closes_the_register_finds_all_in_the_file(register, tmp_path, monkeypatch):
    """A copy of the file is a copy of the register then, and a process that forks shares no locks; what is written later is
    checkpointed again."""
    monkeypatch.setattr(checkpoints, "PAUSE_SECONDS", 1_000)
    for rows in (20, 40):
        with engines.write(register) as conn:
            conn.execute(sa.text("INSERT INTO written VALUES (:n)"), [{"n": n} for n in range(20)])
        register.dispose()
        assert not [thread for thread in threading.enumerate() if thread.name == "checkpoint"]
        assert not Path(f"{register.url.database}-wal").exists()
        assert in_the_file_alone(register, tmp_path) == rows
