"""The audit key: read from a file that is not in the database, so that who can write to the database cannot forge."""

import os
import stat
from pathlib import Path

from lrs_soap import errors

SHORTEST = 32
"""P: the fewest bytes of a key, as many as its hashes have."""


class UnusableKey(errors.LrsError):
    """The file of the audit key cannot be used."""


def load(path: str | Path) -> bytes | None:
    """The key in the file, without white space around it; None for no path. Raises UnusableKey that says what is wrong,
    also if everybody on this machine may read it."""
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read().strip()
    except OSError as error:
        raise UnusableKey(f"the audit key {path} cannot be read: {error.strerror}") from None
    if os.name == "posix" and mode & (stat.S_IROTH | stat.S_IWOTH):
        raise UnusableKey(f"everybody on this machine can read the audit key {path}: run chmod 600 {path}")
    if len(key) < SHORTEST:
        raise UnusableKey(f"the audit key {path} has {len(key)} bytes; it needs {SHORTEST}: openssl rand -hex 32 > {path}")
    return key
