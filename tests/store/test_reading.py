"""A reader gives what a SQLAlchemy connection gives, on a connection that may be lost in between."""

import pytest
import sqlalchemy as sa
from store_samples import ADA

from lrs_soap.rules import matching
from lrs_soap.store import engine as engines
from lrs_soap.store import learners, organisations, reading, tables


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
    with engines.read(engine) as reader:
        assert set(learners.by_ulns(reader, [learner.uln, "1000000001"])) == {learner.uln}


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


def test_sqlite_shows_one_state_within_a_block(tmp_path):
    engine = engines.create(f"sqlite:///{tmp_path}/one.db")
    with engines.write(engine) as conn:
        conn.execute(sa.text("CREATE TABLE t (n INTEGER)"))
    count = sa.select(sa.func.count()).select_from(sa.table("t"))
    with engines.read(engine) as reader:
        assert reader.execute(count).scalar() == 0
        with engines.write(engine) as conn:
            conn.execute(sa.text("INSERT INTO t VALUES (1)"))
        assert reader.execute(count).scalar() == 0
    with engines.read(engine) as reader:
        assert reader.execute(count).scalar() == 1
    engine.dispose()
