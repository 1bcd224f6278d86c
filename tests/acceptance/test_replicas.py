"""Finds on streaming replicas: a real primary with two of them, and servers that share them.

Whatever becomes of the replicas, a find sees all that was answered before it was sent, by whichever server.
"""

import concurrent.futures
import contextlib
import itertools
import json
import os
import re
import threading
import time

import pytest
from support import clusters, server, soap

from lrs_soap import sandbox

ORGANISATION = sandbox.published_organisations()[0]
WHO = {"OrganisationRef": ORGANISATION["organisation_ref"], "OrgPassword": ORGANISATION["password"], "UserName": "J"}
PERSON = {"GivenName": "Annika", "DateOfBirth": "2001-02-03", "Gender": "2", "LastKnownPostCode": "AB1 2DE"}
SOON = 20.0
# More than a replica that does not answer is given, twice; far less than callers wait.
AT_ONCE = 5.0
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def postgresql_programs():
    if clusters.programs() is None:
        advice = "PostgreSQL's server programs are not installed (Debian: postgresql)"
        pytest.fail(advice) if os.environ.get("CI") else pytest.skip(advice)


class Register:
    """A primary, two replicas, and servers that know all three."""

    def __init__(self, primary, replicas, servers):
        self.primary = primary
        self.replicas = replicas
        self.servers = servers

    def call(self, number, operation, **values):
        """The reply of the server of that number."""
        return soap.answer(self.servers[number % len(self.servers)].post(soap.message(operation, WHO | values)))

    def register(self, number):
        """Registers somebody new, and gives the name and the ULN."""
        family_name = "Hollowell" + "".join(chr(ord("a") + int(digit)) for digit in str(next(NUMBERS)))
        details = PERSON | {"FamilyName": family_name, "VerificationType": "2", "AbilityToShare": "1"}
        answer = self.call(number, "registerSingleLearner", **{f"Learner.{k}": value for k, value in details.items()})
        return family_name, None if answer.is_fault else answer.text("ULN")

    def find(self, number, family_name, uln):
        """The code of a find for somebody registered."""
        values = {"FindType": "FUL", "ULN": uln, "GivenName": PERSON["GivenName"], "FamilyName": family_name}
        answer = self.call(number, "learnerByULN", **values)
        return answer.text("ErrorCode" if answer.is_fault else "ResponseCode")

    def write_and_find(self, number):
        """Registers with one server and finds with the next, at once. Gives what the find took, in seconds."""
        family_name, uln = self.register(number)
        started = time.monotonic()
        assert self.find(number + 1, family_name, uln) == "WSRC0004"
        return time.monotonic() - started

    def states(self, number=0):
        """What /readyz says of the replicas."""
        return list(json.loads(self.servers[number].get("/readyz").body)["replicas"].values())

    def become(self, *states, within=SOON):
        """Waits until every server knows the replicas to be so."""
        eventually(lambda: all(self.states(number) == list(states) for number in range(len(self.servers))), within)

    def reads(self):
        """How many readings were made where, by all servers."""
        pages = [one.get("/metrics").body.decode() for one in self.servers]
        found = [pair for page in pages for pair in re.findall(r'^lrs_soap_reads_total\{source="(.*)"\} (.*)$', page, re.M)]
        return {name: sum(float(value) for source, value in found if source == name)
                for name in ("primary", "replica-1", "replica-2")}  # fmt: skip


@contextlib.contextmanager
def counted(register):
    """Gives a dictionary that holds, after the block, how many readings were made where."""
    before, result = register.reads(), {}
    yield result
    result.update({name: value - before[name] for name, value in register.reads().items()})


@contextlib.contextmanager
def running(number, several_hosts=False):
    with clusters.running(2) as (primary, *replicas), contextlib.ExitStack() as stack:
        url = primary.url
        if several_hosts:
            hosts = "&".join(f"host={one.address}" for one in (primary, *replicas))
            url = f"postgresql://postgres@/postgres?{hosts}&target_session_attrs=read-write"
        given = {"replica": " ".join(one.url for one in replicas), "job_workers": 0, "audit_flush_seconds": 0.1}
        servers = [stack.enter_context(server.running(url, **given)) for _ in range(number)]
        found = Register(primary, replicas, servers)
        found.become("up", "up")
        yield found
        for one in servers:
            assert "Traceback" not in one.output and "Hollowell" not in one.output


@pytest.fixture(scope="module")
def register():
    with running(2) as found:
        yield found


def eventually(attempt, within=SOON):
    until = time.monotonic() + within
    while not (done := attempt()):
        assert time.monotonic() < until, "not in time"
        time.sleep(0.05)
    return done


def test_finds_are_read_from_both_replicas_and_miss_nothing(register):
    register.become("up", "up")
    with counted(register) as reads:
        for number in range(30):
            register.write_and_find(number)
    # The finds, and no more than a few of them from the primary: replicas are waited for, but not long.
    assert sum(reads.values()) == 30
    assert reads["replica-1"] > 3 and reads["replica-2"] > 3


