"""The first line of a CSV batch file: which separator it uses and which columns it names."""

from collections.abc import Iterator

from lrs_soap.batchfile import layout, problems, scanner
from lrs_soap.batchfile.problems import Effect

_DELIMITERS = (",", ";", "\t")
_FOLDED = {column.lower(): column for column in layout.COLUMNS}


def delimiter(line: str) -> str:
    """The separator by which `line` names most columns; a comma when none names any."""
    def known(candidate: str) -> int:
        return sum(part.strip(' "\r\n').lower() in _FOLDED for part in line.split(candidate))

    return max(_DELIMITERS, key=known)


def judge(row: scanner.Row) -> tuple[list[str | None], list[problems.Problem]]:
    """The column that each value of the file belongs to (None: to none), and what is wrong with the headings.

    Columns are recognised whatever their case and order, so that the values can be judged too. Raises
    problems.Unreadable when no heading is one of the format's.
    """
    columns: list[str | None] = []
    for text in row.values:
        column = _FOLDED.get(text.strip().lower())
        columns.append(None if column in columns else column)
    if not any(columns):
        raise problems.Unreadable(problems.Problem(
            line=1, rule="heading", message="The first line does not hold the headings", effect=Effect.FILE,
            advice="`lrs-soap batch new` makes a file with the right ones, also from another CSV file",
        ))  # fmt: skip
    return columns, list(_wrong(row, columns))


def _wrong(row: scanner.Row, columns: list[str | None]) -> Iterator[problems.Problem]:
    for index, (text, column) in enumerate(zip(row.values, columns, strict=True)):
        if column is None:
            twice = text.strip().lower() in _FOLDED
            yield _problem(row, index, "stands twice" if twice else "is not a heading of the format",
                           "Remove this column")
        elif text != column:
            yield _problem(row, index, "is not written exactly so", f"Write {column}: capitals count, and blanks too")
    missing = [column for column in layout.COLUMNS if column not in columns]
    for column in missing:
        yield problems.Problem(
            line=row.line, column=column, rule="heading", message="The heading is missing", effect=Effect.FILE,
            advice=f"Add the column {column} as number {layout.COLUMNS.index(column) + 1}, empty if it is not used",
        )  # fmt: skip
    order = [column for column in layout.COLUMNS if column in columns]
    for index, column in enumerate(column for column in columns if column):
        if column != order[index]:
            yield _problem(row, columns.index(column), f"stands where {order[index]} should",
                           "Put the columns in the order of the format")
            return  # every column after it is out of place too


def _problem(row: scanner.Row, index: int, message: str, advice: str) -> problems.Problem:
    text = row.values[index]
    return problems.Problem(
        line=row.places[index][0], column=_FOLDED.get(text.strip().lower()), cell=f"{layout.letter(index + 1)}1",
        value=text, rule="heading", message=f"The heading {message}", advice=advice, effect=Effect.FILE,
    )  # fmt: skip
