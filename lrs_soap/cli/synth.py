"""lrs-soap synth: a synthetic register, and searches of it whose answers are known."""

import contextlib
import os
import sys
from pathlib import Path

import click

from lrs_soap.cli import exits, progress

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog="Example: lrs-soap synth 100000 --seed 1 --out register.csv --truth truth.csv --searches 10000")
@click.argument("number", metavar="N", type=click.IntRange(0))
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same learners, anywhere.")
@click.option("--out", type=_FILE, metavar="FILE", help="Where to write the learners [default: standard output].")
@click.option("--truth", type=_FILE, metavar="FILE", help="Where to write searches, each with the ULN it should find.")
@click.option("--searches", type=click.IntRange(0), metavar="M", help="How many searches [default: 10000 with --truth].")
@click.option("--duplicates", type=click.IntRange(0), metavar="K", default=0,
              help="How many second records, under other ULNs, of learners who have one already.")
@click.option("--pairs", type=_FILE, metavar="FILE", help="Where to write which ULNs are of one person.")
@click.option("--tsv", is_flag=True, help="Write tabs instead of commas; also taken from a name that ends in .tsv.")
@click.option("--processes", type=click.IntRange(1), help="How many make learners [default: one for each processor].")
def synth(number, seed, out, truth, searches, duplicates, pairs, tsv, processes) -> None:
    """Make a synthetic register of N learners: UK names as frequent as they are, families, twins, marriages.

    The file is what `lrs-soap load` takes. Nobody in it exists.
    """
    if searches is not None and truth is None:
        raise click.UsageError("--searches needs --truth: where to write them")
    if pairs is not None and not duplicates:
        raise click.UsageError("--pairs needs --duplicates: how many second records to make")
    if len({path.resolve() for path in (out, truth, pairs) if path}) < sum(path is not None for path in (out, truth, pairs)):
        raise click.UsageError("--out, --truth and --pairs are different files")
    from lrs_soap.synth import writing

    plan = writing.Plan(number, seed, (10_000 if searches is None else searches) if truth and number else 0, duplicates)
    tsv = tsv or (out is not None and out.suffix == ".tsv")
    try:
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(path.open("w", encoding="utf-8", newline="")) if path else None
                     for path in (out, truth, pairs)]  # fmt: skip
            if out is None:
                files[0] = stack.enter_context(_standard_output())
            advance = stack.enter_context(progress.bar("making learners", shown=out is not None))
            writing.write(plan, writing.Files(*files, "\t" if tsv else ","), processes, lambda n: advance(n, number))
    except BrokenPipeError:
        # Whoever reads has enough, as `head` has. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise exits.Failure(f"{error.filename or out}: {error.strerror}", exits.Exit.USAGE) from None
    except ValueError as error:
        raise exits.Failure(str(error), exits.Exit.USAGE) from None


@contextlib.contextmanager
def _standard_output():
    # UTF-8 whatever the terminal speaks: the same file on any machine.
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    yield sys.stdout
    sys.stdout.flush()
