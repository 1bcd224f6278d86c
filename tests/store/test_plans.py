"""Nothing reads a whole table: the databases themselves say how they would answer each statement."""

import dataclasses
import datetime
import re

import pytest
import sqlalchemy as sa
from store_samples import ADA, NOW, changed

from lrs_soap.codes import JobStatus
from lrs_soap.rules import matching
from lrs_soap.store import audit, auditchain, auditrows, auditsearch, bulk, events, jobs, learners, matches, queue, schema, searches, subject, tables
from lrs_soap.store import engine as engines
from lrs_soap.store import tables_audit, tables_events, tables_jobs, ulns

LEARNERS = 3_000  # enough for PostgreSQL to prefer an index; fewer fit in a page or two
JOB = jobs.Job(
    id=100_001, operation="submitBatchRegistration", job_type="FUL", organisation_id=1, reference="TEST38", user_name="J",
    request_id="r", size=LEARNERS, status="INPROGRESS", submitted_at=NOW, started_at=NOW, finished_at=None, lease="t",
    attempts=1,
)  # fmt: skip
ENTRY = audit.Entry(
    at=NOW, request_id="r", organisation_id=1, reference="TEST38", user_name="J", operation="learnerByULN",
    code="WSRC0004", ulns=(ADA.uln,), duration_us=1,
)  # fmt: skip


def people():
    for number in range(LEARNERS):
        yield changed(
            uln=str(1_000_000_000 + number),
            given_name=f"Given{number % 61}",
            family_name=f"Family{number % 577}",
            date_of_birth=f"{1980 + number % 30}-{1 + number % 12:02}-{1 + number % 28:02}",
            last_known_post_code=f"CV{number % 90} {number % 10}WT",
        )


