"""rules.matching: the table row by row."""

import collections
import dataclasses
from random import Random

import pytest

from lrs_soap.codes import ResponseCode
from lrs_soap.rules import keys, likeness, matching, names
from rules.people import Person, search

BOB = Person(
    uln="1000000001",
    given_name="Robert",
    family_name="Thompson",
    date_of_birth="1999-03-04",
    gender="1",
    last_known_post_code="CV1 2WT",
    preferred_given_name="Ziggy",
    previous_family_name="Adair",
    family_name_at_age16="Boyle",
)
NOWHERE = dataclasses.replace(BOB, last_known_post_code="ZZ99 9ZZ")


def find(query, *people, limit=5):
    """The outcome, and the ULNs or for one match its rule."""
    decision = matching.decide(query, people, limit)
    if len(decision.matches) == 1:
        return decision.outcome, decision.matches[0].rule
    return decision.outcome, [match.learner.uln for match in decision.matches]


ELSEWHERE = {"last_known_post_code": "B1 1AA"}
TYPO, SLIP, SWAP = {"family_name": "Thomson"}, {"date_of_birth": "1999-04-03"}, ("Thompson", "Robert")
SWAPPED = dict(zip(("given_name", "family_name"), SWAP, strict=True))

POSSIBLE = [
    (ELSEWHERE, "moved house"),
    ({"gender": "2"}, "another gender"),
    ({"gender": "0"}, "another gender"),
    (ELSEWHERE | {"gender": "2"}, "moved house, another gender"),
    ({"given_name": "Bob"}, "known by another given name"),
    ({"given_name": "Ziggy"}, "known by another given name"),
    (ELSEWHERE | {"given_name": "Bob"}, "known by another given name"),
    ({"family_name": "Adair"}, "known by another family name"),
    ({"family_name": "Boyle", "gender": "9"}, "known by another family name"),
    ({"family_name": "New", "previous_family_name": "Thompson"}, "known by another family name"),
    ({"family_name": "New", "previous_family_name": "Adair"}, "known by another family name"),
    (TYPO, "family name misspelt"),
    (TYPO | ELSEWHERE, "family name misspelt"),
    (TYPO | {"gender": "2"}, "family name misspelt"),
    ({"given_name": "Robrt"}, "given name misspelt"),
    ({"given_name": "Robrt", "gender": "0"}, "given name misspelt"),
    ({"given_name": "Robrt"} | ELSEWHERE, "given name misspelt"),
    (TYPO | {"given_name": "Bob"}, "both names off"),
    (TYPO | {"given_name": "Robrt"}, "both names off"),
    (SWAPPED, "names swapped"),
    (SWAPPED | ELSEWHERE, "names swapped"),
    (SWAPPED | {"gender": "2"}, "names swapped"),
    ({"given_name": "Thomson", "family_name": "Robert"}, "names swapped, one off"),
    (SLIP, "date of birth slipped"),
    ({"date_of_birth": "1989-03-04"}, "date of birth slipped"),
    (SLIP | {"gender": "2"}, "date of birth slipped"),
    (SLIP | SWAPPED, "date of birth slipped, names swapped"),
    (SLIP | TYPO, "date of birth and family name off"),
    (SLIP | {"family_name": "Adair"}, "date of birth and family name off"),
    (SLIP | {"given_name": "Bob"}, "date of birth and given name off"),
]


@pytest.mark.parametrize(("changes", "rule"), POSSIBLE)
def test_possible(changes, rule):
    assert find(search(BOB, **changes), BOB) == (ResponseCode.POSSIBLE_MATCH, rule)


def test_every_row_is_reached():
    assert {rule for _, rule in POSSIBLE} == {rule.name for rule in matching.RULES}


