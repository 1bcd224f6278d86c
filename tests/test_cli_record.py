"""lrs-soap record: loading files of learning events, and asking for a record over HTTP."""

import json
import random
import signal
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support import eventfiles, outcomes, server

from lrs_soap import client, codes, contract, eventload, model, sandbox
from lrs_soap.cli import main, options
from lrs_soap.rules import matching, record
from lrs_soap.store import engine as engines
from lrs_soap.store import learners, tables, tables_events

ULN = "4123001008"


def put_learners(engine) -> None:
    with engines.write(engine) as connection:
        for one in sandbox.stored_learners():
            learners.insert(connection, one, matching.identity(one), matching.stored_keys(one))


@pytest.fixture
def load(engine, database_url, tmp_path, monkeypatch):
    """Loads rows from a file as the operator Op, and gives the result of the command."""
    put_learners(engine)
    monkeypatch.setattr(options.getpass, "getuser", lambda: "Op")
    path = tmp_path / "events.csv"

    def invoke(rows, *arguments, **form):
        if rows is not None:
            eventfiles.write(path, rows, **form)
        command = ["record", "load", str(path), "--database", database_url, *arguments]
        return CliRunner().invoke(main.main, command)

    invoke.path, invoke.exceptions = path, tmp_path / "events.csv.exceptions.csv"
    return invoke


def stored(engine) -> dict:
    table = tables_events.learning_event
    with engine.connect() as connection:
        rows = connection.execute(sa.select(table)).all()
    return {(row.uln, bytes(row.event_key)): row._mapping for row in rows}


def counts(result) -> dict[str, int]:
    """The counts of a load with --json that are not 0."""
    summary = json.loads(result.stdout)
    names = ("added", "replaced", "unchanged", "superseded", "rejected")
    assert summary["rows"] == sum(summary[name] for name in names)
    return {name: summary[name] for name in names if summary[name]}


def test_a_file_is_loaded_with_every_field(load, engine):
    result = load(eventfiles.rows(), "--json")
    assert result.exit_code == 0, result.output
    assert counts(result) == {"added": 14}
    found = stored(engine)
    assert len(found) == 14
    for row in eventfiles.rows():
        (held,) = (one for one in found.values() if one["uln"] == row["ULN"] and one["subject_code"] == row["SubjectCode"]
                   and one["retake_indicator"] == row["RetakeIndicator"])  # fmt: skip
        fields = model.MIAPLearningEvent.__slots__
        assert [str(held[name]) if held[name] is not None else "" for name in fields] == list(row.values())[2:]
        assert held["source"] == row["Source"]
    assert not load.exceptions.exists()


def test_loading_the_same_file_again_changes_nothing(load, engine):
    load(eventfiles.rows())
    before = stored(engine)
    result = load(None, "--json")
    assert counts(result) == {"unchanged": 14}
    assert result.exit_code == 0
    assert stored(engine) == before


def test_what_people_read(load):
    assert load(eventfiles.rows(), "--dry-run").stdout == \
        "14 rows would be: 14 added, 0 replaced, 0 unchanged, 0 superseded, 0 rejected\n"  # fmt: skip
    assert load(None).stdout == "14 rows: 14 added, 0 replaced, 0 unchanged, 0 superseded, 0 rejected\n"


def test_a_later_return_replaces_and_an_earlier_does_not(load, engine):
    first = eventfiles.row(ReturnNumber="R04", LearningOutcomeGradeDesc="first")
    later = eventfiles.row(ReturnNumber="R10", LearningOutcomeGradeDesc="later")
    assert counts(load([first], "--json")) == {"added": 1}
    assert counts(load([later], "--json")) == {"replaced": 1}
    assert counts(load([first], "--json")) == {"superseded": 1}
    (held,) = stored(engine).values()
    assert held["learning_outcome_grade_desc"] == "later"
    # All three in one file, where the first two are not yet stored.
    other = [row | {"ULN": "4123001377"} for row in (first, later, first)]
    assert counts(load(other, "--json")) == {"added": 1, "replaced": 1, "superseded": 1}
    assert {held["learning_outcome_grade_desc"] for held in stored(engine).values()} == {"later"}


