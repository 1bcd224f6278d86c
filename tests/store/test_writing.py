"""What writers do otherwise than SQLAlchemy's connections: the rest are the tests of what is written with them."""

import contextlib
import datetime

import pytest
import sqlalchemy as sa
from store_samples import NOW

from lrs_soap.store import audit, auditrows, reach, statements, tables, tables_jobs
from lrs_soap.store import engine as engines

ENTRY = audit.Entry(
    at=NOW, request_id="r", organisation_id=None, reference="TEST38", user_name="J", operation="learnerByULN",
    code="WSRC0004", ulns=(), duration_us=1,
)  # fmt: skip
ROW = {name: getattr(ENTRY, name) for name in auditrows.COLUMNS}
INSERT = sa.insert(tables.audit).returning(tables.audit.c.id)


def test_many_rows_are_given_back_in_their_order(conn):
    rows = [ROW | {"duration_us": number, "at": NOW - datetime.timedelta(hours=number)} for number in range(500)]
    numbers = list(conn.execute(INSERT, rows).scalars())
    stored = conn.execute(sa.select(tables.audit.c.id, tables.audit.c.duration_us).order_by(tables.audit.c.id)).all()
    assert [tuple(row) for row in stored] == list(zip(numbers, range(500), strict=True))


def test_many_rows_are_converted_as_one_is(organisation_id, conn):
    job = dict(
        operation="o", organisation_id=organisation_id, reference="", user_name="", request_id="", size=4, status="",
        submitted_at=NOW, lease_until=0.0, attempts=0,
    )  # fmt: skip
    (number,) = conn.execute(sa.insert(tables_jobs.job).returning(tables_jobs.job.c.id), [job]).scalars()
    given = [None, {"family_name": "O'Neill, \"Ł\"\\ {}"}, {"n": [1, None]}, {}]
    results = sa.insert(tables_jobs.job_result)
    rows = [
        {"job_id": number, "position": position, "code": "RC001", "uln": "1000000019", "given": value}
        for position, value in enumerate(given)
    ]
    assert conn.execute(results, rows[:-1]).rowcount == 3
    assert conn.execute(results, rows[-1]).rowcount == 1
    columns = tables_jobs.job_result.c
    stored = conn.execute(sa.select(columns.uln, columns.given).order_by(columns.position)).all()
    assert [tuple(row) for row in stored] == [("1000000019", value) for value in given]
    nothing = conn.execute(sa.select(sa.func.count()).where(columns.given.is_(None))).scalar_one()
    assert nothing == 1


def test_an_error_does_not_tell_the_values(conn):
    with pytest.raises(sa.exc.IntegrityError) as raised, conn.begin_nested():
        conn.execute(INSERT, [ROW | {"code": None, "reference": "secret"}] * 2)
    assert "secret" not in str(raised.value.statement) + str(raised.value.params)
    assert conn.execute(INSERT, ROW).scalar_one() > 0


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_a_lost_connection_is_not_used_again(engine):
    ended = sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid()))
    with pytest.raises(sa.exc.OperationalError) as raised, engines.write(engine) as conn:
        conn.execute(ended)
    assert raised.value.connection_invalidated
    with engines.write(engine) as conn:
        assert conn.execute(INSERT, ROW).scalar_one() > 0


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
@pytest.mark.parametrize("noticed", ["by a write", "by a read"])
def test_a_server_that_was_lost_fails_one_call_and_not_one_for_each_connection_kept(engine, noticed):
    """As after a failover: every connection of the pool is dead, and whoever finds out first finds out for all."""
    others = sa.text("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                     "WHERE datname = current_database() AND pid <> pg_backend_pid()")
    asked = sa.select(sa.literal(1))
    with engines.read(engine) as reader:
        assert reader.execute(asked).scalar() == 1
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(engine.connect())
    killer = engines.create(engine.url)
    with killer.connect() as conn:
        assert conn.execute(others).scalar() >= 5
    killer.dispose()
    if noticed == "by a read":
        assert reader.execute(asked).scalar() == 1  # it has a connection of its own, and replaces it
    else:
        with pytest.raises(sa.exc.OperationalError), engines.write(engine) as conn:
            conn.execute(INSERT, ROW)
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            assert stack.enter_context(engines.write(engine)).execute(INSERT, ROW).scalar_one() > 0


def numbers(engine):
    with engines.read(engine) as reader:
        return sorted(reader.execute(sa.select(tables.audit.c.duration_us)).scalars())


def test_what_is_written_later_is_there_for_the_next_statement_and_after_the_commit(engine):
    of = sa.select(sa.func.count()).select_from(tables.audit)
    with engines.write(engine) as conn:
        conn.later(INSERT, ROW)
        conn.later(INSERT, ROW | {"duration_us": 2})
        assert conn.execute(of).scalar_one() == 2
        conn.later(INSERT, ROW | {"duration_us": 3})
        assert conn.exec_driver_sql("SELECT count(*) FROM audit").scalar() == 3
        conn.later(INSERT, ROW | {"duration_us": 4})
    assert numbers(engine) == [1, 2, 3, 4]
    assert engine.pool.checkedout() == 0


def test_what_is_written_later_goes_with_a_transaction_that_fails(engine):
    with pytest.raises(KeyError), engines.write(engine) as conn:
        conn.later(INSERT, ROW)
        raise KeyError()
    with pytest.raises(sa.exc.IntegrityError) as raised, engines.write(engine) as conn:
        conn.execute(INSERT, ROW)
        conn.later(INSERT, ROW | {"code": None, "reference": "secret"})
        conn.later(INSERT, ROW)
    assert "secret" not in str(raised.value)
    assert numbers(engine) == []
    with engines.write(engine) as conn:  # the connection is as good as before
        conn.later(INSERT, ROW)
    assert numbers(engine) == [1]


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_a_transaction_begins_and_ends_with_its_statements(engine, monkeypatch):
    trips = []
    exchange = reach.Session.exchange

    def noted(session, asked, begin, commit):
        trips.append((begin, len(asked), commit))
        return exchange(session, asked, begin, commit)

    monkeypatch.setattr(reach.Session, "exchange", noted)
    with engine.connect():
        pass  # there is a connection in the pool
    monkeypatch.setattr(reach.Connection, "wait", None)  # psycopg's own way is not gone
    with engines.write(engine) as conn:
        conn.execute(INSERT, ROW)
        conn.execute(INSERT, ROW)
        conn.later(INSERT, ROW)
    assert trips == [(True, 1, False), (False, 1, False), (False, 1, True)]


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_arrays_are_written_as_their_values_are(conn):
    texts = [None, "", "NULL", "null", "a,b", "{}", 'say "x"', "back\\slash", " spaced ", "O'Neill Łódź \n\t", "\\x41"]
    others = [b"", bytes(range(256)), None]
    moments = [NOW, None, NOW.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))]
    for kind, values in (
        (sa.Text, texts), (sa.LargeBinary, others), (tables.Moment, moments), (sa.BigInteger, [1000000019, None]),
        (sa.Boolean, [True, False, None]), (tables.Json, [{"a": [1, '"']}, {}]), (sa.Text, []),
    ):  # fmt: skip
        given = statements.arrays("given", "n", value=sa.Column("value", kind))
        rows = conn.execute(sa.select(given.c.value).order_by(given.c.n), {"value": values}).scalars()
        assert list(rows) == values
    with pytest.raises(sa.exc.DataError):
        conn.execute(sa.select(statements.arrays("given", None, value=sa.Column("value", sa.Text)).c.value),
                     {"value": ["a\0b"]})  # fmt: skip
