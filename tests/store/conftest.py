"""What the tests of the store start from."""

import pytest

from lrs_soap.rules import access
from lrs_soap.store import engine as engines
from lrs_soap.store import organisations, statements


@pytest.fixture
def conn(engine):
    """A transaction on a migrated database."""
    with engines.write(engine) as connection:
        yield connection


@pytest.fixture
def organisation_id(engine):
    with engines.write(engine) as connection:
        return organisations.add(
            connection,
            organisation_ref="TEST38",
            ukprn="TEST0038",
            name="A College",
            password_hash="hash",
            rights=access.ALL,
        )


@pytest.fixture
def plans(monkeypatch):
    """Gives a function: how the database of a writer answers the statements that `ask(conn)` makes."""

    def explained(conn, ask):
        asked = []

        def note(statement, values):
            asked.append(bound(statement, values))
            return asked[-1]

        bound = statements.Statement.bound
        with monkeypatch.context() as patch:
            patch.setattr(statements.Statement, "bound", note)
            ask(conn)
        explain = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
        rows = [conn.connection.dbapi_connection.execute(explain + sql, values) for sql, values in asked]
        return ["\n".join(map(str, found)) for found in rows]

    return explained
