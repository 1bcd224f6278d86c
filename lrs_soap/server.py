"""Starts the register: prepares the database, says what is there, and runs the processes that answer."""

import contextlib
import errno
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from lrs_soap import auditkey, contract, errors, filemodes, heaps, importing, logs, metricsfiles, observe, processes, sandbox, settings
from lrs_soap.store import engine, organisations, schema
from lrs_soap.wire import shares, tls

log = logs.get_logger("lrs_soap.server")


class StartError(errors.LrsError):
    """The server cannot start."""


def run(
    chosen: settings.Settings,
    *,
    sandbox: bool = False,
    reset: bool = False,
    announce: Callable[[settings.Settings, bool], None] | None = None,
) -> None:
    """Serves until it is told to stop (SIGINT or SIGTERM). sandbox: load the fixtures if the database is empty;
    reset: load them anew in any case; announce: says where the service is once it is ready, given the settings with the
    port in use and `sandbox` (default: text for people).

    Raises StartError when the address is taken, when a register that is no sandbox holds the sandbox organisations
    and the settings do not allow it, or when no worker gets ready; UnusableTls when the TLS settings or files are
    wrong, or a register that is no sandbox would be open to others without TLS; filemodes.Exposed when everybody on this
    machine may read key or database.
    """
    observe.configure(chosen)
    tls.context(chosen)  # each worker reads the files again; here they fail with a word to whoever starts it
    if not sandbox:
        tls.refuse_exposed(chosen)
        filemodes.refuse_exposed_database(chosen.database)
        _warn(chosen)
    with _listen(chosen.host, chosen.port) as listening, metricsfiles.shared(), _calls_kept(sandbox) as calls:
        chosen = chosen.model_copy(update={"port": listening.getsockname()[1]})
        _prepare(chosen, sandbox, reset)
        if processes.FORKS:
            _import_for_all()
        supervisor = processes.Supervisor(roles(chosen, listening, calls), leaving=chosen.keep_alive_seconds + 45)
        if supervisor.run(lambda: (announce or _announce)(chosen, sandbox)):
            raise StartError("a worker process ended before it was ready: the log above says why")


def roles(chosen: settings.Settings, listening: socket.socket, calls: Path | None = None) -> list[processes.Role]:
    """What the processes of a server do. calls: of a sandbox only, where it keeps the calls it received."""
    answering = [
        processes.Role(f"worker {number}", _worker, (chosen, calls, listening, share), leave=processes.LEAVE)
        for number, share in enumerate(shares.among(chosen.workers), 1)
    ]
    return answering + [
        processes.Role(f"batch worker {number}", _batch_worker, (chosen, listening))
        for number in range(1, chosen.job_workers + 1)
    ]


def _import_for_all() -> None:
    """What every process would import for itself, on the same processors, and keep a copy of."""
    with importing.quickly():
        from lrs_soap import metrics, register, worker  # noqa: F401
        from lrs_soap.wire import app, http  # noqa: F401


@contextlib.contextmanager
def _calls_kept(is_sandbox: bool) -> Iterator[Path | None]:
    """A directory in which the workers of a sandbox keep the calls they received; None for a register in use."""
    if not is_sandbox:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="lrs-soap-calls-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def _worker(
    ready: Callable[[], None], chosen: settings.Settings, calls: Path | None, listening: socket.socket, share: shares.Share
) -> None:
    """The life of one worker process. calls: of a sandbox only, where it keeps the calls it received."""
    from lrs_soap import metrics
    from lrs_soap.register import Register
    from lrs_soap.wire import app, http

    heaps.share()
    observe.configure(chosen)
    register = Register(chosen)
    metrics.watch_pool(register.engine)
    if register.replicas is not None:
        metrics.watch_replicas(register.replicas)
    try:
        application = app.App(register) if calls is None else _sandboxed(register, calls)
        http.serve(application, chosen, listening, ready, share)
    finally:
        register.close()


def _sandboxed(register: Any, calls: Path) -> Any:
    # Imported here: a register in use never loads what makes a sandbox misbehave.
    from lrs_soap.wire import sandboxed

    return sandboxed.around(register, calls)


def _batch_worker(ready: Callable[[], None], chosen: settings.Settings, listening: socket.socket) -> None:
    """The life of one process that works on batches: of its own, so that it takes no time from replies."""
    from lrs_soap import worker

    listening.close()
    worker.run(chosen, ready)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(f"port {port} on {host} is in use: stop what uses it or choose another --port") from None
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}") from None


def _prepare(chosen: settings.Settings, is_sandbox: bool, reset: bool) -> None:
    """Brings the database up to date, with the fixtures in a sandbox and without its organisations elsewhere."""
    auditkey.load(chosen.audit_key)  # a mistake is told here, not by a worker that does not start
    database = engine.create(chosen.database, sqlite_synchronous=chosen.sqlite_synchronous)
    try:
        if not schema.is_current(database):
            schema.upgrade(database)
        if is_sandbox:
            (sandbox.reset if reset else sandbox.load)(database)
        elif not chosen.allow_sandbox_organisations:
            _refuse_published_passwords(database, chosen)
    finally:
        database.dispose()


def _warn(chosen: settings.Settings) -> None:
    if tls.is_exposed(chosen) and chosen.insecure_http:
        log.warning("no TLS: learners' data and passwords travel readable", host=chosen.host)


def _refuse_published_passwords(database: engine.Engine, chosen: settings.Settings) -> None:
    with engine.read(database) as connection:
        published = [row for row in organisations.list_all(connection) if row.sandbox and row.disabled_at is None]
    if published:
        raise StartError(
            f"{chosen.masked_database} holds the sandbox organisations, whose passwords are published. Use another "
            "--database, disable them with `lrs-soap org disable`, or, if you know what you do, pass "
            "--allow-sandbox-organisations."
        )


def address(chosen: settings.Settings) -> str:
    """The URL of the endpoint that a server with these settings has, as it can be pasted."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(chosen.host, chosen.host)  # an address that can be pasted
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if chosen.tls_certificate else 'http'}://{host}:{chosen.port}{contract.ENDPOINT}"


def _announce(chosen: settings.Settings, is_sandbox: bool) -> None:
    if is_sandbox:
        click.echo(sandbox.announcement(address(chosen), chosen.masked_database))
    else:
        click.echo(f"LearnerService on {chosen.masked_database}\nWSDL: {address(chosen)}?wsdl", file=sys.stderr)
    sys.stdout.flush()
