"""Emptying the write-ahead log of a SQLite file beside those who write.

A commit is in the log; a checkpoint brings it into the file, where in a large register every page of a new learner is at
another place. SQLite has the commit that fills the log do that, and all who write wait for it. Here a thread does it, on a
connection of its own, whenever its process has written enough. A checkpoint keeps nobody from reading or writing, and
whatever stops in the middle of it, the log is still whole.
"""

import contextlib
import sqlite3
import threading
from pathlib import Path

ROWS = 1_000
"""So many rows written, some megabytes of the log, are worth a checkpoint: few, and a page of many changes comes once."""

LOG_PAGES = 16_384
"""Beyond that (64 MB) a commit makes the checkpoint itself: the log does not grow for ever when the thread is too slow."""


class Checkpoints:
    """Those of one file by this process."""

    def __init__(self, file: Path):
        self._url = f"{file.absolute().as_uri()}?mode=rw"
        self._guard = threading.Lock()
        self._rows = 0
        self._is_running = False

    def written(self, rows: int) -> None:
        """Says that so many rows were committed; begins a checkpoint when they are enough, and does not wait for it."""
        with self._guard:
            self._rows += rows
            if self._rows < ROWS or self._is_running:
                return
            self._rows, self._is_running = 0, True
        threading.Thread(target=self._make, name="checkpoint").start()

    def _make(self) -> None:
        try:
            # What cannot be done now, the next checkpoint does, or a commit that finds the log full.
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(self._url, uri=True)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").close()
        finally:
            self._is_running = False
