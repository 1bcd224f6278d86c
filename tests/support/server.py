"""The real server, as a user starts it: `lrs-soap sandbox` in a process of its own, spoken to over HTTP."""

import contextlib
import dataclasses
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lrs_soap import contract

START = "from lrs_soap.cli.main import main; main()"


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply, whole. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. `output` is what it wrote so far to standard output and standard error."""

    port: int
    database: str
    process: subprocess.Popen
    _output: Path

    @property
    def url(self) -> str:
        """The endpoint's URL."""
        return f"http://127.0.0.1:{self.port}{contract.ENDPOINT}"

    @property
    def output(self) -> str:
        """Everything the server printed and logged until now."""
        return self._output.read_text(encoding="utf-8")

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request on a connection of its own; an underscore in the name of a header stands for a hyphen."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            return read(connection.getresponse())

    def get(self, path: str, **headers: str) -> Reply:
        """GET `path`."""
        return self.request("GET", path, **headers)

    def post(self, body: bytes, path: str = contract.ENDPOINT, **headers: str) -> Reply:
        """POST a message as text/xml; charset=utf-8, unless a header says otherwise."""
        return self.request("POST", path, body, **{"Content_Type": "text/xml; charset=utf-8"} | headers)


def read(response: http.client.HTTPResponse) -> Reply:
    """The whole reply."""
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, response.read())


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(database: str, command: str = "sandbox", **settings: object) -> Iterator[Running]:
    """Starts the server on the database URL `database` and stops it at the end of the block.

    command: "sandbox" or "serve". settings: by name, as in lrs_soap.settings. Raises RuntimeError with the server's
    output if it does not answer within 30 seconds.
    """
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "output"
        started = None
        for _ in range(3):  # another process may take the port between looking and listening
            started = _start(database, command, free_port(), settings, output)
            if _answers(started):
                break
            _stop(started.process)
            if " is in use" not in started.output:
                raise RuntimeError(f"the server did not start:\n{started.output}")
        else:
            raise RuntimeError("no free port was found in three tries")
        try:
            yield started
        finally:
            _stop(started.process)


def _start(database: str, command: str, port: int, settings: dict, output: Path) -> Running:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LRS_SOAP_")}
    environment |= {f"LRS_SOAP_{name.upper()}": str(value) for name, value in settings.items()}
    # In the environment, as a password in it should be: others can read command lines.
    environment["LRS_SOAP_DATABASE"] = database
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", START, command, "--host", "127.0.0.1", "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, env=environment, start_new_session=True,
        )  # fmt: skip
    return Running(port, database, process, output)


def _answers(server: Running) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            # The first answer may come before the server has said where it is, which tests read.
            if server.get("/healthz").status == 200 and f"{server.url}?wsdl" in server.output:
                return True
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen) -> None:
    """Ends the server as Ctrl-C does, and its workers with it if that takes too long."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
