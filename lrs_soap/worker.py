"""Works on batches: claims a job, does it step by step, looks for the next.

Any number of workers, on any machines, share the jobs of one register. A worker may be killed at any moment: a step is
one transaction, so that its learners either have their effects and their results or are as if nobody had looked at
them, and when the lease runs out another worker goes on with the next learner.

A server runs `job_workers` of them as processes of its own, `lrs-soap worker` runs one alone. Each keeps the register
as well (`keeper`).
"""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import sqlalchemy as sa

from lrs_soap import keeper, logs, observe, settings
from lrs_soap.codes import JobStatus
from lrs_soap.operations import batch_step
from lrs_soap.register import Register
from lrs_soap.store import audit, engine, jobs

log = logs.get_logger("lrs_soap.worker")

STEP = 50
"""Learners a step takes: enough to make a transaction worth its while, few enough that on SQLite, where a writer is
alone, a registration over SOAP does not wait long."""

# Claims without a finished learner after which learners are taken one by one, so that all but the fatal one get done.
_CAREFUL_AFTER = 2
_CONFLICTS = 10  # a step that meets more of them in a row is treated as one that cannot be done
_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 30.0
_FIRST_POLL_SECONDS = 0.01
_SERIALIZATION = ("40001", "40P01")  # PostgreSQL: could not serialize, deadlock


class Worker:
    """A worker on an open register."""

    def __init__(self, register: Register):
        self._register = register
        self._settings = register.settings
        self._told_to_stop = False

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Ends `run` after the step that is under way; also a signal handler."""
        self._told_to_stop = True

    def run(self) -> None:
        """Works until it is told to stop."""
        failures, pause = 0, _FIRST_POLL_SECONDS
        while not self._told_to_stop:
            try:
                worked = self.run_one()
                failures = 0
            except Exception as error:
                if not engine.is_trouble(error):
                    raise
                # Its text may repeat what was to be written; its class is enough to look for.
                log.warning("the database cannot be used", type=type(error).__name__)
                worked, failures = False, failures + 1
            longest = self._settings.job_poll_seconds
            if failures:
                longest = pause = min(_RETRY_SECONDS * 2**failures, _LONGEST_RETRY_SECONDS)
            if worked:
                pause = _FIRST_POLL_SECONDS
            else:
                self._sleep(pause)
                pause = min(pause * 2, longest)

    def run_one(self) -> bool:
        """Claims a job and works on it until it is done, lost or stopped; False if there was none."""
        with engine.read(self._register.engine) as connection:
            if not jobs.is_waiting(connection, self._settings.job_lease_seconds):
                return False
        with engine.write(self._register.engine) as connection:
            job = jobs.claim(connection, self._settings.job_lease_seconds, self._register.now())
            if job is None:
                return False
            start = jobs.done(connection, job.id)
            hopeless = job.attempts > self._settings.job_attempts
            if hopeless:
                jobs.finish(connection, job, JobStatus.FAILED, self._register.now())
        log.info("job claimed", job=job.id, position=start, attempt=job.attempts, failed=hopeless)
        if not hopeless:
            self._work(job, start)
        return True

    def _work(self, job: jobs.Job, start: int) -> None:
        careful_until = job.size if job.attempts > _CAREFUL_AFTER else 0
        conflicts = 0
        while not self._told_to_stop:
            size = 1 if start < careful_until else STEP
            try:
                start = self._step(job, start, size)
                conflicts = 0
            except jobs.LostLease:
                log.warning("job lost to another worker", job=job.id, position=start)
                return
            except Exception as error:
                if _is_conflict(error) and conflicts < _CONFLICTS:
                    conflicts += 1
                elif engine.is_trouble(error):
                    self._give_up(job, start, error)
                    raise
                elif size > 1:
                    careful_until = start + size
                else:
                    start = self._set_aside(job, start, error)
            if start >= job.size:
                log.info("job finished", job=job.id, learners=job.size)
                return
        with engine.write(self._register.engine) as connection:
            jobs.release(connection, job)
        log.info("job left to others", job=job.id, position=start)

    def _step(self, job: jobs.Job, start: int, size: int, instead: jobs.Result | None = None) -> int:
        """Does the learners from number `start` and gives the number of the next. instead: the result to record
        rather than looking at the learner."""
        began, at = time.perf_counter(), self._register.now()
        with engine.write(self._register.engine) as connection:
            jobs.hold(connection, job, self._settings.job_lease_seconds)
            sent = jobs.learners(connection, job.id, start, size)
            if instead is None:
                results = batch_step.results(connection, job, sent, at, self._settings.possible_limit)
            else:
                results = [instead]
            jobs.record(connection, job, start, results)
            audit.write(connection, [batch_step.entry(job, start, results, at, began)])
            following = start + len(sent)
            if following >= job.size:
                jobs.finish(connection, job, JobStatus.SUCCESSFUL, self._register.now())
        return following

    def _set_aside(self, job: jobs.Job, position: int, error: Exception) -> int:
        """One learner cannot be processed: it alone is rejected, and the log says where to look."""
        log.error("learner not processed", job=job.id, position=position, type=type(error).__name__)
        return self._step(job, position, 1, instead=batch_step.UNREADABLE[job.operation])

    def _give_up(self, job: jobs.Job, position: int, error: Exception) -> None:
        log.warning("job given up", job=job.id, position=position, type=type(error).__name__)
        try:
            with engine.write(self._register.engine) as connection:
                jobs.release(connection, job, after_seconds=_RETRY_SECONDS, counted=True)
        except Exception as failure:  # then the lease runs out
            if not engine.is_trouble(failure):
                raise

    def _sleep(self, seconds: float) -> None:
        # In small pieces: a signal is noticed between them.
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._told_to_stop:
            time.sleep(min(left, 0.25))


def _is_conflict(error: Exception) -> bool:
    if isinstance(error, sa.exc.DBAPIError):
        return getattr(error.orig, "sqlstate", None) in _SERIALIZATION
    return isinstance(error, batch_step.Conflict)


def run(chosen: settings.Settings, ready: Callable[[], None] = lambda: None) -> None:
    """Works on the register of these settings until SIGTERM or SIGINT. ready: called before the first look for a job."""
    observe.configure(chosen)
    register = Register(chosen)
    worker, keeping = Worker(register), keeper.Keeper(register)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    log.info("batch worker started", pid=os.getpid())
    keeping.start()
    ready()
    try:
        worker.run()
    finally:
        keeping.stop()
        register.close()
