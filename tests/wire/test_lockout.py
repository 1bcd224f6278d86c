"""Wrong passwords: what is computed, who waits, and that nobody else does."""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import datetime
import http.client
import math
import threading
import time

import pytest
from support import secured, server

from lrs_soap import contract, passwords
from lrs_soap.rules import access, lockout
from lrs_soap.rules.passwords import NO_TERMS, Terms
from lrs_soap.store.organisations import Organisation
from lrs_soap.wire import turns, verifier
from lrs_soap.wire.verifier import Source, Verdict

HERE, THERE = Source("192.0.2.1"), Source("192.0.2.2")
RIGHT, OLD = "the right one 16", "the old one, 16."
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def college(number=1, terms=NO_TERMS, password=RIGHT, sandbox=False):
    return Organisation(
        id=number, organisation_ref="COLL01", ukprn="10000001", name="A", password_hash=f"hash of {password}",
        rights=access.ALL, sandbox=sandbox, created_at=NOW, disabled_at=None, terms=terms,
    )  # fmt: skip


def wrong(n: int) -> str:
    return f"wrong number {n:03}"


@pytest.fixture
def computed(monkeypatch):
    """The passwords that were computed; computing takes no time."""
    done = []

    def verify(password_hash, password):
        done.append(password)
        return password_hash == f"hash of {password}"

    monkeypatch.setattr(passwords, "verify_password", verify)
    return done


