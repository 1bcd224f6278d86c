"""Proposes pairs of ULNs that are one person: Splink finds and scores them, the rules of matching say why.

P: a pair is proposed if Splink's score reaches a threshold and a search with the one's details would give the other. A
score alone cannot tell twins, who share all but a given name, from one person who has moved; the rules can.
"""

import contextlib
import csv
import dataclasses
import datetime
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Engine

from lrs_soap.dedupe import backends, model
from lrs_soap.rules import keys, likeness, matching, names
from lrs_soap.store import engine as engines
from lrs_soap.store import extract, learners

Opened = Callable[[Path, Path], contextlib.AbstractContextManager[backends.Database]]
"""Opens one of `backends` with the learners of a file, in a directory."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Two ULNs that are likely one person. master: the one to keep, registered first; merged: the other.

    score: Splink's probability. reason: the row of `matching.RULES` that takes them; None if none does. different: the
    fields of the five in which they differ.
    """

    master: str
    merged: str
    score: float
    reason: str | None
    different: tuple[str, ...]


def find(
    engine: Engine,
    directory: Path,
    opened: Opened,
    *,
    threshold: float,
    all_pairs: bool = False,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Iterator[Proposal]:
    """The proposals for a register, best first.

    directory: an empty one of this run's own, for what does not fit into memory; it will hold personal data. threshold: the least score, 0 to 1. all_pairs: also those that no rule takes. progress gets what is
    being done, how much of it is, and how much there is. Raises what the databases raise.
    """
    logging.getLogger("splink").setLevel(logging.ERROR)
    total = extract.count(engine)
    if total < 2:
        return  # Splink divides by the number of pairs
    table = directory / "learners.csv"
    _write(engine, table, lambda done: progress("reading the register", done, total))
    with opened(table, directory) as database:
        progress("learning from the register", 0, 1)
        linker = model.trained(database.table, database.api)
        progress("comparing", 0, 1)
        pairs = linker.inference.predict(threshold_match_probability=threshold)
        for rows in database.best(pairs.physical_name):
            yield from _judged(engine, rows, all_pairs)


_READ = ("uln", "given_name", "family_name", "previous_family_name", "date_of_birth", "last_known_post_code", "gender")


def _write(engine: Engine, path: Path, progress: Callable[[int], None]) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(model.COLUMNS)
        for done, (uln, given, family, previous, born, postcode, gender) in enumerate(extract.live(engine, _READ), 1):
            writer.writerow((
                uln, names.fold(given), names.fold(family), names.fold(previous), born, _day(born), *_places(postcode),
                "" if gender in likeness.UNKNOWN_GENDERS else gender,
            ))  # fmt: skip
            if done % 10_000 == 0:
                progress(done)


def _day(date: str) -> int | str:
    """The number of the day; "" for what is no date."""
    try:
        return datetime.date.fromisoformat(date).toordinal()
    except ValueError:
        return ""


_POSTCODE = re.compile(r"(([A-Z]{1,2})[0-9][0-9A-Z]?)([0-9])[A-Z]{2}")


def _places(postcode: str) -> tuple[str, str, str, str]:
    """The folded postcode, its sector, district and area; "" for what is not known. (BS 7666: area and number are the
    district, with the first figure of the other half the sector.)"""
    code = names.fold_postcode(postcode)
    if code.startswith(likeness.UNKNOWN_POSTCODES):
        return "", "", "", ""
    parts = _POSTCODE.fullmatch(code)
    return (code, parts[1] + parts[3], parts[1], parts[2]) if parts else (code, "", "", "")


def _judged(engine: Engine, rows: list[backends.Pair], all_pairs: bool) -> Iterator[Proposal]:
    with engines.read(engine) as conn:
        known = learners.by_ulns(conn, {uln for row in rows for uln in row[:2]})
    for *pair, score in rows:
        if not all(uln in known for uln in pair):
            continue  # deleted for good since it was read
        first, second = sorted((known[uln] for uln in pair), key=lambda one: (one.created_date, one.uln))
        reason = _reason(first, second) or _reason(second, first)
        if reason or all_pairs:
            yield Proposal(
                master=first.uln, merged=second.uln, score=round(score, 6), reason=reason,
                different=_different(first, second),
            )  # fmt: skip


_FIVE = ("given_name", "family_name", "date_of_birth", "gender", "last_known_post_code")


def _reason(one: learners.StoredLearner, other: learners.StoredLearner) -> str | None:
    query = matching.Query(**{name: getattr(one, name) for name in (*_FIVE, *matching.OPTIONAL_FIELDS)})
    matches = matching.decide(query, [other]).matches
    return matches[0].rule if matches else None


def _different(one: learners.StoredLearner, other: learners.StoredLearner) -> tuple[str, ...]:
    return tuple(name for name, a, b in zip(_FIVE, keys.fields(one), keys.fields(other)) if a != b)
