"""A small synthetic register and the searches that mistakes make of it; the same for the same seed."""

import dataclasses
import datetime
import random

from lrs_soap.rules import matching

GIVEN = {
    "1": "James David John Robert Michael William Mohammed Thomas Daniel Christopher Oliver Jack Harry George Noah "
    "Charlie Jacob Alfie Freddie Oscar Ethan Nathan Samuel Joseph Benjamin Lee Ian Adam Ryan Kyle Piotr Kwame "
    "Jayden Hayden Mark Aaron Amandeep Siddharth Tomasz Zbigniew Oluwaseun Chukwuemeka",
    "2": "Sarah Susan Emma Elizabeth Katherine Olivia Emily Jessica Amelia Isla Ava Mia Lily Sophie Grace Ella Chloe "
    "Charlotte Hannah Lucy Amy Fatima Aisha Priya Margaret Jean Joan June Rebecca Victoria Agnieszka Oluwaseyi "
    "Elsa Eliza Maria Marie Mya Ramandeep Nkechinyere Małgorzata Siân",
}
FAMILY = (
    "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green "
    "Hall Wood Jackson Clarke Patel Khan Lewis James Phillips Begum Hussain Ahmed Ali Singh Kaur Shah Mistry Kowalski "
    "O'Brien O'Connor MacDonald McKenzie Smith-Jones Featherstonehaugh Nowak Okafor Adeyemi Li Wu Nguyen Cholmondeley"
).split()
NICKNAMES = {
    "Robert": "Bob", "William": "Bill", "Michael": "Mick", "Thomas": "Tom", "Daniel": "Dan", "Christopher": "Chris",
    "James": "Jim", "Samuel": "Sam", "Joseph": "Joe", "Benjamin": "Ben", "Susan": "Sue", "Elizabeth": "Liz",
    "Katherine": "Kate", "Olivia": "Liv", "Jessica": "Jess", "Charlotte": "Lottie", "Rebecca": "Becky",
    "Victoria": "Vicky", "Margaret": "Peggy", "Amelia": "Millie", "David": "Dave",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Person:
    """A stored learner as the rules see it."""

    uln: str
    given_name: str
    family_name: str
    date_of_birth: str
    gender: str
    last_known_post_code: str
    master_uln: str | None = None
    preferred_given_name: str | None = None
    previous_family_name: str | None = None
    family_name_at_age16: str | None = None
    school_at_age16: str | None = None
    place_of_birth: str | None = None
    email_address: str | None = None


def search(person, **changes) -> matching.Query:
    """The search that finds this person exactly, with some fields changed."""
    fields = ("given_name", "family_name", "date_of_birth", "gender", "last_known_post_code")
    return matching.Query(**{field: getattr(person, field) for field in fields} | changes)


def postcode(random: random.Random) -> str:
    area, unit = random.choice(["B", "CV", "LS", "M", "SW", "BFPO"]), random.choices("ABDEFGHJLNPQRSTUWXYZ", k=2)
    if area == "BFPO":
        return f"BFPO {random.randint(1, 999)}"
    return f"{area}{random.randint(1, 30)} {random.randint(0, 9)}{''.join(unit)}"


def birthday(random: random.Random) -> str:
    return (datetime.date(1966, 1, 1) + datetime.timedelta(random.randrange(45 * 365))).isoformat()


def given_name(random: random.Random, gender: str, other_than=()) -> str:
    # The first names of each list are the commonest.
    choices = [name for name in GIVEN[gender].split() if name not in other_than]
    return choices[min(int(random.expovariate(3 / len(choices))), len(choices) - 1)]


def family_name(random: random.Random) -> str:
    return FAMILY[min(int(random.expovariate(3 / len(FAMILY))), len(FAMILY) - 1)]


def register(size: int, seed: int) -> list[Person]:
    """`size` people, most of them with nobody else of the register at their address."""
    numbers = random.Random(seed)
    people = []
    for number in range(size):
        gender = numbers.choice("12")
        name = family_name(numbers)
        people.append(
            Person(
                uln=str(1_000_000_000 + number),
                given_name=given_name(numbers, gender),
                family_name=name,
                date_of_birth=birthday(numbers),
                gender=gender,
                last_known_post_code=postcode(numbers),
                previous_family_name=family_name(numbers) if numbers.random() < 0.1 else None,
            )
        )
    return people


def typing_slip(text: str, random: random.Random) -> str:
    """One letter wrong, missing, twice, or changed with its neighbour; never the name as it was."""
    place = random.randrange(1, len(text))
    slips = {
        text[:place] + random.choice("aeinrst") + text[place + 1 :],
        text[:place] + text[place + 1 :],
        text[:place] + text[place] + text[place:],
        text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :],
    }
    return random.choice(sorted(slip for slip in slips if slip.lower() != text.lower()))


def digit_slip(date: str, random: random.Random) -> str:
    """A real date with one digit wrong."""
    while True:
        place = random.choice([3, 6, 8, 9])
        slipped = date[:place] + random.choice("0123456789") + date[place + 1 :]
        try:
            if slipped != date and datetime.date.fromisoformat(slipped):
                return slipped
        except ValueError:
            continue


# Kind of mistake -> what it changes in a search for the person, or None where it cannot happen to them.
MISTAKES = {
    "given name mistyped": lambda p, r: {"given_name": typing_slip(p.given_name, r)},
    "family name mistyped": lambda p, r: {"family_name": typing_slip(p.family_name, r)},
    "nickname": lambda p, r: NICKNAMES.get(p.given_name) and {"given_name": NICKNAMES[p.given_name]},
    "names swapped": lambda p, r: {"given_name": p.family_name, "family_name": p.given_name},
    "previous family name": lambda p, r: p.previous_family_name and {"family_name": p.previous_family_name},
    "moved": lambda p, r: {"last_known_post_code": postcode(r)},
    "gender not known": lambda p, r: {"gender": r.choice("09")},
    "day and month exchanged": lambda p, r: (
        int(p.date_of_birth[8:]) <= 12
        and p.date_of_birth[8:] != p.date_of_birth[5:7]
        and {"date_of_birth": f"{p.date_of_birth[:5]}{p.date_of_birth[8:]}-{p.date_of_birth[5:7]}"}
    ),
    "digit of the date wrong": lambda p, r: {"date_of_birth": digit_slip(p.date_of_birth, r)},
}


def absent(person: Person, kind: str, random: random.Random) -> matching.Query:
    """A search for somebody who is not in the register but much like `person`."""
    if kind == "twin":
        gender = random.choice("12")
        return search(person, gender=gender, given_name=given_name(random, gender, other_than=[person.given_name]))
    if kind == "sibling":
        gender = random.choice("12")
        name = given_name(random, gender, other_than=[person.given_name])
        return search(person, gender=gender, given_name=name, date_of_birth=birthday(random))
    if kind == "parent of the same name":
        year = int(person.date_of_birth[:4]) - random.randint(18, 40)
        return search(person, date_of_birth=f"{year}{birthday(random)[4:]}".replace("02-29", "02-28"))
    if kind == "namesake":
        return search(person, date_of_birth=birthday(random), last_known_post_code=postcode(random))
    raise ValueError(kind)
