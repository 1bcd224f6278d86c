"""structlog without rich, which it would load to colour the tracebacks of a terminal: in every process 10 MB, at its start
a fifth of a second, and in those tracebacks the values of variables, which may be a learner's details."""

import contextlib
import sys
import traceback
from collections.abc import Iterator


@contextlib.contextmanager
def _hidden(package: str) -> Iterator[None]:
    """To what is imported meanwhile the package is as if not installed."""
    loaded = sys.modules.get(package)
    sys.modules[package] = None
    try:
        yield
    finally:
        del sys.modules[package]
        if loaded is not None:
            sys.modules[package] = loaded


with _hidden("rich"):
    import structlog

get_logger = structlog.get_logger


def frames(error: BaseException) -> list[str]:
    """Where an exception arose, innermost last. Of an exception that nobody foresaw this and its type are what may be
    logged: its text may repeat a learner's details."""
    found = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in found[-12:]]
