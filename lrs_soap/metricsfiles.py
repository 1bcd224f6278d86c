"""Where the processes of one server keep their figures together, so that any of them can tell those of all.

prometheus_client decides when it is imported whether figures live in memory or in files. So this module, which does
not import it, is for the process that starts the others, and `metrics` is for those.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextlib.contextmanager
def shared() -> Iterator[None]:
    """A directory for the figures of the processes started in the block, unless the environment names one already."""
    if os.environ.get(VARIABLE):
        yield
        return
    os.environ[VARIABLE] = directory = tempfile.mkdtemp(prefix="lrs-soap-metrics-")
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        shutil.rmtree(directory, ignore_errors=True)
