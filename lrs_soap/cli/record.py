"""lrs-soap record: learners' records and the learning events in them."""

import contextlib
import sys
from pathlib import Path

import click

from lrs_soap.cli import answers, connection, exits, fields, options, output
from lrs_soap.rules.record import Source

SHOWN = 20
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(epilog="Example: lrs-soap record load events.csv --source ILR")
def record() -> None:
    """Learners' records: ask a service for one, or load learning events into a register."""


@record.command(epilog="Example: lrs-soap record get --user-type LNR --lnr-contact-type FTF --uln 9276308686"
                       " --family-name Archer --given-name Ann --date-of-birth 2001-02-03 --gender 2"
                       " --last-known-post-code 'AB1 2DE'")
@fields.options("LearnerRecordRqst")
@connection.connected
def get(call, as_json, **details) -> None:
    """Get the record of a learner whose ULN and five details are known, with the learning events.

    Exit code 0: the record was given; 1: the learner could not be verified, or does not share.
    """
    answers.record(as_json, call("get_learner_record", **details))


@record.command(epilog="Example: lrs-soap record load events.csv --source ILR --dry-run")
@click.argument("file", type=_FILE)
@click.option("--source", type=click.Choice([str(one) for one in Source]),
              help="Where the events come from; may be left out if the file has a column Source.")
@click.option("--dry-run", is_flag=True, help="Judge every row and say what would happen, but change nothing.")
@click.option("--exceptions", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write the rows that are not loaded [default: FILE.exceptions.csv; none for --dry-run].")
@options.operator_option
@options.database_option
@options.json_option
@exits.handles()
def load(file, source, dry_run, exceptions, operator, database, as_json) -> None:
    """Load learning events from a CSV file into the register.

    The headings are the elements of the contract's MIAPLearningEvent, and ULN. Rows that are wrong are reported and
    written to the exceptions file, which can be corrected and loaded in its turn; the others are loaded. The same file
    may be loaded again: what is there already does not change. Exit code 0: every row was loaded; 1: some were not.
    """
    # SQLAlchemy and the register take a third of a second to import, which --help need not wait for.
    from lrs_soap import eventload
    from lrs_soap.cli import register

    if exceptions is None and not dry_run:
        exceptions = file.with_name(file.name + ".exceptions.csv")
    if exceptions is not None and exceptions.resolve() == file.resolve():
        raise click.UsageError("--exceptions names the file itself: name another")
    problems = _Problems(as_json, None if dry_run and not as_json else SHOWN)
    with register.opened(database) as opened, _reading(file), _progress(as_json) as progress:
        summary = eventload.load(
            opened, file, Source(source) if source else None, operator=operator, exceptions=exceptions, dry_run=dry_run,
            report=problems.take, progress=progress,
        )  # fmt: skip
    problems.end(summary.exceptions)
    if as_json:
        shown = None if summary.exceptions is None else str(summary.exceptions)
        output.as_json({**output.plain(summary), "exceptions": shown, "problems": problems.kept})
    else:
        _say(summary)
    exits.leave(exits.Exit.NEGATIVE if summary.rejected else exits.Exit.DONE)


def _say(summary) -> None:
    if summary.resumed_after:
        click.echo(f"went on after row {summary.resumed_after:,}, where an earlier load was interrupted")
    names = ("added", "replaced", "unchanged", "superseded", "rejected")
    counts = ", ".join(f"{getattr(summary, name):,} {name}" for name in names)
    click.echo(f"{summary.rows:,} rows{' would be' if summary.dry_run else ''}: {counts}")


class _Problems:
    """Shows problems on standard error, or keeps them for JSON, but no more than `most` of them (None: all)."""

    def __init__(self, as_json: bool, most: int | None):
        self._as_json, self._most, self._count = as_json, most, 0
        self.kept: list = []

    def take(self, problem) -> None:
        """A problem that was found."""
        self._count += 1
        if self._most is not None and self._count > self._most:
            return
        if self._as_json:
            self.kept.append(problem)
            return
        value = f" {problem.shown()}" if problem.value else ""
        click.echo(f"{problem.place()}:{value} {problem.message}. {problem.advice}.", err=True)

    def end(self, exceptions: Path | None) -> None:
        """Says where the problems that were not shown can be seen."""
        more = 0 if self._most is None else self._count - self._most
        if not self._as_json and more > 0:
            click.echo(f"and {more:,} more", err=True)
        if not self._as_json and exceptions is not None:
            click.echo(f"the rows that were not loaded are in {exceptions}", err=True)


@contextlib.contextmanager
def _reading(file: Path):
    from lrs_soap import eventload
    from lrs_soap.batchfile import problems

    try:
        yield
    except eventload.Overtaken as error:
        raise exits.Failure(str(error), exits.Exit.NEGATIVE) from None
    except problems.Unreadable as error:
        raise exits.Failure(f"{file}, {error}", exits.Exit.USAGE) from None
    except OSError as error:
        raise exits.Failure(f"{error.filename or file}: {error.strerror}", exits.Exit.USAGE) from None


@contextlib.contextmanager
def _progress(as_json: bool):
    """A function of the line reached and the number of lines, which draws a bar if somebody is watching."""
    if as_json or not sys.stderr.isatty():
        yield lambda line, lines: None
        return
    from rich import console
    from rich import progress as rich_progress

    with rich_progress.Progress(console=console.Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading", total=None)
        yield lambda line, lines: bar.update(task, completed=min(line, lines), total=lines)
