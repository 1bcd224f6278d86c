"""The learners of a synthetic register: families at one address, block by block.

A block depends on the seed and its number only, so a register begins with the learners of any smaller one of its seed.
Whatever is drawn comes from `Random.random()`, which Python promises to keep the same for a seed.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from lrs_soap.rules import names
from lrs_soap.synth import homes, numbers, tables

YEAR = 2026
"""The year in which the register is as it is: it has nothing to do with today."""


class Learner(NamedTuple):
    """A learner, as a row of the file: field names are the contract's, written as the columns of lrs_soap.model."""

    uln: str
    created_date: str
    last_updated_date: str
    title: str
    given_name: str
    middle_other_name: str
    family_name: str
    preferred_given_name: str
    previous_family_name: str
    family_name_at_age16: str
    school_at_age16: str
    last_known_address_line1: str
    last_known_address_town: str
    last_known_post_code: str
    date_of_address_capture: str
    date_of_birth: str
    place_of_birth: str
    gender: str
    email_address: str
    nationality: str
    verification_type: str
    tier_level: str
    ability_to_share: str
    learner_status: str
    version_number: str


DAYS = tuple(
    f"{month:02}-{day:02}"
    for month, days in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
    for day in range(1, days + 1)
)
_SCHOOLS = (
    "Academy;High School;Community College;Grammar School;Church School;Technical College;Catholic College;Free School"
).split(";")
_NATIONALITIES = {
    "english": "GBR", "scottish": "GBR", "welsh": "GBR", "irish": "IRL", "pakistani": "PAK", "bangladeshi": "BGD",
    "indian": "IND", "sikh": "IND", "african": "NGA", "polish": "POL", "european": "ROU", "chinese": "CHN", "arab": "SYR",
}  # fmt: skip
_DOMAINS = tuple(f"{number or ''}@{host}" for number in ("", 1, 7, 12, 23, 99) for host in
                 ("mail.example.org", "post.example.com", "example.net", "college.example.org"))
_VERIFICATIONS = "0111111222334567"
_WITHOUT_PAPERS = frozenset({"african", "arab", "bangladeshi", "pakistani"})


def learners(count: int, seed: int) -> Iterator[Learner]:
    """`count` learners; the same for the same seed on any machine. Raises ValueError for more than numbers.MOST."""
    for members in blocks(count, seed):
        yield from members


