"""`lrs-soap sandbox --ephemeral`: everything in one private directory, which goes when the sandbox does; and the sandbox
goes when its parent does.

The directory is removed by a process that does nothing else: it waits until no process of the sandbox is left, however
they ended. P, all of it.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from lrs_soap import contract, server, settings
from lrs_soap import sandbox as sandboxes

_LOOK_EVERY_SECONDS = 0.25


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A directory for all that this process and its children keep, temporary files included; removed when they are
    gone, also if they are killed (where there is no fork: if this process is not)."""
    made = tempfile.mkdtemp(prefix="lrs-soap-ephemeral-")
    before, tempfile.tempdir = tempfile.tempdir, made
    if hasattr(os, "fork"):
        held = _leave_to_another(made)
    try:
        yield Path(made)
    finally:
        tempfile.tempdir = before
        shutil.rmtree(made, ignore_errors=True)
        if hasattr(os, "fork"):
            os.close(held)


def _leave_to_another(made: str) -> int:
    """Forks the process that removes the directory, and gives what keeps it waiting: a descriptor that children
    inherit."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(reading)
        return writing
    os.setsid()  # what is sent to the group of the sandbox is not for this process
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.dup2(reading, 3)
    os.closerange(4, 4096)  # whatever else this process was born with
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # whoever reads what the sandbox says must see that it ended
        os.dup2(nothing, standard)
    os.read(3, 1)
    shutil.rmtree(made, ignore_errors=True)
    os._exit(0)


@contextlib.contextmanager
def ending_with_parent() -> Iterator[None]:
    """Within the block, this process gets SIGTERM when the one that started it is gone, or standard input, if that is a
    pipe or socket, ends. What comes from it is ignored. (Windows has no such timer: there, nothing happens.)"""
    if not hasattr(signal, "setitimer"):
        yield
        return
    parent = os.getppid()
    watched = False
    with contextlib.suppress(OSError):
        kind = os.fstat(0).st_mode
        watched = stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)

    def look(*_: object) -> None:
        if os.getppid() != parent or (watched and _has_ended(0)):
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_EVERY_SECONDS, _LOOK_EVERY_SECONDS)
    try:
        yield
    finally:
        # Later, Python would have taken the handler away, and the signal would kill.
        signal.setitimer(signal.ITIMER_REAL, 0)


def _has_ended(descriptor: int) -> bool:
    try:
        return bool(select.select([descriptor], [], [], 0)[0]) and not os.read(descriptor, 65536)
    except OSError:
        return True


def description(chosen: settings.Settings) -> str:
    """What a sandbox with these settings says to a program: one line of JSON."""
    address = server.address(chosen)
    organisation, learner = sandboxes.published_organisations()[0], sandboxes.stored_learners()[0]
    names = ("uln", "given_name", "family_name", "date_of_birth", "gender", "last_known_post_code")
    return json.dumps(
        {
            "wsdl": f"{address}?wsdl",
            "url": address,
            "port": chosen.port,
            "pid": os.getpid(),
            "organisation_ref": organisation["organisation_ref"],
            "ukprn": organisation["ukprn"],
            "org_password": organisation["password"],
            "user_name": "A Tester",
            "learner": {name: getattr(learner, name) for name in names},
            "calls": f"{address.removesuffix(contract.ENDPOINT)}/calls",
        }
    )


def announce(chosen: settings.Settings, _: bool) -> None:
    """Prints `description`."""
    click.echo(description(chosen))
    sys.stdout.flush()
