"""Emptying the write-ahead log of a SQLite file beside those who write.

A commit is in the log; a checkpoint brings it into the file, where in a large register every page of a new learner is at
another place. SQLite has the commit that fills the log do that, and all who write wait for it. Here a thread does it, on a
connection of its own, once its process has written enough, and goes on while it writes. A checkpoint keeps nobody from
reading or writing, and whatever stops in the middle of it, the log is still whole.

A commit waits for the disk behind what a checkpoint has put into the disk's queue. So there is never much of it: while
others write, a few milliseconds lie between the end of a checkpoint and the next.

Writers go on meanwhile, so the log is never quite in the file, and SQLite never begins it anew: it would grow until a commit
had to make the checkpoint after all. So once it is long the thread takes a writer's turn for the few pages that are left.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import exc

ROWS = 1_000
"""So many rows written are worth to begin with checkpoints."""

PAUSE_SECONDS = 0.01
"""Between a checkpoint and the next."""

_PAUSES = 20
"""After so many in which nothing was written the thread ends."""

LONG_PAGES = 8_192
"""A log of that length (32 MB) is begun anew."""

LOG_PAGES = 16_384
"""Beyond that (64 MB) a commit makes the checkpoint itself: the log does not grow for ever when the thread is too slow."""

_READERS_SECONDS = 0.005
"""How long a log that is begun anew waits for readers of its end: writers wait with it."""

_LONGER_PAGES = 1_024
"""When they did not end, it is tried again after so many pages more."""


class Checkpoints:
    """Those of one file by this process. turn: a writer's turn, as a context manager; raises
    sqlalchemy.exc.OperationalError for who waited too long."""

    def __init__(self, file: Path, turn: Callable[[], contextlib.AbstractContextManager]):
        self._url = f"{file.absolute().as_uri()}?mode=rw"
        self._turn = turn
        self._guard = threading.Lock()  # of the next two
        self._rows = 0
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def written(self, rows: int) -> None:
        """Says that so many rows were committed; begins with checkpoints when they are enough, and does not wait for them."""
        with self._guard:
            self._rows += rows
            if self._rows < ROWS or self._thread is not None:
                return
            self._rows = 0
            self._closing.clear()
            self._thread = threading.Thread(target=self._run, name="checkpoint")
            self._thread.start()

    def close(self) -> None:
        """Ends a thread that is at work, and waits for it: a process that forks must hold no connection to SQLite, whose locks
        the other would take for its own, and the last to close the file leaves no log beside it. The next rows begin anew."""
        self._closing.set()
        with self._guard:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        try:
            # What cannot be done now, the next checkpoint does, or a commit that finds the log full.
            with (
                contextlib.suppress(sqlite3.Error, exc.OperationalError, OSError),
                contextlib.closing(sqlite3.connect(self._url, uri=True, timeout=_READERS_SECONDS)) as connection,
            ):
                long = self._make(connection, LONG_PAGES)
                while self._is_more():
                    long = self._make(connection, long)
        finally:
            with self._guard:
                self._thread = None

    def _is_more(self) -> bool:
        """Waits for rows to be written; False if none are, or there will be none."""
        for _ in range(_PAUSES):
            if self._closing.wait(PAUSE_SECONDS):
                return False
            with self._guard:
                rows, self._rows = self._rows, 0
            if rows:
                return True
        return False

    def _make(self, connection: sqlite3.Connection, long: int) -> int:
        """Makes a checkpoint, and begins a log of so many pages anew; gives how long the next one may become."""
        _, pages = _checkpoint(connection, "PASSIVE")
        if pages < long:
            return max(LONG_PAGES, min(long, pages + _LONGER_PAGES))
        _checkpoint(connection, "PASSIVE")  # what was written meanwhile, so that least is left for the turn
        with self._turn():
            is_begun, pages = _checkpoint(connection, "RESTART")
        return LONG_PAGES if is_begun else pages + _LONGER_PAGES


def _checkpoint(connection: sqlite3.Connection, how: str) -> tuple[bool, int]:
    """Gives whether it was all done, and the pages of the log; none when another process is at it."""
    is_busy, pages, _ = connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
    return not is_busy, max(0, pages)
