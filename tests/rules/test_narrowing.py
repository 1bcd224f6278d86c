"""rules.narrowing: whoever the table of `matching` takes is among the names that are looked at."""

from hypothesis import given
from hypothesis import strategies as st

from lrs_soap.rules import keys, matching, names, narrowing, nicknames
from rules.people import Person, search

GIVEN = ["Robert", "Bob", "Robrt", "Ziggy", "Paul", "Thompson", "Thomson", "Maria-Alexandrina Teodora", "Maria Alexandrina"]
FAMILY = ["Thompson", "Thomson", "Adair", "Patel", "Robert", "Robrt", "Featherstonehaugh-Smythe", "Fetherstonehaugh-Smythe"]
BORN = ["1999-03-04", "1999-04-03", "1999-03-05"]
PEOPLE = st.builds(
    Person,
    uln=st.just("1000000001"),
    given_name=st.sampled_from(GIVEN),
    family_name=st.sampled_from(FAMILY),
    date_of_birth=st.sampled_from(BORN),
    gender=st.sampled_from("120"),
    last_known_post_code=st.sampled_from(["CV1 2WT", "B1 1AA", "ZZ99 9ZZ"]),
    preferred_given_name=st.sampled_from([None, "", *GIVEN]),
    previous_family_name=st.sampled_from([None, "", *FAMILY]),
    family_name_at_age16=st.sampled_from([None, "", *FAMILY]),
)


@given(PEOPLE, PEOPLE, st.sampled_from([None, *FAMILY]))
def test_nobody_who_matches_is_left_out(one, other, previous):
    query = search(one, previous_family_name=previous)
    if not matching.decide(query, [other]).matches or query.date_of_birth != other.date_of_birth:
        return
    asked, stored = matching.stored_keys(query), matching.stored_keys(other)
    if stored.family_key in (asked.family_key, asked.given_key):
        assert stored.given_key in narrowing.given_keys(query, [(stored.given_key, other.preferred_given_name)])
    if stored.given_key == asked.given_key:
        found = [(stored.family_key, other.previous_family_name, other.family_name_at_age16)]
        assert stored.family_key in narrowing.family_keys(query, previous, found)


BOB = Person(
    uln="1000000001", given_name="Robert", family_name="Thompson", date_of_birth="1999-03-04", gender="1",
    last_known_post_code="CV1 2WT",
)  # fmt: skip


def test_names_that_could_not_be_meant_are_left_out():
    found = [("robert", None), ("bob", None), ("robrt", None), ("paul", None), ("peter", "Robert"), ("peter", None), ("john", "Jack")]
    assert narrowing.given_keys(search(BOB), found) == {"robert", "bob", "robrt", "peter"}
    found = [("thompson", None, None), ("thomson", None, None), ("patel", None, "Thompson"), ("adair", None, None), ("smith", "x", "")]
    assert narrowing.family_keys(search(BOB), None, found) == {"thompson", "thomson", "patel"}
    assert narrowing.family_keys(search(BOB), "Adair", found) == {"thompson", "thomson", "patel", "adair"}
    assert narrowing.given_keys(search(BOB), []) == narrowing.family_keys(search(BOB), None, []) == set()


def test_a_key_that_is_cut_off_may_be_the_beginning_of_anything():
    cut = "x" * keys.KEY_LENGTH
    assert narrowing.given_keys(search(BOB), [(cut, None), (cut[1:], None)]) == {cut}


@given(st.text("abelmnrtz", min_size=1, max_size=9), st.sets(st.text("abelmnrtz", min_size=1, max_size=9)))
def test_alike_among_many_is_alike_each(name, others):
    assert names.alike_among(name, others) == {other for other in others if names.alike(name, other)}


def test_forms_of_a_name_are_those_that_are_the_same_given_name():
    assert {"bob", "robert", "rob"} <= names.forms("bob") and "paul" not in names.forms("bob")
    assert names.forms("nobodysname") == {"nobodysname"}
    for name in ("bob", "alex", "sandy", "nobodysname"):
        assert names.forms(name) - {name} == {other for other in nicknames.GROUPS_OF if names.same_given(name, other)} - {name}
