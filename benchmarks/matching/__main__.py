"""python -m benchmarks.matching: prints and saves one table of recall and precision by kind of mistake."""

import argparse
import datetime
import json
import tempfile
import time
from pathlib import Path

from benchmarks.matching import ours, tally, worth
from lrs_soap.load import loading
from lrs_soap.store import engine as engines
from lrs_soap.store import schema
from lrs_soap.synth import numbers, people, truth, writing


def main() -> None:
    """Makes a register and searches, asks, and prints what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching", description=__doc__)
    parser.add_argument("--learners", type=int, default=200_000)
    parser.add_argument("--searches", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=2, help="of the register reported on; rules are tuned on 1")
    parser.add_argument("--splink", action="store_true", help="ask Splink too: needs the extra `benchmark`")
    parser.add_argument("--worth", action="store_true", help="what is lost without each row of the rules and each index")
    parser.add_argument("--all", action="store_true", help="a row for each pair of mistakes too")
    parser.add_argument("--save", type=Path, help="a directory for the table, as matching.md and matching.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        lines, saved = run(arguments, Path(directory))
    print("\n".join(lines))
    if arguments.save:
        arguments.save.mkdir(parents=True, exist_ok=True)
        (arguments.save / "matching.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (arguments.save / "matching.json").write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")


def run(arguments: argparse.Namespace, directory: Path) -> tuple[list[str], dict]:
    """The lines of the table, and the counts behind it."""
    register = directory / "register.csv"
    with register.open("w", encoding="utf-8", newline="") as file:
        writing.write(writing.Plan(arguments.learners, arguments.seed), writing.Files(file))
    searches = list(made(arguments.seed, arguments.learners, arguments.searches))
    engine = engines.create(f"sqlite:///{directory / 'register.sqlite'}")
    schema.upgrade(engine)
    with register.open("rb") as file:
        loading.load(engine, file, operator="benchmark", today=datetime.date(people.YEAR, 9, 1))
    started = time.perf_counter()
    columns = {"lrs_soap": tally.tally(searches, ours.answers(engine, searches))}
    seconds = {"lrs_soap": time.perf_counter() - started}
    worths = ["", *worth.lines(engine, searches)] if arguments.worth else []
    engine.dispose()
    if arguments.splink:
        from benchmarks.matching import peers

        # The threshold at which Splink gives as few absent people as we do is found on other searches than these.
        other = list(made(arguments.seed + 1000, arguments.learners, 9_000, of=arguments.seed))
        absent = next(row for row in columns["lrs_soap"] if row.kind == "absent people")
        for name, answers, took in peers.answers(register, searches, other, absent.anybody / absent.searches):
            columns[name], seconds[name] = tally.tally(searches, answers), took
    by_kind = {name: {row.kind: row for row in rows} for name, rows in columns.items()}
    shown = [row for row in columns["lrs_soap"] if arguments.all or not row.kind.startswith("two mistakes: ")]
    what = f"Register of {arguments.learners:,} learners, {len(searches):,} searches, seed {arguments.seed}."
    lines = [f"{what} Of absent people: the share for whom anybody was given.", "", *tally.table(shown, by_kind), ""]
    for name, rows in columns.items():
        wrong = sum(row.wrong for row in rows if ":" not in row.kind)
        lines.append(f"{name}: exact answers that are the wrong person: {wrong}; {seconds[name]:.1f} s in all")
    return lines + worths, {name: [row._asdict() for row in rows] for name, rows in columns.items()}


def made(seed: int, count: int, wanted: int, of: int | None = None):
    """`wanted` searches by `seed`, of the first `count` learners of the register `of` (default: the same seed)."""
    blocks = -(-count // numbers.BLOCK)
    for number in range(blocks):
        share = (number + 1) * wanted // blocks - number * wanted // blocks
        if share:
            yield from truth.searches(seed, number, people.block(seed if of is None else of, number), share)


if __name__ == "__main__":
    main()
