"""lrs-soap audit: verifying, searching, exporting and pruning the audit trail."""

import contextlib
import datetime
import time
from pathlib import Path

import click

from lrs_soap.cli import auditoptions, exits, options, output

_SHOWN_PROBLEMS = 50
_FIELDS = ("id", "at", "request_id", "organisation_ref", "reference", "user_name", "operation", "code", "duration_us", "ulns")
_KEY_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _common(function):
    for decorate in (exits.handles(), options.json_option, options.database_option):
        function = decorate(function)
    return function


@click.group(epilog="Example: lrs-soap audit search --uln 4123001008 --since 2026-11-01")
def audit() -> None:
    """The audit trail: who looked at whom, who changed what; and whether the trail itself is as it was written.

    Searches, exports and removals are audited themselves, with your name. See docs/audit.md.
    """


@audit.command(epilog="Example: lrs-soap audit verify --audit-key /etc/lrs/audit.key --expect 1042:9f86d0...")
@auditoptions.key
@click.option("--old-key", "old_keys", type=_KEY_FILE, multiple=True, metavar="FILE", help="A key of before; repeatable.")
@click.option("--expect", type=auditoptions.Head(), help="A head kept elsewhere; it must be in the chain.")
@_common
def verify(audit_key, old_keys, expect, database, as_json) -> None:
    """Verify every block and row of the chain, and name what was changed, removed or added.

    Exit code 0: everything is as it was sealed; 1: something is not. Rows of the last second may wait to be sealed.
    """
    from lrs_soap import auditkey
    from lrs_soap.rules import chain
    from lrs_soap.store import auditverify

    key = _key(audit_key)
    keys = {chain.key_name(one): one for one in (key, *map(auditkey.load, old_keys)) if one is not None}
    problems = []

    def report(problem):
        problems.append(problem)
        if not as_json and len(problems) <= _SHOWN_PROBLEMS:
            click.echo(f"{problem.kind}: {problem.message}", err=True)

    with _opened(database) as opened:
        summary = auditverify.verify(opened, keys, report, expect=expect, must_be_keyed=key is not None)
    if as_json:
        output.as_json({**output.plain(summary), "problem": problems})
    else:
        if len(problems) > _SHOWN_PROBLEMS:
            click.echo(f"and {len(problems) - _SHOWN_PROBLEMS:,} more; --json gives all", err=True)
        _say(summary)
    exits.leave(exits.Exit.NEGATIVE if problems else exits.Exit.DONE)


def _say(summary) -> None:
    click.echo(f"{summary.blocks:,} blocks ({summary.keyed:,} with a key), {summary.rows:,} rows; "
               f"{summary.waiting:,} rows wait to be sealed")
    for prune in summary.pruned:
        click.echo(f"blocks {prune.first_block} to {prune.last_block} ({prune.rows:,} rows before "
                   f"{_when(prune.older_than)}) were removed by {prune.user_name} on {_when(prune.at)}: {prune.reason}")
    click.echo(f"head {summary.head}")
    if summary.problems:
        click.echo(f"{summary.problems:,} things do not fit", err=True)
    else:
        click.echo("everything is as it was sealed" + ("" if summary.keyed else "; without a key this shows accidents, "
                   "not forgers: see docs/audit.md"))


@audit.command(epilog="Example: lrs-soap audit head >> /mnt/elsewhere/audit-heads.txt")
@_common
def head(database, as_json) -> None:
    """Print the end of the chain, to keep where the register's administrators cannot change it."""
    from lrs_soap.store import auditchain
    from lrs_soap.store import engine as engines

    with _opened(database) as opened, engines.read(opened) as conn:
        found = auditchain.head(conn)
    output.done(as_json, str(found), number=found.number, hash=found.hash.hex())


@audit.command(epilog="Example: lrs-soap audit seal --audit-key /etc/lrs/audit.key")
@auditoptions.key
@_common
def seal(audit_key, database, as_json) -> None:
    """Seal the rows that wait, as the workers of a server do every second."""
    from lrs_soap.store import auditchain

    key, total = _key(audit_key), 0
    with _opened(database) as opened:
        while rows := auditchain.seal(opened, key, datetime.datetime.now(datetime.UTC)):
            total += rows
    output.done(as_json, f"{total:,} rows sealed", rows=total)


