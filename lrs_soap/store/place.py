"""The file of a SQLite register must stay where it is while it is open.

SQLite goes on with a file that was removed or replaced, and what it then acknowledges is lost with it. So nothing is
begun with a file that is no longer the one its name leads to (P); once that is back in its place, work goes on.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


class Place:
    """Watches the file of an engine: no connection is opened or taken from the pool while it is another."""

    def __init__(self, engine: Engine, path: Path):
        self._path = path
        self._file = _identity(path)
        event.listen(engine, "do_connect", self.check)
        event.listen(engine, "checkout", self.check)

    def check(self, *_: Any) -> None:
        """Raises sqlite3.OperationalError if the file was removed or replaced."""
        if _identity(self._path) != self._file:
            raise sqlite3.OperationalError("the database file was removed or replaced")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
