"""How the errors of a batch file and the progress of its submission are shown."""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator

import click

from lrs_soap.batchfile import problems as batch_problems


def problems(found: Iterable[batch_problems.Problem], as_json: bool) -> int:
    """Prints each problem as it comes, so that a file of any length takes no more memory; gives their number."""
    number = 0
    if as_json:
        click.echo('{"errors": [', nl=False)
    for number, problem in enumerate(found, 1):
        if as_json:
            separator = ",\n" if number > 1 else "\n"
            fields = dataclasses.asdict(problem) | {"effect": str(problem.effect)}
            click.echo(f"{separator}{json.dumps(fields, ensure_ascii=False)}", nl=False)
        else:
            value = problem.shown()
            click.echo(f"{problem.place()}: {problem.message}{f': {value}' if value else ''}")
            click.echo(f"    {problem.advice}. [{problem.rule}, {problem.effect}]")
    if as_json:
        click.echo(f'\n], "valid": {json.dumps(number == 0)}}}')
    else:
        click.echo(f"{number} error{'s' if number != 1 else ''}." if number else "No errors.")
    return number


@contextlib.contextmanager
def bar(what: str, total: int, as_json: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, where there is a terminal; gives the function that says how many are done."""
    from rich import console, progress

    out = console.Console(stderr=True)
    with progress.Progress(
        progress.TextColumn("{task.description}"), progress.BarColumn(), progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(), console=out, disable=as_json or not out.is_terminal, transient=True,
    ) as shown:  # fmt: skip
        task = shown.add_task(what, total=total)
        yield lambda done: shown.update(task, completed=done)
