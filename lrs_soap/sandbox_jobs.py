"""The batches a sandbox has from the start, so that every outcome of one can be asked for. All of it is invented (P)."""

import datetime
import json
import math

from sqlalchemy.engine import Connection

from lrs_soap import contract, resources
from lrs_soap.codes import JobStatus
from lrs_soap.operations import batch_step
from lrs_soap.rules import matching
from lrs_soap.store import jobs

# What is never to finish is held by a worker that does not exist.
_FOR_EVER = math.inf


def insert(connection: Connection, organisation_id: int, reference: str, at: datetime.datetime) -> None:
    """Adds the jobs of fixtures/jobs.json, in the transaction that made the sandbox's learners.

    The finished ones are worked on here, as a worker would, so that their results are the register's own.
    """
    text = (resources.directory("fixtures") / "jobs.json").read_text(encoding="utf-8")
    for row in json.loads(text):
        learners = [{contract.attribute_name(name): value for name, value in one.items()} for one in row["Learner"]]
        jobs.add(
            connection,
            row["operation"],
            learners,
            job_id=row["JobID"],
            job_type=row["JobType"],
            organisation_id=organisation_id,
            reference=reference,
            user_name="Sandbox Operator",
            request_id="sandbox",
            at=at,
        )
        # It is the only job that waits: nobody else sees this transaction, and the ones before it are held or done.
        job = jobs.claim(connection, _FOR_EVER, at)
        if row["JobStatus"] == JobStatus.SUCCESSFUL:
            sent = jobs.learners(connection, job.id, 0, job.size)
            jobs.record(connection, job, 0, batch_step.results(connection, job, sent, at, matching.MOST_POSSIBLES))
        if row["JobStatus"] != JobStatus.IN_PROGRESS:
            jobs.finish(connection, job, JobStatus(row["JobStatus"]), at)
