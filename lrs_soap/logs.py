"""structlog without rich, which it would load to colour the tracebacks of a terminal: in every process 10 MB, at its start
a fifth of a second, and in those tracebacks the values of variables, which may be a learner's details."""

import contextlib
import sys
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
