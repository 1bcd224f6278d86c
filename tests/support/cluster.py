"""A PostgreSQL server of the tests' own, made of Debian's packages, that may be killed, stalled and started again."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from support import server

_SECONDS = 60


def programs() -> Path | None:
    """Where the newest PostgreSQL of this machine has its programs; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """A server with its files in `directory`, which `start` starts. As root it runs as the user postgres."""

    def __init__(self, directory: Path):
        self._programs = programs()
        self._data = directory / "data"
        self.port = server.free_port()
        self._how = {"cwd": directory}
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
            self._how |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        made = [self._programs / "initdb", "--auth=trust", "--username=postgres", "--no-sync", "-D", self._data]
        subprocess.run(made, check=True, capture_output=True, **self._how)
        self._settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of its database."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Starts the server and returns when it answers."""
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                # What is left of the one before may still hold its memory.
                self._process = subprocess.Popen(
                    [self._programs / "postgres", "-D", self._data, *settings], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **self._how,
                )  # fmt: skip
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=2).close()
                return
            time.sleep(0.05)
        raise TimeoutError("PostgreSQL does not start")

    def processes(self) -> list[int]:
        """The postmaster and its children."""
        pid = self._process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def backends(self) -> list[int]:
        """The children that serve connections."""
        return [pid for pid in self.processes()[1:] if _serves_tcp(pid)]

    def kill(self) -> None:
        """Kills all its processes at once, as when power fails."""
        for pid in self.processes():
            _signal(pid, signal.SIGKILL)
        self._process.wait()

    def kill_postmaster(self) -> None:
        """Kills the postmaster, whose children then end by themselves."""
        self._process.kill()
        self._process.wait()

    def stop_at_once(self) -> None:
        """An immediate shutdown."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def kill_backend(self) -> None:
        """Kills a process that serves a connection: the server ends the others and recovers by itself."""
        for pid in self.backends()[:1]:
            _signal(pid, signal.SIGKILL)

    @contextlib.contextmanager
    def stalled(self):
        """Within the block nothing of it runs: connections are taken by the operating system and never answered."""
        stopped = self.processes()
        for pid in stopped:
            _signal(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                _signal(pid, signal.SIGCONT)

    def close(self) -> None:
        """Ends it for good."""
        if self._process is not None and self._process.poll() is None:
            self.kill()


def _serves_tcp(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return re.search(rb"127\.0\.0\.1\(\d+\)", Path(f"/proc/{pid}/cmdline").read_bytes()) is not None
    return False


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
