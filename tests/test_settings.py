"""Settings: where they come from, what is refused, and that no password is shown."""

import datetime
import zoneinfo
from pathlib import Path

import pytest

from lrs_soap import settings
from lrs_soap.cli import server
from lrs_soap.rules import hours

LONDON = zoneinfo.ZoneInfo("Europe/London")


@pytest.fixture(autouse=True)
def no_settings_around(monkeypatch):
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(settings.variable(name), raising=False)
    monkeypatch.delenv(settings.CONFIG_VARIABLE, raising=False)


def test_the_nearer_source_wins(tmp_path, monkeypatch):
    file = tmp_path / "lrs.toml"
    file.write_text('port = 1001\nhost = "file.example"\nworkers = 3\n')
    monkeypatch.setenv("LRS_SOAP_PORT", "1002")
    monkeypatch.setenv("LRS_SOAP_HOST", "environment.example")
    found = settings.load(file, {"workers": 9, "possible_limit": 10}, port=1003, host=None)
    assert (found.port, found.host, found.workers, found.possible_limit) == (1003, "environment.example", 3, 10)
    assert found.audit == "grouped"


def test_the_environment_names_the_file(tmp_path, monkeypatch):
    file = tmp_path / "lrs.toml"
    file.write_text("known_users_only = true\n")
    monkeypatch.setenv("LRS_SOAP_CONFIG", str(file))
    assert settings.load().known_users_only is True


def test_workers_get_the_same_settings(monkeypatch):
    given = settings.load(
        database="postgresql://lrs:secret@db.example/lrs", hours="Mon-Fri 08:00-18:00", known_users_only=True,
        audit_flush_seconds=0.25, replica=["postgresql://lrs:secret@one.example/lrs", "postgresql://two.example/lrs"],
    )
    for name, value in given.to_environment().items():
        monkeypatch.setenv(name, value)
    assert settings.Settings.from_environment() == given
    assert len(given.to_environment()) == len(settings.Settings.model_fields)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"port": "x"}, ["port (LRS_SOAP_PORT)", "'x'", "at least 0 up to 65535"]),
        ({"port": 65536}, ["65536", "65535"]),
        ({"workers": 0, "audit": "often"}, ["workers", "at least 1", "audit", "grouped or strict"]),
        ({"audit_flush_seconds": 0}, ["a number above 0 up to 60"]),
        ({"known_users_only": "perhaps"}, ["true or false"]),
        ({"hours": "Monday"}, ["'Monday' is not days and two times", "Mon-Fri 08:00-18:00"]),
        ({"prot": 1}, ["no setting 'prot'", "port"]),
        ({"database": "mysql://u:secret@h/d"}, ["database (LRS_SOAP_DATABASE)", "PostgreSQL"]),
        ({"database": "secret"}, ["database (LRS_SOAP_DATABASE)", "sqlite:///file.sqlite"]),
        ({"database": "postgresql://u:secret@h:port/d"}, ["database (LRS_SOAP_DATABASE)"]),
        ({"database": "sqlite:///file:secret.sqlite?uri=true"}, ["database (LRS_SOAP_DATABASE)"]),
        ({"replica": ["postgresql://u:secret@h/d"]}, ["replica (LRS_SOAP_REPLICA)", "for a database of PostgreSQL"]),
        ({"database": "postgresql://h/d", "replica": ["sqlite:///secret"]}, ["replica (LRS_SOAP_REPLICA)"]),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(given, words):
    with pytest.raises(settings.SettingsError) as raised:
        settings.load(**given)
    assert [word for word in words if word not in str(raised.value)] == []
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"port = ", "is not TOML"), (b"\xff", "not UTF-8"), (b"prot = 1", "no setting 'prot'")],
)
def test_a_wrong_file_is_named(tmp_path, content, words):
    file = tmp_path / "lrs.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(settings.SettingsError, match=words):
        settings.load(file)


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:secret@h/d", "postgresql+psycopg://h/d?password=secret", "postgresql://u@h/d?sslpassword=secret"],
)
def test_the_database_password_is_never_shown(url):
    given = settings.load(database=url, replica=[url])
    assert "secret" in given.database and "secret" in given.replica[0]
    shown = [repr(given), str(given), given.masked_database, str(given.shown())]
    assert [text for text in shown if "secret" in text] == []
    assert all("***" in text or "%2A%2A%2A" in text for text in shown)


