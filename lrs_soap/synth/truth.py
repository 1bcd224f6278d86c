"""Searches whose right answer is known, and second records of people who have one already."""

import functools
import itertools
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lrs_soap.rules import names
from lrs_soap.synth import homes, mistakes, numbers, people, tables
from lrs_soap.synth.mistakes import Mistake
from lrs_soap.synth.people import Learner

ABSENT = ("twin", "sibling", "parent of the same name", "namesake", "stranger")
"""Who else is looked for: a twin and a sibling at a learner's address; a parent there with the same name; somebody of
the same name born years apart, elsewhere; somebody of whom the register knows nothing."""

PAIRS = tuple(pair for pair in itertools.combinations(mistakes.KINDS, 2) if pair[0].about != pair[1].about)
"""Every two mistakes that one search can have."""

_SINGLE = tuple((kind,) for kind in mistakes.KINDS)
_PLANS = (_SINGLE, PAIRS)
# Second records have what brings them about: a mistake that the search before the registration did not forgive.
_VISIBLE = tuple(made for made in (*_SINGLE, *PAIRS) if not all(kind.about == "signs" for kind in made))


class Search(NamedTuple):
    """A search: what is wrong with it, in how many ways (0: nobody is meant), and the ULN it should find."""

    kind: str
    mistakes: int
    uln: str
    given_name: str
    family_name: str
    date_of_birth: str
    last_known_post_code: str
    gender: str


def searches(seed: int, number: int, learners: Sequence[Learner], count: int) -> list[Search]:
    """`count` searches made of the learners of a block: a third with one mistake, a third with two, a third for
    people who are not there. Every kind is as frequent as any other."""
    draw, found = random.Random(f"lrs-soap truth {seed} {number}").random, []
    for nth in range(count):
        if nth % 3 == 2:
            kind = _one(draw, ABSENT)
            found.append(_search(kind, 0, "", _absent(kind, seed, number, _one(draw, learners), learners, draw)))
        else:
            made, learner, wrong = _wrong(_PLANS[nth % 3], learners, draw)
            found.append(_search(" + ".join(kind.kind for kind in made), len(made), learner.uln, wrong))
    return found


def duplicates(seed: int, number: int, learners: Sequence[Learner], count: int) -> list[tuple[str, str, Learner]]:
    """`count` second records of learners of a block: kind of mistake, the first ULN, and the record.

    At most a tenth of numbers.BLOCK, so that there are ULNs for them.
    """
    draw = random.Random(f"lrs-soap duplicates {seed} {number}").random
    ulns = itertools.islice(people.ulns(seed, number), numbers.BLOCK, None)
    found, identities = [], {_identity(learner) for learner in learners}
    while len(found) < count:
        made, learner, wrong = _wrong(_VISIBLE, learners, draw)
        if _identity(wrong) in identities:
            continue
        identities.add(_identity(wrong))
        wrong = wrong._replace(uln=next(ulns), version_number="1", created_date=wrong.last_updated_date)
        found.append((" + ".join(kind.kind for kind in made), learner.uln, wrong))
    return found


def _one(draw, values):
    return values[int(draw() * len(values))]


def _identity(learner: Learner) -> tuple[str, ...]:
    return (names.fold(learner.given_name), names.fold(learner.family_name), learner.date_of_birth, learner.gender,
            learner.last_known_post_code)  # fmt: skip


def _search(kind: str, count: int, uln: str, person: Learner) -> Search:
    return Search(kind, count, uln, person.given_name, person.family_name, person.date_of_birth,
                  person.last_known_post_code, person.gender)  # fmt: skip


def _wrong(plans: Sequence[tuple[Mistake, ...]], learners: Sequence[Learner], draw: Callable[[], float]):
    """A plan, a learner it can happen to, and what becomes of them."""
    while True:
        plan = _one(draw, plans)
        for _ in range(200):
            learner = wrong = _one(draw, learners)
            for mistake in plan:
                wrong = mistake.make(wrong, draw) if wrong is not None else None
            if wrong is not None:
                return plan, learner, wrong


def _absent(kind: str, seed: int, number: int, learner: Learner, learners: Sequence[Learner], draw) -> Learner:
    """Somebody much like `learner` who is none of the block's learners."""
    if kind == "stranger":
        return _one(draw, _strangers(seed, number))
    year = int(learner.date_of_birth[:4])
    if kind == "parent of the same name":
        return learner._replace(date_of_birth=_born(draw, year - 18 - int(draw() * 23)))
    if kind == "namesake":
        apart = (2 + int(draw() * 20)) * (1 if draw() < 0.5 else -1)
        return mistakes.moved(learner, draw)._replace(date_of_birth=_born(draw, min(year + apart, people.YEAR - 13)))
    taken = {names.fold(one.given_name) for one in learners if one.last_known_post_code == learner.last_known_post_code}
    gender = "1" if draw() < 0.5 else "2"
    if kind == "twin":
        date = learner.date_of_birth
    else:
        date = _born(draw, year + (1 + int(draw() * 8)) * (1 if draw() < 0.5 else -1))
    return learner._replace(given_name=_other_name(learner, gender, date, taken, draw), gender=gender, date_of_birth=date)


@functools.lru_cache(1)
def _strangers(seed: int, number: int) -> list[Learner]:
    return people.block(f"{seed} strangers", number)


def _born(draw, year: int) -> str:
    return f"{year}-{people.DAYS[int(draw() * 365)]}"


def _other_name(learner: Learner, gender: str, date: str, taken: set[str], draw) -> str:
    """A name that the community of the learner, as far as names tell it, gives to a child born then."""
    home = homes.Home(draw)
    home.community = _communities().get(learner.given_name, "english")
    while names.fold(name := home.given_name("m" if gender == "1" else "f", int(date[:4]))) in taken:
        pass
    return name


@functools.cache
def _communities() -> dict[str, str]:
    """By given name: the first community that gives it."""
    found: dict[str, str] = {}
    for (community, _), lists in tables.given().items():
        for _, drawn in lists:
            for name in drawn:
                found.setdefault(name, community)
    return found
