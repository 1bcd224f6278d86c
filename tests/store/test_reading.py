"""A reader gives what a SQLAlchemy connection gives, on a connection that may be lost in between."""

import concurrent.futures
import contextlib
import datetime

import pytest
import sqlalchemy as sa
from store_samples import ADA

from lrs_soap.rules import matching
from lrs_soap.store import engine as engines
from lrs_soap.store import learners, libpq, organisations, reading, tables


def test_rows_are_those_of_a_connection(engine):
    learner = ADA
    with engines.write(engine) as conn:
        learners.insert(conn, learner, matching.identity(learner), matching.stored_keys(learner))
        organisations.add(conn, organisation_ref="COLL01", ukprn="10000001", name="A", password_hash="x",
                          rights=frozenset(), sandbox=False)  # fmt: skip
    for statement in (sa.select(tables.learner), sa.select(tables.organisation)):
        with engine.connect() as conn, engines.read(engine) as reader:
            assert isinstance(reader, reading.Reader)
            assert [row._asdict() for row in reader.execute(statement)] == [
                row._asdict() for row in conn.execute(statement)
            ]


def test_a_list_of_values_is_expanded(engine):
    learner = ADA
    with engines.write(engine) as conn:
        learners.insert(conn, learner, matching.identity(learner), matching.stored_keys(learner))
    wanted = sa.select(tables.learner.c.uln).where(tables.learner.c.uln.in_(sa.bindparam("ulns", expanding=True)))
    with engines.read(engine) as reader:
        assert reader.execute(wanted, {"ulns": [learner.uln, "1000000001"]}).scalars().all() == [learner.uln]


def test_a_thread_keeps_its_connection_and_a_disposed_engine_has_none(engine):
    with engines.read(engine) as reader:
        assert reader.execute(sa.select(sa.literal(1))).scalar() == 1
        kept = reader._connection
    with engines.read(engine) as again:
        assert again is reader and again._connection is kept
    engine.dispose()
    assert reader._connection is None
    with engines.read(engine) as reader:
        assert reader.execute(sa.select(sa.literal(2))).scalar_one() == 2


def test_a_reader_leaves_writers_the_connection_they_have(engine):
    with engines.write(engine) as conn:
        written_on = conn.connection.driver_connection
    with engines.read(engine) as reader:
        reader.execute(sa.select(sa.literal(1)))
    with engines.write(engine) as conn:
        assert conn.connection.driver_connection is written_on is not reader._connection


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_a_connection_that_was_cut_is_replaced(engine):
    with engines.read(engine) as reader:
        pid = reader.execute(sa.select(sa.func.pg_backend_pid())).scalar()
    with engine.connect() as conn:
        conn.execute(sa.select(sa.func.pg_terminate_backend(pid)))
    with engines.read(engine) as reader:
        assert reader.execute(sa.select(sa.func.pg_backend_pid())).scalar() != pid


def test_an_error_of_the_statement_is_raised_and_leaves_the_reader_usable(engine):
    wrong = sa.select(sa.column("no_such_column"))
    with engines.read(engine) as reader:
        with pytest.raises(sa.exc.DBAPIError):
            reader.execute(wrong)
    with engines.read(engine) as reader:
        assert reader.execute(sa.select(sa.literal(1))).scalar() == 1


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_values_of_every_kind_travel_as_in_a_connection(engine):
    at = datetime.datetime(2026, 10, 25, 1, 30, tzinfo=datetime.UTC)
    given = {"text": "Zoë \\ '; --", "number": 2**40, "bytes": b"\0\xff", "moment": at, "none": None, "yes": True}
    statement = sa.select(
        sa.bindparam("text", type_=sa.Text).label("text"),
        sa.bindparam("number", type_=sa.BigInteger).label("number"),
        sa.bindparam("bytes", type_=sa.LargeBinary).label("bytes"),
        sa.bindparam("moment", type_=tables.Moment).label("moment"),
        sa.bindparam("none", type_=sa.Text).label("none"),
        sa.bindparam("yes", type_=sa.Boolean).label("yes"),
    )
    with engine.connect() as conn, engines.read(engine) as reader:
        for _ in range(2):  # prepared, and used again
            assert reader.execute(statement, given).first()._asdict() == given
        assert conn.execute(statement, given).first()._asdict() == given


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_a_database_that_stands_still_is_not_waited_for_longer_than_was_said(engine):
    with contextlib.closing(reading.Readers(engine, patience=0.1)) as readers:
        with readers.mine() as reader:
            with pytest.raises(sa.exc.OperationalError) as raised:
                reader.execute(sa.select(sa.func.pg_sleep(30)))
            assert isinstance(raised.value.orig, libpq.NoAnswer)
            assert reader.execute(sa.select(sa.literal(1))).scalar() == 1


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_an_error_does_not_repeat_what_was_asked(engine):
    with engines.read(engine) as reader, pytest.raises(sa.exc.DataError) as raised:
        reader.execute(sa.select(sa.cast(sa.bindparam("secret", type_=sa.Text), sa.Integer)), {"secret": "Whitcombe"})
    assert "Whitcombe" not in str(raised.value)


def test_only_the_main_thread_keeps_many_pages(sqlite_databases):
    opened = engines.create(sqlite_databases.migrated())
    size = sa.text("PRAGMA cache_size").columns(size=sa.Integer)

    def kib(_=None):
        with engines.read(opened) as conn:
            return -conn.execute(size).scalar_one()

    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        assert kib() == 8 * threads.submit(kib).result() == 4_096
    opened.dispose()
