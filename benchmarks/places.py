"""Where the registers that are measured are: SQLite files and PostgreSQL databases, made, kept or dropped."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa


class Sqlite:
    """Files in a directory, which is kept if it is given."""

    name = "SQLite"

    def __init__(self, directory: Path | None):
        self._directory = directory
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def register(self, size: int) -> Iterator[str]:
        """The URL of the register of that size."""
        with contextlib.ExitStack() as stack:
            directory = self._directory or stack.enter_context(tempfile.TemporaryDirectory())
            yield f"sqlite:///{directory}/{size}.sqlite"


class Postgresql:
    """Databases `lrs_benchmark_SIZE` of a server, on which they may be created and dropped."""

    name = "PostgreSQL"

    def __init__(self, url: str, keep: bool):
        self._keep = keep
        self._server = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    @contextlib.contextmanager
    def register(self, size: int) -> Iterator[str]:
        """The URL of the register of that size."""
        name = f"lrs_benchmark_{size}"
        with self._server.connect() as conn:
            there = conn.execute(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).first()
            if there and not self._keep:
                conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
            if not (there and self._keep):
                conn.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            yield self._server.url.set(database=name).render_as_string(hide_password=False)
        finally:
            if not self._keep:
                with self._server.connect() as conn:
                    conn.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def places(given: list[str], keep: Path | None) -> list[Sqlite | Postgresql]:
    """For `sqlite` and URLs of PostgreSQL servers. keep: where SQLite's files are kept; then so are databases."""
    return [Sqlite(keep) if one == "sqlite" else Postgresql(one, keep is not None) for one in given]