@pytest.mark.parametrize(
    "changes",
    [
        {"given_name": "Paul"},  # a twin
        {"family_name": "Patel"},
        {"given_name": "Paul", "date_of_birth": "1996-11-20"},  # a sibling
        {"date_of_birth": "1966-11-20"},  # a parent of the same name
        {"date_of_birth": "1999-03-15"},
        {"date_of_birth": "1989-03-05"},
        {"date_of_birth": "1989-04-03"},  # exchanged and a digit wrong
        ELSEWHERE | SLIP,  # a namesake
        ELSEWHERE | {"given_name": "Bob", "gender": "2"},  # three off
        TYPO | {"given_name": "Bob"} | ELSEWHERE,
        TYPO | {"given_name": "Bob", "gender": "2"},
        SLIP | {"given_name": "Bob", "gender": "2"},
        SLIP | TYPO | {"given_name": "Bob"},
        SWAPPED | ELSEWHERE | {"gender": "2"},
        SWAPPED | SLIP | ELSEWHERE,
        {"given_name": "Robrt", "gender": "2"},
        {"family_name": "New", "previous_family_name": "Other"},
    ],
)
def test_no_match(changes):
    assert find(search(BOB, **changes), BOB) == (ResponseCode.NO_MATCH, [])


@pytest.mark.parametrize(("twin", "gender"), [("Danielle", "2"), ("Roberta", "2"), ("Rupert", "1"), ("Albert", "1")])
def test_twins_with_names_alike(twin, gender):
    daniel = dataclasses.replace(BOB, given_name="Daniel" if twin == "Danielle" else "Robert")
    assert find(search(daniel, given_name=twin, gender=gender), daniel)[0] == ResponseCode.NO_MATCH


def test_an_unknown_postcode_proves_nothing():
    assert find(search(NOWHERE), NOWHERE) == (ResponseCode.EXACT_MATCH, matching.EXACT)
    assert find(search(NOWHERE, **SLIP), NOWHERE)[0] == ResponseCode.NO_MATCH
    assert find(search(NOWHERE, gender="2"), NOWHERE) == (ResponseCode.POSSIBLE_MATCH, "another gender")
    assert find(search(NOWHERE, given_name="Bob"), NOWHERE)[0] == ResponseCode.POSSIBLE_MATCH
    assert not any("postcode_key" in lookup.columns for lookup in matching.lookups(search(NOWHERE)))


def test_exact_by_folded_values():
    query = search(BOB, given_name="RÖBERT ", family_name="thomp-son", last_known_post_code="cv12wt")
    assert find(query, BOB) == (ResponseCode.EXACT_MATCH, matching.EXACT)


def test_exact_goes_before_possibles_and_live_before_merged():
    other = dataclasses.replace(BOB, uln="1000000003", last_known_post_code="B1 1AA")
    merged = dataclasses.replace(BOB, uln="1000000000", master_uln="1000000009")
    assert matching.decide(search(BOB), [other, merged, BOB]).matches == ((BOB, matching.EXACT),)
    assert matching.decide(search(BOB), [other, merged]).matches == ((merged, matching.EXACT),)


def test_a_merged_possible_and_its_master_are_one_person():
    merged = dataclasses.replace(BOB, uln="1000000002", master_uln=BOB.uln, given_name="Bob")
    other = dataclasses.replace(BOB, uln="1000000003", given_name="Rob", family_name="Thomson")
    query = search(BOB, given_name="Bob", **ELSEWHERE)
    assert [m.learner.uln for m in matching.decide(query, [merged, BOB, other]).matches] == [BOB.uln]
    assert [m.learner.uln for m in matching.decide(query, [merged, merged]).matches] == [merged.uln]
    assert matching.decide(query, [merged, BOB]).matches[0].rule == "known by another given name"


def possibles(count, **changes):
    return [dataclasses.replace(BOB, uln=str(2_000_000_000 + n), last_known_post_code=f"B{n} 1AA", **changes)
            for n in range(1, count + 1)]  # fmt: skip


