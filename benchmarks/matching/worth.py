"""What each row of the decision table, and each index, is worth: what is lost without it."""

import contextlib
from collections.abc import Iterator, Sequence
from unittest import mock

from benchmarks.matching import ours
from lrs_soap.rules import keys, matching


def lines(engine, searches: Sequence) -> Iterator[str]:
    """Lines of two Markdown tables: points of recall with one and with two mistakes that are lost without a row or an
    index, and points of absent people who are given nobody for want of it alone."""
    whole = _shares(engine, searches)
    yield from ("| without the row | one | two | absent |", "|---|---|---|---|")
    for place, rule in enumerate(matching.RULES):
        rest = matching.RULES[:place] + matching.RULES[place + 1 :]
        with mock.patch.object(matching, "RULES", rest):
            yield _line(rule.name, whole, _shares(engine, searches))
    yield from ("", "| without the index | one | two | absent |", "|---|---|---|---|")
    for index in matching.READS:
        with _blind(index):
            yield _line(", ".join(index), whole, _shares(engine, searches))


def _line(name: str, whole: list[float], less: list[float]) -> str:
    return f"| {name} | " + " | ".join(f"{100 * (a - b):.2f}" for a, b in zip(whole, less)) + " |"


def _shares(engine, searches: Sequence) -> list[float]:
    counts = {1: [0, 0], 2: [0, 0], 0: [0, 0]}
    for search, answer in zip(searches, ours.answers(engine, searches)):
        counts[search.mistakes][0] += 1
        counts[search.mistakes][1] += search.uln in answer.ulns if search.uln else bool(answer.ulns)
    return [found / max(number, 1) for number, found in counts.values()]


@contextlib.contextmanager
def _blind(index: tuple[str, ...]) -> Iterator[None]:
    def fewer(query):
        return tuple(read for read in keys.lookups(query) if read.columns != index)

    with mock.patch.object(matching, "lookups", fewer):
        yield
