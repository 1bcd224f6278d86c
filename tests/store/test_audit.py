import contextlib
import dataclasses
import datetime
import logging
import threading

import pytest
import sqlalchemy as sa
from store_samples import NOW

from lrs_soap.store import audit, auditrows, auditsearch, tables
from lrs_soap.store import engine as engines


def entry(number=1, **values):
    return audit.Entry(
        **{
            "at": NOW,
            "request_id": f"request-{number}",
            "organisation_id": None,
            "reference": "TEST38 TEST0038",
            "user_name": "A Teacher",
            "operation": "learnerByULN",
            "code": "WSRC0004",
            "duration_us": 1234,
        }
        | values
    )


def rows(engine, table):
    with engines.read(engine) as conn:
        return [tuple(row) for row in conn.execute(sa.select(table).order_by(*table.primary_key.columns))]


def requests(engine):
    with engines.read(engine) as conn:
        return list(conn.execute(sa.select(tables.audit.c.request_id).order_by(tables.audit.c.id)).scalars())


@pytest.fixture
def writer(engine):
    made = audit.AuditWriter(engine, flush_seconds=60)
    yield made
    made.close()


@pytest.fixture
def broken(monkeypatch):
    """Makes writing fail as a database that went away does, until it is cleared."""
    failing = threading.Event()
    failing.set()
    write = audit.write

    def fail(conn, entries, known):
        if failing.is_set():
            raise sa.exc.OperationalError("INSERT", {}, Exception("gone"))
        return write(conn, entries, known)

    monkeypatch.setattr(audit, "write", fail)
    return failing


def test_a_call_is_written_with_its_learners(engine, organisation_id):
    with engines.write(engine) as conn:
        audit.write(conn, [entry(1, ulns=("1000000027", "1000000019", "1000000027"), organisation_id=organisation_id)])
        audit.write(conn, [])
    [(number, *row)] = rows(engine, tables.audit)
    assert row == [
        NOW, "request-1", organisation_id, "TEST38 TEST0038", "A Teacher", "learnerByULN", "WSRC0004", 1234
    ]
    assert rows(engine, tables.audit_learner) == [(number, "1000000019"), (number, "1000000027")]


def test_the_rows_of_a_learner_are_found_in_every_stretch_of_the_trail(engine):
    asked, other = "1000000027", "1000000019"
    there = [1, 16_383, 16_384, 16_385, 70_000]
    with engines.write(engine) as conn:
        for number in there:
            values = {"at": NOW, "request_id": str(number), "reference": "", "user_name": "", "operation": "", "code": "", "duration_us": 0}
            conn.execute(sa.insert(tables.audit), [{"id": number, **values}, {"id": number + 100_000, **values}])
            conn.execute(sa.insert(tables.audit_learner), [{"audit_id": number, "uln": asked}, {"audit_id": number + 100_000, "uln": other}])
        search = auditsearch.search(conn, auditsearch.Wanted(uln=asked))
        assert [found.id for found in search] == there
        assert [*auditsearch.search(conn, auditsearch.Wanted(uln="1000000035"))] == []


def test_a_learner_of_an_empty_trail(engine):
    with engines.read(engine) as conn:
        assert [*auditsearch.search(conn, auditsearch.Wanted(uln="1000000027"))] == []


def test_many_calls_keep_their_own_learners(engine):
    ulns = [str(1_000_000_000 + number) for number in range(2_500)]
    with engines.write(engine) as conn:
        audit.write(conn, [entry(number, ulns=(uln,)) for number, uln in enumerate(ulns)])
        joined = sa.select(tables.audit.c.request_id, tables.audit_learner.c.uln).join(
            tables.audit_learner, tables.audit_learner.c.audit_id == tables.audit.c.id
        )
        found = {(row.request_id, row.uln) for row in conn.execute(joined)}
    assert found == {(f"request-{number}", uln) for number, uln in enumerate(ulns)}