def test_up_to_the_limit_is_possible_and_beyond_is_too_many():
    assert len(matching.decide(search(BOB), possibles(5)).matches) == 5
    assert matching.decide(search(BOB), possibles(6)) == (ResponseCode.TOO_MANY_MATCHES, ())
    assert len(matching.decide(search(BOB), possibles(10), limit=10).matches) == 10
    assert matching.decide(search(BOB), possibles(2), limit=1).outcome == ResponseCode.TOO_MANY_MATCHES


@pytest.mark.parametrize("field", matching.OPTIONAL_FIELDS)
def test_optional_fields_narrow_too_many(field):
    six = possibles(6, **{field: "Elsewhere"})
    unknown = dataclasses.replace(six[0], **{field: None})
    agreeing = dataclasses.replace(six[1], **{field: "O'Test"})
    query = search(BOB, **{field: "o’test"})
    assert find(query, *six)[0] == ResponseCode.TOO_MANY_MATCHES
    assert [m.learner for m in matching.decide(query, [unknown, *six[1:]]).matches] == [unknown]
    assert [m.learner for m in matching.decide(query, [unknown, agreeing, *six[2:]]).matches] == [agreeing]


def test_optional_fields_drop_nobody_from_a_few_but_put_the_agreeing_first():
    two = possibles(2, place_of_birth="Leeds")
    two[1] = dataclasses.replace(two[1], place_of_birth="Derby")
    decision = matching.decide(search(BOB, place_of_birth="DERBY"), two)
    assert [match.learner for match in decision.matches] == two[::-1]


def test_best_first_whatever_the_order_of_the_candidates():
    people = [
        dataclasses.replace(BOB, uln="1000000005", last_known_post_code="B1 1AA"),
        dataclasses.replace(BOB, uln="1000000004", given_name="Bob"),
        dataclasses.replace(BOB, uln="1000000003", date_of_birth="1999-03-05"),
        dataclasses.replace(BOB, uln="1000000002", given_name="Bob", last_known_post_code="B1 1AA"),
    ]
    assert [m.learner for m in matching.decide(search(BOB), people).matches] == people
    assert [m.learner for m in matching.decide(search(BOB), people[::-1]).matches] == people


@pytest.mark.parametrize(
    ("given_name", "family_name", "known"),
    [
        ("ROBERT", "thompson ", "EQUAL"),
        ("Ziggy", "Thompson", "EQUAL"),
        ("Robert", "Adair", "EQUAL"),
        ("Ziggy", "Boyle", "EQUAL"),
        ("Bob", "Thompson", "SIMILAR"),
        ("Robrt", "Adair", "SIMILAR"),
        ("Ziggy", "Thomson", "SIMILAR"),
        ("Bob", "Thomson", "NO"),
        ("Paul", "Thompson", "NO"),
        ("Robert", "Patel", "NO"),
        ("Thompson", "Robert", "NO"),
    ],
)
def test_names_known(given_name, family_name, known):
    assert matching.names_known(given_name, family_name, BOB).name == known
    assert matching.NamesKnown.NO < matching.NamesKnown.SIMILAR < matching.NamesKnown.EQUAL


VALUES = {
    "given_name": ["Robert", "Bob", "Robrt", "Thompson", "Zoe"],
    "family_name": ["Thompson", "Thomson", "Robert", "Adair", "Boyle"],
    "date_of_birth": ["1999-03-04", "1999-04-03", "1999-03-14", "1970-12-31"],
    "gender": ["1", "2", "0"],
    "last_known_post_code": ["CV1 2WT", "cv12wt", "B1 1AA", "ZZ99 9ZZ"],
    "preferred_given_name": [None, "Ziggy", "Bob"],
    "previous_family_name": [None, "Adair", "Thompson"],
    "family_name_at_age16": [None, "Boyle"],
    "place_of_birth": [None, "LEEDS", "Derby"],
    "master_uln": [None, None, "1000000003"],
}


