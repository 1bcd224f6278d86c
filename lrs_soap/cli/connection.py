"""Where a client command connects to, and as whom: options, environment, and a TOML file, in that order."""

import contextlib
import functools
import os
import stat
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import platformdirs

from lrs_soap.cli import exits, options

DEFAULT_FILE = platformdirs.user_config_path("lrs-soap") / "client.toml"
_NAMES = ("url", "wsdl", "organisation_ref", "ukprn", "org_password", "user_name", "timeout", "client_certificate",
          "client_key", "ca_bundle")  # fmt: skip


def _read_file(context: click.Context, _parameter, path: Path | None) -> None:
    """Makes the values of the file the defaults of this command's options."""
    if path is None:
        if not DEFAULT_FILE.exists():
            return
        path = DEFAULT_FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        # These errors give a place in the file and do not quote it: it may hold the password.
        raise click.UsageError(f"{path} is not TOML: {error}") from None
    unknown = sorted(values.keys() - set(_NAMES))
    if unknown:
        raise click.UsageError(f"{path} has {', '.join(unknown)}, which is not one of {', '.join(_NAMES)}")
    if "org_password" in values and os.name == "posix" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        click.echo(f"Warning: {path} holds a password and others can read it; run: chmod 600 {path}", err=True)
    context.default_map = values


_OPTIONS = (
    click.option("--url", envvar="LRS_URL", show_envvar=True, metavar="URL",
                 help="The endpoint. A host alone (http://127.0.0.1:8080) gets the historic path."),
    click.option("--wsdl", envvar="LRS_WSDL", show_envvar=True, metavar="URL",
                 help="A WSDL to use instead of the packaged one."),
    click.option("--organisation-ref", envvar="LRS_ORGANISATION_REF", show_envvar=True,
                 help="OrganisationRef, 6 characters; it or the UKPRN."),
    click.option("--ukprn", envvar="LRS_UKPRN", show_envvar=True, help="UKPRN, 8 characters."),
    click.option("--org-password", envvar="LRS_ORG_PASSWORD", show_envvar=True,
                 help="OrgPassword. Others on this machine can see it here: prefer the environment or the file."),
    click.option("--password-stdin", is_flag=True, help="Read OrgPassword from standard input."),
    click.option("--user-name", envvar="LRS_USER_NAME", show_envvar=True, help="Who works with the service."),
    click.option("--timeout", envvar="LRS_TIMEOUT", show_envvar=True, type=click.FloatRange(min=0, min_open=True),
                 default=20.0, show_default=True, help="Seconds to wait for the service."),
    click.option("--client-certificate", envvar="LRS_CLIENT_CERTIFICATE", show_envvar=True, metavar="FILE",
                 help="PEM file of the TLS client certificate, with its key or beside --client-key."),
    click.option("--client-key", envvar="LRS_CLIENT_KEY", show_envvar=True, metavar="FILE",
                 help="PEM file of its key."),
    click.option("--ca-bundle", envvar="LRS_CA_BUNDLE", show_envvar=True, metavar="FILE",
                 help="PEM file of the authorities to trust instead of the usual ones."),
    click.option("--config", type=click.Path(dir_okay=False, path_type=Path), is_eager=True, expose_value=False,
                 callback=_read_file, help=f"TOML file of these options, with underscores [default: {DEFAULT_FILE}]."),
    options.json_option,
)  # fmt: skip


def connected(function: Callable) -> Callable:
    """Decorates a client command with the connection's options; it gets `call`, which takes the name of a method of
    LrsClient and its arguments, and as_json. What goes wrong in a call ends the command with its exit code."""

    @functools.wraps(function)
    @connecting
    def command(connect, **parameters):
        def call(method: str, *args, **kwargs):
            with connect() as service:
                return getattr(service, method)(*args, **kwargs)

        return function(call=call, **parameters)

    return command


def connecting(function: Callable) -> Callable:
    """As `connected`, for a command that makes many calls: it gets `connect`, a context manager of an LrsClient."""

    @functools.wraps(function)
    def command(**parameters):
        given = {name: parameters.pop(name) for name in _NAMES}
        password_stdin = parameters.pop("password_stdin")
        return function(connect=lambda: _connect(given, password_stdin), **parameters)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextlib.contextmanager
def _connect(given: dict, password_stdin: bool):
    if not (given["url"] or given["wsdl"]):
        raise click.UsageError("where is the service? Give --url, LRS_URL, or url in the configuration file")
    if not (given["organisation_ref"] or given["ukprn"]):
        raise click.UsageError("who calls? Give --organisation-ref or --ukprn (or LRS_ORGANISATION_REF, LRS_UKPRN)")
    if not given["user_name"]:
        raise click.UsageError("who works with the service? Give --user-name or LRS_USER_NAME")
    given = given | {"org_password": _password(given["org_password"], password_stdin)}
    certificate, key = given.pop("client_certificate"), given.pop("client_key")
    # zeep takes 0.2 s to import, which --help and usage errors need not wait for.
    from lrs_soap import client

    try:
        with client.LrsClient(client_certificate=(certificate, key) if key else certificate, **given) as service:
            yield service
    except client.LrsServiceFault as fault:
        raise _fault(fault) from None
    except client.LrsInvalidCall as error:
        raise exits.Failure(str(error), exits.Exit.USAGE) from None
    except client.LrsUnreachable as error:
        raise exits.Failure(str(error), exits.Exit.UNREACHABLE) from None
    except client.LrsUnexpectedReply as error:
        raise exits.Failure(str(error), exits.Exit.UNEXPECTED_REPLY) from None


def _password(given: str | None, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if given:
        return given
    if not sys.stdin.isatty():
        raise click.UsageError("OrgPassword is missing: give LRS_ORG_PASSWORD, --password-stdin or the file's org_password")
    return click.prompt("OrgPassword", hide_input=True)


def _fault(fault) -> exits.Failure:
    fields = {
        "error_code": str(fault.error_code),
        "error_actor": fault.error_actor,
        "description": fault.description,
        "further_details": fault.further_details,
        "error_timestamp": fault.error_timestamp,
    }
    lines = [f"the service answered with the fault {fault.error_code}", fault.description, fault.further_details]
    return exits.Failure("\n  ".join(line for line in lines if line), exits.Exit.FAULT, {"fault": fields})