def test_finding_registering_and_updating_bring_a_learner_into_scope(engine, organisation_id):
    of = {
        "learnerByULN": "1000000001",
        "learnerByDemographics": "1000000002",
        "registerSingleLearner": "1000000003",
        "updateSingleLearner": "1000000004",
        "retrieveULNs": "1000000005",
        "verifyLearner": "1000000006",
    }
    calls = [entry(operation=name, ulns=(uln,), organisation_id=organisation_id) for name, uln in of.items()]
    with engines.write(engine) as conn:
        audit.write(conn, calls)
        audit.write(conn, calls)  # again is no second row
        audit.write(conn, [entry(ulns=("1000000007",))])  # nobody's
    in_scope = [(organisation_id, uln) for name, uln in of.items() if name != "verifyLearner"]
    assert rows(engine, tables.organisation_learner) == in_scope


@pytest.fixture
def put_into_scope(monkeypatch):
    """The pairs that are written, a list for each group."""
    groups, add = [], auditrows.add

    def noted(conn, rows, touched, scope):
        groups.append(list(scope))
        add(conn, rows, touched, scope)

    monkeypatch.setattr(auditrows, "add", noted)
    return groups


def test_who_was_put_into_scope_a_moment_ago_is_not_put_there_again(engine, organisation_id, writer, put_into_scope):
    ann, ben = "1000000001", "1000000002"
    for ulns in ((ann,), (ann, ben), (ben,)):
        writer.add(entry(organisation_id=organisation_id, ulns=ulns))
        writer.flush()
    assert put_into_scope == [[(organisation_id, ann)], [(organisation_id, ben)], []]
    assert rows(engine, tables.organisation_learner) == [(organisation_id, ann), (organisation_id, ben)]
    assert len(rows(engine, tables.audit_learner)) == 4  # the trail has every call


@pytest.mark.parametrize("forgotten", ["in time", "when there are many", "when the database failed"])
def test_who_is_in_scope_is_not_known_for_ever(engine, organisation_id, put_into_scope, broken, monkeypatch, forgotten):
    ann = [entry(organisation_id=organisation_id, ulns=("1000000001",))]
    if forgotten == "in time":
        monkeypatch.setattr(audit, "KNOWN_SECONDS", 0.0)
    if forgotten == "when there are many":
        monkeypatch.setattr(audit, "MOST_KNOWN", 1)
    broken.clear()
    writer = audit.AuditWriter(engine, flush_seconds=60)
    for _ in range(2):
        writer.add(*ann)
        writer.flush()
        if forgotten == "when the database failed":
            broken.set()
            writer.add(*ann)
            with pytest.raises(sa.exc.OperationalError):
                writer.flush()
            broken.clear()
    writer.close()
    assert put_into_scope[0] == put_into_scope[-1] == [(organisation_id, "1000000001")]
    assert len(rows(engine, tables.organisation_learner)) == 1


def test_audit_holds_no_demographics():
    names = {column.name for table in (tables.audit, tables.audit_learner) for column in table.c}
    assert names & {field.name for field in dataclasses.fields(audit.Entry)} == names - {"id", "audit_id", "uln"}
    demographics = {column.name for column in tables.learner.c} - {"uln"}
    assert not names & demographics


@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize(("table", "column"), [("audit", "duration_us"), ("audit_learner", "uln")])
def test_the_trail_is_append_only(engine, change, table, column):
    if "TRUNCATE" in change and engine.dialect.name == "sqlite":
        change = "DELETE FROM {} WHERE 1"  # SQLite's own form of it
    with engines.write(engine) as conn:
        audit.write(conn, [entry(ulns=("1000000019",))])
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engines.write(engine) as conn:
        conn.exec_driver_sql(change.format(table, column, column))
    assert len(rows(engine, tables.audit)) == len(rows(engine, tables.audit_learner)) == 1


def test_entries_are_written_in_the_background(engine):
    writer = audit.AuditWriter(engine, flush_seconds=0.01)
    written = threading.Event()

    @sa.event.listens_for(engine, "checkin")  # the connection goes back after the commit
    def committed(*_):
        written.set()

    writer.add(entry(1))
    assert written.wait(10)
    assert requests(engine) == ["request-1"]
    writer.close()


