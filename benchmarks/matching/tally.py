"""Counts what became of searches whose right answer is known."""

import collections
from collections.abc import Iterable, Sequence
from typing import NamedTuple

FIRST = 5
"""How many possibles a caller is shown."""


class Answer(NamedTuple):
    """What a search gave: the ULNs, best first; exact says that it was the one exact match."""

    ulns: Sequence[str] = ()
    exact: bool = False


class Row(NamedTuple):
    """Of the searches of a kind: how many, exact and right, exact and wrong, right among the first five, anybody at all."""

    kind: str
    searches: int
    exact: int
    wrong: int
    found: int
    anybody: int


def tally(searches: Iterable, answers: Iterable[Answer]) -> list[Row]:
    """A row for each kind of one mistake, then for each kind of absent people, with a row of the sum of one mistake, of
    two and of absent people before them."""
    rows: dict[str, list[int]] = collections.defaultdict(lambda: [0] * 5)
    for search, answer in zip(searches, answers, strict=True):
        right = bool(search.uln) and search.uln in answer.ulns[:FIRST]
        counts = (1, answer.exact and right, answer.exact and not right, right, bool(answer.ulns))
        group = {0: "absent people", 1: "one mistake", 2: "two mistakes"}[search.mistakes]
        for name in (group, f"{group}: {search.kind}"):
            rows[name] = [total + count for total, count in zip(rows[name], counts)]
    return [Row(name, *rows[name]) for name in sorted(rows)]


def table(rows: Iterable[Row], columns: dict[str, dict[str, Row]]) -> list[str]:
    """Lines of a Markdown table of `rows`, with the share found or, of absent people, the share for whom anybody was
    given, of each of `columns`."""
    lines = [f"| searches | number | {' | '.join(columns)} |", "|---|---|" + "---|" * len(columns)]
    for row in rows:
        cells = []
        for found in columns.values():
            other = found[row.kind]
            count = other.anybody if row.kind.startswith("absent") else other.found
            cells.append(f"{100 * count / row.searches:.1f} %")
        lines.append(f"| {row.kind} | {row.searches:,} | {' | '.join(cells)} |")
    return lines
