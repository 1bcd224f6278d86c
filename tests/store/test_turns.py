"""Writers to a SQLite file take turns: in line, whichever thread or process they are of."""

import contextlib
import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from lrs_soap.store import engine as engines
from lrs_soap.store import turns

HOLDER = """
import sys, time
from pathlib import Path
from lrs_soap.store import turns
with turns.of_file(Path(sys.argv[1])).mine(5):
    print("mine", flush=True)
    sys.stdin.readline()
"""

ASKER = """
import sys
from pathlib import Path
from sqlalchemy import exc
from lrs_soap.store import turns
try:
    with turns.of_file(Path(sys.argv[1])).mine(0):
        print("free")
except exc.OperationalError:
    print("locked")
"""


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "register.sqlite"
    file.touch(0o640)
    return file


@contextlib.contextmanager
def held_by_another_process(file):
    with subprocess.Popen([sys.executable, "-c", HOLDER, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"mine\n"
        yield other
        with contextlib.suppress(BrokenPipeError):
            other.communicate(b"\n")


def test_threads_come_in_the_order_in_which_they_asked(file):
    mine, order = turns.of_file(file), []

    def write(number):
        with mine.mine(60):
            order.append(number)

    with mine.mine(60):
        threads = []
        for number in range(20):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
            while len(mine._line) <= number:
                pass
    for thread in threads:
        thread.join()
    assert order == list(range(20))


def test_all_engines_of_a_process_stand_in_one_line(file):
    assert turns.of_file(file) is turns.of_file(file.parent / "." / file.name)
    with turns.of_file(file).mine(1), pytest.raises(sa.exc.OperationalError, match="locked"):
        with turns.of_file(file).mine(0.01):
            pass
    with turns.of_file(file).mine(0):
        pass


def test_another_process_is_waited_for_and_not_for_ever(file):
    with held_by_another_process(file) as other:
        with pytest.raises(sa.exc.OperationalError, match="locked"), turns.of_file(file).mine(0.05):
            pass
        other.stdin.write(b"\n")
        other.stdin.flush()
        with turns.of_file(file).mine(60):
            pass


def test_a_killed_process_ends_its_turn(file):
    with held_by_another_process(file) as other:
        os.kill(other.pid, signal.SIGKILL)
        with turns.of_file(file).mine(60):
            pass


def ask(mine, number, order):
    """A thread that asks for its turn, and stands in line when this returns."""

    def write():
        with mine.mine(60):
            order.append(number)

    before = len(mine._line)
    thread = threading.Thread(target=write)
    thread.start()
    while len(mine._line) == before:
        pass
    return thread


def is_held(file):
    """Whether this process keeps another from writing."""
    return subprocess.run([sys.executable, "-c", ASKER, file], check=True, stdout=subprocess.PIPE).stdout == b"locked\n"


def locks(monkeypatch):
    """The bytes of the file that this process asks for from now on."""
    asked, lockf = [], fcntl.lockf

    def lock(file, how, length, byte):
        if how & fcntl.LOCK_EX:
            asked.append(byte)
        return lockf(file, how, length, byte)

    monkeypatch.setattr(turns.fcntl, "lockf", lock)
    return asked


def test_who_waits_for_another_process_is_woken_and_does_not_look_again(file, monkeypatch):
    asked = locks(monkeypatch)
    with held_by_another_process(file):
        with pytest.raises(sa.exc.OperationalError, match="locked"), turns.of_file(file).mine(0.2):
            pass
    assert asked == 2 * [turns._NEXT, turns._WRITING]


def wait_for_another_process(file):
    """Has a turn after another process's; gives the thread that stood in line for it."""
    mine = turns.of_file(file)

    def write():
        with mine.mine(60):
            pass

    with held_by_another_process(file) as other:
        thread = threading.Thread(target=write)
        thread.start()
        while not mine._is_asking:
            pass
        with mine._guard:
            stander = mine._stander
        other.stdin.write(b"\n")
        other.stdin.flush()
        thread.join()
    return stander


def test_one_thread_stands_in_line_again_and_again(file, monkeypatch):
    monkeypatch.setattr(turns, "_IDLE_SECONDS", 60.0)
    mine = turns.of_file(file)
    first = wait_for_another_process(file)
    assert first.is_alive() and wait_for_another_process(file) is first is mine._stander


def test_it_leaves_when_nobody_needs_it_and_another_comes(file, monkeypatch):
    monkeypatch.setattr(turns, "_IDLE_SECONDS", 0.0)
    mine = turns.of_file(file)
    first = wait_for_another_process(file)
    first.join()
    assert mine._stander is None
    assert wait_for_another_process(file) is not first


def test_who_comes_after_one_that_gave_up_has_its_place(file, monkeypatch):
    mine, order = turns.of_file(file), []

    def write():
        with mine.mine(60):
            order.append(1)

    with held_by_another_process(file):
        with pytest.raises(sa.exc.OperationalError, match="locked"), mine.mine(0.01):
            pass
        asked = locks(monkeypatch)
        assert mine._is_asking
        thread = threading.Thread(target=write)
        thread.start()
        while mine._asker is None:
            pass
        assert order == asked == []
    thread.join()
    assert order == [1]
    assert asked == []


def test_a_place_in_line_that_nobody_wants_any_more_is_given_back(file):
    mine = turns.of_file(file)
    with held_by_another_process(file):
        with pytest.raises(sa.exc.OperationalError, match="locked"), mine.mine(0.01):
            pass
    while mine._is_asking:
        pass
    assert not is_held(file)


def test_what_the_kernel_takes_for_a_deadlock_is_asked_for_again(file, monkeypatch):
    lockf, refused = fcntl.lockf, []

    def lock(file, how, length, byte):
        if how == fcntl.LOCK_EX and not refused:
            refused.append(byte)
            raise OSError(errno.EDEADLK, "Resource deadlock avoided")
        return lockf(file, how, length, byte)

    monkeypatch.setattr(turns.fcntl, "lockf", lock)
    with held_by_another_process(file) as other:
        with pytest.raises(sa.exc.OperationalError, match="locked"), turns.of_file(file).mine(0.05):
            pass
        other.stdin.write(b"\n")
        other.stdin.flush()
        with turns.of_file(file).mine(60):
            assert refused and is_held(file)


def test_threads_of_a_process_follow_each_other_and_then_another_process_comes(file, monkeypatch):
    asked = locks(monkeypatch)
    mine, order = turns.of_file(file), []
    with mine.mine(60):
        threads = [ask(mine, number, order) for number in range(2 * turns.AT_ONCE)]
    for thread in threads:
        thread.join()
    assert order == list(range(2 * turns.AT_ONCE))
    assert asked == 3 * [turns._NEXT, turns._WRITING]
    assert not is_held(file)


def test_who_gives_up_waiting_keeps_no_other_process_from_writing(file):
    mine = turns.of_file(file)
    with mine.mine(60):
        with pytest.raises(sa.exc.OperationalError, match="locked"), mine.mine(0.01):
            pass
        assert is_held(file)
    assert not is_held(file)


def test_what_fails_in_a_turn_ends_it(file):
    with pytest.raises(ZeroDivisionError), turns.of_file(file).mine(60):
        raise ZeroDivisionError
    assert not is_held(file)


def test_the_file_of_the_turns_is_as_open_as_the_register(file):
    with turns.of_file(file).mine(1):
        assert stat.S_IMODE(os.stat(f"{file}-turn").st_mode) == 0o640


def test_without_a_file_threads_still_take_turns(tmp_path):
    with turns.of_file(tmp_path / "nowhere" / "register.sqlite").mine(1):
        pass


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_who_takes_no_turns_is_waited_for_too(database_url):
    engine = engines.create(database_url, busy_timeout=0.1)
    other = sa.create_engine(database_url, poolclass=sa.NullPool)
    with other.connect() as conn:
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(sa.exc.OperationalError, match="locked"), engines.write(engine):
            pass
    with engines.write(engine) as conn:
        assert conn.exec_driver_sql("SELECT 1").scalar() == 1
    engine.dispose()


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_those_who_wait_for_their_turn_hold_no_connection(database_url):
    engine, made = engines.create(database_url), []
    sa.event.listen(engine, "connect", lambda connection, _: made.append(connection))
    line = turns.of_file(Path(engine.url.database))._line

    def write(number):
        with engines.write(engine) as conn:
            conn.execute(sa.text("INSERT INTO written VALUES (:n)"), {"n": number})

    with engines.write(engine) as conn:
        conn.execute(sa.text("CREATE TABLE written (n INTEGER)"))
        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        while len(line) < len(threads):
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    with engines.write(engine) as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM written")).scalar() == 4
    assert len(made) == 1
    engine.dispose()