@pytest.fixture
def clock(monkeypatch):
    """The verifier's clock, which stands still until the test moves it."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr(verifier.time, "monotonic", lambda: Clock.now)
    return Clock


def test_right_and_wrong_are_computed_once_each(computed, clock):
    judge = verifier.Verifier(300)
    for _ in range(3):
        assert judge.verify(college(), RIGHT, HERE) is Verdict.RIGHT
        assert judge.verify(college(), wrong(1), HERE) is Verdict.WRONG
    assert computed == [RIGHT, wrong(1)]
    clock.now += 301
    assert judge.recall(college(), RIGHT, HERE) is None
    assert RIGHT not in repr(vars(judge)) and wrong(1) not in repr(vars(judge))


def test_what_is_remembered_ends_with_the_hash(computed, clock):
    judge = verifier.Verifier(300)
    judge.verify(college(), RIGHT, HERE), judge.verify(college(), OLD, HERE)
    changed = college(password=OLD)
    assert judge.verify(changed, RIGHT, HERE) is Verdict.WRONG
    assert judge.verify(changed, OLD, HERE) is Verdict.RIGHT


def test_whoever_guesses_waits_and_nobody_else_does(computed, clock):
    judge = verifier.Verifier(300)
    verdicts = [judge.verify(college(), wrong(n), HERE) for n in range(50)]
    assert verdicts == [Verdict.WRONG] * lockout.FREE + [Verdict.LOCKED] * 45
    assert len(computed) == lockout.FREE
    assert judge.verify(college(), RIGHT, HERE) is Verdict.LOCKED, "not even the right one, from where was guessed"
    assert judge.verify(college(), RIGHT, THERE) is Verdict.RIGHT
    assert judge.verify(college(number=2), RIGHT, HERE) is Verdict.RIGHT
    assert judge.verify(college(), RIGHT, Source(HERE.address, "ab" * 32)) is Verdict.RIGHT
    clock.now += 1.01
    assert judge.verify(college(), RIGHT, HERE) is Verdict.RIGHT


def test_a_neighbour_with_a_remembered_password_goes_on(computed, clock):
    judge = verifier.Verifier(300)
    judge.verify(college(), RIGHT, HERE)
    for n in range(50):
        judge.verify(college(), wrong(n), HERE)
    clock.now += 0.5
    assert judge.verify(college(), RIGHT, HERE) is Verdict.RIGHT
    guesses = [judge.recall(college(), wrong(100 + n), HERE) for n in range(1000)]
    assert set(guesses) == {Verdict.LOCKED}
    assert judge.verify(college(), RIGHT, HERE) is Verdict.LOCKED, "the memory is not asked at will"


def test_a_machine_with_an_old_password_harms_nobody_behind_the_same_address(computed, clock):
    judge = verifier.Verifier(300)
    for _ in range(1000):
        assert judge.verify(college(), OLD, HERE) is Verdict.WRONG
        clock.now += 0.1
    assert judge.verify(college(), RIGHT, HERE) is Verdict.RIGHT
    assert computed == [OLD, RIGHT]


def test_the_former_password_until_the_overlap_is_over(computed, clock):
    judge = verifier.Verifier(300)
    during = college(terms=Terms(None, f"hash of {OLD}", datetime.datetime.now(datetime.UTC) + DAY))
    after = college(terms=Terms(None, f"hash of {OLD}", NOW - DAY))
    assert judge.verify(during, OLD, HERE) is judge.verify(during, RIGHT, HERE) is Verdict.RIGHT
    assert judge.verify(after, OLD, HERE) is Verdict.WRONG
    assert judge.verify(after, RIGHT, HERE) is Verdict.RIGHT


def test_a_right_password_is_not_remembered_beyond_its_end(computed, clock):
    judge = verifier.Verifier(300)
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=60)
    soon = college(terms=Terms(None, f"hash of {OLD}", end))
    ends = dataclasses.replace(soon, terms=soon.terms._replace(expires_at=soon.terms.former_until))
    assert judge.verify(soon, OLD, HERE) is judge.verify(ends, RIGHT, HERE) is Verdict.RIGHT
    clock.now += 59
    assert judge.recall(soon, OLD, HERE) is judge.recall(ends, RIGHT, HERE) is Verdict.RIGHT
    clock.now += 1
    assert judge.recall(soon, OLD, HERE) is judge.recall(ends, RIGHT, HERE) is None


def test_an_expired_password_is_refused_for_a_reason_of_its_own(computed, clock):
    judge = verifier.Verifier(300)
    assert judge.verify(college(terms=Terms(NOW)), RIGHT, HERE) is Verdict.EXPIRED
    assert judge.verify(college(terms=Terms(NOW)), OLD, HERE) is Verdict.WRONG


def test_a_published_password_opens_a_sandbox_only(computed, clock):
    judge = verifier.Verifier(300)
    published = "sandbox-password"
    assert judge.verify(college(password=published), published, HERE) is Verdict.PUBLISHED
    assert judge.verify(college(password=published, sandbox=True), published, HERE) is Verdict.RIGHT


def test_a_damaged_hash_counts_as_no_guess(monkeypatch, clock):
    def damaged(*_):
        raise passwords.UnusableHash

    monkeypatch.setattr(passwords, "verify_password", damaged)
    judge = verifier.Verifier(300)
    for n in range(20):
        with pytest.raises(passwords.UnusableHash):
            judge.verify(college(), wrong(n), HERE)


def test_the_same_question_is_computed_once_for_all_who_ask_it(computed):
    judge = verifier.Verifier(300)

    async def ask():
        return await asyncio.gather(*(judge.verify_in_turn(college(), RIGHT, HERE) for _ in range(200)))

    assert asyncio.run(ask()) == [Verdict.RIGHT] * 200
    assert computed == [RIGHT]


def test_many_guesses_at_once_are_no_more_than_one_after_the_other(computed):
    judge = verifier.Verifier(300)

    async def ask():
        return await asyncio.gather(*(judge.verify_in_turn(college(), wrong(n), HERE) for n in range(200)))

    verdicts = asyncio.run(ask())
    assert verdicts.count(Verdict.WRONG) == lockout.FREE == len(computed)
    assert verdicts.count(Verdict.LOCKED) == 200 - lockout.FREE


# Turns


def test_turns_go_round_whoever_asks_most():
    order, running, most = [], 0, 0
    lock = threading.Lock()

    def work(name):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            order.append(name)
        time.sleep(0.002)
        with lock:
            running -= 1

    async def ask():
        queue = turns.Turns("test", 2, 60)
        greedy = [asyncio.ensure_future(queue.run("greedy", lambda: work("greedy"))) for _ in range(50)]
        await asyncio.sleep(0)
        others = [asyncio.ensure_future(queue.run(f"{n}", lambda: work("other"))) for n in range(5)]
        await asyncio.gather(*greedy, *others)

    asyncio.run(ask())
    assert most == 2
    assert "other" not in order[-40:], "those who came later with one thing each did not wait for the fifty"


def test_what_waits_too_long_is_not_begun():
    release = threading.Event()
    begun = []

    async def ask():
        queue = turns.Turns("test", 1, 0.05)
        first = asyncio.ensure_future(queue.run("a", release.wait))
        late = [asyncio.ensure_future(queue.run("b", lambda: begun.append(1))) for _ in range(3)]
        await asyncio.sleep(0.2)
        release.set()
        assert await first is True
        return await asyncio.gather(*late, return_exceptions=True)

    assert [type(error) for error in asyncio.run(ask())] == [turns.TooBusy] * 3
    assert begun == []


def test_an_error_reaches_who_asked_and_frees_the_place():
    async def ask():
        queue = turns.Turns("test", 1, 60)
        with pytest.raises(ZeroDivisionError):
            await queue.run("a", lambda: 1 / 0)
        return await queue.run("a", lambda: "done")

    assert asyncio.run(ask()) == "done"


# Over sockets, from two addresses of this machine


def post(port: int, source: str, message: bytes) -> tuple[str, float]:
    """The code of the answer to a call from the address `source`, and how long it took in seconds."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    with contextlib.closing(connection):
        connection.request("POST", contract.ENDPOINT, message, {"Content-Type": "text/xml"})
        body = server.read(connection.getresponse()).body.decode()
    (code,) = {code for code in ("WSRC0001", "WSEC0003", "WSEC0005", "WSEC0999") if code in body}
    return code, time.perf_counter() - started


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_flood_of_guesses_is_few_guesses_and_others_are_served(request, kind):
    databases = request.getfixturevalue(f"{kind}_databases")
    url = databases.migrated()
    secured.add_colleges(url)
    flood = threading.Event()

    def guess(port, number):
        codes = []
        while not flood.is_set():
            codes.append(post(port, "127.0.0.2", secured.find("COLL01", f"guess {number} {len(codes):08}"))[0])
        return codes

    with secured.running(url) as running, concurrent.futures.ThreadPoolExecutor(6) as attackers:
        assert post(running.port, "127.0.0.1", secured.find("COLL01"))[0] == "WSRC0001"
        started = time.perf_counter()
        guessing = [attackers.submit(guess, running.port, number) for number in range(6)]
        try:
            # From elsewhere: a password that is remembered, one that was never seen before, and a wrong one.
            calls = [post(running.port, "127.0.0.1", secured.find("COLL01")) for _ in range(20)]
            calls.append(post(running.port, "127.0.0.1", secured.find("COLL02")))
            refused = post(running.port, "127.0.0.1", secured.find("COLL03", "quite another 16"))
        finally:
            flood.set()
        answers = [code for done in guessing for code in done.result()]
        elapsed = time.perf_counter() - started
        assert {code for code, _ in calls} == {"WSRC0001"}
        assert refused[0] == "WSEC0005"
        assert max(seconds for _, seconds in calls) < 15
        assert set(answers) == {"WSEC0005"}
        reasons = running.reasons()
        # One of the wrong ones is COLL03's. After the free ones each wait is twice the one before.
        assert reasons.count("wrong-password") - 1 <= lockout.FREE + 1 + math.log2(elapsed + 1)
        assert reasons.count("locked-out") == len(answers) + 1 - reasons.count("wrong-password")
        assert "guess" not in running.output
    databases.drop(url)
