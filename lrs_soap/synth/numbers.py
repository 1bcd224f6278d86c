"""ULNs for synthetic learners: valid, never one twice, without order, and quickly made."""

from collections.abc import Iterator

BLOCK = 1000
"""Learners of a block."""
_TRIED = 1250  # bodies kept for a block: one in eleven has no check digit, so some 1,136 are good
_BODIES = 900_000_000
MOST = _BODIES // _TRIED * BLOCK
"""The most learners of one register."""
# Odd, and not divisible by 3 or 5 either: then counting by it meets every body once.
_STEP = 577_215_667

# The part of the check sum (weights 10 ... 2) that three digits of a body bring, by their place.
_SUMS = [
    [(n // 100 * weight + n // 10 % 10 * (weight - 1) + n % 10 * (weight - 2)) % 11 for n in range(1000)]
    for weight in (10, 7, 4)
]


def ulns(first: int, block: int) -> Iterator[str]:
    """At least BLOCK ULNs for a block that no other block of the register has.

    first: any number, which says where a register begins to count.
    """
    high, middle, low = _SUMS
    at = (first + block * _TRIED * _STEP) % _BODIES
    for _ in range(_TRIED):
        body = at + 100_000_000
        digit = (10 - high[body // 1_000_000] - middle[body // 1000 % 1000] - low[body % 1000]) % 11
        if digit != 10:
            yield f"{body}{digit}"
        at = (at + _STEP) % _BODIES
