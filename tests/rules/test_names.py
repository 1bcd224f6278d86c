"""rules.names and rules.nicknames: which spellings are one name."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lrs_soap.rules import names, nicknames


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("O'Brien", "o’brien"),
        ("O`Brien", "OBrien"),
        ("Oʼbrien", "O´Brien"),
        ("Smith-Jones", "smith jones"),
        ("Smith–Jones", "Smith‑Jones"),
        ("Zoë", "Zoe"),
        ("Zoe\u0308", "Zoë"),
        ("Müller", "MULLER"),
        ("Weiß", "Weiss"),
        ("WEIẞ", "weiss"),
        ("Sørensen", "Sorensen"),
        ("Łukasz", "lukasz"),
        ("Æthelred", "Aethelred"),
        ("Þór", "Thor"),
        ("Đorđe", "Dorde"),
        ("İsmail", "ismail"),
        ("St. John", "St John"),
        ("  Anne   Marie ", "anne-marie"),
        ("ＪＯＨＮ", "John"),
        ("ﬁona", "Fiona"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"),
        ("Йван", "иван"),
    ],
)
def test_equal_names(a, b):
    assert names.fold(a) == names.fold(b)


@pytest.mark.parametrize(("a", "b"), [("Smith", "Smyth"), ("-", "."), ("李", "王"), ("राम", "रमा"), ("Li", "Lí2")])
def test_different_names(a, b):
    assert names.fold(a) != names.fold(b)


@given(st.text(max_size=35))
@example("İ")
@example("ͅ")
@example("- .")
@example("ﷺ")
def test_fold_is_stable_and_never_loses_a_whole_name(text):
    folded = names.fold(text)
    assert names.fold(folded) == folded
    assert bool(folded) == bool(text.split())
    assert (names.sound(text) == "") == (folded == "")
    assert names.fold(f" {text} ") == folded


@given(st.text(st.characters(max_codepoint=127), max_size=35))
def test_case_never_counts(text):
    assert names.fold(text.upper()) == names.fold(text.lower())


def test_nothing_folds_to_nothing():
    assert names.fold(None) == names.fold("  ") == names.fold_postcode(None) == ""


@pytest.mark.parametrize(("a", "b"), [("CV1 2WT", "cv12wt"), ("BFPO 12", "bfpo12   "), ("B1 1AA ", "B11AA")])
def test_postcodes(a, b):
    assert names.fold_postcode(a) == names.fold_postcode(b)


@pytest.mark.parametrize(("a", "b"), [("Smith", "Smyth"), ("Mohammed", "Muhammad"), ("Stephen", "Steven")])
def test_sounds(a, b):
    assert names.sound(a) == names.sound(b)


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        ("Smith", "Smith", True),
        ("Smith", "Smyth", True),
        ("Smith", "Smiht", True),
        ("Smith", "Simths", False),
        ("Lee", "Lea", False),
        ("Lee", "Ele", True),
        ("Khan", "Kahn", True),
        ("Khan", "Kane", False),
        ("Jean", "June", False),
        ("Jane", "Joan", False),
        ("Stephens", "Stevens", True),
        ("Stephen", "Steven", True),
        ("Thompson", "Thomson", True),
        ("Featherstone", "Fetherston", True),
        ("Robertson", "Roberts", True),
        ("Williams", "Wilson", False),
        ("Walker", "Wallace", False),
        ("Patel", "Shah", False),
        ("O'Neill", "Oneil", True),
        ("Siobhan", "Shivaun", False),
    ],
)
def test_likely_misspellings(a, b, alike):
    a, b = names.fold(a), names.fold(b)
    assert names.alike(a, b) is names.alike(b, a) is alike


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Bob", "Robert", True),
        ("Liz", "ELIZABETH", True),
        ("Beth", "Bethany", True),
        ("Alex", "Alexandra", True),
        ("Alexander", "Alexandra", False),
        ("Sam", "Samuel", True),
        ("Samuel", "Samantha", False),
        ("Mohammed", "Muhammad", True),
        ("Zoë", "Zoey", True),
        ("Zebedee", "zebedee", True),
        ("Robert", "Richard", False),
        ("Zebedee", "Zed", False),
    ],
)
def test_nicknames(a, b, same):
    a, b = names.fold(a), names.fold(b)
    assert names.same_given(a, b) is names.same_given(b, a) is same


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [("Ella", "Elsa", False), ("Jayden", "Hayden", False), ("Jayden", "Jaydne", True), ("Mark", "Mary", False)],
)
def test_two_common_names_are_not_one_misspelt(a, b, alike):
    assert names.alike_given(names.fold(a), names.fold(b)) is alike


def test_the_table_is_written_folded_and_is_large_enough():
    assert [name for name in nicknames.COMMON if names.fold(name) != name] == []
    groups = [set(group.split()) for group in nicknames._GROUPS.split(";")]
    assert len(groups) >= 120
    assert [group for group in groups if len(group) < 2] == []
    assert not re.search(r"[^a-z\s;]", nicknames._GROUPS + nicknames._OTHERS)
