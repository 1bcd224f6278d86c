"""The process that the registers of tests live in: `ephemeral` starts it and tells it what to do.

One process serves any number of registers, each with a database, a port and a batch worker of its own, so that only
the first one costs the time it takes to start Python and to load the program. It is a process of its own, and not a
thread of the tests', so that nothing here meets what tests do to theirs: frozen clocks, blocked sockets, warnings that
are errors, a captured log.

It reads commands from standard input, one JSON object a line, and answers each with one on standard output. It ends,
and removes everything it made, when standard input ends, however its parent did.
"""

import asyncio
import gc
import itertools
import json
import os
import shutil
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from lrs_soap import errors, observe, worker
from lrs_soap.handwork import Handwork
from lrs_soap.register import Register
from lrs_soap.settings import Settings
from lrs_soap.wire import http, misbehave, sandboxed, shield

SETTINGS = {
    "sqlite_synchronous": "NORMAL",
    "organisation_cache_seconds": 0,
    "job_poll_seconds": 0.02,
    "audit_flush_seconds": 0.05,
}
"""What differs from the defaults: tests are not to wait, and lose nothing in a power cut."""


class Hosted:
    """One register, being served."""

    def __init__(self, directory: Path, template: Path, chosen: dict[str, Any]):
        self._directory = directory
        directory.mkdir(mode=0o700)
        shutil.copyfile(template, directory / "register.sqlite")
        os.chmod(directory / "register.sqlite", 0o600)
        given = {"host": "127.0.0.1"} | SETTINGS | chosen | {"database": f"sqlite:///{directory / 'register.sqlite'}"}
        self._listening = socket.create_server((given["host"], given.get("port", 0)))
        self.port = self._listening.getsockname()[1]
        settings = Settings(**given | {"port": self.port})
        self._register = Register(settings)
        self.plan = misbehave.Plan()
        self.hand = Handwork(self._register)
        self._worker = worker.Worker(self._register)
        self._working = threading.Thread(target=self._worker.run, name="batch worker", daemon=True)
        application = sandboxed.around(self._register, directory / "calls", self.plan)
        self._server = http.Server(http.configuration(shield.Shield(application), settings))
        self._ticking: asyncio.Task | None = None

    async def start(self) -> None:
        """Listens, and works on batches."""
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        await self._server.startup(sockets=[self._listening])
        self._ticking = asyncio.create_task(self._server.main_loop())
        self._working.start()

    async def stop(self) -> None:
        """Closes every connection, whatever it waits for, and removes what there was."""
        for listening in self._server.servers:
            listening.close()
        self._listening.close()
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        for task in [self._ticking, *self._server.server_state.tasks]:
            task.cancel()
        await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self._worker.stop()
        self._working.join()
        self._register.close()
        shutil.rmtree(self._directory, ignore_errors=True)


class Host:
    """Carries out commands: {"do": name, ...}."""

    def __init__(self, base: Path, template: Path):
        self._base = base
        self._template = template
        self._numbers = itertools.count(1)
        self._hosted: dict[int, Hosted] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="serving", daemon=True).start()

    def carry_out(self, command: dict[str, Any]) -> Any:
        """What the command gives. Raises LrsError for one that cannot be carried out."""
        what = command.pop("do")
        if what == "start":
            return self._start(command["settings"])
        hosted = self._hosted[command.pop("register")]
        if what == "stop":
            return self._stop(hosted)
        if what == "misbehave":
            return hosted.plan.add(misbehave.Misbehaviour(**command))
        if what == "behave":
            return hosted.plan.clear()
        return getattr(hosted.hand, what)(**command)

    def end(self) -> None:
        """Stops every register and removes everything."""
        for hosted in list(self._hosted.values()):
            self._stop(hosted)
        shutil.rmtree(self._base, ignore_errors=True)

    def _start(self, chosen: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        directory = self._base / str(number)
        hosted = Hosted(directory, self._template, chosen)
        asyncio.run_coroutine_threadsafe(hosted.start(), self._loop).result()
        self._hosted[number] = hosted
        return {"register": number, "port": hosted.port, "calls": str(directory / "calls")}

    def _stop(self, hosted: Hosted) -> None:
        self._hosted = {number: one for number, one in self._hosted.items() if one is not hosted}
        asyncio.run_coroutine_threadsafe(hosted.stop(), self._loop).result()
        gc.collect()  # the threads of those stopped before end when their pools are found to be garbage


def run(base: Path, template: Path) -> None:
    """Carries out the commands on standard input until it ends. base: a directory, removed at the end; template: the
    database from which every register begins."""
    observe.configure(Settings(log_format="json"))
    host = Host(base, template)
    try:
        _say({"ready": True})
        for line in sys.stdin:
            try:
                _say({"gives": host.carry_out(json.loads(line))})
            except (errors.LrsError, TypeError, ValueError) as error:
                _say({"error": str(error)})
    finally:
        host.end()


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
