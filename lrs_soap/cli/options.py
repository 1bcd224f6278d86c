"""Options that commands share, and those made from the rows of lrs_soap.settings."""

import contextlib
import getpass
import typing
from pathlib import Path

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def database_option(function):
    """--database, for commands that work on the register itself."""
    return click.option(
        "--database",
        metavar="URL",
        help="The register's database, an SQLAlchemy URL (LRS_SOAP_DATABASE; default sqlite:///lrs-register.sqlite).",
    )(function)


def operator_option(function):
    """--operator, for commands that change the register or look at learners, which are audited."""
    return click.option(
        "--operator",
        default=_operator,
        callback=_named,
        metavar="NAME",
        help="Your name for the audit trail (default: the name you are logged in with).",
    )(function)


def _named(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    # `required` is not enough: to click 8.3 a default of None is a value.
    if not value:
        raise click.MissingParameter(ctx=ctx, param=param)
    return value


def _operator() -> str | None:
    # In a container without an entry for its user there is no name to take.
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return None


def settings_options(defaults: dict[str, typing.Any]):
    """Decorates a command with --config and one option for each setting; `defaults` replace those of the rows.

    What is not given on the command line arrives as None, so that environment and file can say it.
    """
    from lrs_soap import settings

    def decorate(function):
        for name, field in reversed(settings.Settings.model_fields.items()):
            default = str(defaults.get(name, field.default)).lower() if field.annotation is bool else defaults.get(
                name, field.default
            )
            function = click.option(
                _declaration(name, field.annotation),
                name,
                type=_kind(field.annotation),
                default=None,
                help=f"{field.description}  [default: {'none' if default in ('', ()) else default}]",
                **_repeated(field.annotation),
            )(function)
        return click.option(
            "--config",
            type=click.Path(dir_okay=False, path_type=Path),
            help="A TOML file of settings, by the names of the options with underscores (LRS_SOAP_CONFIG).",
        )(function)

    return decorate


def _declaration(name: str, annotation) -> str:
    option = "--" + name.replace("_", "-")
    return f"{option}/--no-{name.replace('_', '-')}" if annotation is bool else option


def _repeated(annotation) -> dict[str, typing.Any]:
    if typing.get_origin(annotation) is not tuple:
        return {}
    return {"multiple": True, "callback": lambda _context, _parameter, values: values or None}


def _kind(annotation):
    # Limits are not repeated here: lrs_soap.settings judges every source alike.
    if typing.get_origin(annotation) is typing.Literal:
        return click.Choice(typing.get_args(annotation))
    return annotation if annotation in (bool, int, float) else str
