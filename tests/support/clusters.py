"""PostgreSQL servers of a test's own, from Debian's packages: a primary and streaming replicas that may be hung,
killed and promoted."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from support import server

# Tests lose no power, and commit often.
_SETTINGS = {"fsync": "off", "shared_buffers": "16MB", "listen_addresses": "127.0.0.1", "wal_keep_size": "64MB",
             "autovacuum": "off", "max_connections": "200", "wal_retrieve_retry_interval": "100ms"}  # fmt: skip


def programs() -> Path | None:
    """Where the server programs of the newest PostgreSQL of this machine are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """One PostgreSQL server, in a directory of its own, on a port of its own."""

    def __init__(self, base: Path, settings: dict[str, str]):
        self._base = base
        self._settings = _SETTINGS | settings
        self._data = base / "data"
        self.port = server.free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"postgresql+psycopg://postgres@{self.address}/postgres"

    def start(self) -> None:
        """Starts the server, and waits until it takes connections."""
        given = self._settings | {"port": self.port, "unix_socket_directories": self._base}
        options = " ".join(f"-c {name}={value}" for name, value in given.items())
        self._run("pg_ctl", "-w", "-s", "-D", self._data, "-l", self._base / "log", "-o", options, "start")

    def kill(self) -> None:
        """Ends every process of the server at once, as a loss of power does."""
        self._end(self.family(), signal.SIGKILL)

    def kill_first(self) -> None:
        """Kills the postmaster alone; the others find out and end."""
        self._end(self.family()[:1], signal.SIGKILL)

    def shut_down_at_once(self) -> None:
        """An immediate shutdown: no transaction is waited for, and nothing is written."""
        self._end(self.family()[:1], signal.SIGQUIT)

    def kill_backend(self) -> None:
        """Kills a process that serves a connection: the server ends all others and recovers by itself."""
        for pid in self.family()[1:]:
            with contextlib.suppress(OSError):
                if b"127.0.0.1(" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    return

    def _end(self, pids: list[int], number: signal.Signals) -> None:
        """Sends a signal that ends the server, and waits until no process of it is left."""
        family = self.family()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while any(_lives(pid) for pid in family):
            time.sleep(0.01)
        # Where nobody waits for the dead, PostgreSQL takes their numbers for those of a server that runs.
        for lock in (self._data / "postmaster.pid", *self._base.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)

    def hang(self, hung: bool = True) -> None:
        """Stops every process of the server where it is, or lets them go on: connections stay open, silent."""
        for pid in self.family():
            os.kill(pid, signal.SIGSTOP if hung else signal.SIGCONT)

    def promote(self) -> None:
        """Makes a replica a primary."""
        self._run("pg_ctl", "-w", "-s", "-D", self._data, "promote")

    def follow(self, other: "Cluster") -> None:
        """Lets a replica follow another primary than it did."""
        self.run(f"ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port={other.port} user=postgres'")
        self.run("SELECT pg_reload_conf()")

    def run(self, sql: str):
        """The first row that the statement gives, or None."""
        with psycopg.connect(f"host=127.0.0.1 port={self.port} user=postgres", autocommit=True) as conn:
            cursor = conn.execute(sql)
            return cursor.fetchone() if cursor.description else None

    def family(self) -> list[int]:
        """The processes of the server, the first one first; none if it does not run."""
        try:
            first = int((self._data / "postmaster.pid").read_text().split()[0])
            children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        except FileNotFoundError:
            return []
        return [first, *map(int, children)]

    def initialise(self) -> None:
        """Makes the data of a primary."""
        self._run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-D", self._data)

    def copy(self, primary: "Cluster") -> None:
        """Makes the data of a replica of `primary`, which runs."""
        self._run("pg_basebackup", "-R", "-c", "fast", "--no-sync", "-D", self._data, "-h", "127.0.0.1",
                  "-p", primary.port, "-U", "postgres")  # fmt: skip

    def stop(self) -> None:
        """Ends the server, also one that hangs."""
        if self.family():
            self.kill()

    def _run(self, program: str, *arguments: object) -> None:
        command = [programs() / program, *map(str, arguments)]
        # PostgreSQL refuses to run as root.
        user = {"user": "postgres"} if os.geteuid() == 0 else {}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **user)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def running(replicas: int, **settings: str) -> Iterator[list[Cluster]]:
    """A primary and its replicas, which end with the block. settings: PostgreSQL's, by name."""
    base = Path(tempfile.mkdtemp(prefix="lrs-clusters-"))
    clusters = []
    try:
        for number in range(replicas + 1):
            directory = base / str(number)
            directory.mkdir()
            clusters.append(Cluster(directory, settings))
        if os.geteuid() == 0:
            for path in (base, *base.iterdir()):
                shutil.chown(path, "postgres")
        primary, *others = clusters
        primary.initialise()
        primary.start()
        for one in others:
            one.copy(primary)
            one.start()
        yield clusters
    finally:
        for one in clusters:
            one.stop()
        shutil.rmtree(base, ignore_errors=True)