def blocks(count: int, seed: int) -> Iterator[list[Learner]]:
    """The same, block by block."""
    if not 0 <= count <= numbers.MOST:
        raise ValueError(f"a register has at most {numbers.MOST:,} learners")
    for number in range(-(-count // numbers.BLOCK)):
        yield block(seed, number)[: count - number * numbers.BLOCK]


def block(seed: int | str, number: int) -> list[Learner]:
    """The learners of a block, families together."""
    draw = random.Random(f"lrs-soap synth {seed} {number}").random
    numbered = ulns(seed, number)
    found: list[Learner] = []
    while len(found) < numbers.BLOCK:
        _family(draw, numbered, found)
    return found[: numbers.BLOCK]


def ulns(seed: int | str, number: int) -> Iterator[str]:
    """The ULNs of a block: those of its learners, and some more."""
    return numbers.ulns(int(random.Random(f"lrs-soap ULNs {seed}").random() * 900_000_000), number)


def _family(draw, ulns: Iterator[str], found: list[Learner]) -> None:
    """Adds to `found` those of one address who are learners."""
    home, kind = homes.Home(draw), draw()
    if kind < 0.45:
        man = draw() < 0.5
        age = _age(draw)
        found.append(_learner(home, next(ulns), "m" if man else "f", age, married=not man and age > 27 and draw() < 0.4))
        return
    if kind < 0.6:
        age = 22 + int(draw() * 45)
        found.append(_learner(home, next(ulns), "m", age + int(draw() * 6)))
        found.append(_learner(home, next(ulns), "f", age, married=draw() < 0.75))
        return
    age = 13 + int(draw() * 20)
    taken: list[str] = []
    father = ""
    if draw() < 0.35:
        found.append(_learner(home, next(ulns), "m", age + 20 + int(draw() * 20)))
        father = found[-1].given_name
    if draw() < 0.5:
        found.append(_learner(home, next(ulns), "f", age + 18 + int(draw() * 20), married=draw() < 0.75))
    born = ""
    for _ in range(1 + int(draw() * 3)):
        gender = "m" if draw() < 0.512 else "f"
        named = father if gender == "m" and father not in taken and draw() < 0.02 else ""
        child = _learner(home, next(ulns), gender, age, taken=taken, given=named, born=born)
        found.append(child)
        taken.append(child.given_name)
        # Every 65th birth is of twins; more of them are both in the register than of any other two.
        born = child.date_of_birth if draw() < 0.016 else ""
        if not born and (age := age + 1 + int(draw() * 5)) > 36:
            return


def _age(draw) -> int:
    part = draw()
    if part < 0.66:
        return 13 + int(draw() * 24)
    return 37 + int(draw() * 24) if part < 0.93 else 61 + int(draw() * draw() * 30)


def _learner(home: homes.Home, uln: str, gender: str, age: int, *, married=False, taken=(), given="", born="") -> Learner:
    draw = home.draw
    year = int(born[:4]) if born else YEAR - age
    given = given or home.given_name(gender, year, taken)
    family, area = home.daughters if gender == "f" else home.sons, home.area
    previous = ""
    if married:
        # A wife has her husband's name, and once had another.
        family, previous = home.sons if home.community in homes.BRITISH else family, home.family_names()[1]
        if previous == family:
            previous = ""
    if not born:
        born = f"{year}-{_birthday(draw, year, home.community)}"
    created, updated, version = _dates(draw, year)
    post_code, gender_code = home.postcode, "1" if gender == "m" else "2"
    rest = draw()
    if rest < 0.012:
        # What clerks write who do not know: no postcode, no gender.
        if rest < 0.004:
            post_code = "ZZ99 9ZZ"
        else:
            gender_code = "9" if rest < 0.009 else "0"
    domain = _DOMAINS[int(draw() * 24)] if draw() < 0.3 else ""
    verified = _VERIFICATIONS[int(draw() * 16)]
    return Learner(
        uln,
        created,
        updated,
        "" if rest > 0.5 else "Mr" if gender == "m" else "Mrs" if married else "Miss",
        given,
        home.given_name(gender, year) if rest > 0.45 else "",
        family,
        _preferred(draw, home, given, gender, year),
        previous if previous and draw() < 0.7 else "",
        previous if previous and draw() < 0.5 else "",
        f"{area.town} {_SCHOOLS[int(draw() * 8)]}" if rest < 0.6 else "",
        home.line,
        area.town,
        post_code,
        updated,
        born,
        area.town if rest < 0.3 else "",
        gender_code,
        f"{names.fold(given)}.{names.fold(family)}{domain}" if domain else "",
        "GBR" if draw() < 0.7 else _NATIONALITIES[home.community],
        verified,
        verified if verified in "01" else "2",
        "1" if rest > 0.1 else "2" if rest < 0.04 else "0",
        "1",
        version,
    )


def _preferred(draw, home: homes.Home, given: str, gender: str, year: int) -> str:
    """P: one in seven with a nickname is registered with it; many Chinese learners have an English name too."""
    if home.community == "chinese":
        lists = tables.given()["english", gender]
        return lists[-1 if year > 1998 else 1][1][int(draw() * tables.SLOTS)] if draw() < 0.4 else ""
    if draw() < 0.15 and (called := tables.nicknames().get(given)):
        return called[int(draw() * draw() * len(called))]
    return ""


def _birthday(draw, year: int, community: str) -> str:
    # A date that nobody knows is the first of January.
    if community in _WITHOUT_PAPERS and draw() < 0.06:
        return "01-01"
    day = DAYS[int(draw() * 365)]
    return "02-29" if day == "02-28" and year % 4 == 0 and draw() < 0.5 else day


def _dates(draw, born: int) -> tuple[str, str, str]:
    """Created, last updated, version."""
    first = max(2008, born + 13)
    created = min(first + int(draw() * (YEAR - first)), YEAR - 1)
    day = DAYS[int(draw() * 365)]
    if draw() < 0.7 or created == YEAR - 1:
        return f"{created}-{day}", f"{created}-{day}", "1"
    updated = created + 1 + int(draw() * (YEAR - 1 - created))
    return f"{created}-{day}", f"{updated}-{DAYS[int(draw() * 365)]}", str(2 + int(draw() * draw() * 6))
