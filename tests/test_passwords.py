import datetime

import pytest

from lrs_soap import passwords
from lrs_soap.rules import passwords as rules
from lrs_soap.rules.passwords import NO_TERMS, Accepted, Terms

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
PASSWORD = "correct-horse-16"
STORED = passwords.hash_password(PASSWORD)  # now: once tests run, hashing is made cheap for them


def test_a_password_is_known_again_and_another_is_not():
    stored = passwords.hash_password(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored
    assert passwords.verify_password(stored, PASSWORD)
    assert not passwords.verify_password(stored, "Correct-horse-16")
    assert not passwords.verify_password(stored, "")


def test_it_costs_what_rfc_9106_recommends_to_try_one():
    assert "$m=65536,t=3,p=4$" in STORED
    assert passwords.verify_password(STORED, PASSWORD)


def test_every_hash_has_its_own_salt():
    assert passwords.hash_password(PASSWORD) != passwords.hash_password(PASSWORD)


@pytest.mark.parametrize("password", ["", "fifteen-letters", "seventeen-letters", " " * 16])
def test_a_password_no_request_could_carry_is_refused(password):
    with pytest.raises(passwords.UnusablePassword) as refusal:
        passwords.hash_password(password)
    assert not password.strip() or password not in str(refusal.value)


@pytest.mark.parametrize("damaged", ["", "plain", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA"])
def test_a_damaged_hash_is_an_error_and_not_a_wrong_password(damaged):
    with pytest.raises(passwords.UnusableHash):
        passwords.verify_password(damaged, PASSWORD)


@pytest.mark.parametrize("password", ["sandbox-password", "awarding-body-02", "a" * 16, "0" * 16])
def test_a_password_that_everybody_knows_is_refused(password):
    with pytest.raises(passwords.PublishedPassword) as refusal:
        passwords.refuse_published(password)
    assert password not in str(refusal.value)
    passwords.refuse_published(PASSWORD)


# Rotation and expiry


def test_without_terms_only_the_current_password_is_accepted_and_for_ever():
    assert rules.accepted("new", NO_TERMS, NOW) == [Accepted("new", None, False)]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (Terms(NOW + DAY), [Accepted("new", NOW + DAY, False)]),
        (Terms(NOW), [Accepted("new", NOW, True)]),
        (Terms(None, "old", NOW + DAY), [Accepted("new", None, False), Accepted("old", NOW + DAY, False)]),
        (Terms(None, "old", NOW), [Accepted("new", None, False)]),
        (Terms(NOW - DAY, "old", NOW + DAY), [Accepted("new", NOW - DAY, True), Accepted("old", NOW + DAY, False)]),
        (Terms(None, None, NOW + DAY), [Accepted("new", None, False)]),
    ],
)
def test_what_is_accepted_when(terms, expected):
    assert rules.accepted("new", terms, NOW) == expected


@pytest.mark.parametrize(
    ("before", "overlap", "expires", "after"),
    [
        (NO_TERMS, 0 * DAY, None, NO_TERMS),
        (NO_TERMS, 0 * DAY, NOW + 9 * DAY, Terms(NOW + 9 * DAY)),
        (NO_TERMS, 7 * DAY, None, Terms(None, "current", NOW + 7 * DAY)),
        (Terms(NOW + 2 * DAY), 7 * DAY, None, Terms(None, "current", NOW + 2 * DAY)),
        (Terms(NOW - DAY), 7 * DAY, None, NO_TERMS),
        (Terms(None, "older", NOW + 5 * DAY), 7 * DAY, None, Terms(None, "current", NOW + 7 * DAY)),
        (Terms(None, "older", NOW + 5 * DAY), 0 * DAY, None, NO_TERMS),
    ],
)
def test_an_overlap_never_makes_an_old_password_last_longer_than_it_would_have(before, overlap, expires, after):
    assert rules.rotated("current", before, NOW, overlap, expires) == after


@pytest.mark.parametrize(("text", "found"), [("7d", 7 * DAY), ("12h", DAY / 2), ("30m", DAY / 48)])
def test_times(text, found):
    assert rules.duration(text) == found


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "1.5d", "7 d", "7w", "99999d", "7d\n"])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match="7d, 12h or 30m"):
        rules.duration(text)


@pytest.mark.parametrize(
    ("expires", "words"),
    [
        (None, ""),
        (NOW + 31 * DAY, ""),
        (NOW + 30 * DAY, "in less than 31 days"),
        (NOW + DAY / 2, "in less than 1 day"),
        (NOW, "has expired"),
    ],
)
def test_operators_are_warned(expires, words):
    warning = rules.warning(Terms(expires), NOW)
    assert words in warning and bool(words) == bool(warning)
