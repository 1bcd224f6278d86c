"""lrs-soap backup and restore."""

from pathlib import Path

import click

from lrs_soap.cli import exits, options, output

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog="Example: lrs-soap backup /backups/register-2027-01-31 --database sqlite:///register.sqlite")
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace a backup of that name.")
@options.database_option
@options.json_option
@exits.handles(exits.Exit.UNUSABLE)
def backup(file, force, database, as_json) -> None:
    """Copy the register to FILE while servers work on it, and verify the copy.

    FILE.json, beside it, says what must be in FILE: keep the two together, encrypted, and away from the register.
    PostgreSQL's client programs are needed for a register there.
    """
    from lrs_soap import backup as copying
    from lrs_soap.cli import register

    url = _url(database)
    with register.database_failures(url):
        if register.is_missing(url):
            raise copying.BackupError("there is no register to back up")
        manifest = copying.backup(url, file, force=force)
    _say(as_json, manifest, f"backed up to {file}")


@click.command(epilog="Example: lrs-soap restore /backups/register-2027-01-31 --database sqlite:///restored.sqlite")
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace the register that is there.")
@click.option("--skip-ulns", type=click.IntRange(0), metavar="N",
              help="Never issue the next N ULNs, as they may have been since the backup  [default: 100000].")
@options.database_option
@options.json_option
@exits.handles(exits.Exit.UNUSABLE)
def restore(file, force, skip_ulns, database, as_json) -> None:
    """Put the backup FILE into an empty database, and verify it there. Stop servers and workers first."""
    from lrs_soap import backup as copying
    from lrs_soap.cli import register

    skipped = copying.SKIPPED_ULNS if skip_ulns is None else skip_ulns
    url = _url(database)
    with register.database_failures(url):
        manifest = copying.restore(url, file, force=force, skip_ulns=skipped)
    _say(as_json, manifest, f"restored from {file}, {skipped:,} ULNs skipped")


def _url(database: str | None) -> str:
    from lrs_soap import settings

    with exits.failing(exits.Exit.USAGE):
        return settings.load(database=database).database


def _say(as_json: bool, manifest, what: str) -> None:
    if as_json:
        output.as_json(manifest)
    else:
        rows = manifest.rows
        click.echo(f"{what}: {rows['learner']:,} learners, {sum(rows.values()):,} rows, version {manifest.schema_version}, "
                   f"made {manifest.made_at}; verified")
