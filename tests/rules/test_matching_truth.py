"""rules.matching against a register whose truth is known: mistakes find the person, look-alikes are not given."""

import collections
import dataclasses
import itertools
import random

import pytest

from lrs_soap.codes import ResponseCode
from lrs_soap.rules import matching
from rules.people import MISTAKES, absent, register, search

# P, by the design: a slip in the date asks for the postcode too. Swapped names leave no way to know a previous one.
GIVEN_UP = [
    ("moved", "day and month exchanged"),
    ("moved", "digit of the date wrong"),
    ("names swapped", "previous family name"),
]
# Twice the same field: not two mistakes that a search makes.
SAME_FIELD = [
    ("given name mistyped", "nickname"),
    ("family name mistyped", "previous family name"),
    ("day and month exchanged", "digit of the date wrong"),
]
PAIRS = [pair for pair in itertools.combinations(MISTAKES, 2) if pair not in GIVEN_UP + SAME_FIELD]


class Store:
    """The indexes of `matching`, as dictionaries."""

    def __init__(self, people):
        self.people = people
        self.rows = collections.defaultdict(list)
        for person in people:
            values = dataclasses.asdict(matching.stored_keys(person)) | {"date_of_birth": person.date_of_birth}
            for columns in matching.READS:
                self.rows[columns, tuple(values[column] for column in columns)].append(person)

    def find(self, query) -> matching.Decision:
        return matching.decide(query, [person for lookup in matching.lookups(query) for person in self.rows[lookup]])


@pytest.fixture(scope="module")
def store():
    return Store(register(10_000, seed=1))


def share_found(store, *kinds, sample, seed):
    """How often the person is among the possibles of a search with these mistakes; an exact match is never wrong."""
    numbers = random.Random(seed)
    found = []
    for person in numbers.sample(store.people, sample):
        changes, believed = {}, person
        for kind in kinds:
            change = MISTAKES[kind](believed, numbers)
            if not change:
                break
            changes, believed = changes | change, dataclasses.replace(believed, **change)
        else:
            decision = store.find(search(person, **changes))
            ulns = [match.learner.uln for match in decision.matches]
            assert decision.outcome != ResponseCode.EXACT_MATCH or ulns == [person.uln]
            found.append(person.uln in ulns)
    return sum(found) / len(found)


@pytest.mark.parametrize("kind", MISTAKES)
def test_one_mistake(store, kind):
    assert share_found(store, kind, sample=400, seed=kind) >= (0.94 if "mistyped" in kind else 0.99)


@pytest.mark.parametrize("kinds", PAIRS, ids="+".join)
def test_two_mistakes(store, kinds):
    assert share_found(store, *kinds, sample=200, seed=str(kinds)) >= 0.92


@pytest.mark.parametrize("kinds", GIVEN_UP, ids="+".join)
def test_what_is_given_up_so_that_namesakes_are_not_given(store, kinds):
    assert share_found(store, *kinds, sample=200, seed=1) <= 0.05


@pytest.mark.parametrize("kind", ["twin", "sibling", "parent of the same name", "namesake"])
def test_somebody_else_much_alike(store, kind):
    numbers = random.Random(kind)
    outcomes = [store.find(absent(person, kind, numbers)).outcome for person in numbers.sample(store.people, 1500)]
    assert sum(outcome != ResponseCode.NO_MATCH for outcome in outcomes) <= 0.02 * len(outcomes)
