"""Searches by demographics whose keys lead to a crowd: what they find, and that they do not read it all."""

import dataclasses
from unittest import mock

import pytest

from support import desk as desks
from support.desk import ANN

from lrs_soap.rules import matching
from lrs_soap.store import engine, matches

CROWD = matches.FEW + 10


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


@pytest.fixture
def crowd(desk):
    """Namesakes born on one day, at as many postcodes."""
    return [desk.new(ANN | {"last_known_post_code": f"M{number} 1AA"}) for number in range(CROWD)]


@pytest.fixture
def read():
    """How many candidates were read, in every read."""
    numbers = []

    def noting(function):
        def noted(*arguments, **options):
            found = function(*arguments, **options)
            numbers.append(len(found))
            return found

        return noted

    def noting_each(function):
        def noted(*arguments):
            for found, is_all in function(*arguments):
                numbers.append(len(found))
                yield found, is_all

        return noted

    with (
        mock.patch.object(matches, "candidates", noting(matches.candidates)),
        mock.patch.object(matches, "first_candidates", noting(matches.first_candidates)),
        mock.patch.object(matches, "likely_candidates", noting_each(matches.likely_candidates)),
    ):
        yield numbers


ELSEWHERE = ANN | {"last_known_post_code": "ZE3 9ZZ"}


def test_of_a_crowd_only_the_first_are_read(desk, crowd, read):
    assert desk.by_demographics(ELSEWHERE).response_code == "WSRC0002"
    assert read == [matches.FEW + 1, 0]


def test_an_exact_match_is_found_in_a_crowd_though_it_was_merged_away(desk, crowd, read):
    desk.merge(crowd[-1], crowd[0])
    with mock.patch.object(matches, "_read", _late(matches._read, crowd[-1])):
        reply = desk.by_demographics(ANN | {"last_known_post_code": f"M{CROWD - 1} 1AA"})
    assert (reply.response_code, [one.uln for one in reply.learner]) == ("WSRC0022", [crowd[0]])
    assert read == [matches.FEW + 1, 1]


def _late(read, *ulns):
    """`read` in the order in which these learners come last."""

    def reordered(conn, lookups, limit, **options):
        rows = sorted(read(conn, lookups, 1_000, **options), key=lambda row: row.uln in ulns)
        return rows[:limit]

    return reordered


def test_a_crowd_is_known_for_one_whoever_is_read_first(desk, crowd, read, monkeypatch):
    """Others born on the day under one of the names may be the first that are read."""
    monkeypatch.setattr(matches, "SOME", matching.MOST_POSSIBLES + 1)
    for number in range(CROWD):
        desk.new(ANN | {"given_name": f"Zo{'aeiou'[number % 5]}{'bdgklmnp'[number // 5]}"})
    with mock.patch.object(matches, "_read", _late(matches._read, *crowd)):
        assert desk.by_demographics(ELSEWHERE).response_code == "WSRC0002"
        assert read == [matches.FEW + 1, matches.SOME, 0]
        read.clear()
        reply = desk.by_demographics(ANN | {"last_known_post_code": "M7 1AA"})
        assert (reply.response_code, [one.uln for one in reply.learner]) == ("WSRC0004", [crowd[7]])


def test_of_a_crowd_whom_something_narrows_all_are_read_in_the_end(desk, crowd, read, monkeypatch):
    monkeypatch.setattr(matches, "SOME", 5)
    one = desk.new(ANN | {"last_known_post_code": "B1 1AA", "email_address": "ann@example.org"})
    reply = desk.by_demographics(ELSEWHERE | {"email_address": "ann@example.org"})
    assert (reply.response_code, [found.uln for found in reply.learner]) == ("WSRC0003", [one])
    assert read == [matches.FEW + 1, 5, CROWD + 1]


def test_what_the_caller_gives_besides_narrows_a_whole_crowd(desk, crowd, read):
    one = desk.new(ANN | {"last_known_post_code": "B1 1AA", "email_address": "ann@example.org"})
    reply = desk.by_demographics(ELSEWHERE | {"email_address": "ann@example.org"})
    assert (reply.response_code, [found.uln for found in reply.learner]) == ("WSRC0003", [one])
    assert read == [matches.FEW + 1, CROWD + 1]


def test_a_crowd_at_no_known_place_is_read_whole(desk, read):
    for number in range(CROWD):
        desk.new(ANN | {"last_known_post_code": f"ZZ99 {number % 10}ZZ", "given_name": f"Ann{'abc'[number // 10 % 3]}"})
    desk.by_demographics(ANN | {"last_known_post_code": "ZZ99 3VZ"})
    assert read[0] == matches.FEW + 1 and read[1] > matches.FEW + 1


def test_others_born_on_the_day_are_no_crowd(desk, read):
    """Whom a key leads to is not who matches."""
    for number in range(CROWD):
        desk.new(ANN | {"given_name": f"Zo{'aeiou'[number % 5]}{'bdgklmnp'[number // 5]}", "last_known_post_code": "M1 1AA"})
    one = desk.new(ANN)
    reply = desk.by_demographics(ELSEWHERE)
    assert (reply.response_code, [found.uln for found in reply.learner]) == ("WSRC0003", [one])
    assert read == [matches.FEW + 1, 1]
    assert matching.MOST_POSSIBLES < matches.FEW


def test_who_might_be_meant_is_read_of_however_many(desk):
    """Whatever the other names: known by another, misspelt, swapped, at the same postcode, and deleted."""
    for number in range(CROWD):
        desk.new(ANN | {"given_name": f"Zo{'aeiou'[number % 5]}{'bdgklmnp'[number // 5]}", "last_known_post_code": "M1 1AA"})
        desk.new(ANN | {"family_name": f"Zo{'aeiou'[number % 5]}{'bdgklmnp'[number // 5]}", "last_known_post_code": "M1 1AA"})
    given, family = ANN["given_name"], ANN["family_name"]
    others = [
        {"given_name": f"{given}e", "last_known_post_code": "B1 1AA"},
        {"given_name": "Zoe", "preferred_given_name": given},
        {"family_name": f"{family}x"},
        {"family_name": "Zoe", "previous_family_name": family},
        {"family_name": "Zoey", "family_name_at_age16": family},
        {"family_name": given, "given_name": family},
        {"date_of_birth": "1980-11-20"},
    ]
    for changes in others:
        desk.new(ANN | {"last_known_post_code": "B2 2BB"} | changes)
    desk.delete(desk.new(ANN | {"last_known_post_code": "B3 3BB"}))
    with engine.read(desk.register.engine) as conn:
        for changes in ({}, *others):
            for postcode in ("B1 1AA", "B2 2BB", "M1 1AA", "ZZ99 3VZ"):
                query = query_of(ANN | changes | {"last_known_post_code": postcode})
                every = matches.candidates(conn, matching.lookups(query))
                *_, (likely, is_all) = matches.likely_candidates(conn, query)
                assert is_all
                assert matching.decide(query, likely, 100) == matching.decide(query, every, 100)
                assert set(likely) <= set(every)


def query_of(details):
    """The search for these details."""
    return matching.Query(**{field.name: details[field.name] for field in dataclasses.fields(matching.Query) if field.name in details})