def test_two_versions_of_which_none_is_later_are_reported(load, engine):
    rows = [eventfiles.row(), eventfiles.row(SubjectTitle="Other")]
    result = load(rows)
    assert result.exit_code == 1
    assert "line 3: Another version of this event has the same ReturnNumber" in result.stderr
    assert [held["subject_title"] for held in stored(engine).values()] == [rows[0]["SubjectTitle"]]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"DateLoaded": "16/11/2020"},
         'line 3, DateLoaded (cell V3): "16/11/2020" The date is written day/month/year. Write 2020-11-16.'),
        ({"AssessmentDate": "1900-02-29"}, "The calendar has no such day"),
        ({"LastUpdatedDateTime": "2020-11-16T09:30:00"},
         '(cell AF3): "2020-11-16T09:30:00" This is not a date and time. Write it as yyyy-MM-dd hh:mm:ss'),
        ({"LastUpdatedDateTime": "1900-02-29 09:30:00"}, "The calendar has no such day"),
        ({"LastUpdatedDateTime": ""}, "LastUpdatedDateTime (cell AF3): The value is mandatory"),
        ({"AchievementProviderUKPRN": "1234567"}, "eight letters and digits"),
        ({"AchievementProviderUKPRN": ""}, "The value is mandatory"),
        ({"IncrementNumber": "1.0"}, "The value is not a whole number"),
        ({"IncrementNumber": "9223372036854775808"}, "The value is not a whole number"),
        ({"CreditsAchieved": "many"}, "The value is not a whole number"),
        ({"SubjectTitle": "a\x07"}, "Character 2 is a control character (U+0007)"),
        ({"ULN": "412300100"}, "Write ten digits"),
        ({"ULN": "4123001009"}, "The check digit of the ULN is wrong"),
        ({"ULN": "9999999999"}, "The check digit of the ULN is wrong"),
        ({"ULN": "4123999998"}, "The register has no learner of this ULN"),
        ({"ULN": "4123011739"}, "The learner of this ULN was deleted"),
        ({"Source": "UCAS"}, "Write ILR or NPD"),
        ({"Source": ""}, "Nothing says where the row comes from"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_is_told_and_the_others_are_loaded(load, engine, wrong, said):
    rows = eventfiles.rows()[:3]
    rows[1] |= wrong
    result = load(rows)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.startswith("line 3")
    assert "3 rows: 2 added, 0 replaced, 0 unchanged, 0 superseded, 1 rejected" in result.stdout
    assert len(stored(engine)) == 2
    (rejected,) = eventfiles.read(load.exceptions)
    assert {name: rejected[name] for name in eventfiles.HEADINGS} == rows[1]
    assert rejected["Line"] == "3"
    assert load.exceptions.stat().st_mode & 0o777 == 0o600


def test_every_problem_of_a_row_is_told(load):
    result = load([eventfiles.row(ULN="4123999998", DateLoaded="x", CreditsAchieved="y")], "--json")
    problems = json.loads(result.stdout)["problems"]
    assert [problem["column"] for problem in problems] == ["DateLoaded", "CreditsAchieved", "ULN"]
    (rejected,) = eventfiles.read(load.exceptions)
    assert all(problem["message"] in rejected["Reason"] for problem in problems)


def test_a_corrected_exceptions_file_can_be_loaded(load, engine, tmp_path):
    load([row | {"DateLoaded": "soon"} for row in eventfiles.rows()[:2]] + eventfiles.rows()[2:])
    text = load.exceptions.read_text(encoding="utf-8-sig").replace("soon", "")
    load.path.write_text(text, encoding="utf-8-sig")
    result = load(None, "--json")
    assert counts(result) == {"added": 2}
    assert len(stored(engine)) == 14
    assert not load.exceptions.exists()


def test_a_row_with_too_many_or_too_few_values(load):
    load.path.write_text("\n".join([",".join(eventfiles.HEADINGS), "4123001008,ILR", "," * 36, "," * 50, 'x,"y']) + "\n")
    result = load(None)
    lines = [line for line in result.stderr.splitlines() if line.startswith("line")]
    assert lines[0].startswith("line 2: The row has 2 values where the headings are 36")
    assert lines[-1].startswith("line 5, character 3: The quote that opens this value is never closed")
    assert len(lines) == 2  # lines 3 and 4 are empty to the last value: rows that a spreadsheet added


def test_where_events_come_from(load, engine):
    without = [name for name in eventfiles.HEADINGS if name != "Source"]
    result = load(eventfiles.rows()[:2], headings=without)
    assert result.exit_code == 2
    assert "Give --source, or add a column Source" in result.stderr
    assert load(eventfiles.rows()[:2], "--source", "ILR", headings=without).exit_code == 0
    assert {held["source"] for held in stored(engine).values()} == {"ILR"}
    result = load(eventfiles.rows()[:2], "--source", "ILR")
    assert 'line 2, Source (cell B2): "NPD" The row is of NPD where the file is loaded as ILR' in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The file is empty"),
        ("a,b\n", "The heading is not one of a file of learning events"),
        ("ULN,Source,uln\n", "The heading stands twice"),
        ("ULN,Source\n", "The file lacks AchievementProviderUKPRN, "),
        ('"ULN\n', "The quote that opens this value is never closed"),
    ],
)
def test_headings_that_leave_nothing_to_go_by(load, engine, text, said):
    load.path.write_text(text)
    result = load(None)
    assert result.exit_code == 2
    assert said in result.stderr and str(load.path) in result.stderr
    assert stored(engine) == {}


