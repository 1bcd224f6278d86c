"""The tables of learners in hash partitions on PostgreSQL: a choice of the operator's, one partition by default.

Each table is distributed by the column that every unique key of it contains: what PostgreSQL asks of a partitioned table,
and Citus and YugabyteDB of a distributed one. docs/scale.md says what partitions give and cost.
"""

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from lrs_soap import errors
from lrs_soap.store import copies, tables, tables_events
from lrs_soap.store import engine as engines

DISTRIBUTED = {
    "learner": "uln",
    "learner_history": "uln",
    "learner_identity": "identity",
    tables_events.learning_event.name: "uln",
    "organisation_learner": "uln",
}
"""The large tables that have no order in time, and the column by which each is distributed."""

# Of partitioned tables PostgreSQL says "ON ONLY", which would leave the partitions without.
_CONSTRAINTS = sa.text(
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(:table) ORDER BY contype DESC"
)
_INDEXES = sa.text(
    "SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index WHERE indrelid = to_regclass(:table)"
    " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)"
)


class NotPostgresql(errors.LrsError):
    """Partitions need PostgreSQL: SQLite has none."""


class InUse(errors.LrsError):
    """Servers, workers or commands use the register: stop them first, as every learner is moved."""


def counts(conn: Connection) -> dict[str, int]:
    """How many partitions each of the tables is in; 1 is none of them."""
    of = list(copies.partitions(conn).values())
    return {table: max(of.count(table), 1) for table in DISTRIBUTED}


def partition(engine: Engine, number: int, step: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Puts the learners into so many partitions, or into tables without any for 1: in one transaction, wholly or not.

    Every row is written once more, so the database needs room for them twice. Keys and indexes are made anew as the
    migrations made them. step gets how many tables are done, and how many there are. Raises NotPostgresql, InUse.
    """
    if engine.dialect.name != "postgresql":
        raise NotPostgresql()
    with engine.connect() as conn, engines.write_on(conn):
        engines.take_time(conn)
        if copies.servers(conn):
            raise InUse()
        conn.exec_driver_sql(f"LOCK TABLE {', '.join(DISTRIBUTED)} IN ACCESS EXCLUSIVE MODE")
        for done, (table, column) in enumerate(DISTRIBUTED.items()):
            step(done, len(DISTRIBUTED))
            _move(conn, table, column, number)
    with engine.connect() as conn, engines.write_on(conn):
        engines.take_time(conn)
        conn.exec_driver_sql(f"ANALYZE {', '.join(DISTRIBUTED)}")


def _stored(table: str) -> str:
    """How a table without partitions, or a partition, is stored. PostgreSQL takes none of it for a whole in partitions."""
    options = tables.metadata.tables[table].dialect_options["postgresql"]["with"] or {}
    return f" WITH ({', '.join(f'{name} = {value}' for name, value in options.items())})" if options else ""


def _move(conn: Connection, table: str, column: str, number: int) -> None:
    constraints = conn.execute(_CONSTRAINTS, {"table": table}).all()
    indexes = conn.execute(_INDEXES, {"table": table}).scalars().all()
    conn.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_before")
    parted = f" PARTITION BY HASH ({column})" if number > 1 else ""
    conn.exec_driver_sql(f"CREATE TABLE {table} (LIKE {table}_before INCLUDING DEFAULTS){parted or _stored(table)}")
    old = [name for name, of in copies.partitions(conn).items() if of == f"{table}_before"]
    for name in old:  # their names are needed again
        conn.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {name}_before")
    for remainder in range(number if parted else 0):
        conn.exec_driver_sql(f"CREATE TABLE {table}_{remainder} PARTITION OF {table} "
                             f"FOR VALUES WITH (MODULUS {number}, REMAINDER {remainder}){_stored(table)}")  # fmt: skip
    conn.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {table}_before")
    conn.exec_driver_sql(f"DROP TABLE {table}_before")
    for name, definition in constraints:
        conn.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for definition in indexes:
        conn.exec_driver_sql(definition)
