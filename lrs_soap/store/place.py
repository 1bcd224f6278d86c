"""The file of a SQLite register must stay where it is while it is open.

SQLite goes on with a file that was removed or replaced, and what it then acknowledges is lost with it. So nothing is
begun with a file that is no longer the one its name leads to (P); once that is back in its place, work goes on.
"""

import os
import sqlite3
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


_CHECKS: weakref.WeakKeyDictionary[Engine, Callable[[], None]] = weakref.WeakKeyDictionary()


def watch(engine: Engine, path: Path) -> None:
    """Sees to it that no connection of the engine is opened or taken from the pool while the file is another."""
    file = _identity(path)

    def check(*_: Any) -> None:
        if _identity(path) != file:
            raise sqlite3.OperationalError("the database file was removed or replaced")

    event.listen(engine, "do_connect", check)
    event.listen(engine, "checkout", check)
    _CHECKS[engine] = check


def check(engine: Engine) -> None:
    """Raises sqlite3.OperationalError if the file of the engine, if it has one, was removed or replaced."""
    _CHECKS.get(engine, lambda: None)()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
