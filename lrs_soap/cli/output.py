"""What commands print: tables for people, JSON for programs."""

import dataclasses
import datetime
import io
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table to standard output; nothing is cut off when it goes to a file or a pipe."""
    from rich import box, console, text
    from rich import table as rich_table

    grid = rich_table.Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    for row in rows:
        # Text, not str: brackets in a value are not rich's markup.
        grid.add_row(*[text.Text("" if cell is None else str(cell)) for cell in row])
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    out = console.Console(file=io.StringIO(), width=width, highlight=False)
    out.print(grid)
    for line in out.file.getvalue().splitlines():
        click.echo(line.rstrip())


def as_json(value: Any) -> None:
    """Prints `value` (dataclasses included) as JSON to standard output."""
    click.echo(text(value))


def text(value: Any) -> str:
    """`value` as the text of JSON."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False)


def plain(value: Any) -> Any:
    """`value` as JSON has it: a dataclass is an object of its attributes, without those that are None; a moment is
    ISO 8601, bytes are hexadecimal."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if getattr(value, field.name) is not None
        }
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value


def done(json_wanted: bool, message: str, **facts) -> None:
    """Says what a command did: `message` to people, `facts` as JSON."""
    if json_wanted:
        as_json(facts)
    else:
        click.echo(message)
