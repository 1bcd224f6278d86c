"""Of clients who come together and stay, every process of a server gets its part."""

import asyncio
import multiprocessing
import socket

import pytest

from lrs_soap.wire import handshakes, shares


def test_who_has_more_gives_way():
    first, second, third = shares.among(3)
    assert not first.is_more  # nobody else is there
    first.tell(0)
    second.tell(2)
    assert second.is_more and not first.is_more
    first.tell(2)
    assert not (first.is_more or second.is_more)
    first.take()
    assert first.is_more
    third.tell(0)
    assert second.is_more and not third.is_more


def test_who_leaves_changes_nothing_for_who_takes_its_place():
    leaving, other = shares.among(2)
    successor = shares.Share(leaving._counts, 0)
    leaving.tell(5)
    other.tell(1)
    successor.tell(0)
    leaving.leave()
    leaving.tell(4)
    leaving.take()
    assert not successor.is_more and other.is_more


def test_processes_see_each_other():
    first, second = shares.among(2)
    second.tell(0)
    process = multiprocessing.get_context("fork").Process(target=first.tell, args=(3,))
    process.start()
    process.join()
    assert first.is_more


def test_one_that_is_alone_never_waits():
    share = shares.alone()
    share.tell(100)
    assert not share.is_more


def taken_by(counts: list[int], open_doors: set[int]) -> int:
    """Which of the processes with so many connections, and an open door, takes one that comes."""

    async def ask() -> int:
        loop = asyncio.get_running_loop()
        came = loop.create_future()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            doors, descriptors = [], []
            for number, share in enumerate(shares.among(len(counts))):
                share.tell(counts[number])

                def make(number=number):
                    came.set_result(number)
                    return asyncio.Protocol()

                if number in open_doors:
                    # A descriptor of its own, as every process has.
                    descriptors.append(listening.dup())
                    doors.append(handshakes.Door(descriptors[-1], share, None, make, timeout=20, most=10))
            await asyncio.sleep(0)  # all are waiting now
            with socket.create_connection(listening.getsockname()):
                number = await came
            for door in doors:
                door.close()
            await asyncio.gather(*(door.wait_closed() for door in doors))
            for descriptor in descriptors:
                descriptor.close()
        return number

    return asyncio.run(ask())


@pytest.mark.parametrize("counts", [[5, 0], [0, 5], [3, 2, 3]])
def test_a_connection_goes_to_who_has_fewest(counts):
    assert taken_by(counts, set(range(len(counts)))) == counts.index(min(counts))


def test_who_has_more_takes_what_nobody_else_does():
    assert taken_by([5, 0], {0}) == 0
