"""lrs-soap load: learners with the ULNs they have, from a file into the register."""

import contextlib
import datetime
import os
import sys
from pathlib import Path

import click

from lrs_soap.cli import exits, options, output
from lrs_soap.cli import progress as bars

SHOWN = 20


@click.command(epilog="Example: lrs-soap load learners.csv --database sqlite:///register.sqlite")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--exceptions", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write the rows that are not loaded [default: FILE.exceptions.csv; none for -].")
@click.option("--restart", is_flag=True, help="Forget a load that was interrupted, instead of going on with it.")
@click.option("--processes", type=click.IntRange(1), help="How many judge rows [default: one for each processor].")
@options.operator_option
@options.database_option
@options.json_option
@exits.handles()
def load(file, exceptions, restart, processes, operator, database, as_json) -> None:
    """Load learners from FILE (- is standard input), CSV or TSV, into the register, which is made if there is none.

    The headings are the elements of the contract's Learner, and MasterULN for those merged away. Rows that are wrong,
    or whose learner is there twice, are reported and written to the exceptions file; the others are loaded. The same
    command goes on with a load that was interrupted. Exit code 0: every row is in the register; 1: some are not.
    """
    # SQLAlchemy and the register take a third of a second to import, which --help need not wait for.
    from lrs_soap.cli import register
    from lrs_soap.load import loading

    piped = str(file) == "-"
    if exceptions is None and not piped:
        exceptions = file.with_name(file.name + ".exceptions.csv")
    if exceptions is not None and not piped and exceptions.resolve() == file.resolve():
        raise click.UsageError("--exceptions names the file itself: name another")
    shown = _Problems(as_json)
    with register.opened(database, create=True) as opened, contextlib.ExitStack() as stack:
        stream = sys.stdin.buffer if piped else stack.enter_context(file.open("rb"))
        size = None if piped else os.fstat(stream.fileno()).st_size
        advance = stack.enter_context(bars.bar("loading", shown=not as_json))
        with _reading(file):
            summary = loading.load(
                opened, stream, operator=operator, today=datetime.date.today(), exceptions=exceptions, restart=restart,
                processes=processes, report=shown.take,
                progress=lambda what, done, total: advance(done, size if what == "reading" else total),
            )  # fmt: skip
    if as_json:
        written = None if summary.exceptions is None else str(summary.exceptions)
        output.as_json({**output.plain(summary), "exceptions": written, "problems": shown.kept})
    else:
        shown.end()
        _say(summary)
    exits.leave(exits.Exit.NEGATIVE if summary.rejected else exits.Exit.DONE)


def _say(summary) -> None:
    if summary.resumed_after:
        click.echo(f"went on after line {summary.resumed_after:,}, where an earlier load was interrupted")
    counts = f"{summary.loaded:,} loaded, {summary.unchanged:,} there already, {summary.rejected:,} rejected"
    rate = summary.rows / summary.seconds if summary.seconds else 0
    click.echo(f"{summary.rows:,} rows: {counts}, in {summary.seconds:,.1f} s ({rate:,.0f} rows a second)")
    if summary.exceptions is not None:
        click.echo(f"the rows that were not loaded are in {summary.exceptions}", err=True)


class _Problems:
    """Shows the first problems on standard error, or keeps them for JSON."""

    def __init__(self, as_json: bool):
        self._as_json, self._count = as_json, 0
        self.kept: list = []

    def take(self, problem) -> None:
        """A problem that was found."""
        self._count += 1
        if self._count > SHOWN:
            return
        if self._as_json:
            self.kept.append(problem)
            return
        value = f" {problem.shown()}" if problem.value else ""
        click.echo(f"{problem.place()}:{value} {problem.message}. {problem.advice}.", err=True)

    def end(self) -> None:
        """Says how many problems were not shown."""
        if self._count > SHOWN:
            click.echo(f"and {self._count - SHOWN:,} more", err=True)


@contextlib.contextmanager
def _reading(file: Path):
    from lrs_soap.batchfile import problems
    from lrs_soap.load import loading
    from lrs_soap.store import bulkload

    try:
        yield
    except (loading.ExceptionsGone, bulkload.Interrupted, bulkload.Busy) as error:
        raise exits.Failure(str(error), exits.Exit.NEGATIVE) from None
    except problems.Unreadable as error:
        raise exits.Failure(f"{file}, {error}", exits.Exit.USAGE) from None
    except OSError as error:
        raise exits.Failure(f"{error.filename or file}: {error.strerror}", exits.Exit.USAGE) from None
