"""lrs-soap learner: what operators read and answer, exit codes, JSON, and that every look and change is audited."""

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support import desk as desks
from support.desk import ANN, KIT, MARY

from lrs_soap.cli import main, options
from lrs_soap.store import engine as engines
from lrs_soap.store import tables

NOBODY = "9276308686"


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


@pytest.fixture
def run(desk, database_url, monkeypatch):
    """Runs a command on the register as the operator Op."""
    monkeypatch.setattr(options.getpass, "getuser", lambda: "Op")

    def invoke(*arguments, **more):
        return CliRunner().invoke(main.main, ["learner", *map(str, arguments), "--database", database_url], **more)

    return invoke


@pytest.fixture
def pair(desk):
    return desk.new(ANN), desk.new(MARY)


def statuses(desk, *ulns):
    return [desk.held(uln).learner_status for uln in ulns]


def audited(desk):
    query = sa.select(tables.audit.c.operation, tables.audit.c.user_name, tables.audit_learner.c.uln)
    query = query.join(tables.audit_learner, tables.audit_learner.c.audit_id == tables.audit.c.id)
    query = query.where(tables.audit.c.operation.like("learner %")).order_by(tables.audit.c.id, tables.audit_learner.c.uln)
    with engines.read(desk.register.engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_merge_unmerge_delete_restore(desk, run, pair):
    ann, mary = pair
    for arguments, told, after in (
        (["merge", ann, "--into", mary, "--yes"], f"merged {ann} into {mary}", ["0", "1"]),
        (["unmerge", ann], f"unmerged {ann}", ["1", "1"]),
        (["delete", ann, "--yes"], f"deleted {ann}", ["2", "1"]),
        (["restore", ann], f"restored {ann}", ["1", "1"]),
    ):
        result = run(*arguments, "--reason", "because")
        assert (result.exit_code, result.output) == (0, told + "\n")
        assert statuses(desk, ann, mary) == after
    assert audited(desk) == [
        *(("learner merge", "Op", uln) for uln in sorted(pair)),
        *(("learner unmerge", "Op", uln) for uln in sorted(pair)),
        ("learner delete", "Op", ann),
        ("learner restore", "Op", ann),
    ]


def test_json_of_a_change(run, pair):
    ann, mary = pair
    result = run("merge", ann, "--into", mary, "--reason", "r", "--yes", "--json")
    assert json.loads(result.stdout) == {"uln": ann, "learner_status": "0", "version_number": 2, "master_uln": mary}


def test_both_sides_are_shown_before_the_question(desk, run, pair):
    ann, mary = pair
    result = run("merge", ann, "--into", mary, "--reason", "r", "--operator", "Jo", input="y\n")
    assert result.exit_code == 0
    assert f"{ann}  Ann Archer, born 2001-02-03, gender 2, AB1 2DE, 1 (Active)\n" in result.stderr
    assert f"{mary}  Mary Bishop, born 2001-02-03, gender 2, CV1 2WT, 1 (Active)\n" in result.stderr
    assert f"Merge {ann} into {mary}? [y/N]" in result.stderr
    assert result.stdout == f"merged {ann} into {mary}\n"
    assert audited(desk) == [
        ("learner show", "Jo", ann), ("learner show", "Jo", mary),
        *(("learner merge", "Jo", uln) for uln in sorted(pair)),
    ]  # fmt: skip


@pytest.mark.parametrize("answer, code, told", [("n\n", 1, "nothing was changed"), ("", 2, "give --yes in a script")])
@pytest.mark.parametrize("command", ["merge", "delete"])
def test_without_a_yes_nothing_is_changed(desk, run, pair, command, answer, code, told):
    ann, mary = pair
    into = ["--into", mary] if command == "merge" else []
    result = run(command, ann, *into, "--reason", "r", input=answer)
    assert (result.exit_code, statuses(desk, ann, mary)) == (code, ["1", "1"])
    assert told in result.stderr


def test_what_is_refused_ends_with_1_and_says_why(run, pair):
    ann, mary = pair
    run("merge", ann, "--into", mary, "--reason", "r", "--yes")
    result = run("merge", mary, "--into", ann, "--reason", "r", "--yes")
    assert result.exit_code == 1
    assert f"unmerge {ann} first" in result.stderr
    result = run("unmerge", mary, "--reason", "r", "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["exit_code"]) == (1, 1)
    assert run("show", NOBODY).exit_code == 1


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["show", "1234567890"], "is not a ULN"),
        (["merge", NOBODY, "--into", "12", "--reason", "r"], "is not a ULN"),
        (["delete", NOBODY], "Missing option '--reason'"),
        (["merge", NOBODY, "--reason", "r"], "Missing option '--into'"),
    ],
)
def test_what_is_not_valid_ends_with_2(run, arguments, told):
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_an_operator_without_a_name_gives_one(run, pair, monkeypatch):
    def nobody():
        raise OSError("no entry for the user")

    monkeypatch.setattr(options.getpass, "getuser", nobody)
    result = run("show", pair[0])
    assert (result.exit_code, "Missing option '--operator'" in result.stderr) == (2, True)


