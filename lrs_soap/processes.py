"""The processes of a server: one parent that starts them, starts them again when they die, and stops them.

Children end when the parent does, however it ends: each watches a pipe of which only the parent holds the other end.
SIGTERM and SIGINT stop all; SIGHUP replaces them one at a time: each is told to leave when its successor is ready, and
those that leave finish meanwhile what they have begun.
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

from lrs_soap import logs

log = logs.get_logger("lrs_soap.processes")

LEAVE = signal.SIGHUP
"""The signal for a child that may leave in its own time: whoever has connections waits until their clients are told."""

FORKS = sys.platform == "linux"
"""Whether children begin with all that their parent has imported. Forking starts a child in milliseconds, but only Linux does it
safely with the libraries in use."""

_CONTEXT = multiprocessing.get_context("fork" if FORKS else "spawn")
# A child that dies young is started again later and later, so that a lasting cause does not burn a processor.
_FIRST_DELAY, _LONGEST_DELAY, _YOUNG = 0.1, 10.0, 30.0
_ORPHAN = 60.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, LEAVE)


class Role(NamedTuple):
    """What a child does: `target(ready, *args)` runs until SIGTERM and calls `ready()` once it works.

    leave: the signal that tells it that another has taken its place.
    """

    name: str
    target: Callable[..., None]
    args: tuple[Any, ...] = ()
    leave: signal.Signals = signal.SIGTERM


class _Child:
    def __init__(self, role: Role, lifeline: tuple[int, int]):
        self.role = role
        self.started = time.monotonic()
        # A pipe, where an Event has a lock, which a child that is killed may leave locked.
        self._told, tell = _CONTEXT.Pipe(duplex=False)
        self.process = _CONTEXT.Process(target=_live, args=(role, tell, lifeline), name=role.name)
        # Until the child has its own handlers, a signal for it waits: the parent's would swallow it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            tell.close()

    def is_ready(self, seconds: float) -> bool:
        """Whether it works; waits for it so long."""
        if not self._told.closed and self._told.poll(seconds):
            with contextlib.suppress(EOFError):  # it died
                self._told.recv_bytes()
                self._told.close()
        return self._told.closed


def _live(role: Role, tell: multiprocessing.connection.Connection, lifeline: tuple[int, int]) -> None:
    """The life of a child: until told to stop, or until the parent is gone."""
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        # Ctrl-C reaches the whole group of processes; the parent alone decides what it means.
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    reading, writing = lifeline
    with contextlib.suppress(OSError):  # a spawned child never had it
        os.close(writing)
    threading.Thread(target=_follow, args=(reading,), daemon=True, name="lifeline").start()
    role.target(lambda: tell.send_bytes(b"ready"), *role.args)


def _follow(reading: int) -> None:
    os.read(reading, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    # Nobody is left who would end it if that does not.
    time.sleep(_ORPHAN)
    os.kill(os.getpid(), signal.SIGKILL)


class Supervisor:
    """Runs children until it is told to stop.

    grace: how long, in seconds, a child may take to finish what it is doing before it is killed. leaving: the same for
    one that was replaced. longest_delay: the most seconds until a child that died is started again.
    """

    def __init__(self, roles: list[Role], grace: float = 30.0, leaving: float = 60.0, longest_delay: float = _LONGEST_DELAY):
        self._roles = roles
        self._grace = grace
        self._patience = leaving
        self._longest_delay = longest_delay
        self._stopping = False
        self._replacing = False
        self._delays: dict[str, float] = {}
        self._due: dict[str, float] = {}  # when a child that died is started again, by its role's name
        self._leaving: dict[_Child, float] = {}  # until when each may

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
        signal.signal(LEAVE, self._replace)
        children = [_Child(role, self._lifeline) for role in self._roles]
        try:
            if not self._all_ready(children):
                return 0 if self._stopping else 1
            if when_ready is not None:
                when_ready()
            while not self._stopping:
                self._wait(wakeup, children)
                if self._replacing and not self._stopping:
                    self._replacing = False
                    self._replace_all(children)
                self._dismiss()
                self._revive(children)
            return 0
        finally:
            self._end([*children, *self._leaving])

    def _stop(self, *_: Any) -> None:
        self._stopping = True

    def _replace(self, *_: Any) -> None:
        self._replacing = True

    def _wait(self, wakeup: int, children: list[_Child]) -> None:
        """Until a signal comes, a child ends or something is due."""
        alive = [child.process.sentinel for child in children if child.role.name not in self._due]
        alive += [child.process.sentinel for child in self._leaving]
        due = min([*self._due.values(), *self._leaving.values()], default=None)
        timeout = None if due is None else max(0.0, due - time.monotonic())
        multiprocessing.connection.wait([wakeup, *alive], timeout)
        with contextlib.suppress(BlockingIOError):
            os.read(wakeup, 64)

    def _all_ready(self, children: list[_Child]) -> bool:
        while not self._stopping:
            if any(child.process.exitcode is not None for child in children):
                return False
            if all(child.is_ready(0.02) for child in children):
                return True
        return False

    def _revive(self, children: list[_Child]) -> None:
        now = time.monotonic()
        for index, child in enumerate(children):
            name = child.role.name
            if self._stopping or child.process.exitcode is None:
                continue
            if name not in self._due:
                young = now - child.started < _YOUNG
                delay = self._delays.get(name, _FIRST_DELAY / 2) * 2 if young else _FIRST_DELAY
                self._delays[name] = delay = min(delay, self._longest_delay)
                self._due[name] = now + delay
                log.error("process died", role=name, exit_code=child.process.exitcode, again_in_seconds=delay)
            elif self._due[name] <= now:
                del self._due[name]
                children[index] = _Child(child.role, self._lifeline)

    def _replace_all(self, children: list[_Child]) -> None:
        """A new child for each old one, which is told to leave when the new one works, so that no call is turned away."""
        for index, old in enumerate(children):
            new = _Child(old.role, self._lifeline)
            if self._all_ready([new]):
                children[index] = new
                self._due.pop(old.role.name, None)
                self._leaving[old] = time.monotonic() + self._patience
                if old.process.exitcode is None:
                    os.kill(old.process.pid, old.role.leave)
            else:
                log.error("replacement did not start; the old process stays", role=old.role.name)
                self._end([new])
        log.info("processes replaced")

    def _dismiss(self) -> None:
        """Forgets those that have left, and ends those that took too long."""
        now = time.monotonic()
        for child, until in list(self._leaving.items()):
            if child.process.exitcode is None and until <= now:
                log.error("process did not leave in time and is killed", role=child.role.name)
                child.process.kill()
                child.process.join()
            if child.process.exitcode is not None:
                del self._leaving[child]

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
