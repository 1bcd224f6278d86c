"""lrs_soap.synth: the same learners anywhere, valid, as various as people are; and truth that is true."""

import collections
import csv
import hashlib
import io
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from lrs_soap import contract
from lrs_soap.cli import main
from lrs_soap.rules import dates, matching, names, uln
from lrs_soap.synth import mistakes, numbers, people, tables, truth, writing

REGISTER = list(people.learners(5_000, seed=1))
ROUND = {kind.kind: kind for kind in mistakes.KINDS}


def made(count, seed=1, delimiter=",", **more):
    files = [io.StringIO(), io.StringIO(), io.StringIO()]
    writing.write(writing.Plan(count, seed, **more), writing.Files(*files, delimiter), processes=1)
    return [file.getvalue() for file in files]


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_same_learners_on_every_machine_and_python():
    digest = hashlib.sha256("\n".join(map("\t".join, REGISTER)).encode()).hexdigest()
    assert digest == "8c767dd7f4f468dee4f1b4b8ae86c3430673df60c28cf2e67081942fae5754e3"


def test_the_same_searches_and_duplicates_on_every_machine_and_python():
    texts = made(2_000, seed=3, searches=300, duplicates=50)
    assert hashlib.sha256("".join(texts).encode()).hexdigest() == "a7ada1fca850482c6848d2caabf84de230ddc8edf7918026427366e2493e2042"


def test_a_register_begins_with_the_smaller_one_of_its_seed():
    assert list(people.learners(1_700, seed=1)) == REGISTER[:1_700]
    assert list(people.learners(1_700, seed=2)) != REGISTER[:1_700]


def test_several_processes_write_what_one_writes():
    code = "from lrs_soap.cli.main import main; main()"
    command = [sys.executable, "-c", code, "synth", "25000", "--seed", "7", "--processes"]
    one, two = (subprocess.run([*command, n], capture_output=True, check=True, timeout=120).stdout for n in "12")
    assert one == two
    assert one.count(b"\n") == 25_001


def test_ulns_are_valid_and_none_comes_twice():
    ulns = [number for block in range(60) for number in list(numbers.ulns(123_456, block))]
    assert len(set(ulns)) == len(ulns) > 60 * numbers.BLOCK
    assert all(uln.is_valid(number) for number in ulns)
    assert list(numbers.ulns(0, 5)) != sorted(numbers.ulns(0, 5))


def test_blocks_far_apart_have_enough_ulns_and_share_none():
    far = [set(numbers.ulns(5, block)) for block in (0, 1, 359_999, 719_998, 719_999)]
    assert all(len(ulns) > numbers.BLOCK * 1.1 for ulns in far)
    assert len(set().union(*far)) == sum(map(len, far))


def test_every_value_meets_the_facets_of_its_element():
    fields = {field.attribute: field for field in contract.TYPES["Learner"].fields}
    for attribute in people.Learner._fields:
        values = {getattr(learner, attribute) for learner in REGISTER}
        kind = fields[attribute].simple
        wrong = [value for value in values if not fits(value, kind, fields[attribute].min_occurs == 0)]
        assert wrong == [], attribute


def fits(value, kind, optional):
    if value == "":
        return optional
    if kind.patterns and not any(re.fullmatch(pattern, value) for pattern in kind.patterns):
        return False
    return (kind.max_length or 9999) >= len(value) >= (kind.min_length or 0)


def test_no_value_needs_quotes():
    assert not any(set(value) & set('",\t\n\r;') for learner in REGISTER for value in learner)


def test_dates_are_of_the_calendar_and_in_their_order():
    for learner in REGISTER:
        assert dates.is_real(learner.date_of_birth)
        assert learner.date_of_birth[:4] <= learner.created_date[:4]
        assert learner.created_date <= learner.last_updated_date
        assert 13 <= people.YEAR - int(learner.date_of_birth[:4]) <= 95


def test_names_are_as_frequent_as_in_life():
    many = [learner for seed in (1, 2, 3, 4) for learner in people.learners(10_000, seed)]
    family = collections.Counter(learner.family_name for learner in many)
    assert 0.008 < family["Smith"] / len(many) < 0.015
    assert len(family) > 3_500
    assert sum(1 for count in family.values() if count == 1) > 500
    mohammeds = [one for one in many if names.same_given(names.fold(one.given_name), "mohammed")]
    assert 0.004 < len(mohammeds) / len(many) < 0.03
    young = collections.Counter(one.given_name for one in many if one.date_of_birth >= "2005" and one.gender == "1")
    old = collections.Counter(one.given_name for one in many if one.date_of_birth < "1960" and one.gender == "1")
    assert young["Oliver"] > 10 * young["Derek"]
    assert old["David"] > 10 * old["Oliver"]


def share(holds):
    return sum(map(bool, map(holds, REGISTER))) / len(REGISTER)


def test_there_is_every_kind_of_people():
    assert 0.01 < share(lambda one: not (one.given_name + one.family_name).isascii()) < 0.1
    assert 0.01 < share(lambda one: "-" in one.family_name) < 0.05
    assert 0.05 < share(lambda one: one.previous_family_name) < 0.2
    assert 0.04 < share(lambda one: one.preferred_given_name) < 0.15
    assert 0.001 < share(lambda one: one.last_known_post_code.startswith("ZZ99")) < 0.01
    assert 0.01 < share(lambda one: one.date_of_birth < "1966") < 0.3
    homes = collections.Counter((one.family_name, one.last_known_post_code) for one in REGISTER)
    assert sum(count for count in homes.values() if count > 1) > len(REGISTER) / 4
    twins = collections.Counter((one.last_known_post_code, one.family_name, one.date_of_birth) for one in REGISTER)
    assert 5 < sum(count > 1 for count in twins.values()) < 60


