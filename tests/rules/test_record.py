"""What makes two rows one event, which of two versions stays, the order of a record, and who may see it."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs_soap import contract, model
from lrs_soap.rules import record
from lrs_soap.rules.record import Verdict

FIELDS = contract.TYPES["MIAPLearningEvent"].fields
EVENT = model.MIAPLearningEvent(
    **{f.attribute: "" if f.simple.base == "string" else 1 for f in FIELDS if f.min_occurs}
    | {"return_number": "R04", "last_updated_date_time": "2022-11-21 17:45:10", "academic_year": "2021/22"}
)
WHEN = {"return_number", "increment_number", "last_updated_date_time"}


def changed(**values):
    return dataclasses.replace(EVENT, **values)


def test_an_event_has_34_fields():
    assert len(FIELDS) == len(dataclasses.fields(EVENT)) == 34


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_key_is_made_of_the_fields_it_names_and_no_other(field):
    other = changed(**{field.attribute: "x" if field.simple.base == "string" else 7})
    assert (record.key("ILR", other) != record.key("ILR", EVENT)) == (field.attribute in record.KEY)


def test_the_source_is_part_of_the_key():
    assert record.key("ILR", EVENT) != record.key("NPD", EVENT)
    assert len(record.key("ILR", EVENT)) == 16


def test_no_value_is_read_as_part_of_the_next():
    one, other = changed(qualification_type_code="12", subject_code="3"), changed(qualification_type_code="1", subject_code="23")
    assert record.key("ILR", one) != record.key("ILR", other)


def test_absent_and_empty_are_the_same_event():
    assert record.key("ILR", changed(awarding_organisation_code="")) == record.key("ILR", EVENT)


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ({"return_number": "R10"}, {"return_number": "R9"}),
        ({"return_number": "2"}, {"return_number": "R01"}),
        ({"return_number": "1"}, {"return_number": ""}),
        ({"increment_number": 10}, {"increment_number": 9}),
        ({"last_updated_date_time": "2022-11-21 17:45:11"}, {}),
        # A return goes before the increment, that before the moment.
        ({"return_number": "R05", "increment_number": 1}, {"return_number": "R04", "increment_number": 9}),
        ({"increment_number": 2}, {"increment_number": 1, "last_updated_date_time": "2030-01-01 00:00:00"}),
    ],
)
def test_the_later_version_stays_whichever_comes_first(later, earlier):
    assert record.decide(changed(**earlier), changed(**later)) is Verdict.REPLACED
    assert record.decide(changed(**later), changed(**earlier)) is Verdict.SUPERSEDED


def test_what_is_new_or_the_same():
    assert record.decide(None, EVENT) is Verdict.ADDED
    assert record.decide(EVENT, changed()) is Verdict.UNCHANGED


@pytest.mark.parametrize("name", sorted({field.attribute for field in FIELDS} - WHEN))
def test_two_versions_of_one_time_are_a_conflict(name):
    other = changed(**{name: 5 if name == "credits_achieved" else "5"})
    assert record.decide(EVENT, other) is record.decide(other, EVENT) is Verdict.CONFLICT


versions = st.builds(
    changed,
    return_number=st.sampled_from(["", "1", "R2", "R10"]),
    increment_number=st.integers(1, 3),
    last_updated_date_time=st.sampled_from(["2022-01-01 00:00:00", "2023-01-01 00:00:00"]),
)


@given(st.lists(versions, max_size=5))
def test_the_order_of_loading_does_not_matter(rows):
    def load(rows):
        stored = None
        for row in rows:
            if record.decide(stored, row) in (Verdict.ADDED, Verdict.REPLACED):
                stored = row
        return stored and record._told(stored)

    assert len({load(order) for order in itertools.permutations(rows)}) == 1


events = st.builds(
    changed,
    academic_year=st.sampled_from(["2020/21", "2021/22"]),
    achievement_award_date=st.none() | st.sampled_from(["2021-08-12", "2022-08-25"]),
    participation_start_date=st.none() | st.just("2021-09-06"),
    credits_achieved=st.none() | st.integers(0, 20),
    subject_title=st.sampled_from("ab"),
)


@given(st.lists(events, max_size=6).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_a_record_has_one_order_the_latest_first(pair):
    rows, shuffled = pair
    ordered = record.in_order(shuffled)
    assert ordered == record.in_order(rows)
    years = [event.academic_year for event in ordered]
    assert years == sorted(years, reverse=True)


def test_the_order_of_a_record():
    named = [
        changed(academic_year="2022/23"),
        changed(achievement_award_date="2022-08-25", subject_title="Biology"),
        changed(achievement_award_date="2022-08-25", subject_title="Chemistry"),
        changed(assessment_date="2022-06-13", participation_start_date="2022-12-01"),
        changed(participation_end_date="2022-05-01", participation_start_date="2022-04-01"),
        changed(participation_start_date="2022-04-30"),
        changed(),
        changed(academic_year="2020/21", achievement_award_date="2023-01-01"),
    ]
    assert record.in_order(reversed(named)) == tuple(named)


@dataclasses.dataclass(frozen=True)
class Person:
    given_name: str = "Sinéad"
    family_name: str = "O'Brien-Hughes"
    date_of_birth: str = "2003-12-01"
    gender: str = "2"
    last_known_post_code: str = "m14 5rl"


def test_all_five_verify_as_in_an_exact_match():
    assert record.is_verified(Person("SINEAD", "obrien hughes", "2003-12-01", "2", "M145RL"), Person())


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Person)])
def test_each_of_the_five_is_needed(field):
    assert not record.is_verified(dataclasses.replace(Person(), **{field: "9"}), Person())


def test_the_details_of_one_record_verify_but_not_some_of_each():
    merged, master = Person(), Person(family_name="Doyle", last_known_post_code="LS6 2AB")
    assert record.is_verified(merged, merged, master)
    assert record.is_verified(master, merged, master)
    assert not record.is_verified(Person(family_name="Doyle"), merged, master)


def test_who_may_see_a_record():
    seen = {(share, user) for share in "012" for user in ("LNR", "ORG", "SER") if record.may_see(share, user)}
    assert seen == {("0", "LNR"), ("1", "LNR"), ("2", "LNR"), ("1", "ORG"), ("1", "SER")}