def test_optional_columns_may_be_absent_and_headings_in_any_order_and_case(load, engine):
    headings = [field.name for field in reversed(eventload.eventfile.FIELDS) if field.min_occurs] + ["Source", "ULN"]
    rows = [{name.upper(): row[name] for name in headings} for row in eventfiles.rows()]
    assert load(rows, headings=[name.upper() for name in headings]).exit_code == 0
    assert {held["achievement_award_date"] for held in stored(engine).values()} == {None}


@pytest.mark.parametrize("form", [{"encoding": "utf-8-sig", "delimiter": ";"}, {"encoding": "utf-16", "delimiter": "\t"},
                                  {"encoding": "cp1252"}])  # fmt: skip
def test_what_excel_writes(load, engine, form):
    assert load([eventfiles.row(SubjectTitle="Français, “oral”;")], **form).exit_code == 0
    assert [held["subject_title"] for held in stored(engine).values()] == ["Français, “oral”;"]


def test_a_dry_run_tells_everything_and_changes_nothing(load, engine):
    rows = [row | {"DateLoaded": "x"} for row in eventfiles.rows() * 2] + eventfiles.rows()[:3]
    result = load(rows, "--dry-run")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 28
    assert "31 rows would be: 3 added, 0 replaced, 0 unchanged, 0 superseded, 28 rejected" in result.stdout
    assert stored(engine) == {}
    assert not load.exceptions.exists()
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables_events.learning_event_load)).first() is None
    result = load(rows)
    assert "and 8 more" in result.stderr and str(load.exceptions) in result.stderr


def test_exceptions_are_not_written_over_the_file_itself(load):
    result = load(eventfiles.rows(), "--exceptions", str(load.path))
    assert result.exit_code == 2
    assert len(eventfiles.read(load.path)) == 14


def test_a_load_is_audited_with_the_learners_it_changed(load, engine):
    load(eventfiles.rows()[:8])
    load(None)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.audit)).all()
        touched = connection.execute(sa.select(tables.audit_learner.c.uln)).scalars().all()
    assert [(row.operation, row.code, row.user_name) for row in rows] == [("record load", "done", "Op")]
    assert sorted(touched) == [ULN, "4123003965"]


