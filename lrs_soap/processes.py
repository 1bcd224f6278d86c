"""The processes of a server: one parent that starts them, starts them again when they die, and stops them.

Children end when the parent does, however it ends: each watches a pipe of which only the parent holds the other end.
SIGTERM and SIGINT stop all; SIGHUP replaces them one at a time, each only when its successor is ready.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog

log = structlog.get_logger("lrs_soap.processes")

# Forking starts a child in milliseconds, but only Linux does it safely with the libraries in use.
_CONTEXT = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
# A child that dies young is started again later and later, so that a lasting cause does not burn a processor.
_FIRST_DELAY, _LONGEST_DELAY, _YOUNG = 0.1, 10.0, 30.0


class Role(NamedTuple):
    """What a child does: `target(ready, *args)` runs until SIGTERM and calls `ready()` once it works."""

    name: str
    target: Callable[..., None]
    args: tuple[Any, ...] = ()


class _Child:
    def __init__(self, role: Role, lifeline: tuple[int, int]):
        self.role = role
        self.ready = _CONTEXT.Event()
        self.started = time.monotonic()
        self.process = _CONTEXT.Process(target=_live, args=(role, self.ready, lifeline), name=role.name)
        self.process.start()


def _live(role: Role, ready: Any, lifeline: tuple[int, int]) -> None:
    """The life of a child: until told to stop, or until the parent is gone."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    # Ctrl-C reaches the whole group of processes; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reading, writing = lifeline
    with contextlib.suppress(OSError):  # a spawned child never had it
        os.close(writing)
    threading.Thread(target=_follow, args=(reading,), daemon=True, name="lifeline").start()
    role.target(ready.set, *role.args)


def _follow(reading: int) -> None:
    os.read(reading, 1)
    os.kill(os.getpid(), signal.SIGTERM)


class Supervisor:
    """Runs children until it is told to stop.

    grace: how long, in seconds, a child may take to finish what it is doing before it is killed.
    """

    def __init__(self, roles: list[Role], grace: float = 30.0):
        self._roles = roles
        self._grace = grace
        self._stopping = False
        self._replacing = False
        self._delays: dict[int, float] = {}

    def run(self, when_ready: Callable[[], None] | None = None) -> int:
        """Starts every child, calls `when_ready` once all work, and stays until SIGTERM or SIGINT.

        Gives the exit code: 0, or 1 if a child died before the server was ever ready.
        """
        self._lifeline = os.pipe()
        for descriptor in self._lifeline if _CONTEXT.get_start_method() == "spawn" else ():
            os.set_inheritable(descriptor, True)
        wakeup, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._replace)
        children = [_Child(role, self._lifeline) for role in self._roles]
        try:
            if not self._all_ready(children):
                return 0 if self._stopping else 1
            if when_ready is not None:
                when_ready()
            while not self._stopping:
                multiprocessing.connection.wait([wakeup, *(child.process.sentinel for child in children)])
                with contextlib.suppress(BlockingIOError):
                    os.read(wakeup, 64)
                if self._replacing and not self._stopping:
                    self._replacing = False
                    children = self._replaced(children)
                self._revive(children)
            return 0
        finally:
            self._end(children)

    def _stop(self, *_: Any) -> None:
        self._stopping = True

    def _replace(self, *_: Any) -> None:
        self._replacing = True

    def _all_ready(self, children: list[_Child]) -> bool:
        while not self._stopping:
            if any(child.process.exitcode is not None for child in children):
                return False
            if all(child.ready.wait(0.02) for child in children):
                return True
        return False

    def _revive(self, children: list[_Child]) -> None:
        for index, child in enumerate(children):
            if self._stopping or child.process.exitcode is None:
                continue
            young = time.monotonic() - child.started < _YOUNG
            delay = min(self._delays.get(index, _FIRST_DELAY / 2) * 2, _LONGEST_DELAY) if young else _FIRST_DELAY
            self._delays[index] = delay
            log.error("process died", role=child.role.name, exit_code=child.process.exitcode, again_in_seconds=delay)
            time.sleep(delay)
            if not self._stopping:
                children[index] = _Child(child.role, self._lifeline)

    def _replaced(self, children: list[_Child]) -> list[_Child]:
        """A new child for each old one; the old one goes when the new one works, so that no call is turned away."""
        result = []
        for old in children:
            new = _Child(old.role, self._lifeline)
            if self._all_ready([new]):
                self._end([old])
                result.append(new)
            else:
                log.error("replacement did not start; the old process stays", role=old.role.name)
                self._end([new])
                result.append(old)
        return result

    def _end(self, children: list[_Child]) -> None:
        for child in children:
            if child.process.exitcode is None:
                child.process.terminate()
        deadline = time.monotonic() + self._grace
        for child in children:
            child.process.join(max(0.0, deadline - time.monotonic()))
            if child.process.exitcode is None:
                log.error("process did not stop in time and is killed", role=child.role.name)
                child.process.kill()
                child.process.join()
