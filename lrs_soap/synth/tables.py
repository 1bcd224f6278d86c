"""Reads the tables of names and places in `data/`, and makes of each a list to draw from.

Only whole numbers decide which name gets which place of a list, so that it is the same list on every machine.
"""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import NamedTuple

SLOTS = 4096
"""Places of a list: a name has as many as its share of them. Drawn by `slots[int(random() * SLOTS)]`."""


def slots(values: Sequence, weights: Sequence[int]) -> tuple:
    """SLOTS values, each as often as its weight among the weights says."""
    ends, total = list(itertools.accumulate(weights)), sum(weights)
    drawn, place = [], 0
    for slot in range(SLOTS):
        while ends[place] * SLOTS <= slot * total:
            place += 1
        drawn.append(values[place])
    return tuple(drawn)


def ranked(count: int, evenness: int = 0) -> list[int]:
    """Weights of `count` names, the commonest first: falling with the square root of the rank, as British family
    names do (the 100th is a tenth as common as Smith)."""
    return [10**9 // math.isqrt((rank + evenness) * 10**8) for rank in range(1, count + 1)]


class Area(NamedTuple):
    """A postcode area: its letters, how many districts it has, which communities live there, and its town."""

    letters: str
    districts: int
    kind: str
    town: str


@functools.cache
def areas() -> tuple[Area, ...]:
    """Postcode areas, by population."""
    rows = [line.split(" ", 4) for line in _lines("places.txt")]
    values = [Area(letters, int(districts), kind, town) for letters, _, districts, kind, town in rows]
    return slots(values, [int(row[1]) for row in rows])


@functools.cache
def communities() -> dict[str, tuple[str, ...]]:
    """By kind of area: the communities there."""
    drawn = {}
    for line in _lines("communities.txt"):
        kind, *shares = line.split()
        drawn[kind] = slots(shares[::2], [int(share) for share in shares[1::2]])
    return drawn


@functools.cache
def given() -> dict[tuple[str, str], tuple[tuple[int, tuple[str, ...]], ...]]:
    """By community and gender (m, f): the year from which a list holds, and the list."""
    found: dict[tuple[str, str], list] = {}
    for heading, words in _sections("given.txt"):
        community, gender, year, evenness = heading.split()
        drawn = slots(words, ranked(len(words), int(evenness)))
        found.setdefault((community, gender), []).append((int(year), drawn))
    return {key: tuple(lists) for key, lists in found.items()}


@functools.cache
def family() -> dict[str, tuple[tuple[str, str], ...]]:
    """By community: family names as their sons and their daughters bear them."""
    sections = dict(_sections("family.txt"))
    drawn = {}
    for community in {name for names in communities().values() for name in names}:
        sons = sections.get(community) or sections[f"{community}-m"]
        daughters = sections.get(community) or sections[f"{community}-f"]
        drawn[community] = slots(list(zip(sons, daughters, strict=True)), ranked(len(sons)))
    return drawn


@functools.cache
def rare() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Beginnings and endings of the many English names that few people bear: the names of places."""
    sections = dict(_sections("family.txt"))
    return tuple(slots(sections[part], ranked(len(sections[part]), 5)) for part in ("beginnings", "endings"))


@functools.cache
def nicknames() -> dict[str, list[str]]:
    """By given name: what those who bear it are called, the commonest first."""
    words = (entry.split() for entry in " ".join(_lines("nicknames.txt")).split(";"))
    return {name: called for name, *called in filter(None, words)}


def _lines(name: str) -> Iterator[str]:
    text = (resources.files("lrs_soap.synth") / "data" / name).read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def _sections(name: str) -> Iterator[tuple[str, list[str]]]:
    heading, words = "", []
    for line in _lines(name):
        if line.startswith("["):
            if words:
                yield heading, words
            heading, words = line.strip("[]"), []
        else:
            words += line.split()
    yield heading, words