def test_nobody_is_in_the_register_twice():
    assert len({matching.identity(learner) for learner in REGISTER}) == len(REGISTER)


def test_weights_decide_how_often_a_value_is_drawn():
    drawn = tables.slots(["a", "b", "c"], [2, 1, 1])
    assert (drawn.count("a"), drawn.count("b"), drawn.count("c")) == (2048, 1024, 1024)
    assert tables.slots(["x"], [7]) == ("x",) * tables.SLOTS


SEARCHES = truth.searches(1, 0, REGISTER[:1000], 3_000)
BY_ULN = {learner.uln: learner for learner in REGISTER}
FIELDS = ("given_name", "family_name", "date_of_birth", "last_known_post_code", "gender")
# Fields that a kind of mistake may change.
CHANGES = {
    "given name": {"given_name"}, "family name": {"family_name"}, "signs": {"given_name", "family_name"},
    "order": {"given_name", "family_name"}, "date": {"date_of_birth"}, "postcode": {"last_known_post_code"},
    "gender": {"gender"},
}  # fmt: skip


def test_a_third_of_the_searches_is_of_each_sort_and_every_kind_occurs():
    assert collections.Counter(search.mistakes for search in SEARCHES) == {1: 1000, 2: 1000, 0: 1000}
    kinds = {search.kind for search in SEARCHES}
    assert kinds >= {*ROUND, *truth.ABSENT}
    assert len(kinds) > len(ROUND) + len(truth.ABSENT) + len(truth.PAIRS) * 0.9


def test_mistakes_change_what_they_are_about_and_nothing_else():
    for search in SEARCHES:
        if search.mistakes:
            person = BY_ULN[search.uln]
            allowed = set().union(*(CHANGES[ROUND[kind].about] for kind in search.kind.split(" + ")))
            changed = {field for field in FIELDS if getattr(person, field) != getattr(search, field)}
            assert changed and changed <= allowed, search.kind


def test_absent_people_are_not_in_the_register():
    known = {tuple(names.fold(getattr(one, field)) for field in FIELDS[:3]) for one in REGISTER}
    for search in SEARCHES:
        if not search.mistakes:
            assert search.uln == ""
            assert tuple(names.fold(getattr(search, field)) for field in FIELDS[:3]) not in known


@pytest.mark.parametrize(
    "kind, given, family, expected",
    [
        ("accents lost", "Siân", "Müller", ("Sian", "Muller")),
        ("accents lost", "Małgorzata", "Weiß", ("Malgorzata", "Weiss")),
        ("hyphen lost", "Anne", "Smith-Jones", ("Anne", "Smith Jones")),
        ("apostrophe lost", "Anne", "O'Brien", ("Anne", "OBrien")),
        ("names swapped", "Anne", "Smith", ("Smith", "Anne")),
    ],
)
def test_what_a_mistake_makes_of_names(kind, given, family, expected):
    learner = REGISTER[0]._replace(given_name=given, family_name=family)
    wrong = ROUND[kind].make(learner, lambda: 0.5)
    assert (wrong.given_name, wrong.family_name) == expected


@pytest.mark.parametrize("date, expected", [("2001-02-03", "2001-03-02"), ("2001-02-13", None), ("2001-04-04", None)])
def test_day_and_month_are_exchanged_where_that_is_a_date(date, expected):
    wrong = ROUND["day and month exchanged"].make(REGISTER[0]._replace(date_of_birth=date), lambda: 0.5)
    assert (wrong and wrong.date_of_birth) == expected


def test_duplicates_are_the_same_people_with_other_ulns_and_other_details():
    register, _, pairs = map(rows, made(3_000, duplicates=150))
    known = {row["ULN"]: row for row in register}
    assert (len(register), len(known), len(pairs)) == (3_150, 3_150, 150)
    for pair in pairs:
        one, other = known[pair["ULN"]], known[pair["DuplicateULN"]]
        assert uln.is_valid(other["ULN"])
        assert [one[h] for h in writing.HEADINGS[4:]] != [other[h] for h in writing.HEADINGS[4:]]
        assert one["LastKnownAddressTown"] == other["LastKnownAddressTown"]


def test_the_files_of_the_command(tmp_path):
    out, found = tmp_path / "register.tsv", tmp_path / "truth.tsv"
    result = CliRunner().invoke(
        main.main, ["synth", "50", "--out", str(out), "--truth", str(found), "--searches", "9", "--seed", "1"]
    )
    assert (result.exit_code, result.output) == (0, "")
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == list(writing.HEADINGS)
    assert lines[1:] == ["\t".join(learner) for learner in REGISTER[:50]]
    assert found.read_text(encoding="utf-8").splitlines()[0].split("\t") == list(writing.TRUTH_HEADINGS)
    assert len(found.read_text(encoding="utf-8").splitlines()) == 10


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["5", "--searches", "3"], "--searches needs --truth"),
        (["5", "--pairs", "x"], "--pairs needs --duplicates"),
        (["5", "--duplicates", "3"], "one learner in ten"),
        (["5", "--out", "same", "--truth", "same"], "different files"),
        (["900000000"], "at most"),
        (["5", "--out", "/nowhere/at/all"], "No such file"),
    ],
)
def test_what_cannot_be_made_ends_with_2(arguments, told):
    result = CliRunner().invoke(main.main, ["synth", *arguments])
    assert (result.exit_code, told in result.stderr) == (2, True)


def test_a_reader_that_has_enough_is_no_failure():
    code = "from lrs_soap.cli.main import main; main()"
    command = [sys.executable, "-c", code, "synth", "30000", "--processes", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, b"")
