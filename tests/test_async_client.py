"""What is AsyncLrsClient's own: made from LrsClient, many calls side by side, batches, cancelling. The cases of
test_client.py, which run on both clients, are not repeated here."""

import asyncio
import inspect
import subprocess
import sys
import threading

import pytest
from support import canned, server

from lrs_soap import client, codes, model
from lrs_soap.client import aiobatches, aiotransport, asyncgen

SANDBOX = {"ukprn": "SAND0001", "org_password": "sandbox-password", "user_name": "J Smith"}
NO_MATCH = canned.reply("learnerByULN", "<ResponseCode>WSRC0001</ResponseCode>")


@pytest.fixture(scope="module")
def sandbox(sqlite_databases):
    url = sqlite_databases.sandbox()
    with server.running(url) as running:
        yield running
    sqlite_databases.drop(url)


@pytest.mark.parametrize("original", asyncgen.MADE, ids=lambda path: path.name)
def test_the_generated_methods_are_current(original):
    assert asyncgen.MADE[original].read_text(encoding="utf-8") == asyncgen.source(original)


def test_it_has_the_methods_of_the_other_with_their_arguments():
    def public(kind):
        return {name: str(inspect.signature(member)).replace("asyncio.", "").replace("time.", "")
                for name, member in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}  # fmt: skip

    ours, theirs = public(client.AsyncLrsClient), public(client.LrsClient)
    assert ours.keys() == theirs.keys()
    with_functions = {"finished", "run_batch"}  # whose defaults have addresses
    assert {name: ours[name] for name in ours.keys() - with_functions} == {
        name: theirs[name] for name in theirs.keys() - with_functions
    }
    for name in ours.keys() - {"run_batch"}:
        assert inspect.iscoroutinefunction(getattr(client.AsyncLrsClient, name)), name
    assert inspect.isasyncgenfunction(client.AsyncLrsClient.run_batch)
    assert inspect.signature(client.AsyncLrsClient) == inspect.signature(client.LrsClient)


def test_the_other_client_does_not_need_httpx():
    code = (
        "import sys; sys.modules['httpx'] = None\n"
        "from lrs_soap import client\n"
        "client.LrsClient('http://127.0.0.1:9', ukprn='A', org_password='b', user_name='c').close()\n"
        "try: client.AsyncLrsClient\n"
        "except ImportError as error: print(error.name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "httpx"
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = client.Nonsense


def test_a_hundred_calls_side_by_side(sandbox):
    names = [("4123001008", "Whitcombe", "Eleanor", "WSRC0004"), ("4123999998", "Whitcombe", "Eleanor", "WSRC0001")]

    async def asking():
        async with client.AsyncLrsClient(sandbox.url, **SANDBOX) as lrs:
            calls = [lrs.learner_by_uln(uln, family, given) for uln, family, given, _ in names * 50]
            calls.append(lrs.call("learnerByULN", find_type="FUL", uln="short", family_name="A", given_name="B"))
            return await asyncio.gather(*calls, return_exceptions=True)

    *replies, fault = asyncio.run(asking())
    assert [(reply.uln, reply.response_code) for reply in replies] == [(uln, code) for uln, *_, code in names * 50]
    assert {reply.learner[0].uln for reply in replies[::2]} == {"4123001008"}
    assert isinstance(fault, client.LrsServiceFault)
    assert fault.error_code is codes.ErrorCode.INVALID_REQUEST


def test_one_registration_of_twenty_at_once(sandbox):
    learner = model.LearnerToRegister(
        given_name="Wilhelmina", family_name="Quartermaine", last_known_post_code="ZE1 0AA", date_of_birth="2001-02-03",
        gender="2", verification_type="2", ability_to_share="1",
    )  # fmt: skip

    async def registering():
        async with client.AsyncLrsClient(sandbox.url, **SANDBOX) as lrs:
            return await asyncio.gather(*(lrs.register_single_learner(learner) for _ in range(20)))

    replies = asyncio.run(registering())
    assert sorted(reply.response_code for reply in replies) == ["WSRC0005"] + ["WSRC0021"] * 19
    assert len([reply.uln for reply in replies if reply.uln]) == 1


def test_a_batch_of_more_than_one_call(sandbox):
    people = [
        model.BatchLearner(mis_identifier=str(n), given_name="Ann", family_name="Archer", last_known_post_code="AB1 2DE",
                           date_of_birth=f"19{60 + n // 28:02}-01-{n % 28 + 1:02}", gender="2", verification_type="2",
                           ability_to_share="1")
        for n in range(201)
    ]  # fmt: skip

    async def running():
        async with client.AsyncLrsClient(sandbox.url, **SANDBOX) as lrs:
            return [one async for one in lrs.run_batch(people, "CHK", patience=30)]

    got = asyncio.run(running())
    assert [one.mis_identifier for one in got] == [one.mis_identifier for one in people]
    assert {type(one.return_code) for one in got} == {codes.ReturnCode}


class Desk(aiobatches.AsyncBatches):
    """Takes batches and never finishes the first."""

    def __init__(self):
        self.log = []

    async def call(self, operation, **parameters):
        self.log.append(operation)
        started = {"job_started_date_time": "2026-11-23 09:15:00", "job_finished_date_time": "2026-11-23 09:15:00"}
        if operation.startswith("submit"):
            return model.BatchRegistrationResp(response_code=codes.ResponseCode.BATCH_SUBMITTED, job_id=7)
        return model.BatchOutputResp(response_code=codes.ResponseCode.BATCH_NOT_FINISHED, **started)


def test_a_batch_waits_on_the_event_loop_and_gives_up():
    pauses, desk = [], Desk()

    async def sleep(seconds):
        pauses.append(seconds)

    async def running():
        async for _ in desk.run_batch([model.BatchLearner(given_name="A", family_name="B")], patience=120, sleep=sleep):
            pytest.fail("a learner of a job that is not finished")

    with pytest.raises(client.LrsBatchUnfinished) as raised:
        asyncio.run(running())
    assert raised.value.job_id == 7
    assert sum(pauses) == pytest.approx(120)
    assert desk.log[0] == "submitBatchRegistration"


def test_no_more_than_so_many_calls_are_on_their_way(monkeypatch):
    now, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(aiotransport.CONNECTIONS)

    class Counting(threading.Event):
        def wait(self, timeout=None):
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            together.wait(10)  # only that many calls at once let any of them go on
            with lock:
                now -= 1

    async def asking(url):
        # A call that waits for its turn has no timeout: 30 calls need three turns.
        async with client.AsyncLrsClient(url, **SANDBOX) as lrs:
            calls = (lrs.learner_by_uln("1234567890", "A", "B") for _ in range(3 * aiotransport.CONNECTIONS))
            return await asyncio.gather(*calls)

    with canned.serving() as service:
        service.answer(NO_MATCH).hold = Counting()
        replies = asyncio.run(asking(service.url))
    assert [reply.response_code for reply in replies] == ["WSRC0001"] * 3 * aiotransport.CONNECTIONS
    assert most == aiotransport.CONNECTIONS


def test_a_cancelled_call_ends_at_once_and_the_client_goes_on():
    async def asking(service):
        async with client.AsyncLrsClient(service.url, timeout=30, **SANDBOX) as lrs:
            call = asyncio.create_task(lrs.learner_by_uln("1234567890", "A", "B"))
            while not service.requests:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            service.hold.set()
            return await lrs.learner_by_uln("1234567890", "A", "B")

    with canned.serving() as service:
        service.answer(NO_MATCH).hold = threading.Event()
        assert asyncio.run(asking(service)).response_code is codes.ResponseCode.NO_MATCH