def test_flush_returns_when_everything_is_written(engine, writer):
    for number in range(1_500):  # more than one group
        writer.add(entry(number))
    writer.flush()
    assert requests(engine) == [f"request-{number}" for number in range(1_500)]


def test_close_writes_what_waits_and_later_entries_are_written_at_once(engine):
    writer = audit.AuditWriter(engine, flush_seconds=60)
    writer.add(entry(1))
    writer.close()
    assert requests(engine) == ["request-1"]
    writer.add(entry(2))
    assert requests(engine) == ["request-1", "request-2"]
    writer.close()


def test_a_full_queue_makes_the_caller_write(engine):
    writer = audit.AuditWriter(engine, flush_seconds=60, max_queue=2)
    for number in (1, 2, 3):
        writer.add(entry(number))
    assert requests(engine) == ["request-3"]
    writer.close()
    assert sorted(requests(engine)) == ["request-1", "request-2", "request-3"]


def test_a_database_that_was_away_loses_nothing(engine, broken, caplog):
    caplog.set_level(logging.WARNING)
    writer = audit.AuditWriter(engine, flush_seconds=0.01)
    for number in (1, 2, 3):
        writer.add(entry(number, user_name="Prof Secret"))
    with pytest.raises(sa.exc.OperationalError):
        writer.flush()
    assert requests(engine) == []
    broken.clear()
    writer.close()
    assert requests(engine) == ["request-1", "request-2", "request-3"]
    assert "Secret" not in caplog.text


def test_the_thread_tries_again_and_says_so(engine, broken, caplog):
    caplog.set_level(logging.WARNING)
    warned = threading.Event()
    handler = logging.Handler()
    handler.emit = lambda record: warned.set()
    logging.getLogger(audit.__name__).addHandler(handler)
    writer = audit.AuditWriter(engine, flush_seconds=0.01)
    writer.add(entry(1))
    assert warned.wait(10)
    logging.getLogger(audit.__name__).removeHandler(handler)
    broken.clear()
    writer.close()
    assert requests(engine) == ["request-1"]
    assert "1 audit entries wait for the database: OperationalError" in caplog.text


def test_close_says_what_it_could_not_write(engine, broken, caplog):
    writer = audit.AuditWriter(engine, flush_seconds=60)
    writer.add(entry(1))
    with pytest.raises(sa.exc.OperationalError):
        writer.close()
    assert "1 audit entries could not be written" in caplog.text


def test_an_entry_the_database_will_never_take_does_not_hold_up_the_others(engine, writer, caplog):
    for number in range(7):
        writer.add(entry(number, organisation_id=999 if number == 4 else None))
    writer.flush()
    assert requests(engine) == [f"request-{number}" for number in (0, 1, 2, 3, 5, 6)]
    assert "request_id=request-4" in caplog.text


def test_moments_are_utc_wherever_they_come_from(engine):
    summer = datetime.datetime(2026, 7, 1, 12, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    with engines.write(engine) as conn:
        audit.write(conn, [entry(at=summer)])
    assert rows(engine, tables.audit)[0][1].isoformat() == "2026-07-01T11:00:00+00:00"


def test_a_group_whose_commit_was_not_answered_is_there_once(engine, writer, monkeypatch):
    real = engines.write

    @contextlib.contextmanager
    def unanswered(engine):
        with real(engine) as conn:
            yield conn
        raise sa.exc.OperationalError("COMMIT", None, Exception("the connection was lost"))

    for number in range(3):
        writer.add(entry(number))
    monkeypatch.setattr(engines, "write", unanswered)
    with pytest.raises(sa.exc.OperationalError):
        writer.flush()
    monkeypatch.setattr(engines, "write", real)
    writer.add(entry(3))
    writer.flush()
    assert requests(engine) == [f"request-{number}" for number in range(4)]
