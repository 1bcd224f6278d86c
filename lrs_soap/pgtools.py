"""PostgreSQL's own programs for backups: pg_dump, pg_restore and psql.

The password goes to them in the environment, as command lines can be read by everybody on the machine.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy.engine import Engine

from lrs_soap import errors

# libpq's keywords that its environment spells in another way than PG and the keyword without underscores.
_VARIABLES = {"dbname": "PGDATABASE", "connect_timeout": "PGCONNECT_TIMEOUT", "application_name": "PGAPPNAME"}


class ToolFailed(errors.LrsError):
    """A program of PostgreSQL failed."""


def dump(engine: Engine, snapshot: str, target: Path) -> None:
    """Writes the state named `snapshot` to the new file `target`, in pg_dump's custom format. Raises ToolFailed."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    _run(
        ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", "--no-password",
         f"--file={target}"],
        engine,
    )  # fmt: skip


def load(engine: Engine, source: Path, first: str | None = None) -> None:
    """Puts what a file of `dump` holds into the database: all of it, or nothing. Raises ToolFailed.

    first: a statement to execute before, in the same transaction. (It makes room; pg_restore --clean cannot do that in
    one transaction where there are partitions.)
    """
    reading = ["pg_restore", "--file=-", "--no-owner", "--no-privileges", str(source)]
    writing = ["psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--no-password",
               *(["--command", first] if first else []), "--file=-"]  # fmt: skip
    with (
        tempfile.TemporaryFile() as complaints,
        _starting(writing, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints, env=_environment(engine)) as psql,
    ):
        with _starting(reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as restore:
            with contextlib.suppress(BrokenPipeError):  # psql has ended, and says why
                shutil.copyfileobj(restore.stdout, psql.stdin)
            restore.stdout.close()
            said = restore.stderr.read()
        if psql.poll() is None and restore.returncode:
            psql.kill()  # before it commits the half that it got
        with contextlib.suppress(BrokenPipeError):
            psql.stdin.close()
        if psql.wait() < 0:
            _check(reading, restore.returncode, said)
        complaints.seek(0)
        _check(writing, psql.returncode, complaints.read())


def rows(source: Path) -> dict[str, int]:
    """The number of rows of each table in a file of `dump`, which is read from end to end. Raises ToolFailed."""
    found: dict[str, int] = {}
    command = ["pg_restore", "--file=-", str(source)]
    with _starting(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        table = None
        for line in process.stdout:
            if table is None:
                if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
                    table = line.split(b" ", 2)[1].decode().rpartition(".")[2].strip('"')
                    found[table] = 0
            elif line == b"\\.\n":
                table = None
            else:
                found[table] += 1
        said = process.stderr.read()
    _check(command, process.returncode, said)
    return found


def _run(command: Sequence[str], engine: Engine) -> None:
    with _starting(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_environment(engine)) as process:
        said = process.stderr.read()
    _check(command, process.returncode, said)


@contextlib.contextmanager
def _starting(command: Sequence[str], **how) -> Iterator[subprocess.Popen]:
    try:
        process = subprocess.Popen(command, **{"stdin": subprocess.DEVNULL} | how)
    except OSError:
        raise ToolFailed(
            f"{command[0]} is not installed: backups of PostgreSQL need its client programs (postgresql-client), of "
            "the server's version or newer"
        ) from None
    with process:
        yield process


def _check(command: Sequence[str], code: int, said: bytes) -> None:
    if code:
        # The lines after the first repeat statements and rows.
        first = (said.decode(errors="replace").splitlines() or [f"exit code {code}"])[0]
        raise ToolFailed(first if first.startswith(command[0]) else f"{command[0]}: {first}")


def _environment(engine: Engine) -> dict[str, str]:
    given = engine.dialect.create_connect_args(engine.url)[1]
    named = {_VARIABLES.get(name, "PG" + name.replace("_", "").upper()): str(value) for name, value in given.items()}
    return os.environ | named