CHANGED = ("given_name", "family_name", "date_of_birth", "last_known_post_code")
OUTCOMES = ("WSRC0001", "WSRC0002", "WSRC0003", "WSRC0004")


def row_of(query, learner):
    """The mistakes and the row of RULES that takes a learner, read from the table as it stands."""
    given, family, born, gender, postcode = keys.fields(query)
    stored = keys.fields(learner)
    for swapped in (False, True):
        one, other = (family, given) if swapped else (given, family)
        previous = "" if swapped else names.fold(query.previous_family_name)
        letters = (
            likeness.given(one, learner.given_name, learner.preferred_given_name),
            likeness.family(
                other, learner.family_name, learner.previous_family_name, learner.family_name_at_age16, previous
            ),
            likeness.born(born, stored[2]),
            likeness.postcode(postcode, stored[4]),
            likeness.gender(gender, stored[3]),
        )
        off = swapped + sum(letter != "=" for letter in letters) - (letters[3] == "?")
        for place, (_, of_swapped, *taken) in enumerate(matching.RULES):
            if of_swapped == swapped and off <= 2 and all(map(str.__contains__, taken, letters)):
                return off, place
    return None


def plainly(query, people, limit):
    """What `decide` says, worked out for each learner alone."""
    exact = [person for person in people if keys.fields(person) == keys.fields(query)]
    if exact:
        best = min(exact, key=lambda person: (person.master_uln is not None, person.uln))
        return ResponseCode.EXACT_MATCH, [(best.uln, matching.EXACT)]

    def agrees(person, letter):
        pairs = [
            (names.fold(getattr(query, name)), names.fold(getattr(person, name))) for name in matching.OPTIONAL_FIELDS
        ]
        return sum((a == b) == (letter == "=") for a, b in pairs if a and b)

    rows = {person.uln: row_of(query, person) for person in people}
    order = {person.uln: (*rows[person.uln], -agrees(person, "="), person.uln) for person in people if rows[person.uln]}
    found = sorted((person for person in people if person.uln in order), key=lambda person: order[person.uln])
    shown = {}
    for person in found:
        shown.setdefault(person.master_uln or person.uln, person)
    shown |= {person.uln: person for person in found if person.uln in shown}
    possibles = list(shown.values())
    if len(possibles) > limit:
        rest = [person for person in possibles if not agrees(person, "x")]
        possibles = [person for person in rest if agrees(person, "=")] or rest or possibles
    if len(possibles) > limit:
        return ResponseCode.TOO_MANY_MATCHES, []
    matches = [(person.uln, matching.RULES[order[person.uln][1]].name) for person in possibles]
    return (ResponseCode.POSSIBLE_MATCH if matches else ResponseCode.NO_MATCH), matches


def test_decisions_are_the_table_read_plainly():
    random, outcomes = Random(6), collections.Counter()
    for _ in range(4_000):
        few = {name: random.sample(values, random.randint(1, min(3, len(values)))) for name, values in VALUES.items()}
        people = [
            Person(uln=str(1_000_000_000 + n), **{name: random.choice(values) for name, values in few.items()})
            for n in range(random.randint(1, 12))
        ]
        people = [dataclasses.replace(one, master_uln=None) if one.uln == one.master_uln else one for one in people]
        asked = {name: random.choice(few[name]) for name in ("previous_family_name", "place_of_birth")}
        changes = {name: random.choice(VALUES[name]) for name in random.sample(CHANGED, random.choice([0, 1, 1, 2]))}
        query, limit = search(random.choice(people), **changes, **asked), random.choice([1, 3])
        wanted = plainly(query, people, limit)
        outcome, matches = matching.decide(query, [*people, people[0]], limit)
        assert (outcome, [(match.learner.uln, match.rule) for match in matches]) == wanted, (query, people)
        outcomes[outcome] += 1
    assert all(outcomes[outcome] > 100 for outcome in ResponseCode if outcome.value in OUTCOMES), outcomes
