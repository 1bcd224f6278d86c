"""rules.keys: the identity of an exact match, and that the index reads find all that the table can take."""

import dataclasses

from hypothesis import example, given
from hypothesis import strategies as st

from lrs_soap.codes import ResponseCode
from lrs_soap.rules import matching
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
)

# What a field may become: as it was, another name, a slip, something else.
FIELDS = {
    "given_name": ["Robert", "Bob", "Ziggy", "Robrt", "Paul", "Thompson", "Thomson"],
    "family_name": ["Thompson", "Adair", "Thomson", "Patel", "Robert", "Robrt"],
    "date_of_birth": ["1999-03-04", "1999-04-03", "1999-03-05", "1966-11-20"],
    "gender": ["1", "2", "0"],
    "last_known_post_code": ["CV1 2WT", "cv12wt", "B1 1AA", "ZZ99 9ZZ"],
}


@given(st.fixed_dictionaries({field: st.sampled_from(values) for field, values in FIELDS.items()}))
def test_the_index_reads_find_whatever_the_table_takes(changes):
    query = search(BOB, **changes)
    if matching.decide(query, [BOB]).matches:
        keys = dataclasses.asdict(matching.stored_keys(BOB)) | {"date_of_birth": BOB.date_of_birth}
        assert any(tuple(keys[column] for column in columns) == values for columns, values in matching.lookups(query))


@given(st.fixed_dictionaries({field: st.sampled_from(values) for field, values in FIELDS.items()}))
def test_never_more_than_two_fields_off(changes):
    (match,) = matching.decide(search(BOB, **changes), [BOB]).matches or (None,)
    off = [field for field, value in changes.items() if value not in (getattr(BOB, field), "cv12wt")]
    if match is not None:
        assert len(off) <= matching.MOST_MISTAKES + ("swapped" in match.rule)


def test_lookups_read_few_indexes_and_never_one_column():
    assert len(matching.INDEXES) == 3
    indexes = [index.columns for index in matching.INDEXES]
    assert all(any(set(columns) <= set(index) and columns[0] == index[0] for index in indexes) for columns in matching.READS)
    lookups = matching.lookups(search(BOB))
    assert len(lookups) == len(set(lookups)) == 7
    assert {lookup.columns for lookup in lookups} == set(matching.READS)
    assert all(len(lookup.columns) == len(lookup.values) == 2 for lookup in lookups)
    assert len(matching.lookups(search(BOB, given_name="Thompson"))) == 5


TEXT = st.text(min_size=1, max_size=5) | st.sampled_from(["Ann", "ann", "A-nn", "Á nn", "Anne"])
DETAILS = st.builds(
    matching.Query,
    given_name=TEXT,
    family_name=TEXT,
    date_of_birth=st.sampled_from(["1999-03-04", "1999-04-03"]),
    gender=st.sampled_from("12"),
    last_known_post_code=st.sampled_from(["CV1 2WT", "cv12wt", "B1 1AA"]),
)


@given(DETAILS, DETAILS)
@example(search(BOB, given_name="ab", family_name="c"), search(BOB, given_name="a", family_name="bc"))
@example(search(BOB, given_name="1:a", family_name="b"), search(BOB, given_name="1", family_name=":a1:b"))
def test_identity_is_equal_exactly_for_exact_matches(a, b):
    stored = dataclasses.replace(BOB, **{field: getattr(b, field) for field in FIELDS})
    exact = matching.decide(a, [stored]).outcome == ResponseCode.EXACT_MATCH
    assert (matching.identity(a) == matching.identity(b)) is exact
    assert len(matching.identity(a)) == 16
