"""Turns of those who write to one SQLite file.

SQLite lets one write at a time; the others look again and again, up to 100 ms apart, and whoever looks at the right
moment is next: of several busy writers some wait for seconds. Here the threads of a process stand in line, and the one in
front stands in line with other processes' at a file beside the register. SQLite's own lock still decides, so that what
knows nothing of turns does no harm but to wait as before.

A process that has its turn lets some of its own threads have theirs at once: when another process had it meanwhile, SQLite
forgets the pages it had in memory.

Nobody looks again and again: the kernel wakes who is next. It knows no time limit, so a thread of its own stands in line
for whoever has one; it stays for a while, for where processes alternate each turn needs it.
"""

import collections
import contextlib
import errno
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import exc

try:
    import fcntl
except ImportError:  # Windows: processes meet at SQLite's own lock only
    fcntl = None

# Bytes of the file: who holds the first is next, who holds the second writes. One alone would be taken again by whoever
# gives it back, before others have looked.
_NEXT, _WRITING = 0, 1

AT_ONCE = 4
"""The most turns that a process takes while others wait."""

_IDLE_SECONDS = 1.0
"""So long the thread that stands in line stays when nobody needs it."""

_ALL: weakref.WeakValueDictionary[str, "Turns"] = weakref.WeakValueDictionary()
_making = threading.Lock()


def of_file(database: Path) -> "Turns":
    """The turns of the writers of this SQLite file: the same for all engines of the process."""
    # The kernel forgets a process's locks on a file when any of its descriptors for it is closed: so there is only one.
    with _making:
        name = os.path.realpath(database)
        turns = _ALL.get(name)
        if turns is None:
            turns = _ALL[name] = Turns(Path(name))
        return turns


class Turns:
    """Who may write next."""

    def __init__(self, database: Path):
        self._database = database
        self._guard = threading.Lock()  # of the next five
        self._taken = False
        self._line: collections.deque[threading.Lock] = collections.deque()
        self._is_asking = False  # a thread stands in line with other processes
        self._asker: threading.Lock | None = None  # whom it calls when it comes first
        self._stander: threading.Thread | None = None
        self._wanted = threading.Lock()  # released for that thread, once for each time that it is to stand in line
        self._wanted.acquire()
        self._kept = 0  # turns since the file was locked, 0 while it is not; for whoever has the turn
        self._file: int | None = None

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)

    @contextlib.contextmanager
    def mine(self, patience: float) -> Iterator[None]:
        """The block has its turn, and ends it. patience: the most seconds to wait.

        Raises sqlalchemy.exc.OperationalError, as SQLite does for who waited too long.
        """
        deadline = time.monotonic() + patience
        self._enter(deadline)
        try:
            self._come_before_processes(deadline)
            yield
        finally:
            self._leave()

    def _enter(self, deadline: float) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            called = threading.Lock()
            called.acquire()
            self._line.append(called)
        if called.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return
        with self._guard:
            if called in self._line:
                self._line.remove(called)
                raise _locked()
        # Called at the last moment.

    def _leave(self) -> None:
        # Who is called now takes the turn for certain; who merely waits may give up, and the file would stay locked.
        with self._guard:
            called = self._line.popleft() if self._line else None
            if self._kept and (called is None or self._kept >= AT_ONCE):
                self._kept = 0
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _WRITING)
            if called is not None:
                called.release()
            else:
                self._taken = False

    def _come_before_processes(self, deadline: float) -> None:
        file = self._open()
        if file is None:
            return
        if not self._kept and not self._lock_at_once(file):
            self._lock(file, deadline)
        self._kept += 1

    def _lock_at_once(self, file: int) -> bool:
        """Locks the file if nobody has it or waits for it. What a thread that stands in line has locked would be locked
        anew, as it is of the same process."""
        with self._guard:
            if self._is_asking:
                return False
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _NEXT)
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _WRITING)
        except BlockingIOError:
            return False
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN, 1, _NEXT)
        return True

    def _lock(self, file: int, deadline: float) -> None:
        called = threading.Lock()
        called.acquire()
        with self._guard:
            self._asker = called
            if not self._is_asking:  # else one that gave up has left us its place
                self._is_asking = True
                self._wanted.release()
                if self._stander is None or not self._stander.is_alive():  # another process's, before a fork, is not
                    self._stander = threading.Thread(target=self._stand, args=(file,), name="turn", daemon=True)
                    self._stander.start()
        if called.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return
        with self._guard:
            if self._asker is called:
                self._asker = None
                raise _locked()
        # Called at the last moment.

    def _stand(self, file: int) -> None:
        while True:
            if self._wanted.acquire(timeout=_IDLE_SECONDS):
                self._stand_in_line(file)
                continue
            with self._guard:
                if not self._is_asking:
                    self._stander = None
                    return

    def _stand_in_line(self, file: int) -> None:
        # Whatever keeps the file from being locked, SQLite's own lock still decides.
        with contextlib.suppress(OSError):
            _lock(file, _NEXT)
            _lock(file, _WRITING)
        with self._guard:
            self._is_asking = False
            fcntl.lockf(file, fcntl.LOCK_UN, 1, _NEXT)
            if self._asker is None:
                fcntl.lockf(file, fcntl.LOCK_UN, 1, _WRITING)
            else:
                self._asker.release()
                self._asker = None

    def _open(self) -> int | None:
        if self._file is None and fcntl is not None:
            with contextlib.suppress(OSError):  # a place that cannot be written to: SQLite's own lock is left
                owner = self._database.stat()
                file = os.open(f"{self._database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, owner.st_mode & 0o666)
                with contextlib.suppress(OSError):  # made by root, it is for the register's owner all the same
                    os.fchown(file, owner.st_uid, owner.st_gid)
                self._file = file
        return self._file


def _lock(file: int, byte: int) -> None:
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX, 1, byte)
            return
        except OSError as error:
            # The kernel takes processes that wait for each other in two files for a deadlock; their threads do not.
            if error.errno != errno.EDEADLK:
                raise
        time.sleep(0.001)


def _locked() -> exc.OperationalError:
    return exc.OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))


def use_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Sets the file to WAL mode, which it remembers. SQLite does not wait for others who open the same new file and do
    the same: so we do, for `patience` seconds. Raises sqlite3.OperationalError."""
    deadline = time.monotonic() + patience
    while connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete":
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