# Interrupted loads


def many(count: int) -> list[dict[str, str]]:
    """So many rows of different events; every tenth is wrong."""
    rows = [eventfiles.row(SubjectCode=f"S{n}", ULN="4123001377" if n % 3 else ULN) for n in range(count)]
    for row in rows[::10]:
        row["DateLoaded"] = "wrong"
    return rows


class Stopped(Exception):
    pass


def interrupted(engine, load, rows, after_chunks: int):
    """A load that fails in the transaction after so many chunks."""
    eventfiles.write(load.path, rows)
    seen = []

    def progress(line, lines):
        seen.append(line)
        if len(seen) == after_chunks:
            raise Stopped()

    with pytest.raises(Stopped):
        eventload.load(engine, load.path, None, operator="Op", exceptions=load.exceptions, progress=progress)


def test_an_interrupted_load_goes_on_where_it_stopped(load, engine, monkeypatch):
    monkeypatch.setattr(eventload, "CHUNK", 50)
    interrupted(engine, load, many(200), 2)
    assert len(stored(engine)) == 90
    with load.exceptions.open("ab") as file:
        file.write(b"half a row that was never comm")
    result = load(None, "--json")
    summary = json.loads(result.stdout)
    assert summary["resumed_after"] == 100
    assert counts(result) == {"added": 180, "rejected": 20}
    assert [row["Line"] for row in eventfiles.read(load.exceptions)] == [str(n + 2) for n in range(0, 200, 10)]
    assert len(stored(engine)) == 180


def test_a_load_whose_exceptions_file_is_gone_begins_anew(load, engine, monkeypatch):
    monkeypatch.setattr(eventload, "CHUNK", 50)
    interrupted(engine, load, many(200), 2)
    load.exceptions.unlink()
    result = load(None, "--json")
    assert counts(result) == {"added": 90, "unchanged": 90, "rejected": 20}
    assert len(eventfiles.read(load.exceptions)) == 20


def test_a_file_that_was_changed_is_another_file(load, engine, monkeypatch):
    monkeypatch.setattr(eventload, "CHUNK", 50)
    interrupted(engine, load, many(200), 2)
    result = load(many(201)[1:], "--json")
    assert json.loads(result.stdout)["resumed_after"] == 0


def test_two_loads_of_one_file_at_once_do_not_go_on_from_each_other(load, engine, monkeypatch):
    monkeypatch.setattr(eventload, "CHUNK", 50)
    eventfiles.write(load.path, many(200))

    def overtake(line, lines):
        monkeypatch.setattr(eventload, "CHUNK", 500)
        eventload.load(engine, load.path, None, operator="Other")

    with pytest.raises(eventload.Overtaken):
        eventload.load(engine, load.path, None, operator="Op", progress=overtake)
    assert len(stored(engine)) == 180


def test_two_files_with_the_same_events_at_once(load, engine, tmp_path, monkeypatch):
    monkeypatch.setattr(eventload, "CHUNK", 20)
    paths = [eventfiles.write(tmp_path / f"{n}.csv", many(200) + many(200)[: n + 1]) for n in range(2)]
    results = []

    def run(path):
        results.append(eventload.load(engine, path, None, operator="Op"))

    threads = [threading.Thread(target=run, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.added for result in results) == len(stored(engine)) == 180


# Loads a file in small chunks and kills itself, as if by SIGKILL from outside, at the n-th call of a function.
MORTAL = """
import os, signal, sys
from lrs_soap import eventload
from lrs_soap.cli.main import main

eventload.CHUNK, left, load = 20, int(sys.argv.pop()), eventload.load

def count(frame, event, argument):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def loading(*arguments, **more):
    sys.setprofile(count)
    return load(*arguments, **more)

eventload.load = loading
main()
"""


def test_a_load_that_is_killed_at_random_points_loses_and_doubles_nothing(load, engine, database_url):
    eventfiles.write(load.path, many(400))
    command = [sys.executable, "-c", MORTAL, "record", "load", str(load.path), "--database", database_url,
               "--operator", "Op", "--json"]  # fmt: skip
    dice, kills, reached = random.Random(3), 0, set()
    while True:
        # Going over the rows that are done takes calls too, so that in the end no life would be long enough.
        calls = dice.randrange(80_000, 240_000) if kills < 5 else 0
        done = subprocess.run([*command, str(calls)], capture_output=True, text=True, check=False)
        if done.returncode != -signal.SIGKILL:
            break
        kills += 1
        with engine.connect() as connection:
            reached.add(connection.execute(sa.select(tables_events.learning_event_load.c.rows)).scalar_one())
    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)
    assert kills == 5 and len(reached) >= 3
    assert summary["resumed_after"] == max(reached)
    assert (summary["rows"], summary["added"], summary["rejected"]) == (400, 360, 40)
    assert len(stored(engine)) == 360
    assert [row["Line"] for row in eventfiles.read(load.exceptions)] == [str(n + 2) for n in range(0, 400, 10)]


