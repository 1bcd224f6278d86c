"""Starts the register: prepares the database, says what is there, and runs the HTTP server with its workers."""

import errno
import os
import socket
import sys
from multiprocessing import util as multiprocessing_util

import click
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from lrs_soap import contract, errors, observe, sandbox, settings
from lrs_soap.store import engine, organisations, schema

_SANDBOX_VARIABLE = "LRS_SOAP_IS_SANDBOX"


class StartError(errors.LrsError):
    """The server cannot start."""


def run(chosen: settings.Settings, *, sandbox: bool = False) -> None:
    """Serves until it is told to stop (SIGINT or SIGTERM). sandbox: load the fixtures if the database is empty.

    Raises StartError when the address is taken, or when a register that is no sandbox holds the sandbox organisations
    and the settings do not allow it.
    """
    observe.configure(chosen)
    _check_address(chosen.host, chosen.port)
    _prepare(chosen, sandbox)
    os.environ.update(chosen.to_environment())
    os.environ[_SANDBOX_VARIABLE] = "1" if sandbox else "0"
    server = Granian(
        "lrs_soap.server:worker",
        factory=True,
        address=chosen.host,
        port=chosen.port,
        interface=Interfaces.WSGI,
        workers=chosen.workers,
        blocking_threads=1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        respawn_interval=0.5,
    )
    server.serve()


def worker():
    """The application of one worker process; the settings come from the environment its parent made."""
    from lrs_soap.register import Register
    from lrs_soap.wire import app

    chosen = settings.Settings.from_environment()
    observe.configure(chosen)
    register = Register(chosen)
    # Worker processes end without running atexit; this is what they do run.
    multiprocessing_util.Finalize(register, register.close, exitpriority=10)
    return app.create(register, sandbox=os.environ.get(_SANDBOX_VARIABLE) == "1")


def _check_address(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise StartError(f"port {port} on {host} is in use: stop what uses it or choose another --port") from None
            raise StartError(f"cannot listen on {host} port {port}: {error.strerror}") from None


def _prepare(chosen: settings.Settings, is_sandbox: bool) -> None:
    """Brings the database up to date and says what the server is about to be."""
    database = engine.create(chosen.database, sqlite_synchronous=chosen.sqlite_synchronous)
    try:
        if not schema.is_current(database):
            schema.upgrade(database)
        if is_sandbox:
            sandbox.load(database)
        else:
            with engine.read(database) as connection:
                published = [row for row in organisations.list_all(connection) if row.sandbox and not row.disabled_at]
            if published and not chosen.allow_sandbox_organisations:
                raise StartError(
                    f"{chosen.masked_database} holds the sandbox organisations, whose passwords are published. "
                    "Use another --database, disable them with `lrs-soap org disable`, or, if you know what you do, "
                    "pass --allow-sandbox-organisations."
                )
    finally:
        database.dispose()
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    address = f"http://{host}:{chosen.port}{contract.ENDPOINT}"
    if is_sandbox:
        click.echo(sandbox.announcement(address, chosen.masked_database))
    else:
        click.echo(f"LearnerService on {chosen.masked_database}\nWSDL: {address}?wsdl", file=sys.stderr)
