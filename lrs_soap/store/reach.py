"""A database that cannot be reached must not be waited for again by every call.

A call that needs a connection waits `connect_timeout` for a host that does not answer. After such a failure the next
attempt is made a moment later, by one caller at a time; the others fail at once. P, all of it.
"""

import threading
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

AGAIN_AFTER_SECONDS = 0.5


class Reach:
    """Whether the database of an engine can be reached, as its last attempts to connect say."""

    def __init__(self, engine: Engine):
        self._failure = engine.dialect.dbapi.OperationalError
        self._lock = threading.Lock()
        self._down = False
        self._next_attempt = 0.0
        event.listen(engine, "do_connect", self._connect)

    @property
    def is_down(self) -> bool:
        """Whether the last attempt to connect failed."""
        return self._down

    def _connect(self, dialect: sa.Dialect, _record: Any, arguments: list, keywords: dict) -> Any:
        with self._lock:
            if self._down:
                if time.monotonic() < self._next_attempt:
                    raise self._failure("the database could not be reached a moment ago")
                # Nobody else tries until this attempt has ended.
                self._next_attempt = float("inf")
        try:
            connection = dialect.connect(*arguments, **keywords)
        except BaseException:
            with self._lock:
                self._down, self._next_attempt = True, time.monotonic() + AGAIN_AFTER_SECONDS
            raise
        with self._lock:
            self._down = False
        return connection
