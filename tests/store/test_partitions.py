"""Learners in hash partitions: the keys allow it, the register is the same in them, and comes back out of them."""

import contextlib
import datetime
import io
import subprocess
import sys

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support import desk, schemas

from lrs_soap import backup
from lrs_soap.cli import main
from lrs_soap.load import loading
from lrs_soap.store import copies, learners, partitions, tables
from lrs_soap.store import engine as engines
from lrs_soap.synth import writing

TODAY = datetime.date(2026, 11, 23)


def run(url, *arguments):
    return CliRunner().invoke(main.main, [*map(str, arguments), "--database", url])


ROOM = "SELECT DISTINCT reloptions FROM pg_class WHERE oid = 'learner'::regclass AND relkind = 'r' OR oid IN (SELECT relid FROM pg_partition_tree('learner') WHERE isleaf)"


def everything(url):
    engine = engines.create(url)
    with engine.connect() as conn:
        names = set(sa.inspect(conn).get_table_names()) - {*copies.partitions(conn), "uln_issue"}
        held = {name: sorted(map(repr, conn.execute(sa.text(f'SELECT * FROM "{name}"')).all())) for name in names}
        keys = {name: sorted(map(repr, [*sa.inspect(conn).get_indexes(name), sa.inspect(conn).get_pk_constraint(name)]))
                for name in partitions.DISTRIBUTED}  # fmt: skip
        assert schemas.differences(conn) == []
        assert conn.exec_driver_sql(ROOM).scalars().all() == [["fillfactor=90"]]
        parts = partitions.counts(conn)
    engine.dispose()
    return held, keys, parts


@contextlib.contextmanager
def reopened(url, college):
    at = desk.Desk.__new__(desk.Desk)
    at.register, at.college = desk.register.Register(desk.settings.load(database=url)), college
    yield at
    at.register.close()


def test_every_unique_key_holds_the_column_of_its_table(engine):
    # The rule of PostgreSQL's partitions, and of Citus's distributed tables; the second, that rows of tables which are
    # distributed differently do not refer to each other.
    with engine.connect() as conn:
        look = sa.inspect(conn)
        for table, column in partitions.DISTRIBUTED.items():
            unique = [look.get_pk_constraint(table)["constrained_columns"]]
            unique += [one["column_names"] for one in look.get_unique_constraints(table)]
            unique += [one["column_names"] for one in look.get_indexes(table) if one["unique"]]
            assert all(column in columns for columns in unique), table
            assert {one["referred_table"] for one in look.get_foreign_keys(table)} <= {"organisation"}
        for table in set(look.get_table_names()) - set(copies.partitions(conn)):
            assert not {one["referred_table"] for one in look.get_foreign_keys(table)} & set(partitions.DISTRIBUTED)


def test_the_register_is_the_same_in_partitions_and_out_of_them(postgresql_databases, tmp_path):
    url = postgresql_databases.migrated()
    with desk.opened(url) as at:
        ann, mary, kit = map(at.new, (desk.ANN, desk.MARY, desk.KIT))
        assert at.updated(ann, 1, desk.ANN | {"notes": "moved"}) == "WSRC0006"
        at.merge(ann, mary)
        at.delete(kit)
    before, keys, parts = everything(url)
    assert set(parts.values()) == {1}

    assert run(url, "partition", 3).exit_code == 0
    assert everything(url) == (before, keys, dict.fromkeys(parts, 3))

    with reopened(url, at.college) as at:
        assert at.by_uln(ann, desk.ANN).response_code == "WSRC0022"  # a master
        new = at.new(desk.KIT)  # a deleted learner's identity is free
        assert at.registered(desk.KIT).response_code != "WSRC0005"  # and taken once, over all partitions
        assert at.updated(new, 1, desk.KIT | {"notes": "again"}) == "WSRC0006"
        people = io.StringIO()
        writing.write(writing.Plan(300, 5), writing.Files(people, None, None), processes=1)
        loading.load(at.register.engine, io.BytesIO(people.getvalue().encode()), operator="Op", today=TODAY, processes=1)
    held, _, _ = everything(url)
    assert len(held["learner"]) == 4 + 300
    assert len(held["learner_history"]) == len(before["learner_history"]) + 1

    copy, restored = tmp_path / "copy", postgresql_databases.empty()
    assert backup.backup(url, copy).rows["learner"] == 304
    backup.restore(restored, copy)
    assert everything(restored) == everything(url)

    assert run(url, "partition", 1).exit_code == 0
    assert everything(url) == (held, keys, parts)
    postgresql_databases.drop(url)
    postgresql_databases.drop(restored)


def test_the_command_alone_knows_every_table(postgresql_databases):
    """In a process of its own: what other tests have imported is not there."""
    url = postgresql_databases.migrated()
    command = [sys.executable, "-m", "lrs_soap", "partition", "2", "--database", url]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    postgresql_databases.drop(url)


def test_an_empty_register_in_partitions_is_filled(postgresql_databases):
    url = postgresql_databases.migrated()
    assert run(url, "partition", 2).exit_code == run(url, "partition", 4).exit_code == 0
    people, engine = io.StringIO(), engines.create(url)
    writing.write(writing.Plan(300, 5), writing.Files(people, None, None), processes=1)
    loading.load(engine, io.BytesIO(people.getvalue().encode()), operator="Op", today=TODAY, processes=1)
    with engine.connect() as conn:
        sizes = [conn.exec_driver_sql(f"SELECT count(*) FROM learner_{part}").scalar() for part in range(4)]
        assert sum(sizes) == 300 and min(sizes) > 0
        some = conn.execute(sa.select(tables.learner.c.uln)).scalars().all()
        assert set(learners.by_ulns(conn, some)) == set(some)
    engine.dispose()
    postgresql_databases.drop(url)


def test_nobody_may_use_the_register_meanwhile(postgresql_databases):
    url = postgresql_databases.migrated()
    with desk.opened(url) as at:
        at.new(desk.ANN)
        result = run(url, "partition", 2)
    assert (result.exit_code, "stop them first" in result.stderr) == (2, True)
    postgresql_databases.drop(url)


def test_sqlite_has_no_partitions(sqlite_databases):
    url = sqlite_databases.migrated()
    result = run(url, "partition", 2)
    assert (result.exit_code, "PostgreSQL" in result.stderr) == (2, True)
    assert pytest.raises(partitions.NotPostgresql, partitions.partition, engines.create(url), 2)
