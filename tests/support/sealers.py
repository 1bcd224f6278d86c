"""Writes the audit trail and kills its sealers: `python sealers.py DATABASE KILLS WRITERS`.

Writers are processes that write as calls do: in their own transactions, some slow to commit, some rolled back, and in
groups. Two sealers at a time are killed by SIGKILL at random moments after they have begun and replaced, until so many died and every
writer has finished; the last one ends in peace. Prints how many rows the writers committed and how many sealers were killed.
"""

import datetime
import mmap
import os
import random
import signal
import sys
import time
import traceback

from lrs_soap.store import audit, auditchain
from lrs_soap.store import engine as engines

KEY = b"a key that is not in the database"
ROWS = 1_500
SEALERS = 2
MEAN_LIFE_SECONDS = 0.1
PATIENCE_SECONDS = 90.0
AT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)


class _Undone(Exception):
    pass


def entry(writer: int, number: int) -> audit.Entry:
    """A call; it names two learners."""
    return audit.Entry(at=AT, request_id=f"{writer}-{number}", organisation_id=None, reference="TEST38", user_name="A",
                       operation="verifyLearner", code="WSVRC001", duration_us=number,
                       ulns=(str(1_000_000_000 + number), str(2_000_000_000 + writer)))  # fmt: skip


def write(url: str, writer: int) -> None:
    """The life of a writer."""
    engine, dice = engines.create(url, busy_timeout=60), random.Random(writer)
    if writer % 2:
        grouped = audit.AuditWriter(engine, flush_seconds=0.01)
        for number in range(ROWS):
            grouped.add(entry(writer, number))
            time.sleep(0.001)
        grouped.close()
        return
    number = 0
    while number < ROWS:
        size = min(dice.choice((1, 1, 1, 2, 20)), ROWS - number)
        try:
            with engines.write(engine) as conn:
                audit.write(conn, [entry(writer, number + more) for more in range(size)])
                if dice.random() < 0.1:
                    raise _Undone
                if dice.random() < 0.05 and conn.dialect.name == "postgresql":
                    time.sleep(0.05)  # others with higher ids are committed and sealed before
            number += size
        except _Undone:
            pass


def seal(url: str, begun: mmap.mmap, place: int) -> None:
    """The life of a sealer: until it is told to stop. begun: where it says, at its place, that it has sealed."""
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    engine = engines.create(url, busy_timeout=60)
    while not told:
        sealed = auditchain.seal(engine, KEY, AT, most=50)
        begun[place] = 1
        if not sealed:
            time.sleep(0.005)
    while auditchain.seal(engine, KEY, AT):
        pass


def fork(function, *arguments) -> int:
    """Starts a process for the function; its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        function(*arguments)
        code = 0
    except Exception:
        traceback.print_exc()  # or nobody would know why it failed
    finally:
        sys.stderr.flush()
        os._exit(code)


def main(url: str, kills: int, writers: int) -> int:
    # A sealer that is told to stop before it can hear it would look like one that failed.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    seed = random.SystemRandom().randrange(10**9)
    dice = random.Random(seed)
    engines.create(url).dispose()  # the driver is imported once, and not by every child
    writing = {fork(write, url, writer) for writer in range(writers)}
    begun = mmap.mmap(-1, SEALERS)

    def sealer(place: int) -> int:
        begun[place] = 0
        return fork(seal, url, begun, place)

    sealing, deaths = [sealer(place) for place in range(SEALERS)], [0.0] * SEALERS
    killed, failed, until = 0, 0, time.monotonic() + PATIENCE_SECONDS
    while (writing or killed < kills) and time.monotonic() < until:
        for place, pid in enumerate(sealing):
            if begun[place] and not deaths[place]:
                deaths[place] = time.monotonic() + dice.expovariate(1 / MEAN_LIFE_SECONDS)
            elif deaths[place] and time.monotonic() >= deaths[place]:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                killed += 1
                sealing[place], deaths[place] = sealer(place), 0.0
        for pid in list(writing):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                writing.remove(pid)
                failed += os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.002)
    for pid in sealing:
        os.kill(pid, signal.SIGTERM)
        failed += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
    print(f"rows {ROWS * writers} killed {killed} failed {failed + len(writing)} seed {seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
