"""The Unique Learner Number: its check digit, and the order in which numbers are issued.

D  Ten digits, the first not 0. Digits times the weights 10, 9, ... 1 sum to 10 modulo 11. A nine-digit body whose
   (10 ... 2)-weighted sum is 0 modulo 11 would need the check digit 10, so it has no ULN.
D  9999999999 is the ILR's "not yet known"; it fails the check like any other wrong number.
P  The n-th number issued is a keyed permutation of n over all valid ULNs: never the same twice, not to be guessed
   from the last one, and without a retry. docs/uln.md says why.
"""

import bisect
import hashlib
import itertools
import math
import operator

from lrs_soap import errors

_BODY_LENGTH = 9
_MODULUS = 11
_REMAINDER = 10
_WEIGHTS = range(10, 0, -1)
_ZEROES = ord("0") * sum(_WEIGHTS)  # what a sum of characters has too much, beside that of their digits
_ROUNDS = 12
_KEY_BYTES = range(16, hashlib.blake2b.MAX_KEY_SIZE + 1)


class UlnsExhausted(errors.LrsError):
    """No ULN is left: the index lies outside the numbers that can be issued."""


class InvalidUln(errors.LrsError):
    """The number is not a valid ULN."""


def check_digit(body: str) -> str | None:
    """The tenth digit of the ULN whose first nine are `body`; None when no ULN begins so. (D)"""
    if len(body) != _BODY_LENGTH or not (body.isascii() and body.isdigit()) or body[0] == "0":
        return None
    digit = (_REMAINDER - sum(map(operator.mul, _WEIGHTS, map(int, body)))) % _MODULUS
    return str(digit) if digit < 10 else None


def is_valid(uln: str) -> bool:
    """Whether `uln` is ten digits, the first not 0, with the right check digit. (D)"""
    if len(uln) != _BODY_LENGTH + 1 or not (uln.isascii() and uln.isdigit()) or uln[0] == "0":
        return False
    a, b, c, d, e, f, g, h, i, j = uln.encode()  # each find asks this: written out, it takes two thirds of the time
    weighted = 10 * a + 9 * b + 8 * c + 7 * d + 6 * e + 5 * f + 4 * g + 3 * h + 2 * i + j
    return (weighted - _ZEROES) % _MODULUS == _REMAINDER


def _completions() -> tuple[tuple[int, ...], ...]:
    """[k][r]: how many k-digit endings of a body have a weighted sum (weights k+1 ... 2) of r modulo 11."""
    table = [(1,) + (0,) * (_MODULUS - 1)]
    for weight in range(2, _BODY_LENGTH + 2):
        row = table[-1]
        table.append(tuple(sum(row[(r - d * weight) % _MODULUS] for d in range(10)) for r in range(_MODULUS)))
    return tuple(table)


_COMPLETIONS = _completions()


def _bodies(length: int, residue: int) -> int:
    """How many endings of `length` digits make a valid body after a beginning whose weighted sum is `residue`."""
    return 10**length - _COMPLETIONS[length][-residue % _MODULUS]


_BODIES = tuple(tuple(_bodies(length, residue) for residue in range(_MODULUS)) for length in range(_BODY_LENGTH))


def _before(left: int, residue: int) -> tuple[int, ...]:
    """For each digit, how many valid bodies have a smaller one there: `left` digits follow, and what comes before has this
    residue. A body does not begin with 0."""
    counts = [_BODIES[left][(residue + digit * (left + 2)) % _MODULUS] for digit in range(9)]
    if left == _BODY_LENGTH - 1:
        counts[0] = 0
    return tuple(itertools.accumulate(counts, initial=0))


_BEFORE = tuple(tuple(_before(left, residue) for residue in range(_MODULUS)) for left in range(_BODY_LENGTH))

SIZE = sum(_bodies(_BODY_LENGTH - 1, first * 10 % _MODULUS) for first in range(1, 10))
"""How many valid ULNs there are."""

# The two halves of the Feistel network: SIZE as a product of two numbers as close to each other as it allows.
_LEFT = next(divisor for divisor in range(math.isqrt(SIZE), 0, -1) if SIZE % divisor == 0)
_RIGHT = SIZE // _LEFT


def _unrank(rank: int) -> str:
    """The body that has `rank` valid bodies before it in numerical order."""
    digits, residue = "", 0
    for left in range(_BODY_LENGTH - 1, -1, -1):
        before = _BEFORE[left][residue]
        digit = bisect.bisect_right(before, rank) - 1
        rank -= before[digit]
        digits, residue = digits + str(digit), (residue + digit * (left + 2)) % _MODULUS
    return digits


def _rank(body: str) -> int:
    """How many valid bodies come before `body` in numerical order."""
    rank, residue = 0, 0
    for left, text in zip(range(_BODY_LENGTH - 1, -1, -1), body, strict=True):
        first = 1 if left == _BODY_LENGTH - 1 else 0
        rank += sum(_bodies(left, (residue + d * (left + 2)) % _MODULUS) for d in range(first, int(text)))
        residue = (residue + int(text) * (left + 2)) % _MODULUS
    return rank


class Issuer:
    """Issues ULNs in the order that `key` decides: index 0, 1, 2 ... to a ULN and back. (P)

    key: 16 to 64 secret bytes; a register keeps one for ever, for another key means another order, in which numbers
    already issued come again. Raises ValueError for a key of another length.
    """

    def __init__(self, key: bytes):
        if len(key) not in _KEY_BYTES:
            raise ValueError(f"an issuer's key has {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes, not {len(key)}")
        self._rounds = tuple(
            hashlib.blake2b(digest_size=16, key=key, person=b"ULN round %d" % number) for number in range(_ROUNDS)
        )

    def _step(self, number: int, half: int) -> int:
        """The keyed round function: 128 bits, so that reducing them modulo a half leaves no measurable bias."""
        state = self._rounds[number].copy()
        state.update(half.to_bytes(4, "big"))
        return int.from_bytes(state.digest(), "big")

    def uln(self, index: int) -> str:
        """The ULN with this index (0 to SIZE - 1). Raises UlnsExhausted outside of that."""
        if not 0 <= index < SIZE:
            raise UlnsExhausted()
        left, right = divmod(index, _RIGHT)
        for number in range(0, _ROUNDS, 2):
            left = (left + self._step(number, right)) % _LEFT
            right = (right + self._step(number + 1, left)) % _RIGHT
        body = _unrank(left * _RIGHT + right)
        return body + check_digit(body)

    def index(self, uln: str) -> int:
        """The index at which this ULN is issued. Raises InvalidUln."""
        if not is_valid(uln):
            raise InvalidUln()
        left, right = divmod(_rank(uln[:-1]), _RIGHT)
        for number in range(_ROUNDS - 2, -1, -2):
            right = (right - self._step(number + 1, left)) % _RIGHT
            left = (left - self._step(number, right)) % _LEFT
        return left * _RIGHT + right
