"""rules.uln: the check digit as published, and an issue order that is a permutation of all valid numbers."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs_soap import errors
from lrs_soap.rules import uln

KEY = bytes(range(32))
ISSUER = uln.Issuer(KEY)
INDEXES = st.integers(0, uln.SIZE - 1) | st.integers(0, 1000) | st.integers(uln.SIZE - 1000, uln.SIZE - 1)


def weighted(digits: str) -> int:
    """The rule as published, written down once more: digits times 10, 9, ... 1."""
    return sum(int(digit) * (10 - place) for place, digit in enumerate(digits))


def test_the_documented_example():
    assert weighted("9276308686") == 296
    assert uln.check_digit("927630868") == "6"
    assert uln.is_valid("9276308686")


@pytest.mark.parametrize(
    "number",
    [
        "9999999999",  # the ILR's "not yet known"
        "9276308687",
        "927630868",
        "92763086866",
        "0276308686",
        "",
        "927630868x",
        " 276308686",
        "९२७६३०८६८६",  # digits, but not ASCII
    ],
)
def test_what_is_no_uln(number):
    assert not uln.is_valid(number)


@given(st.integers(100_000_000, 999_999_999).map(str))
def test_one_check_digit_at_most(body):
    valid = [digit for digit in "0123456789" if weighted(body + digit) % 11 == 10]
    assert valid == [uln.check_digit(body)] if valid else uln.check_digit(body) is None
    assert (weighted(body) % 11 == 0) == (uln.check_digit(body) is None)


def test_a_body_without_uln():
    bodies = (str(number) for number in itertools.count(100_000_000))
    body = next(body for body in bodies if weighted(body) % 11 == 0)
    assert uln.check_digit(body) is None
    assert not any(uln.is_valid(body + digit) for digit in "0123456789")


def test_size_is_what_counting_gives():
    # Of 900,000,000 bodies, those whose sum is 0 modulo 11 have no ULN; counted here digit by digit, forwards.
    sums = {0: 1}
    for place in range(9):
        after = dict.fromkeys(range(11), 0)
        for residue, count in sums.items():
            for digit in range(1 if place == 0 else 0, 10):
                after[(residue + digit * (10 - place)) % 11] += count
        sums = after
    assert sum(sums.values()) == 900_000_000
    assert uln.SIZE == 900_000_000 - sums[0] == 818_181_819


@pytest.mark.parametrize("length", range(5))
def test_completions_are_what_enumeration_gives(length):
    counted = [0] * 11
    for ending in itertools.product(range(10), repeat=length):
        counted[sum(digit * (length + 1 - place) for place, digit in enumerate(ending)) % 11] += 1
    assert list(uln._COMPLETIONS[length]) == counted


def test_ranks_follow_the_numbers_without_a_gap():
    valid = [body for body in map(str, range(100_000_000, 100_003_000)) if uln.check_digit(body)]
    assert [uln._unrank(rank) for rank in range(len(valid))] == valid
    assert [uln._rank(body) for body in valid] == list(range(len(valid)))
    assert uln._unrank(uln.SIZE - 1) == next(
        body for body in map(str, range(999_999_999, 0, -1)) if uln.check_digit(body)
    )


@given(INDEXES)
def test_every_index_has_a_valid_uln_and_comes_back(index):
    number = ISSUER.uln(index)
    assert uln.is_valid(number)
    assert number[0] != "0"
    assert ISSUER.index(number) == index


@given(INDEXES.map(lambda index: uln._unrank(index)))
def test_every_valid_uln_is_issued_at_some_index(body):
    number = body + uln.check_digit(body)
    assert ISSUER.uln(ISSUER.index(number)) == number


def test_twenty_thousand_in_a_row_are_distinct_and_spread():
    issued = [ISSUER.uln(index) for index in range(20_000)]
    assert len(set(issued)) == len(issued)
    firsts = [sum(number[0] == digit for number in issued) for digit in "123456789"]
    # About 2,222 each; five standard deviations of such a count are some 220.
    assert max(abs(count - 20_000 / 9) for count in firsts) < 220
    rises = sum(a < b for a, b in itertools.pairwise(issued))
    assert abs(rises - 10_000) < 300


def test_another_key_gives_another_order():
    other = uln.Issuer(KEY[:-1] + b"x")
    assert sum(ISSUER.uln(index) == other.uln(index) for index in range(500)) <= 1


@pytest.mark.parametrize("index", [-1, uln.SIZE, uln.SIZE + 10])
def test_no_number_is_issued_outside_the_range(index):
    with pytest.raises(uln.UlnsExhausted) as caught:
        ISSUER.uln(index)
    assert isinstance(caught.value, errors.LrsError)


def test_only_a_valid_uln_has_an_index():
    with pytest.raises(uln.InvalidUln):
        ISSUER.index("9999999999")


@pytest.mark.parametrize("key", [b"", b"short", bytes(65)])
def test_a_weak_or_overlong_key_is_refused(key):
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        uln.Issuer(key)
