"""Writes a synthetic register, and what is known of it, as files; memory does not grow with their size."""

import contextlib
import dataclasses
import functools
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TextIO

from lrs_soap import contract
from lrs_soap.synth import numbers, people, truth

_NAMES = {field.attribute: field.name for field in contract.TYPES["Learner"].fields}
HEADINGS = tuple(_NAMES[attribute] for attribute in people.Learner._fields)
"""Of the register: element names of the contract's Learner."""
TRUTH_HEADINGS = ("Kind", "Mistakes", *(_NAMES[attribute] for attribute in truth.Search._fields[2:]))
PAIR_HEADINGS = ("Kind", "ULN", "DuplicateULN")

_AHEAD = 64  # blocks made but not yet written: what bounds the memory when the reader of a pipe is slow
_WORTH_PROCESSES = 20  # blocks: below it starting processes takes longer than they save


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What to make: `learners` of `seed`, `searches` for them and for others, and `duplicates` beyond the learners."""

    learners: int
    seed: int
    searches: int = 0
    duplicates: int = 0

    @property
    def blocks(self) -> int:
        """How many blocks the learners fill."""
        return -(-self.learners // numbers.BLOCK)


class _Made(NamedTuple):
    register: list
    searches: list
    pairs: list


class Files(NamedTuple):
    """Where to write; None for what is not wanted. delimiter: of all three, a comma or a tab."""

    register: TextIO | None
    truth: TextIO | None = None
    pairs: TextIO | None = None
    delimiter: str = ","


def write(plan: Plan, files: Files, processes: int | None = None, progress: Callable[[int], None] = lambda n: None):
    """Writes what `plan` says. processes: that make blocks (default: one for each processor). progress gets the number
    of learners written so far.

    Raises ValueError for more than a register can have, or more duplicates than a tenth of the learners.
    """
    if plan.learners > numbers.MOST:
        raise ValueError(f"a register has at most {numbers.MOST:,} learners")
    if plan.duplicates * 10 > plan.learners:
        raise ValueError("at most one learner in ten can have a second record")
    if plan.searches and not plan.learners:
        raise ValueError("searches are made of learners: ask for at least one")
    headings = (HEADINGS, TRUTH_HEADINGS, PAIR_HEADINGS)
    for file, heading in zip(files[:3], headings):
        if file is not None:
            file.write(files.delimiter.join(heading) + "\n")
    make = functools.partial(_rendered, plan, files.delimiter)
    written = 0
    with _mapped(make, plan.blocks, processes or os.cpu_count() or 1) as made:
        for texts in made:
            for file, text in zip(files[:3], texts):
                if file is not None:
                    file.write(text)
            written = min(written + numbers.BLOCK, plan.learners)
            progress(written)


def _made(plan: Plan, number: int) -> _Made:
    members = people.block(plan.seed, number)[: plan.learners - number * numbers.BLOCK]
    twice = truth.duplicates(plan.seed, number, members, _share(plan.duplicates, plan, number))
    searches = truth.searches(plan.seed, number, members, _share(plan.searches, plan, number))
    pairs = [(kind, uln, record.uln) for kind, uln, record in twice]
    return _Made([*members, *(record for _, _, record in twice)], searches, pairs)


def _share(total: int, plan: Plan, number: int) -> int:
    """How many of `total` a block makes, so that all of them make exactly that many."""
    done = min(number * numbers.BLOCK, plan.learners)
    then = min(done + numbers.BLOCK, plan.learners)
    return then * total // plan.learners - done * total // plan.learners


def _rendered(plan: Plan, delimiter: str, number: int) -> tuple[str, ...]:
    # No value of these tables has a comma, a tab or a quote: a test looks.
    return tuple("".join(delimiter.join(map(str, row)) + "\n" for row in rows) for rows in _made(plan, number))


@contextlib.contextmanager
def _mapped(make: Callable, blocks: int, processes: int) -> Iterator[Iterable[tuple[str, ...]]]:
    if processes == 1 or blocks < _WORTH_PROCESSES:
        yield map(make, range(blocks))
        return
    room = threading.Semaphore(_AHEAD)

    def wanted() -> Iterator[int]:
        for number in range(blocks):
            room.acquire()
            yield number

    def taken(results: Iterable) -> Iterator[tuple[str, ...]]:
        for result in results:
            room.release()
            yield result

    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        try:
            yield taken(pool.imap(make, wanted()))
        finally:
            room.release(blocks)  # the thread that hands out work waits for it, and the pool for that thread
