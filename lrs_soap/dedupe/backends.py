"""The databases in which Splink compares: DuckDB in this process, or Spark, which spreads over a cluster.

Each gives a `Database`; what it keeps meanwhile is personal data, and is in the directory of the run alone.
"""

import contextlib
import dataclasses
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lrs_soap import errors
from lrs_soap.dedupe import model

_AT_ONCE = 500

Pair = tuple[str, str, float]
"""Two ULNs and their score."""


class NoJava(errors.LrsError):
    """Spark needs Java 17 or 21, and there is none: install it (Debian: default-jre-headless), or set JAVA_HOME."""


@dataclasses.dataclass(frozen=True, slots=True)
class Database:
    """Splink's interface to it, the learners in it as that takes them, and the pairs of a table of predictions, best
    first."""

    api: Any
    table: Any
    best: Callable[[str], Iterator[list[Pair]]]


_BEST = (
    "SELECT unique_id_l, unique_id_r, match_probability FROM {} ORDER BY match_weight DESC, unique_id_l, unique_id_r"
)


@contextlib.contextmanager
def duckdb(learners: Path, directory: Path, memory: str) -> Iterator[Database]:
    """DuckDB with the learners of a CSV file, which it removes. Raises what DuckDB raises."""
    import duckdb
    from splink import DuckDBAPI

    with duckdb.connect(str(directory / "dedupe.duckdb")) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET memory_limit = ?", [memory])
        connection.execute("SET temp_directory = ?", [str(directory)])
        types = {model.TEXT: "VARCHAR", model.NUMBER: "INTEGER"}
        kinds = ", ".join(f"'{name}': '{types[kind]}'" for name, kind in model.COLUMNS.items())
        connection.execute(
            f"CREATE TABLE learners AS SELECT * FROM read_csv(?, header = true, columns = {{{kinds}}}, nullstr = '')",
            [str(learners)],
        )
        learners.unlink()

        def best(pairs: str) -> Iterator[list[Pair]]:
            found = connection.execute(_BEST.format(pairs))
            while rows := found.fetchmany(_AT_ONCE):
                yield rows

        yield Database(DuckDBAPI(connection=connection), "learners", best)


def need_java() -> None:
    """Raises NoJava where Spark could not start: before the register is read."""
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise NoJava()


@contextlib.contextmanager
def spark(learners: Path, directory: Path, memory: str, master: str) -> Iterator[Database]:
    """Spark with the learners of a CSV file, which it removes.

    master: where it runs, as Spark spells it: "local[*]", "spark://host:7077"; all of its hosts must see `directory`.
    Raises what Spark raises.
    """
    from pyspark.sql import SparkSession
    from splink import SparkAPI
    from splink.backends.spark import similarity_jar_location

    settings = {
        "spark.app.name": "lrs-soap dedupe",
        "spark.driver.memory": memory.upper().removesuffix("B"),
        "spark.jars": similarity_jar_location(),
        "spark.local.dir": str(directory),
        "spark.log.level": "ERROR",
        "spark.sql.execution.arrow.pyspark.enabled": "false",  # a few rows of parameters go that way; it is one more package
        "spark.sql.warehouse.dir": str(directory / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.pyspark.python": sys.executable,
    }
    if master.startswith("local"):
        # Nobody on the network has anything to do with it; and a shuffle of one host needs no 200 parts.
        settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
                     "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1))}  # fmt: skip
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        session.sparkContext.setCheckpointDir(str(directory / "checkpoints"))
        types = {model.TEXT: "STRING", model.NUMBER: "INT"}
        kinds = ", ".join(f"{name} {types[kind]}" for name, kind in model.COLUMNS.items())
        table = str(directory / "learners.parquet")
        session.read.csv(str(learners), schema=kinds, header=True, nullValue="").write.parquet(table)
        learners.unlink()

        def best(pairs: str) -> Iterator[list[Pair]]:
            rows = session.sql(_BEST.format(pairs)).toLocalIterator()
            while some := list(map(tuple, itertools.islice(rows, _AT_ONCE))):
                yield some

        yield Database(SparkAPI(spark_session=session), session.read.parquet(table), best)
    finally:
        session.stop()
