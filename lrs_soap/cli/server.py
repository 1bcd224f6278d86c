"""lrs-soap sandbox, serve and settings."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lrs_soap import importing, settings
from lrs_soap.cli import exits, options, output


@click.command(epilog="Example: lrs-soap sandbox --port 9000")
@click.option("--reset", is_flag=True, help="Throw away what was changed and load the invented learners again.")
@click.option("--ephemeral", is_flag=True, help="For tests: a database that is removed at the end, a free port unless you "
              "choose one, and an end with the process that started it.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when it is ready: where it is, what to send.")
@options.settings_options(settings.SANDBOX_DEFAULTS)
@exits.handles()
def sandbox(config: Path | None, reset: bool, ephemeral: bool, as_json: bool, **given) -> None:
    """Start a LearnerService to try things on.

    It loads synthetic learners and the published organisations SAND01 and SAND02 into a SQLite file if that is
    empty, and prints what to send. Stop it with Ctrl-C. Never put real learners into it: its passwords are published.

    An --ephemeral one also stops when its standard input, if that is a pipe, ends.
    """
    if ephemeral and (reset or given["database"]):
        raise click.UsageError("--ephemeral has a database of its own: leave --database and --reset out")
    with _disposable(given) if ephemeral else contextlib.nullcontext():
        _run(settings.load(config, settings.SANDBOX_DEFAULTS, **given), sandbox=True, reset=reset, as_json=as_json)


@click.command(epilog="Example: lrs-soap serve --host 0.0.0.0 --workers 4 --database postgresql://lrs@db.example/lrs")
@options.settings_options({})
@exits.handles()
def serve(config: Path | None, **given) -> None:
    """Start the LearnerService on your own register.

    Set it up first: `lrs-soap org add`. A password in the database URL is better given in LRS_SOAP_DATABASE or the
    configuration file than on the command line, which others on the machine can read.
    """
    _run(settings.load(config, **given), sandbox=False)


@contextlib.contextmanager
def _disposable(given: dict[str, Any]) -> Iterator[None]:
    """Sets what an ephemeral sandbox has of its own in `given`."""
    from lrs_soap import disposable, passwords

    passwords.cheapen()
    with disposable.ending_with_parent(), disposable.directory() as directory:
        given["database"] = f"sqlite:///{directory / 'register.sqlite'}"
        given["port"] = given["port"] or 0
        yield


def _run(chosen: settings.Settings, *, as_json: bool = False, **how: Any) -> None:
    # The server's modules take half a second to import, which --help need not wait for.
    with importing.quickly():
        from lrs_soap import server
        from lrs_soap.cli import register

    if as_json:
        from lrs_soap import disposable

        how["announce"] = disposable.announce
    with register.database_failures(chosen.database):
        server.run(chosen, **how)


@click.command("settings", epilog="Example: lrs-soap settings --config lrs.toml")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="The TOML file to read (LRS_SOAP_CONFIG).")
@click.option("--markdown", is_flag=True, help="Print docs/settings.md.")
@options.json_option
@exits.handles()
def show_settings(config: Path | None, markdown: bool, as_json: bool) -> None:
    """Show every setting, the value it has now, and what it may be."""
    if markdown:
        click.echo(document(), nl=False)
        return
    shown = settings.load(config).shown()
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    output.table(
        ["setting", "value", "environment variable", "allowed"],
        [[name, _word(value), settings.variable(name), settings.allowed(name)] for name, value in shown.items()],
    )


def document() -> str:
    """docs/settings.md, made from the rows of lrs_soap.settings."""
    rows = [
        f"| `{name}` | `{_word(field.default)}` | {settings.allowed(name)} | {field.description} |"
        for name, field in settings.Settings.model_fields.items()
    ]
    return f"""# Settings of the server

Made from `lrs_soap/settings.py` by `lrs-soap settings --markdown > docs/settings.md`; do not edit it.

A setting is taken from the first of these that has it:

1. the command line of `lrs-soap serve` or `lrs-soap sandbox`: `--possible-limit 10`
2. the environment: `{settings.variable("possible_limit")}=10`
3. a TOML file named by `--config` or `{settings.CONFIG_VARIABLE}`: `possible_limit = 10`
4. its default. The sandbox has its own for {" and ".join(f"`{n}` (`{v}`)" for n, v in settings.SANDBOX_DEFAULTS.items())}.

`lrs-soap settings` shows the values in force, without the database's password. Settings marked P change a rule that is
this project's own, because the historic service left no record of it.

| setting | default | allowed | what it is for |
|---|---|---|---|
{chr(10).join(rows)}
"""


def _word(value) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
