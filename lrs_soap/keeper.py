"""Keeps the register in the background: seals the audit trail, and forgets what need not be held any longer.

Every process that works on batches has a keeper, a thread; the database sees to it that one at a time seals.
"""

import datetime
import threading
import time

from lrs_soap import auditkey, logs
from lrs_soap.register import Register
from lrs_soap.store import auditchain, auditpartitions, engine, jobs, searches

log = logs.get_logger("lrs_soap.keeper")

_FORGET_EVERY_SECONDS = 3600.0
_JOBS_AT_ONCE = 10
"""Jobs forgotten in one transaction: up to 50,000 rows."""
_LONGEST_RETRY_SECONDS = 60.0


class Keeper:
    """A keeper of an open register. Raises auditkey.UnusableKey if there should be a key and is none."""

    def __init__(self, register: Register):
        self._register = register
        self._settings = register.settings
        self._key = auditkey.load(register.settings.audit_key)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._forget_at = time.monotonic()

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after what it is at."""
        self._ended.set()
        self._thread.join()

    def seal(self) -> int:
        """Seals what waits, block after block, and gives how many rows."""
        total = 0
        while rows := auditchain.seal(self._register.engine, self._key, _now()):
            total += rows
            if rows < auditchain.BLOCK_ROWS or self._ended.is_set():
                break
        return total

    def forget(self) -> tuple[int, int]:
        """Removes searches that can allow no registration any more, and batches finished longer ago than the settings
        keep them; gives how many of each."""
        now, kept = _now(), self._settings.job_keep_days
        with engine.write(self._register.engine) as connection:
            found = searches.forget(connection, now - datetime.timedelta(seconds=self._settings.search_max_age_seconds))
        total, some = 0, _JOBS_AT_ONCE if kept else 0
        while some == _JOBS_AT_ONCE and not self._ended.is_set():
            with engine.write(self._register.engine) as connection:
                some = jobs.forget(connection, now - datetime.timedelta(days=kept), _JOBS_AT_ONCE)
            total += some
        return found, total

    def prepare(self) -> None:
        """Makes the partitions of the audit trail that will be needed next."""
        with engine.write(self._register.engine) as connection:
            for made in auditpartitions.make_ahead(connection):
                log.info("partition of the audit trail made", first=made.first, end=made.end)

    def _run(self) -> None:
        failures = 0
        while not self._ended.wait(min(self._settings.audit_seal_seconds * 2**failures, _LONGEST_RETRY_SECONDS)):
            try:
                self.seal()
                if time.monotonic() >= self._forget_at:
                    self._forget_at = time.monotonic() + _FORGET_EVERY_SECONDS
                    self.prepare()
                    old_searches, old_jobs = self.forget()
                    log.info("forgotten by policy", searches=old_searches, batches=old_jobs)
                failures = 0
            except Exception as error:  # whatever it is, the next attempt may succeed; it must not end the thread
                failures = min(failures + 1, 10)
                # Its text may repeat what was to be written; its class is enough to look for.
                log.warning("the keeper failed, and tries again", type=type(error).__name__, failures=failures)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
