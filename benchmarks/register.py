"""A synthetic register to measure, which may be kept from run to run, and the server on it."""

import csv
import dataclasses
import datetime
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from benchmarks import requests
from lrs_soap import binding, contract, model, passwords, resources, server, settings
from lrs_soap.cli import exits
from lrs_soap.operations import merging, replies
from lrs_soap.rules import access, matching, names
from lrs_soap.store import audit, contents, engine, learners, matches, organisations, schema
from lrs_soap.store.learners import StoredLearner
from lrs_soap.synth import mistakes, numbers, people
from lrs_soap.wire import faults

SEED = 1
FIVES, CROWD = 200, 1_200
"""Beside the synthetic learners: so many times five namesakes born on one day; and very many of one name and day, more
than the candidates that a find looks at."""

_CROWD = {"given_name": "Mohammed", "family_name": "Khan", "date_of_birth": "1990-01-01", "gender": "1"}
_SAMPLED = 20_000
_DECIDED = 40  # learners merged, and as many deleted
_RECORDED = 200  # learners with learning events
_COMMAND = [sys.executable, "-m", "lrs_soap"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """learners: spread over the whole register. fives: of each five namesakes one. worst: learners for whose names and
    birth date a find has most candidates in the whole register. crowd: of the one name and day. recorded: those with
    learning events. unknown: ULNs that nobody has."""

    learners: list[StoredLearner]
    fives: list[StoredLearner]
    worst: list[StoredLearner]
    crowd: list[StoredLearner]
    recorded: list[StoredLearner]
    unknown: list[str]


def fill(url: str, size: int) -> None:
    """Makes the register at `url` one of `size` synthetic learners and the special ones, unless it is that already."""
    database = engine.create(url, statement_timeout=0)
    try:
        schema.upgrade(database)
        with engine.read(database) as conn:
            if contents.has_learners(conn):
                return
        organisation = _organisation(database)
        database.dispose()  # SQLite is filled without its log where nobody else has it open
        with tempfile.TemporaryDirectory() as directory:
            _load(url, size, Path(directory))
            _decide(database, organisation, size)
            _record(url, size, Path(directory) / "events.csv")
    finally:
        database.dispose()


def _organisation(database: sa.Engine) -> int:
    with engine.write(database) as conn:
        there = organisations.by_reference(conn, "BENCH1", None)
        return there.id if there is not None else organisations.add(
            conn, organisation_ref="BENCH1", ukprn=requests.CREDENTIALS["ukprn"], name="Benchmark",
            password_hash=passwords.hash_password(requests.CREDENTIALS["org_password"]), rights=access.ALL, sandbox=False,
        )  # fmt: skip


def _load(url: str, size: int, directory: Path) -> None:
    file = directory / "learners.csv"
    subprocess.run([*_COMMAND, "synth", str(size), "--seed", str(SEED), "--out", str(file)], check=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.writelines(",".join(map(str, row)) + "\n" for row in _special(size))
    loaded = subprocess.run([*_COMMAND, "load", str(file), "--database", url], check=False, stdout=subprocess.DEVNULL)
    # Of ten million people some are one person by chance, and turned away.
    if loaded.returncode not in (exits.Exit.DONE, exits.Exit.NEGATIVE):
        loaded.check_returncode()


def _special(size: int) -> list[people.Learner]:
    """Namesakes born on one day, at postcodes of their own."""
    draw, ulns = random.Random("lrs-soap benchmark").random, _spare(size)
    models = people.block("lrs-soap benchmark", 0)
    wanted = [one._replace(gender="1") for one in models[:FIVES] for _ in range(5)]
    wanted += [models[-1]._replace(**_CROWD)] * CROWD
    made: dict[people.Learner, None] = {}
    for one in wanted:
        while (elsewhere := mistakes.moved(one, draw)) in made:
            pass
        made[elsewhere] = None
    return [one._replace(uln=next(ulns)) for one in made]


def _spare(size: int) -> Iterator[str]:
    """ULNs that no synthetic learner has."""
    block = -(-size // numbers.BLOCK)
    while True:
        yield from people.ulns(SEED, block)
        block += 1


def _decide(database: sa.Engine, organisation: int, size: int) -> None:
    """Merges some learners and deletes others, all of them in the organisation's scope."""
    some = [one.uln for one in people.block(SEED, 0)[: min(size, 1000)]][: 3 * _DECIDED]
    act = merging.Act(user_name="benchmark", reason="benchmark")
    with engine.write(database) as conn:
        audit.write(conn, [_seen(organisation, some)])
        for at in range(0, 3 * _DECIDED, 3):
            merging.merge(conn, some[at], some[at + 1], act)
            merging.delete(conn, some[at + 2], act)


def _seen(organisation: int, ulns: Sequence[str]) -> audit.Entry:
    return audit.Entry(
        at=datetime.datetime.now(datetime.UTC), request_id="benchmark", organisation_id=organisation,
        reference=requests.CREDENTIALS["ukprn"], user_name="benchmark", operation="learnerByULN", code="WSRC0004",
        ulns=tuple(ulns), duration_us=0,
    )  # fmt: skip


def newcomers(count: int) -> list[people.Learner]:
    """People whom no register knows, others each time, in no order. They live and are named as those of a register: people
    who share a birth date and a postcode with one of its learners would become crowds that no real register has."""
    found = list(people.learners(count, random.SystemRandom().getrandbits(64)))
    random.shuffle(found)
    return found


def _record(url: str, size: int, file: Path) -> None:
    """Gives some learners ten learning events each."""
    with (resources.directory("fixtures") / "learning_events.csv").open(encoding="utf-8", newline="") as lines:
        events = list(csv.DictReader(lines))[:10]
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(events[0]))
        writer.writeheader()
        for uln in _recorded(size):
            writer.writerows(row | {"ULN": uln, "SubjectCode": f"{n:04}"} for n, row in enumerate(events))
    subprocess.run([*_COMMAND, "record", "load", str(file), "--database", url], check=True, stdout=subprocess.DEVNULL)


def _recorded(size: int) -> list[str]:
    return [one.uln for one in people.block(SEED, 0)[: min(size, 1000)]][-_RECORDED:]


def sample(url: str, size: int) -> Sample:
    """What to ask the register that `fill` made for."""
    database = engine.create(url, statement_timeout=0)
    spare = _spare(size)
    special = [next(spare) for _ in range(5 * FIVES + CROWD)]
    fives, crowd = special[: 5 * FIVES : 5], special[5 * FIVES :: 10]
    blocks = -(-size // numbers.BLOCK)
    step, each = max(blocks * 100 // _SAMPLED, 1), max(100, _SAMPLED // blocks)
    spread = [one.uln for number in range(0, blocks, step) for one in people.block(SEED, number)[:each]]
    try:
        return Sample(
            learners=read(database, spread[:_SAMPLED]), fives=read(database, fives), crowd=read(database, crowd),
            recorded=read(database, _recorded(size)), worst=_worst(database),
            unknown=[next(spare) for _ in range(1000)],
        )  # fmt: skip
    finally:
        database.dispose()


def read(database: sa.Engine, ulns: Sequence[str]) -> list[StoredLearner]:
    """The live learners among these, as they are now, in this order."""
    found: dict[str, StoredLearner] = {}
    with engine.read(database) as conn:
        for at in range(0, len(ulns), 500):
            found |= learners.by_ulns(conn, ulns[at : at + 500])
    return [found[uln] for uln in ulns if uln in found and found[uln].learner_status == "1"]


def _worst(database: sa.Engine) -> list[StoredLearner]:
    """Of the birth dates and names that most learners share, the learners for whom a find has most candidates."""
    ulns: list[str] = []
    with database.connect() as conn:
        # Only columns of an index, so that its reading is enough.
        for key, crowd in (("family_key", _CROWD["family_name"]), ("given_key", _CROWD["given_name"])):
            shared = conn.execute(sa.text(
                f"SELECT date_of_birth, {key} FROM learner WHERE NOT (date_of_birth = :born AND {key} = :name) "
                "GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT 10"),
                {"born": _CROWD["date_of_birth"], "name": names.fold(crowd)}).all()  # fmt: skip
            for born, name in shared:
                rows = conn.execute(sa.text(f"SELECT uln FROM learner WHERE date_of_birth = :born AND {key} = :name LIMIT 50"),
                                    {"born": born, "name": name})  # fmt: skip
                ulns += [str(row.uln) for row in rows]
    found = {one.uln: one for one in read(database, ulns)}
    with engine.read(database) as conn:
        counts = {uln: len(matches.candidates(conn, matching.lookups(one))) for uln, one in found.items()}
    return [found[uln] for uln in sorted(found, key=lambda uln: -counts[uln])[:20]]


def reply(learner: StoredLearner) -> bytes:
    """The reply to learnerByULN for this learner, as the register writes it for one whom nobody was merged into."""
    learner = dataclasses.replace(learner, is_master=False)
    found = model.FindLearnerResp(
        response_code="WSRC0004", uln=learner.uln, family_name=learner.family_name, given_name=learner.given_name,
        learner=(replies.learner(None, learner),),
    )  # fmt: skip
    write = binding.element_encoder(contract.OPERATIONS["learnerByULN"].response)
    return f"{faults.ENVELOPE_START}{write(found)}{faults.ENVELOPE_END}".encode()


def serve(url: str, port: int, workers: int, replicas: tuple[str, ...] = ()) -> None:
    """The register on `port` until it is told to stop."""
    server.run(
        settings.Settings(
            database=url, replica=replicas, port=port, workers=workers, job_workers=0, log_level="WARNING"
        )
    )


def commits(url: str, seconds: float, connections: int) -> float:
    """How many transactions of one row each the database itself commits in a second, durably, from so many at once."""
    database = engine.create(url, pool_size=connections)
    with engine.write(database) as conn:
        conn.execute(sa.text("CREATE TABLE IF NOT EXISTS benchmark_commit (n INTEGER)"))
    counts = [0] * connections
    end = time.monotonic() + seconds

    def insert(which: int) -> None:
        while time.monotonic() < end:
            with engine.write(database) as conn:
                conn.execute(sa.text("INSERT INTO benchmark_commit VALUES (1)"))
            counts[which] += 1

    threads = [threading.Thread(target=insert, args=(which,)) for which in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.write(database) as conn:
        conn.execute(sa.text("DROP TABLE benchmark_commit"))
    database.dispose()
    return sum(counts) / seconds
