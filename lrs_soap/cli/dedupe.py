"""lrs-soap dedupe: a work list of ULNs that are likely one person."""

import contextlib
import csv
import functools
import os
import sys
import tempfile
from pathlib import Path

import click

from lrs_soap import filemodes
from lrs_soap.cli import exits, options, output, progress

HEADINGS = ("MasterULN", "MergedULN", "Score", "Reason", "Different", "Command")


@click.command(epilog="Example: lrs-soap dedupe --out worklist.csv")
@click.option("--threshold", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.01, show_default=True,
              help="The least score of a pair, between 0 and 1.")
@click.option("--all", "all_pairs", is_flag=True, help="Show pairs too that no search would take for one person: twins.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write the work list, as CSV [default: standard output].")
@click.option("--backend", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True,
              help="What compares; spark needs Java and the extra `spark`.")
@click.option("--spark-master", default="local[*]", show_default=True, metavar="URL",
              help="Where Spark runs; hosts of a cluster must share --directory.")
@click.option("--memory", default="4GB", show_default=True, help="The most memory that DuckDB, or Spark's driver, may use.")
@click.option("--directory", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Where there is room for what does not fit into memory; emptied afterwards [default: TMPDIR].")
@options.database_option
@options.json_option
@exits.handles()
def dedupe(threshold, all_pairs, out, backend, spark_master, memory, directory, database, as_json) -> None:
    """Look through the whole register for people who have two ULNs, and write what to merge, likeliest first.

    Nothing is changed: each row has the command that merges, for somebody to look at both learners first. Exit code 0:
    there are no such pairs; 1: there are some. Needs the extra `dedupe` (pip install 'lrs_soap[dedupe]').
    """
    from lrs_soap.cli import register

    try:
        from lrs_soap.dedupe import backends, proposals

        if backend == "spark":
            import pyspark  # noqa: F401 - an extra of its own

            backends.need_java()
    except ModuleNotFoundError as error:
        extra = "dedupe,spark" if backend == "spark" else "dedupe"
        raise exits.Failure(f"{error.name} is not installed: pip install 'lrs_soap[{extra}]'", exits.Exit.USAGE) from None
    choices = {"spark": functools.partial(backends.spark, memory=memory, master=spark_master),
               "duckdb": functools.partial(backends.duckdb, memory=memory)}  # fmt: skip
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(register.opened(database))
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lrs-soap-dedupe-", dir=directory)))
        advance = stack.enter_context(progress.bar("looking for duplicates", shown=not as_json))
        found = proposals.find(opened, room, choices[backend], threshold=threshold, all_pairs=all_pairs,
                               progress=lambda what, done, total: advance(done, total))  # fmt: skip
        if as_json:
            rows = [output.plain(proposal) for proposal in found]
            output.as_json(rows)
            count = len(rows)
        else:
            file = sys.stdout if out is None else stack.enter_context(_made(out))
            count = _write(file, found)
    if not as_json:
        click.echo(f"{count:,} pairs", err=True)
    exits.leave(exits.Exit.NEGATIVE if count else exits.Exit.DONE)


def _made(path: Path):
    # It says who may be whom: nobody else need read it.
    try:
        return os.fdopen(filemodes.open_private(path, os.O_TRUNC), "w", encoding="utf-8", newline="")
    except OSError as error:
        raise exits.Failure(f"{path}: {error.strerror}", exits.Exit.USAGE) from None


def _write(file, found) -> int:
    writer = csv.writer(file)
    writer.writerow(HEADINGS)
    count = 0
    for count, one in enumerate(found, 1):
        reason = one.reason or "none"
        command = f"lrs-soap learner merge {one.merged} --into {one.master} --reason 'dedupe: {reason}'"
        writer.writerow((one.master, one.merged, f"{one.score:.6f}", reason, " ".join(one.different), command))
    return count