def test_a_missing_register_ends_with_6(tmp_path):
    arguments = ["learner", "show", NOBODY, "--database", f"sqlite:///{tmp_path}/none.db", "--operator", "Op"]
    assert CliRunner().invoke(main.main, arguments).exit_code == 6


def cells(text):
    """The rows of a printed table as lists of cells."""
    return [[cell for cell in line.split("  ") if cell] for line in text.splitlines()]


def test_show(desk, run, pair):
    ann, mary = pair
    kit = desk.new(KIT)
    desk.merge(ann, mary)
    desk.merge(mary, kit)
    rows = dict(map(str.strip, row) for row in cells(run("show", mary).stdout) if len(row) == 2)
    assert (rows["ULN"], rows["GivenName"], rows["LearnerStatus"]) == (mary, "Mary", "0 (Merged into a master)")
    assert (rows["merged into"], rows["merged into it"], "which is now" in rows) == (kit, ann, False)
    rows = dict(map(str.strip, row) for row in cells(run("show", ann).stdout) if len(row) == 2)
    assert (rows["merged into"], rows["which is now"], "merged into it" in rows) == (mary, kit, False)
    shown = json.loads(run("show", ann, "--json").stdout)
    assert (shown["learner"]["uln"], shown["current"]["uln"], shown["linked_ulns"]) == (ann, kit, [])
    assert audited(desk)[-3:] == [("learner show", "Op", uln) for uln in (mary, ann, ann)]


def test_history(desk, run, pair):
    ann, mary = pair
    desk.updated(ann, 1, ANN | {"given_name": "Anne", "notes": "x"})
    run("merge", ann, "--into", mary, "--reason", "registered twice", "--yes")
    run("unmerge", ann, "--reason", "two people")
    run("delete", mary, "--reason", "never existed", "--yes")
    steps = json.loads(run("history", ann, "--json").stdout)
    assert [step["event"] for step in steps] == ["created", "updated", "merged", "unmerged"]
    assert steps[0]["at"] == "2026-11-23"
    updated = steps[1]
    assert (updated["organisation_ref"], updated["user_name"]) == ("TEST38", "J. College")
    assert (updated["version_number"], updated["changed"]) == (2, ["given_name", "notes"])
    assert (steps[2]["reason"], steps[2]["user_name"], steps[2]["master_uln"]) == ("registered twice", "Op", mary)
    table = run("history", mary).stdout
    for told in (f"merged {ann} into {mary}", f"unmerged {ann} from {mary}", "deleted", "never existed"):
        assert told in table
    assert "updated given_name, notes" in run("history", ann).stdout
    assert ("learner history", "Op", mary) in audited(desk)
