import os
import stat
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa

from lrs_soap import errors
from lrs_soap.store import engine as engines


def settings(conn, *names):
    return {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}


def test_write_commits_and_read_sees_it(engine):
    with engines.write(engine) as conn:
        conn.exec_driver_sql("CREATE TABLE t (n integer)")
        conn.exec_driver_sql("INSERT INTO t VALUES (1)")
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT n FROM t").scalar() == 1


def test_an_exception_undoes_the_whole_write(engine):
    with engines.write(engine) as conn:
        conn.exec_driver_sql("CREATE TABLE t (n integer)")
    with pytest.raises(RuntimeError), engines.write(engine) as conn:
        conn.exec_driver_sql("INSERT INTO t VALUES (1)")
        raise RuntimeError
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0


def test_the_pool_gives_connections_back_as_they_were(engine):
    # The same connection reads (without a transaction), writes (in one) and is used plainly.
    for _ in range(2):
        with engine.connect() as conn:
            conn.exec_driver_sql("SELECT 1")
        with engines.write(engine) as conn:
            conn.exec_driver_sql("CREATE TABLE t (n integer)")
            conn.rollback()
    with engine.connect() as conn:
        conn.exec_driver_sql("CREATE TABLE t (n integer)")
    with engine.connect() as conn:
        assert not sa.inspect(conn).has_table("t")


def test_readers_do_not_wait_for_a_writer(engine):
    with engines.write(engine) as writing:
        writing.exec_driver_sql("CREATE TABLE t (n integer)")
        with engine.connect() as reading:
            assert not sa.inspect(reading).has_table("t")


def test_sqlite_is_set_up(sqlite_databases):
    engine = engines.create(sqlite_databases.migrated(), busy_timeout=3)
    with engine.connect() as conn:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        assert tuple(settings(conn, *names).values()) == ("wal", 2, 1, 1500)  # half of the wait is in line
    engine.dispose()
    engine = engines.create(sqlite_databases.migrated(), sqlite_synchronous="NORMAL")
    with engine.connect() as conn:
        assert settings(conn, "synchronous") == {"synchronous": 1}
    engine.dispose()


def test_a_new_sqlite_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "register.db"
    engine = engines.create(f"sqlite:///{path}")
    with engines.write(engine) as conn:
        conn.exec_driver_sql("CREATE TABLE t (n integer)")
        files = sorted(os.listdir(tmp_path))
        assert files == ["register.db", "register.db-shm", "register.db-turn", "register.db-wal"]
        assert {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in files} == {0o600}
    engine.dispose()


def test_an_existing_file_keeps_its_mode(tmp_path):
    path = tmp_path / "register.db"
    path.touch(mode=0o640)
    path.chmod(0o640)
    engines.create(f"sqlite:///{path}").dispose()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_sqlite_writers_are_alone_from_their_start(sqlite_databases):
    engine = engines.create(sqlite_databases.migrated(), busy_timeout=0.05)
    with engines.write(engine), pytest.raises(sa.exc.OperationalError, match="locked"), engines.write(engine):
        pass
    with engines.write(engine):
        pass
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_memory_is_one_database_for_all_threads(url):
    engine = engines.create(url)
    with engines.write(engine) as conn:
        conn.exec_driver_sql("CREATE TABLE t (n integer)")
    seen = []

    def look():
        with engine.connect() as conn:
            seen.append(sa.inspect(conn).has_table("t"))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    engine.dispose()
    assert seen == [True]


def test_postgresql_bounds_every_wait(postgresql_databases):
    url = postgresql_databases.migrated()
    engine = engines.create(url, statement_timeout=0.2, lock_timeout=1.5, idle_timeout=30)
    with engine.connect() as conn:
        shown = {
            name: conn.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")
        }
        assert shown == {
            "statement_timeout": "200ms",
            "lock_timeout": "1500ms",
            "idle_in_transaction_session_timeout": "30s",
            "application_name": "lrs-soap",
        }
        with pytest.raises(sa.exc.OperationalError, match="statement timeout"):
            conn.exec_driver_sql("SELECT pg_sleep(5)")
    engine.dispose()
    postgresql_databases.drop(url)


def test_what_a_postgresql_url_says_wins(postgresql_databases):
    url = postgresql_databases.migrated()
    engine = engines.create(f"{url}?options=-c%20lock_timeout%3D7s&application_name=mine")
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SHOW lock_timeout").scalar() == "7s"
        assert conn.exec_driver_sql("SHOW statement_timeout").scalar() == "15s"
        assert conn.exec_driver_sql("SHOW application_name").scalar() == "mine"
    engine.dispose()
    postgresql_databases.drop(url)


def test_a_postgresql_connection_that_died_while_idle_is_replaced(postgresql_databases, monkeypatch):
    url = postgresql_databases.migrated()
    engine = engines.create(url)
    with engine.connect() as conn:
        process = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    killer = engines.create(url)
    with killer.connect() as conn:
        conn.exec_driver_sql(f"SELECT pg_terminate_backend({process}, 5000)")
    killer.dispose()
    monkeypatch.setattr(engines, "PING_AFTER_SECONDS", 0.0)
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT pg_backend_pid()").scalar() != process
    engine.dispose()
    postgresql_databases.drop(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_postgresql_url_means_psycopg_3(scheme):
    assert engines.create(f"{scheme}://someone@127.0.0.1/x").dialect.driver == "psycopg"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root:secret@127.0.0.1/x",
        "postgresql+psycopg2://root:secret@127.0.0.1/x",
        "sqlite+aiosqlite:///x.db",
        "secret",
        "",
        "postgresql://root:secret@127.0.0.1:port/x",
        "sqlite:////nowhere/at/all/x.db",
    ],
)
def test_other_urls_are_refused_without_repeating_a_password(url):
    with pytest.raises(engines.UnusableDatabase) as refusal:
        engines.create(url)
    assert isinstance(refusal.value, errors.LrsError)
    assert "secret" not in str(refusal.value)


def test_an_unknown_synchronous_setting_is_refused():
    with pytest.raises(engines.UnusableDatabase, match="FULL"):
        engines.create("sqlite://", sqlite_synchronous="FULL; DROP TABLE learner")


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_the_host_that_takes_writes_is_found_among_several(database_url):
    parts = sa.make_url(database_url)
    here = f"{parts.host}:{parts.port or 5432}"
    url = parts.set(host=None, port=None).update_query_dict(
        {"host": ("127.0.0.1:1", here), "target_session_attrs": "read-write"}
    )
    engine = engines.create(url.render_as_string(hide_password=False))
    with engines.write(engine) as conn, engines.read(engine) as reader:
        assert conn.execute(sa.select(sa.literal(1))).scalar() == reader.execute(sa.select(sa.literal(1))).scalar()
    engine.dispose()


def test_a_register_on_sqlite_does_not_load_the_driver_of_postgresql():
    program = (
        "import sys; from lrs_soap import server, worker; from lrs_soap.wire import app, http; "
        "from lrs_soap.store import engine; engine.create('sqlite://'); print('psycopg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
