"""Who waits while others are written is written next, all at once."""

import asyncio
import concurrent.futures
import threading

import pytest

from lrs_soap.operations import together
from lrs_soap.wire import gathering


class Writer:
    """Stands in for `make_together`: writes a group when it is let, and remembers the groups."""

    def __init__(self, monkeypatch):
        self.groups = []
        self.waits_for_others = ""  # who is made alone
        self.begun, self.let = threading.Semaphore(0), threading.Semaphore(0)
        monkeypatch.setattr(together, "make_together", self._write)

    def _write(self, register, take):
        group = take()
        self.begun.release()
        assert self.let.acquire(timeout=60)
        self.groups.append([one.call for one in group])
        for one in group:
            if len(group) == 1 or one.call not in self.waits_for_others:
                one.outcome = f"outcome of {one.call}"
        return group


@pytest.fixture
def writer(monkeypatch):
    return Writer(monkeypatch)


@pytest.fixture
def threads():
    with concurrent.futures.ThreadPoolExecutor(2) as made:
        yield made


async def in_thread(function):
    await asyncio.get_running_loop().run_in_executor(None, function)


def asked(gathered, names):
    return [asyncio.ensure_future(gathered.outcome(together.Application(name, None))) for name in names]


def run(writer, threads, play):
    async def whole():
        gathered = gathering.Gathering(None, threads)
        return await play(gathered)

    return asyncio.run(whole())


def test_who_comes_alone_does_not_wait_and_who_comes_meanwhile_is_next(writer, threads):
    async def play(gathered):
        first = asked(gathered, "a")
        await in_thread(writer.begun.acquire)
        others = asked(gathered, "bcd")
        await asyncio.sleep(0)  # they have begun to wait
        for _ in range(2):
            writer.let.release()
        return await asyncio.gather(*first, *others)

    assert run(writer, threads, play) == [f"outcome of {name}" for name in "abcd"]
    assert writer.groups == [["a"], ["b", "c", "d"]]


def test_who_were_told_together_ask_again_together(writer, threads):
    """Requests that have arrived are read one after the other; the first of them does not go alone."""

    async def play(gathered):
        told = []
        for name in "abc":
            told += asked(gathered, name)
            await asyncio.sleep(0)
        writer.let.release()
        await asyncio.gather(*told)

    run(writer, threads, play)
    assert writer.groups == [["a", "b", "c"]]


def test_a_group_is_bounded_and_takes_the_longest_waiting(writer, threads, monkeypatch):
    monkeypatch.setattr(gathering, "MOST", 2)

    async def play(gathered):
        first = asked(gathered, "a")
        await in_thread(writer.begun.acquire)
        others = asked(gathered, "bcd")
        await asyncio.sleep(0)
        for _ in range(3):
            writer.let.release()
        return await asyncio.gather(*first, *others)

    run(writer, threads, play)
    assert writer.groups == [["a"], ["b", "c"], ["d"]]


def test_a_client_that_has_gone_is_written_all_the_same(writer, threads):
    async def play(gathered):
        gone, waits = asked(gathered, "ab")
        await in_thread(writer.begun.acquire)
        gone.cancel()
        for _ in range(2):
            writer.let.release()
        return await waits

    assert run(writer, threads, play) == "outcome of b"
    assert sorted(sum(writer.groups, [])) == ["a", "b"]


def test_after_a_pause_there_is_a_writer_again(writer, threads):
    async def play(gathered):
        for name in "ab":
            writer.let.release()
            await asyncio.gather(*asked(gathered, name))

    run(writer, threads, play)
    assert writer.groups == [["a"], ["b"]]


def test_who_waits_for_others_is_made_alone_and_nobody_waits_for_it(writer, threads):
    writer.waits_for_others = "b"

    async def play(gathered):
        told = asked(gathered, "abc")
        await in_thread(writer.begun.acquire)
        writer.let.release()
        await asyncio.gather(told[0], told[2])
        await in_thread(writer.begun.acquire)  # b alone
        other = asked(gathered, "d")
        await in_thread(writer.begun.acquire)  # d, while b is not yet there
        assert not told[1].done()
        for _ in range(2):
            writer.let.release()
        return await asyncio.gather(told[1], *other)

    assert run(writer, threads, play) == ["outcome of b", "outcome of d"]
    assert sorted(writer.groups) == [["a", "b", "c"], ["b"], ["d"]]
