"""The C library's heaps. glibc gives threads heaps of their own, up to eight for each processor, and each keeps what was
freed in it for itself. Threads of Python take turns anyway, so a few heaps do for all, and memory that one thread has freed
is used by the next."""

import contextlib
import ctypes
import sys

_M_ARENA_MAX = -8
_MOST = 2


def share() -> None:
    """Lets the threads of this process share heaps. Does nothing where the C library is another than glibc."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _MOST)