# As a client


@pytest.fixture(scope="module")
def service(sqlite_databases):
    url = sqlite_databases.sandbox()
    with server.running(url) as running:
        yield running
    sqlite_databases.drop(url)


@pytest.fixture
def get(service, monkeypatch):
    """Runs `record get` with the input of a row of fixtures/outcomes.csv."""
    for name, value in {"URL": service.url, "ORGANISATION_REF": "SAND01", "ORG_PASSWORD": "sandbox-password",
                        "USER_NAME": "J"}.items():  # fmt: skip
        monkeypatch.setenv(f"LRS_{name}", value)

    def invoke(case, *arguments):
        fields = {field.name: field for field in contract.TYPES["LearnerRecordRqst"].fields}
        given = []
        for name, value in outcomes.named(case).values.items():
            if name not in ("OrganisationRef", "OrgPassword", "UserName"):
                given += ["--" + fields[name].attribute.replace("_", "-"), value]
        return CliRunner().invoke(main.main, ["record", "get", *given, *arguments])

    return invoke


def test_a_record_is_shown_with_its_events(get):
    result = get("record-shared")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("WSRC0004  An exact match was found\n")
    assert "Whitcombe" in result.stdout
    assert result.stdout.index("Cyber Security") < result.stdout.index("Mathematics")


def test_a_record_as_json_has_every_field(get):
    reply = json.loads(get("record-merged", "--json").stdout)
    assert reply["code"] == "WSRC0022"
    first, second = reply["reply"]["learner_record"]["learning_events"]["learning_event"]
    assert (first["credits_achieved"], second["increment_number"]) == (120, 1)


@pytest.mark.parametrize(("case", "code"), [("record-not-shared", "WSEC0206"), ("record-unknown-uln", "WSEC0208")])
def test_no_record_is_exit_code_1(get, case, code):
    result = get(case)
    assert result.exit_code == 1
    assert result.stdout.startswith(code)


def test_a_fault_is_exit_code_3(get):
    assert get("record-unreal-date").exit_code == 3


def test_a_record_without_events(get):
    assert "no learning events" in get("record-spelled-otherwise").stdout


def test_the_client_library_gives_the_record_as_it_is_stored(service):
    with client.LrsClient(service.url, ukprn="SAND0001", org_password="sandbox-password", user_name="J") as lrs:
        reply = lrs.get_learner_record("4123010252", "Ellwood", "Charlotte", "2001-05-05", "2", "DE22 3LP",
                                       user_type="ORG", lnr_contact_type="PST")  # fmt: skip
    assert isinstance(reply, model.LearnerRecordResp)
    assert reply.response_code is codes.ResponseCode.MASTER_SUBSTITUTED
    expected = [row.event for row in sandbox.learning_events() if row.uln in ("4123009882", "4123010252")]
    assert reply.learner_record.learning_events.learning_event == record.in_order(expected)
