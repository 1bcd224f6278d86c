"""Emptying the write-ahead log of a SQLite file beside those who write.

A commit is in the log; a checkpoint brings it into the file, where in a large register every page of a new learner is at
another place. SQLite has the commit that fills the log do that, and all who write wait for it. Here a thread does it, on a
connection of its own, whenever its process has written enough. A checkpoint keeps nobody from reading or writing, and
whatever stops in the middle of it, the log is still whole.

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
"""So many rows written are worth a checkpoint, or fewer if those before took more than PAGES."""

PAGES = 4_000
"""So many pages of the log (16 MB) are worth a checkpoint: a commit waits for the disk behind it, longer the more they are;
but with a quarter of them a larger part of the commits did, and a page of many changes came more often."""

LONG_PAGES = 8_192
"""A log of that length (32 MB) is begun anew."""

LOG_PAGES = 16_384
"""Beyond that (64 MB) a commit makes the checkpoint itself: the log does not grow for ever when the thread is too slow."""

_READERS_SECONDS = 0.005
"""How long a log that is begun anew waits for readers of its end: writers wait with it. The next checkpoint tries again."""


class Checkpoints:
    """Those of one file by this process. turn: a writer's turn, as a context manager; raises
    sqlalchemy.exc.OperationalError for who waited too long."""

    def __init__(self, file: Path, turn: Callable[[], contextlib.AbstractContextManager]):
        self._log = Path(f"{file.absolute()}-wal")
        self._url = f"{file.absolute().as_uri()}?mode=rw"
        self._turn = turn
        self._guard = threading.Lock()  # of the next three
        self._rows = 0
        self._enough = ROWS
        self._is_running = False
        self._seen = (b"", 0)  # which log it was when it was last looked at, and its pages

    def written(self, rows: int) -> None:
        """Says that so many rows were committed; begins a checkpoint when they are enough, and does not wait for it."""
        with self._guard:
            self._rows += rows
            if self._rows < self._enough or self._is_running:
                return
            rows, self._rows, self._is_running = self._rows, 0, True
        threading.Thread(target=self._make, args=(rows,), name="checkpoint").start()

    def _make(self, rows: int) -> None:
        enough = self._enough
        try:
            # What cannot be done now, the next checkpoint does, or a commit that finds the log full.
            with (
                contextlib.suppress(sqlite3.Error, exc.OperationalError, OSError),
                contextlib.closing(sqlite3.connect(self._url, uri=True, timeout=_READERS_SECONDS)) as connection,
            ):
                pages = _checkpoint(connection, "PASSIVE")
                if pages and (added := self._added(pages)):
                    enough = min(ROWS, max(1, rows * PAGES // added))
                if pages >= LONG_PAGES:
                    _checkpoint(connection, "PASSIVE")  # what was written meanwhile, so that least is left for the turn
                    with self._turn():
                        _checkpoint(connection, "RESTART")
        finally:
            with self._guard:
                self._enough, self._is_running = enough, False

    def _added(self, pages: int) -> int:
        """How many pages came to the log since it was last looked at."""
        with self._log.open("rb") as log:
            begun = log.read(24)[12:]  # a number and random bytes, new when it is begun anew
        before, self._seen = self._seen, (begun, pages)
        return pages - before[1] if begun == before[0] and pages >= before[1] else pages


def _checkpoint(connection: sqlite3.Connection, how: str) -> int:
    """Gives the pages of the log; none when another process is at it."""
    _, pages, _ = connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
    return max(0, pages)
