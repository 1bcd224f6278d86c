"""Reads a batch file in CSV form."""

from collections.abc import Iterator
from pathlib import Path

from lrs_soap.batchfile import encodings, headings, layout, problems, scanner, source
from lrs_soap.batchfile.problems import Effect


def read(path: Path) -> Iterator[source.Item]:
    """The file's own values, then its learners, with every problem of form where it is met.

    Raises problems.Unreadable for an encoding that cannot be read, and when the headings leave nothing to go by.
    """
    codec = encodings.detect(path)
    lines = encodings.lines(path, codec)
    first = next(lines, None)
    if first is None:
        raise problems.Unreadable(problems.Problem(
            line=1, rule="empty", message="The file is empty", effect=Effect.FILE,
            advice="`lrs-soap batch new` makes a correct empty file",
        ))  # fmt: skip
    delimiter = headings.delimiter(first.text)
    # P: Excel's "Unicode Text" is always separated by tabs.
    if delimiter != "," and not (delimiter == "\t" and codec == "utf-16"):
        yield _wrong_delimiter(delimiter)
    rows = scanner.rows(_again(first, lines), delimiter)
    heading = next(rows)
    if heading.quote is not None:
        raise problems.Unreadable(heading.quote)
    columns, wrong = headings.judge(heading)
    yield from wrong
    yield from _body(path, rows, columns, len(heading.values))


def _again(first: encodings.Line, rest: Iterator[encodings.Line]) -> Iterator[encodings.Line]:
    yield first
    yield from rest


def _body(path: Path, rows: Iterator[scanner.Row], columns: list[str | None], width: int) -> Iterator[source.Item]:
    number, empty = 0, []
    for row in rows:
        if row.empty:
            empty.append(row.line)
            del empty[2:]  # the first is told; a second says that there are more
            continue
        number += 1
        if empty:
            yield _empty_lines(empty)
            empty = []
        values = {
            column: source.Value(text, row.places[index][0], column, f"{layout.letter(index + 1)}{row.number}")
            for index, (column, text) in enumerate(zip(columns, row.values, strict=False))
            if column is not None and text != ""
        }
        if number == 1:
            own = {column: values[column] for column in layout.FILE_COLUMNS if column in values}
            yield source.FileValues(path.name, row.line, own)
        unreadable = [] if row.quote is None else [row.quote]
        if row.quote is None and len(row.values) != width:
            unreadable.append(_wrong_width(row, width))
        yield from unreadable
        if number > 1:
            yield from (_repeated(values[column]) for column in layout.FILE_COLUMNS if column in values)
        learner = {layout.FIELD_OF[c].attribute: value for c, value in values.items() if c in layout.FIELD_OF}
        yield source.Learner(number, row.line, learner, tuple(unreadable))
    if empty:
        yield _empty_lines(empty)


def _wrong_delimiter(delimiter: str) -> problems.Problem:
    name = {";": "semicolons", "\t": "tabs"}[delimiter]
    return problems.Problem(
        line=1, rule="delimiter", message=f"The values are separated by {name}, not by commas", effect=Effect.SERVICE,
        advice='Save the file as "CSV UTF-8 (Comma delimited)"; if the list separator of the computer is another, '
               "set it to a comma first",
    )  # fmt: skip


def _wrong_width(row: scanner.Row, width: int) -> problems.Problem:
    few = len(row.values) < width
    return problems.Problem(
        line=row.line, rule="columns", effect=Effect.LEARNER,
        message=f"The row has {len(row.values)} values where the headings are {width}",
        advice="Write an empty value for each column that is not used" if few else
               "Put quotes around a value that holds a comma, and remove values after the last column",
    )  # fmt: skip


def _empty_lines(found: list[int]) -> problems.Problem:
    more = " and others after it are" if len(found) > 1 else " is"
    return problems.Problem(
        line=found[0], rule="empty-line", message=f"The line{more} empty", effect=Effect.SERVICE,
        advice="Delete empty rows, also those after the last learner",
    )  # fmt: skip


def _repeated(value: source.Value) -> problems.Problem:
    advice = "Empty this cell"
    return value.problem("first-row-only", f"{value.column} stands in the first data row only", advice, Effect.SERVICE)