def test_replicas_are_a_list_or_words_or_a_repeated_option(tmp_path, monkeypatch):
    urls = ("postgresql+psycopg://one/d", "postgresql+psycopg://two/d")
    file = tmp_path / "lrs.toml"
    file.write_text('database = "postgresql://h/d"\nreplica = ["postgresql://one/d", "postgresql://two/d"]\n')
    assert settings.load(file).replica == urls
    monkeypatch.setenv("LRS_SOAP_REPLICA", "postgresql://two/d  postgresql://one/d")
    assert settings.load(file).replica == urls[::-1]
    assert settings.load(file, replica=urls).replica == urls

    given = []
    monkeypatch.setattr(server, "_run", lambda chosen, **_: given.append(chosen.replica))
    arguments = ["--config", str(file), *(word for url in urls for word in ("--replica", url))]
    server.serve.main(arguments, standalone_mode=False)
    server.serve.main(["--config", str(file)], standalone_mode=False)
    assert given == [urls, urls[::-1]]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_means_psycopg_3(scheme):
    assert settings.load(database=f"{scheme}://h/d").database == "postgresql+psycopg://h/d"


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        settings.load().port = 1


def test_the_document_is_current():
    document = Path(__file__).parent.parent / "docs" / "settings.md"
    assert document.read_text(encoding="utf-8") == server.document()


@pytest.mark.parametrize(
    ("text", "moment", "is_open"),
    [
        ("always", "2026-11-22T03:00", True),
        ("Mon-Fri 08:00-18:00", "2026-11-23T08:00", True),
        ("Mon-Fri 08:00-18:00", "2026-11-23T07:59", False),
        ("Mon-Fri 08:00-18:00", "2026-11-23T17:59", True),
        ("Mon-Fri 08:00-18:00", "2026-11-23T18:00", False),
        ("Mon-Fri 08:00-18:00", "2026-11-22T12:00", False),
        ("Sat-Mon 00:00-24:00", "2026-11-22T23:59", True),
        ("Sat-Mon 00:00-24:00", "2026-11-24T00:00", False),
        ("mon,wed 9:00-10:00; Fri 11:00-12:00", "2026-11-25T09:30", True),
        ("mon,wed 9:00-10:00; Fri 11:00-12:00", "2026-11-27T11:30", True),
        ("mon,wed 9:00-10:00; Fri 11:00-12:00", "2026-11-27T09:30", False),
    ],
)
def test_hours(text, moment, is_open):
    assert hours.parse(text).open_at(datetime.datetime.fromisoformat(moment).replace(tzinfo=LONDON)) is is_open


def test_hours_follow_summer_time():
    office = hours.parse("Mon-Sun 08:00-18:00")
    assert office.open_at(datetime.datetime(2026, 7, 1, 7, 30, tzinfo=datetime.UTC))
    assert not office.open_at(datetime.datetime(2026, 12, 1, 7, 30, tzinfo=datetime.UTC))


def test_hours_need_a_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        hours.ALWAYS.open_at(datetime.datetime(2026, 7, 1))


@pytest.mark.parametrize(
    "text", ["", "Mon", "Mon-Fri 18:00-08:00", "Mon 08:00-08:00", "Mon 08:60-09:00", "Mon 08:00-24:01", "Mox 08:00-09:00"]
)
def test_hours_refused(text):
    with pytest.raises(ValueError, match="is not"):
        hours.parse(text)
