"""What others on this machine may do to the files that a register depends on (P: a group may read and write them), and
to those that commands write (P: nothing)."""

import os
import stat
from pathlib import Path

import sqlalchemy

from lrs_soap import errors

_READ_OR_WRITE = stat.S_IROTH | stat.S_IWOTH


class Exposed(errors.LrsError):
    """Everybody on this machine may read a file that holds secrets, or change one that others rely on."""


def refuse_readable(path: Path, what: str) -> None:
    """Raises Exposed if everybody may read or write the file `path`; one that is not there is nobody's."""
    if _allows(path, _READ_OR_WRITE):
        raise Exposed(f"everybody on this machine can read {what}, {path}: run chmod 600 {path}")


def refuse_writable(path: Path, what: str) -> None:
    """Raises Exposed if everybody may write the file or directory `path`."""
    if _allows(path, stat.S_IWOTH):
        raise Exposed(f"everybody on this machine can write to {what}, {path}: run chmod o-w {path}")


def refuse_exposed_database(url: str) -> None:
    """Raises Exposed if the register at `url` is a SQLite file that everybody may read, and if everybody may put files
    beside it: SQLite would believe a log that it finds there. Other databases guard themselves."""
    parts = sqlalchemy.make_url(url)
    if parts.get_backend_name() != "sqlite" or parts.database in (None, "", ":memory:"):
        return
    path = Path(parts.database)
    for suffix in ("", "-wal", "-shm", "-journal"):
        refuse_readable(path.with_name(path.name + suffix), "the register's database")
    refuse_writable(path.absolute().parent, "the directory of the register's database")


def open_private(path: Path | str, flags: int) -> int:
    """A descriptor of the file `path`, for reading and writing, which from now on only its owner may read; it is made if
    it is not there. flags: what else os.open is to do. Raises OSError, also for a file of somebody else."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | flags, 0o600)
    try:
        # One that was there before keeps the mode it had. /dev/stdout is no file to change.
        if os.name == "posix" and stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _allows(path: Path, mode: int) -> bool:
    return os.name == "posix" and path.exists() and bool(path.stat().st_mode & mode)