@audit.command(epilog="Example: lrs-soap audit search --uln 4123001008 --since 2026-11-01")
@auditoptions.filters
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="The most rows to show, newest first.")
@options.operator_option
@_common
def search(limit, operator, database, as_json, **filters) -> None:
    """Find rows of the trail, newest first. Exit code 1: there is none."""
    with _looking("audit search", database, operator, filters) as rows:
        found = list(rows(newest_first=True, limit=limit))
    if as_json:
        output.as_json(found)
    else:
        output.table(["when", "organisation", "user", "operation", "code", "request", "learners"], [
            [_when(row.at), row.organisation_ref or row.reference, row.user_name, row.operation, row.code, row.request_id,
             " ".join(row.ulns)] for row in found
        ])  # fmt: skip
    exits.leave(exits.Exit.DONE if found else exits.Exit.NEGATIVE)


@audit.command(epilog="Example: lrs-soap audit export --format csv --since 2026-01-01 --output audit-2026.csv")
@auditoptions.filters
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True,
              help="jsonl: one JSON object a line.")
@click.option("--output", "target", type=click.Path(dir_okay=False, writable=True), default="-", metavar="FILE",
              help="Where to write [default: standard output].")
@options.operator_option
@_common
def export(form, target, operator, database, as_json, **filters) -> None:
    """Write the rows of the trail, oldest first, as a stream."""
    from lrs_soap.cli import auditexport

    with _looking("audit export", database, operator, filters) as rows, auditexport.opened(target) as file:
        count = auditexport.WRITERS[form](file, _FIELDS, map(output.plain, rows()))
    if target != "-":
        output.done(as_json, f"{count:,} rows written to {target}", rows=count, file=target)


@audit.command(epilog="Example: lrs-soap audit prune --reason 'retention policy 2026' --audit-key /etc/lrs/audit.key")
@click.option("--older-than", "years", type=auditoptions.Age(), help="Such as 8y; at least, and by default, audit_keep_years.")
@click.option("--reason", required=True, help="Why. It is kept with the record of the removal; name nobody in it.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@auditoptions.key
@options.operator_option
@_common
def prune(years, reason, yes, audit_key, operator, database, as_json) -> None:
    """Remove old rows for good, as the policy wants. The chain still holds, and says who removed what."""
    from lrs_soap import settings
    from lrs_soap.operations import trail

    keep, key, now = settings.load(database=database).audit_keep_years, _key(audit_key), datetime.datetime.now(datetime.UTC)
    years = keep if years is None else years
    if not reason.strip():
        raise click.UsageError("give a reason: the record has nothing else")
    if not yes and not click.confirm(f"Remove every audit row older than {years} years for good?", err=True):
        raise exits.Failure("nothing was removed", exits.Exit.NEGATIVE)
    with _opened(database) as opened, exits.failing(exits.Exit.USAGE):
        records = list(trail.prune(opened, key, trail.years_before(now, years), keep_years=keep, user_name=operator,
                                   reason=reason.strip(), at=now))  # fmt: skip
    rows = sum(record.rows for record in records)
    blocks = sum(record.last_block - record.first_block + 1 for record in records)
    output.done(as_json, f"{rows:,} rows of {blocks:,} blocks removed", rows=rows, blocks=blocks)


@contextlib.contextmanager
def _looking(operation: str, database: str | None, operator: str, filters: dict):
    """A function that gives the rows wanted; the look is audited when they have been given, with the ULN asked for."""
    from lrs_soap.cli import register
    from lrs_soap.operations import trail
    from lrs_soap.store import auditsearch
    from lrs_soap.store import engine as engines

    began = time.perf_counter()
    with _opened(database) as opened, opened.connect() as conn:
        name = filters.pop("organisation")
        organisation = None if name is None else register.named(conn, name).id
        wanted = auditsearch.Wanted(organisation=organisation, **filters)
        try:
            yield lambda **more: auditsearch.search(conn, wanted, **more)
        finally:
            conn.rollback()  # also an export that ended half way was a look
            with engines.write(opened) as writing:
                trail.note(writing, operation, operator, ulns=(wanted.uln,) if wanted.uln else (), began=began)


def _opened(database: str | None):
    from lrs_soap.cli import register

    return register.opened(database)


def _key(path: str | None) -> bytes | None:
    from lrs_soap import auditkey, settings

    return auditkey.load(settings.load(audit_key=path).audit_key)


def _when(moment: datetime.datetime) -> str:
    from lrs_soap.register import ENGLAND

    return moment.astimezone(ENGLAND).strftime("%Y-%m-%d %H:%M:%S")
