"""A synthetic register to measure, and the server on it."""

import csv
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import sqlalchemy as sa

from benchmarks import requests

from lrs_soap import binding, contract, model, passwords, server, settings
from lrs_soap.operations import replies
from lrs_soap.rules import access
from lrs_soap.store import engine, learners, organisations, schema
from lrs_soap.wire import faults

_SAMPLE = 2_000


def fill(url: str, size: int, seed: int = 1) -> list[learners.StoredLearner]:
    """Loads a synthetic register of `size` learners; gives a sample of them, spread over the whole."""
    database = engine.create(url)
    schema.upgrade(database)
    with engine.write(database) as conn:
        organisations.add(
            conn, organisation_ref="BENCH1", ukprn=requests.CREDENTIALS["ukprn"], name="Benchmark",
            password_hash=passwords.hash_password(requests.CREDENTIALS["org_password"]),
            rights=access.ALL, sandbox=False,
        )  # fmt: skip
    database.dispose()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "learners.csv"
        command = [sys.executable, "-m", "lrs_soap"]
        subprocess.run([*command, "synth", str(size), "--seed", str(seed), "--out", str(file)], check=True)
        subprocess.run([*command, "load", str(file), "--database", url], check=True, stdout=subprocess.DEVNULL)
        step = max(size // _SAMPLE, 1)
        with file.open(encoding="utf-8", newline="") as lines:
            ulns = [row["ULN"] for number, row in enumerate(csv.DictReader(lines)) if number % step == 0]
    with engine.read(database) as conn:
        found = [learners.by_uln(conn, uln) for uln in ulns]
    database.dispose()
    return [one for one in found if one is not None and one.learner_status == "1"]


def reply(learner: learners.StoredLearner) -> bytes:
    """The reply to learnerByULN for this learner, as the register writes it."""
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
        conn.execute(sa.text("CREATE TABLE benchmark_commit (n INTEGER)"))
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
