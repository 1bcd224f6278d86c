"""Guessing made slow, by the clock of the test."""

import pytest

from lrs_soap.rules import lockout

KEY, NEIGHBOUR, ELSEWHERE = (1, "192.0.2.1"), (2, "192.0.2.1"), (1, "192.0.2.2")


def guess(attempts, key, now, n=0):
    """One wrong password; whether it was compared at all."""
    token = b"%d" % n
    if attempts.must_wait(key, now) or not attempts.begin(key, now):
        return False
    attempts.end(key, now, token, "wrong")
    return True


def test_waits_double_up_to_a_minute():
    assert [lockout.wait(n) for n in range(13)] == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert lockout.wait(10**6) == 60


def test_a_day_of_guessing_is_some_1500_guesses():
    attempts = lockout.Attempts()
    assert sum(guess(attempts, KEY, now / 2, now) for now in range(2 * 86_400)) <= 5 + 6 + 1440


def test_nobody_else_waits():
    attempts = lockout.Attempts()
    for n in range(100):
        guess(attempts, KEY, 0.0, n)
    assert attempts.must_wait(KEY, 0.5)
    assert not attempts.must_wait(NEIGHBOUR, 0.5) and not attempts.must_wait(ELSEWHERE, 0.5)
    assert attempts.begin(NEIGHBOUR, 0.5) and attempts.begin(ELSEWHERE, 0.5)


def test_the_same_wrong_password_counts_once():
    attempts = lockout.Attempts()
    assert guess(attempts, KEY, 0.0, 7)
    assert attempts.known_wrong(KEY, b"7", 1.0) == "wrong"
    assert attempts.known_wrong(KEY, b"8", 1.0) is None
    assert attempts.known_wrong(ELSEWHERE, b"7", 1.0) is None
    assert not attempts.must_wait(KEY, 1.0)


def test_tries_under_way_count_before_their_end_is_known():
    attempts = lockout.Attempts()
    assert [attempts.begin(KEY, 0.0) for _ in range(8)] == [True] * lockout.FREE + [False] * 3
    for _ in range(lockout.FREE):
        attempts.end(KEY, 0.0)
    assert len(attempts) == 0, "right ones leave nothing behind"


def test_beyond_the_free_ones_they_come_one_at_a_time():
    attempts = lockout.Attempts()
    for n in range(lockout.FREE):
        guess(attempts, KEY, 0.0, n)
    assert [attempts.begin(KEY, 10.0) for _ in range(3)] == [True, False, False]


def test_a_right_password_does_not_end_the_wait_of_who_guesses():
    attempts = lockout.Attempts()
    for n in range(lockout.FREE):
        guess(attempts, KEY, 0.0, n)
    assert attempts.begin(KEY, 2.0)
    attempts.end(KEY, 2.0)
    guess(attempts, KEY, 2.0, 99)
    assert attempts.must_wait(KEY, 3.9) and not attempts.must_wait(KEY, 4.1)


def test_it_is_forgotten_after_a_quarter_of_an_hour():
    attempts = lockout.Attempts()
    for n in range(lockout.FREE):
        guess(attempts, KEY, 0.0, n)
    assert attempts.known_wrong(KEY, b"0", 900.0)
    assert attempts.known_wrong(KEY, b"0", 900.1) is None
    assert len(attempts) == 0


def test_looks_at_the_memory_are_counted_while_waiting():
    attempts = lockout.Attempts()
    for n in range(lockout.FREE):
        guess(attempts, KEY, 0.0, n)
    assert sum(attempts.may_look(KEY, 0.5) for _ in range(100)) == lockout.LOOKS
    assert sum(attempts.may_look(KEY, 0.5 + n / 100) for n in range(100)) in (9, 10)
    assert attempts.may_look(ELSEWHERE, 0.5)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(lockout, "MOST_SOURCES", 50)
    attempts = lockout.Attempts()
    for n in range(500):
        guess(attempts, (1, str(n)), 0.0)
    assert len(attempts) == 50
    assert attempts.known_wrong((1, "499"), b"0", 0.0) and not attempts.known_wrong((1, "0"), b"0", 0.0)
    now = 0.0
    for n in range(500):
        now += 60
        assert guess(attempts, KEY, now, n)
    assert sum(attempts.known_wrong(KEY, b"%d" % n, now) is not None for n in range(500)) == lockout.MOST_WRONG


@pytest.mark.parametrize(
    ("address", "counted"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "::/64"), ("", "")],
)
def test_a_source_is_an_address_or_a_network_of_ipv6(address, counted):
    assert lockout.source(address) == counted
