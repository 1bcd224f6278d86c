"""Batches: worked on by one worker, measured in learners a second.

They are submitted over HTTP, but for those of 5,000 to verify: a message's LearnerRecordCount is 200 at most, so that a
batch of so many comes to the register in another way, here straight into its queue.
"""

import datetime
import multiprocessing
import random
import re
import statistics
import time

import sqlalchemy as sa

from benchmarks import measuring, register, requests
from benchmarks.register import Sample
from lrs_soap import observe, settings, worker
from lrs_soap.register import Register
from lrs_soap.store import engine, jobs, organisations
from lrs_soap.store.learners import StoredLearner

_JOB = re.compile(rb"<JobID>(\d+)<")
_TIMES = 5
_REGISTRATION, _VERIFICATION = "FUL batch of 200", "verify batch of 5,000"


def measure(endpoint: str, url: str, sample: Sample) -> tuple[list[dict], dict[str, int]]:
    """Rows of learners a second; and by submitting operation a job of 200 that is done.

    The server at `endpoint` must have no batch workers, and the register no jobs that wait.
    """
    rng, many = random.SystemRandom(), sample.learners
    wanted = [(f"{_REGISTRATION}, new learners", 200, requests.batch(register.newcomers(200))) for _ in range(_TIMES)]
    wanted += [(f"{_REGISTRATION}, known learners", 200, requests.batch(rng.sample(many, 200))) for _ in range(_TIMES)]
    submitted = [_submit(endpoint, body) for _, _, body in wanted]
    wanted += [(_VERIFICATION, 5000, "")] * _TIMES
    for _ in range(_TIMES):
        _add(url, rng.choices(many, k=5000))
    last = _submit(endpoint, requests.verify_batch(many[:200]))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        spent = pool.apply(_work, (url, len(wanted) + 1))
    rows = []
    for kind in dict.fromkeys(name for name, _, _ in wanted):
        of_kind = [(size, *took) for (name, size, _), took in zip(wanted, spent) if name == kind]
        rows.append({
            "kind": kind,
            "learners_per_second": statistics.median(size / seconds for size, seconds, _ in of_kind),
            "cpu_us": statistics.median(cpu / size * 1e6 for size, _, cpu in of_kind),
        })  # fmt: skip
    return rows, {"submitBatchRegistration": submitted[_TIMES], "submitVerifyBatch": last}


def _submit(endpoint: str, body: str) -> int:
    reply = measuring.post(endpoint, body)
    if (found := _JOB.search(reply)) is None:
        raise ValueError(f"a batch is answered {measuring.codes(reply)}")
    return int(found[1])


def _add(url: str, some: list[StoredLearner]) -> None:
    database = engine.create(url, statement_timeout=0)
    with engine.write(database) as conn:
        caller = organisations.by_reference(conn, None, requests.CREDENTIALS["ukprn"])
        jobs.add(
            conn, "submitVerifyBatch", [requests.to_verify(one) for one in some], job_type=None, organisation_id=caller.id,
            reference=caller.ukprn, user_name="benchmark", request_id="benchmark", at=datetime.datetime.now(datetime.UTC),
        )  # fmt: skip
    database.dispose()


def _work(url: str, count: int) -> list[tuple[float, float]]:
    """Seconds, and seconds of processor time, that a worker takes for each of the jobs that wait."""
    chosen = settings.Settings(database=url, log_level="WARNING")
    observe.configure(chosen)
    register = Register(chosen)
    try:
        ours, spent = worker.Worker(register), []
        for _ in range(count):
            started, used = time.perf_counter(), time.process_time()
            if not ours.run_one():
                raise RuntimeError("a batch that was submitted does not wait")
            spent.append((time.perf_counter() - started, time.process_time() - used))
        return spent
    finally:
        register.close()


def forget_waiting(url: str) -> None:
    """Removes the jobs that nobody has worked on, which a run leaves behind."""
    database = engine.create(url, statement_timeout=0)
    with engine.write(database) as conn:
        waiting = "SELECT id FROM job WHERE finished_at IS NULL"
        conn.execute(sa.text(f"DELETE FROM job_learner WHERE job_id IN ({waiting})"))
        conn.execute(sa.text(f"DELETE FROM job_result WHERE job_id IN ({waiting})"))
        conn.execute(sa.text("DELETE FROM job WHERE finished_at IS NULL"))
    database.dispose()
