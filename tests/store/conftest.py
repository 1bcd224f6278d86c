"""What the tests of the store start from."""

import pytest
import sqlalchemy as sa

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
        asked, asked_sqlalchemy = [], []

        def written(_conn, _cursor, sql, values, _context, _many):
            asked_sqlalchemy.append((sql, values))

        def note(statement, values):
            asked.append((statement.sql, as_given(statement, values)))
            return asked[-1][1]

        def note_many(statement, rows):
            found = as_many(statement, rows)
            asked.extend((statement.sql, values) for values in found)
            return found

        as_given, as_many = statements.Statement.values, statements.Statement.many
        with monkeypatch.context() as patch:
            patch.setattr(statements.Statement, "values", note)
            patch.setattr(statements.Statement, "many", note_many)
            sa.event.listen(conn, "before_cursor_execute", written)
            ask(conn)
            sa.event.remove(conn, "before_cursor_execute", written)
        explain = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
        conn.execute(sa.select(1))  # what waits is sent
        connection = conn.connection.dbapi_connection
        if conn.dialect.name == "sqlite":
            rows = [connection.execute(explain + sql, values).fetchall() for sql, values in asked]
        else:
            # The plan that the connection keeps, whatever the values.
            kept = connection.session()._statements
            plans = {sql: f"EXECUTE {kept[sql].name.decode()}({', '.join(['NULL'] * len(values))})".replace("()", "") for sql, values in asked}
            rows = [connection.exchange([(explain + plans[sql], [])])[0].rows for sql, _ in asked]
        rows += [conn.exec_driver_sql(explain + sql, values).all() for sql, values in asked_sqlalchemy]
        return ["\n".join(map(str, found)) for found in rows]

    return explained
