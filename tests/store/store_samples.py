"""Learners for the tests of the store."""

import dataclasses
import datetime

from lrs_soap.rules import matching
from lrs_soap.store import engine as engines
from lrs_soap.store import learners

NOW = datetime.datetime(2026, 11, 23, 12, 30, 15, 250_000, tzinfo=datetime.UTC)

ADA = learners.StoredLearner(
    uln="1000000019",
    version_number=1,
    learner_status="1",
    created_date="2026-09-01",
    last_updated_date="2026-09-01",
    title="Ms",
    given_name="Ada",
    family_name="O'Neill ",
    previous_family_name="Müller",
    last_known_post_code="CV1 2WT",
    date_of_birth="2008-02-29",
    gender="2",
    verification_type="1",
    tier_level="1",
    ability_to_share="1",
    notes="",
)


def changed(learner=ADA, **values):
    return dataclasses.replace(learner, **values)


def insert(conn, learner):
    return learners.insert(conn, learner, matching.identity(learner), matching.stored_keys(learner))


def store(engine, *rows):
    with engines.write(engine) as conn:
        for row in rows:
            assert insert(conn, row)