def rows():
    """Rows of every table that grows with the register or its use."""
    numbers = range(LEARNERS)
    moments = [NOW - datetime.timedelta(hours=number) for number in numbers]
    job = dataclasses.asdict(JOB) | {"lease_until": 0.0}
    places = [(JOB.id, number) for number in numbers] + [(JOB.id + number, 0) for number in numbers[1:]]
    return {
        tables.learner: [
            {name: getattr(row, name) for name in learners.FIELDS} | dataclasses.asdict(matching.stored_keys(row))
            for row in people()
        ],
        tables.learner_identity: [
            {"identity": matching.identity(row) + row.uln.encode(), "uln": row.uln} for row in people()
        ],
        tables.organisation_learner: [{"organisation_id": 1, "uln": 1_000_000_000 + number} for number in numbers],
        tables.search: [
            {"organisation_id": 1, "identity": b"%d" % number, "code": "WSRC0001", "at": at}
            for number, at in enumerate(moments)
        ],
        tables.audit: [
            {name: getattr(ENTRY, name) for name in auditrows.COLUMNS} | {"id": number, "at": at}
            for number, at in enumerate(moments, 100_001)
        ],
        tables.audit_learner: [{"audit_id": number + 100_001, "uln": 1_000_000_000 + number} for number in numbers],
        tables_jobs.job: [
            job | {"id": number + 100_001, "finished_at": at if number else None, "lease": None if number else "t"}
            for number, at in enumerate(moments)
        ],
        tables_jobs.job_learner: [{"job_id": job, "position": position, "sent": {}} for job, position in places],
        tables_jobs.job_result: [{"job_id": job, "position": n, "code": "RC001", "uln": 1} for job, n in places],
        tables_audit.audit_block: [
            {"number": number, "sealed_at": at, "newest": at, "rows": 1, "digest": b"", "key_name": "", "hash": b""}
            for number, at in enumerate(moments, 1)
        ],
        tables_audit.audit_block_row: [{"block": 2 + number // 20, "audit_id": number, "hash": b""} for number in numbers],
        tables_events.learning_event: [
            {column.name: "" if isinstance(column.type, sa.Text) else 0 for column in tables_events.learning_event.c if not column.nullable}
            | {"uln": 1_000_000_000 + number, "event_key": b""}
            for number in numbers
        ],
        tables_events.record_look: [
            {"request_id": str(number), "user_type": "", "lnr_contact_type": ""} for number in numbers
        ],
    }  # fmt: skip


@pytest.fixture
def filled(engine, organisation_id):
    assert organisation_id == 1
    with engines.write(engine) as conn:
        for table, values in rows().items():
            conn.execute(sa.insert(table), values)
        conn.execute(sa.delete(tables_audit.audit_unsealed).where(tables_audit.audit_unsealed.c.audit_id > 100_020))
        conn.exec_driver_sql("ANALYZE")
    return engine


def asked(plans, engine, ask):
    with engines.write(engine) as conn:
        undone = conn.begin_nested()
        found = plans(conn, ask)
        undone.rollback()
        return found


# Few anywhere: organisations, what waits, what the statement itself found or counts; and on SQLite the index of unfinished jobs.
FEW = {"organisation", "audit_unsealed", "uln_issue", "w", "given", "found", "stretch"}
# SQLite calls it a scan, too, when it takes the newest few by their key.
NEWEST = {"newest audit": {"audit"}, "seal": {"audit_block"}}
# Once an hour: an index would be paid for by every job. PostgreSQL reads the table in the order of its key, until there are
# enough.
SELDOM = {"forget jobs": {"job"}}


def scans(plan):
    """The tables that a plan reads as a whole, but for default partitions, which hold nothing."""
    plan = plan.replace("SCAN job USING INDEX ix_job_unfinished", "").replace("SCAN CONSTANT ROW", "")
    return {name for name in re.findall(r"(?:Seq Scan on|SCAN) (\w+)", plan) if not name.endswith("_default")} - FEW


QUERY = matching.Query(
    given_name="Given5", family_name="Family7", date_of_birth="1990-05-06", gender="2", last_known_post_code="CV5 5WT"
)

QUERIES = {
    "by_uln": lambda conn: learners.by_uln(conn, ADA.uln),
    "by_uln for_update": lambda conn: learners.by_uln(conn, ADA.uln, for_update=True),
    "by_ulns": lambda conn: learners.by_ulns(conn, [str(1_000_000_000 + number) for number in range(20)]),
    "by_details": lambda conn: matches.by_details(conn, QUERY),
    "linked_ulns": lambda conn: learners.linked_ulns(conn, ADA.uln),
    "first candidates": lambda conn: matches.first_candidates(conn, matching.lookups(QUERY)),
    "candidates": lambda conn: matches.candidates(conn, matching.lookups(QUERY)),
    "likely candidates": lambda conn: list(matches.likely_candidates(conn, QUERY)),
    "exact candidates": lambda conn: matches.candidates(conn, [matching.exact_lookup(QUERY)]),
}
for number, lookup in enumerate(matching.lookups(QUERY)):
    QUERIES[f"lookup {number}"] = lambda conn, lookup=lookup: matches.candidates(conn, [lookup])


def _replace(conn):
    old = learners.by_uln(conn, "1000000007")
    learners.replace(conn, old, changed(old, family_name="New", version_number=2), changed_by=1, user_name="J")


def _replace_details(conn):
    old = list(learners.by_ulns(conn, [str(1_000_000_000 + number) for number in range(20)]).values())
    changes = [(one, changed(one, version_number=2, notes="new")) for one in old]
    learners.replace_details(conn, changes, changed_by=1, user_name="J")


def _merge(conn):
    old = learners.by_uln(conn, "1000000007")
    merged = changed(old, learner_status="0", master_uln="1000000008", version_number=2)
    learners.replace(conn, old, merged, changed_by=1, user_name="J")


NEW = [changed(uln=str(2_000_000_000 + number), family_name=f"New{number}") for number in range(20)]
STATEMENTS = QUERIES | {
    "first candidates of all": lambda conn: matches.first_candidates_of_all(conn, [matching.lookups(QUERY)] * 20),
    "bulk equal": lambda conn: bulk.equal(conn, [bulk.newcomer(one) for one in NEW]),
    "bulk insert": lambda conn: bulk.insert(conn, [bulk.newcomer(one) for one in NEW], [one.uln for one in NEW]),
    "insert": lambda conn: learners.insert(conn, NEW[0], matching.identity(NEW[0]), matching.stored_keys(NEW[0])),
    "replace": _replace,
    "merge": _merge,
    "issue": lambda conn: ulns.issue(conn, 20),
    "equal and drawn": lambda conn: bulk.equal_and_drawn(conn, [bulk.newcomer(one) for one in NEW]),
    "register": lambda conn: bulk.register(conn, [bulk.newcomer(one) for one in NEW]),
    "replace details": _replace_details,
    "audit": lambda conn: audit.write(conn, [ENTRY] * 20),
    "audit of a learner": lambda conn: list(auditsearch.search(conn, auditsearch.Wanted(uln="1000000007"))),
    "audit of a day": lambda conn: list(auditsearch.search(conn, auditsearch.Wanted(since=NOW, until=NOW))),
    "newest audit": lambda conn: list(auditsearch.search(conn, auditsearch.Wanted(), newest_first=True, limit=5)),
    "seal": lambda conn: auditchain._store(conn, auditchain._draft(conn, None, NOW, 2_000)),
    "remember": lambda conn: searches.remember(conn, 1, b"7", "WSRC0001", NOW),
    "learning events": lambda conn: events.of_ulns(conn, [ADA.uln, "1000000007"]),
    "last search": lambda conn: searches.last(conn, 1, b"7"),
    "forget searches": lambda conn: searches.forget(conn, NOW - datetime.timedelta(hours=LEARNERS - 5)),
    "submit": lambda conn: jobs.add(conn, "o", [{}] * 20, job_type=None, organisation_id=1, reference="", user_name="",
                                    request_id="r", at=NOW),
    "is waiting": lambda conn: jobs.is_waiting(conn, 60),
    "queue": lambda conn: queue.length(conn, NOW),
    "claim": lambda conn: jobs.claim(conn, 60, NOW),
    "hold": lambda conn: jobs.hold(conn, JOB, 60),
    "done": lambda conn: jobs.done(conn, JOB.id),
    "job of organisation": lambda conn: jobs.of_organisation(conn, JOB.id, 1, JOB.operation),
    "learners of a job": lambda conn: jobs.learners(conn, JOB.id, 500, 50),
    "record results": lambda conn: jobs.record(conn, JOB, 5_000, [jobs.Result("RC001")] * 20),
    "release": lambda conn: jobs.release(conn, JOB),
    "finish": lambda conn: jobs.finish(conn, JOB, JobStatus.SUCCESSFUL, NOW),
    "forget jobs": lambda conn: jobs.forget(conn, NOW - datetime.timedelta(hours=LEARNERS - 5), 10),
    "subject": lambda conn: [conn.execute(statement, {"uln": ADA.uln, "identity": b"7", "request_id": "r"})
                             for statement in (subject._KNOWN_TO, subject._SEARCHES, subject._LOOKS)],
}  # fmt: skip


def test_every_statement_reads_an_index(filled, plans):
    found = {name: asked(plans, filled, ask) for name, ask in STATEMENTS.items()}
    assert not [name for name, answers in found.items() if not answers]
    newest, seldom = (NEWEST, SELDOM) if filled.dialect.name == "sqlite" else ({}, {})
    whole = {name: set().union(*map(scans, answers)) - newest.get(name, set()) for name, answers in found.items()}
    assert {name: tables for name, tables in whole.items() if tables} == seldom


def test_a_new_register_is_searched_by_index(empty_database_url, plans):
    """Before the first ANALYZE: a connection keeps its plans, and the register grows."""
    made = engines.create(empty_database_url)
    schema.upgrade(made)
    names = ("by_uln", "by_ulns", "by_details", "candidates", "first candidates", "likely candidates", "first candidates of all", "bulk equal")
    whole = {name: set().union(*map(scans, asked(plans, made, STATEMENTS[name]))) for name in names}
    made.dispose()
    assert not {name: tables for name, tables in whole.items() if tables}


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_an_exact_match_is_looked_for_by_postcode_and_birth(filled, plans):
    """However rare PostgreSQL thinks a name and a birth date are together: it knows of each alone."""
    for ask in (QUERIES["by_details"], lambda conn: matches.by_details_of_all(conn, [QUERY] * 3)):
        [plan] = asked(plans, filled, ask)
        [read] = [line for line in plan.splitlines() if "Index Cond" in line]
        assert "postcode_key" in read and "date_of_birth" in read, plan


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_candidates_of_several_searches_are_looked_for_as_those_of_one(filled, plans):
    ask = lambda conn: matches.first_candidates_of_all(conn, [matching.lookups(QUERY)] * 3)  # noqa: E731
    [one] = asked(plans, filled, QUERIES["first candidates"])
    [several] = asked(plans, filled, ask)
    assert one.count("Index Cond") == several.count("Index Cond") == len(matching.READS), several
    assert not scans(several)


def test_a_page_of_a_job_is_all_that_is_read(filled, plans):
    [plan] = asked(plans, filled, lambda conn: jobs.learners(conn, JOB.id, 500, 50))
    reads = [line for line in plan.splitlines() if "SEARCH" in line or "Index Cond" in line]
    assert len(reads) == 2 and all("position" in line for line in reads), plan


def test_every_lookup_reads_the_index_of_its_columns(filled, plans):
    for lookup in matching.lookups(QUERY):
        [plan] = asked(plans, filled, lambda conn, lookup=lookup: matches.candidates(conn, [lookup]))
        if filled.dialect.name == "sqlite":
            (name,) = (
                "_".join(index.columns) for index in matching.INDEXES
                if index.columns[0] == lookup.columns[0] and set(lookup.columns) <= set(index.columns)
            )  # fmt: skip
            assert f"ix_learner_{name} " in plan
        else:
            assert "ix_learner_" in plan


def test_names_of_very_many_are_read_from_indexes_alone(filled, plans):
    names, learners_ = asked(plans, filled, QUERIES["likely candidates"])
    on_pages = r"Index Scan|Heap Scan" if filled.dialect.name == "postgresql" else r"USING INDEX"
    assert "ix_learner_date_of_birth_given_key" in names and not re.search(on_pages, names), names
    assert not scans(learners_)


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_learners_whom_nobody_changes_are_read_by_index(filled, plans):
    [plan] = asked(plans, filled, lambda conn: learners.free_by_ulns(conn, ["1000000007", "1000000008"]))
    assert "pk_learner" in plan and not scans(plan), plan


def test_every_index_of_the_rules_is_there(engine):
    indexes = {tuple(index["column_names"]) for index in sa.inspect(engine).get_indexes("learner")}
    assert indexes == {*(index.columns + index.beside for index in matching.INDEXES), ("master_uln",)}


def test_a_scan_would_be_noticed(filled, plans):
    everybody = sa.select(tables.learner.c.uln).where(tables.learner.c.title == "Ms")
    [plan] = asked(plans, filled, lambda conn: conn.execute(everybody))
    assert scans(plan)