def test_every_operation_that_reads_is_answered_by_replicas(register):
    register.become("up", "up")
    family_name, uln = register.register(0)
    named = {"FamilyName": family_name, "GivenName": PERSON["GivenName"]}
    today = time.strftime("%Y-%m-%d")
    asked = [
        ("learnerByDemographics", {"FindType": "FUL"} | PERSON | named, "WSRC0004"),
        ("verifyLearner", {f"LearnerToVerify.{name}": value for name, value in {"ULN": uln, **named}.items()}, "WSVRC001"),
        ("retrieveULNs", {"ULNsToRetrieve.ULN": [uln]}, "WSRC0004"),
        ("getMergedUnmergedULNsReport", {"FromDate": today}, "WSRC0024"),
        ("getDeletedULNsReport", {"FromDate": today}, "WSRC0024"),
        ("getVerifyBatchOutput", {"JobID": "1"}, "WSRC0018"),
    ]
    with counted(register) as reads:
        for number, (operation, values, code) in enumerate(asked):
            assert register.call(number, operation, **values).text("ResponseCode") == code, operation
    assert sum(reads.values()) == len(asked) and reads["primary"] <= 1, reads


def test_replicas_that_do_not_keep_up_are_never_stale(register):
    register.become("up", "up")
    for one in register.replicas:
        one.run("SELECT pg_wal_replay_pause()")
        eventually(lambda one=one: one.run("SELECT pg_get_wal_replay_pause_state()")[0] == "paused")
    with counted(register) as reads:
        for number in range(10):
            family_name, uln = register.register(number)
            # The replicas are out of date indeed: to read from them would be to miss it.
            missed = [one.run(f"SELECT count(*) FROM learner WHERE uln = {uln}")[0] for one in register.replicas]
            assert missed == [0, 0]
            assert register.find(number + 1, family_name, uln) == "WSRC0004"
    assert reads == {"primary": 10, "replica-1": 0, "replica-2": 0}
    register.become("behind", "behind")
    for one in register.replicas:
        one.run("SELECT pg_wal_replay_resume()")
    register.become("up", "up")


def test_replicas_that_stop_and_go_under_load_are_never_stale(register):
    register.become("up", "up")
    ended = threading.Event()

    def disturb():
        for one in itertools.cycle(register.replicas):
            one.run("SELECT pg_wal_replay_pause()")
            waited = ended.wait(0.1)
            one.run("SELECT pg_wal_replay_resume()")
            if waited or ended.wait(0.05):
                return

    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(6) as threads:
            took = list(threads.map(register.write_and_find, range(120)))
    finally:
        ended.set()
        disturbing.join()
    assert max(took) < AT_ONCE
    register.become("up", "up")


def test_a_batch_is_known_at_once(register):
    details = PERSON | {"FamilyName": "Hollowellx", "MISIdentifier": "1", "VerificationType": "2", "AbilityToShare": "1"}
    submitted = register.call(
        0, "submitBatchRegistration", LearnerRecordCount="1", JobType="FUL",
        **{f"Learner.{name}": value for name, value in details.items()},
    )  # fmt: skip
    output = register.call(1, "getBatchRegistrationOutput", JobID=submitted.text("JobID"))
    assert output.text("ResponseCode") == "WSRC0008"


def test_a_replica_is_killed_and_comes_back(register):
    register.become("up", "up")
    lost = register.replicas[0]
    lost.kill()
    assert max(register.write_and_find(number) for number in range(10)) < AT_ONCE
    register.become("lost", "up")
    lost.start()
    register.become("up", "up")
    with counted(register) as reads:
        for number in range(10):
            register.write_and_find(number)
    assert reads["replica-1"]


def test_a_replica_that_hangs_keeps_nobody_waiting_for_long(register):
    register.become("up", "up")
    hung = register.replicas[1]
    hung.hang()
    try:
        took = sorted(register.write_and_find(number) for number in range(10))
        # Once for each server at most, until it is known.
        assert took[-1] < AT_ONCE and took[-3] < 1.0
        register.become("up", "lost")
    finally:
        hung.hang(False)
    register.become("up", "up")


def test_the_primary_is_lost_and_a_replica_promoted_then_another_by_mistake():
    with running(1, several_hosts=True) as register:
        before = register.register(0)
        first, second = register.replicas
        # A failover that loses nothing, as the operator of a primary without synchronous replicas hopes for.
        eventually(lambda: all(one.run(f"SELECT 1 FROM learner WHERE uln = {before[1]}") for one in register.replicas))
        register.primary.kill()
        assert register.find(0, *before) == "WSEC0999"  # nothing that might be missed is answered
        first.promote()
        second.follow(first)
        eventually(lambda: register.register(0)[1] and register.register(1)[1])
        for number in range(5):
            register.write_and_find(number)
        register.become("promoted", "up")
        with counted(register) as reads:
            for number in range(10):
                register.write_and_find(number)
            assert register.find(1, *before) == "WSRC0004"
        assert reads["replica-1"] == 0 and reads["replica-2"] > 3

        # By mistake. That is noticed also while nothing is written or read.
        second.promote()
        register.become("promoted", "promoted", within=AT_ONCE)
        # It is still not read from when somebody changes it, and it lacks what is registered from now on.
        after = register.register(0)
        second.run(f"DELETE FROM learner WHERE uln = {before[1]}")
        for number in range(10):
            assert register.find(number, *before) == "WSRC0004"
            assert register.find(number, *after) == "WSRC0004"
            register.write_and_find(number)
