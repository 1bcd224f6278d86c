"""lrs-soap subject: all that is held about one ULN, nothing about anybody else, and audited with its reason."""

import json
import os

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support import eventfiles, office
from support.desk import ANN, KIT, MARY

from lrs_soap import eventload, model
from lrs_soap.cli import main, options
from lrs_soap.operations import record
from lrs_soap.rules import matching
from lrs_soap.store import engine as engines
from lrs_soap.store import searches, tables


@pytest.fixture
def opened(database_url):
    with office.opened(database_url) as held:
        yield held


@pytest.fixture
def run(opened, database_url, monkeypatch):
    monkeypatch.setattr(options.getpass, "getuser", lambda: "Op")

    def invoke(*arguments):
        return CliRunner().invoke(main.main, ["subject", *map(str, arguments), "--database", database_url])

    return invoke


def ask(run, uln):
    result = run(uln, "--reason", "request 17")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_everything_about_the_learner_is_there(opened, run, tmp_path):
    desk, engine = opened.desk, opened.engine
    ann, mary = desk.new(ANN), desk.new(MARY)
    assert desk.updated(ann, 1, ANN | {"notes": "first"}) == "WSRC0006"
    desk.merge(mary, ann, reason="registered twice")
    file = eventfiles.write(tmp_path / "events.csv", [eventfiles.row(ULN=ann), eventfiles.row(ULN=desk.new(KIT))])
    loaded = eventload.load(engine, file, None, operator="Op")
    assert loaded.added == 2
    desk.by_uln(ann, ANN)
    opened.done(ANN | {"uln": ann, "mis_identifier": "batched", "ability_to_share": "1", "verification_type": "2"},
                KIT | {"uln": "", "mis_identifier": "another", "ability_to_share": "1", "verification_type": "2"})  # fmt: skip
    with engines.write(engine) as conn:
        searches.remember(conn, desk.college.organisation_id, matching.identity(desk.held(ann)), "WSRC0004", office.batches.NOW)
    asked = {**ANN, "uln": ann, "user_type": "LNR", "lnr_contact_type": "FTF", **office.REQUEST}
    opened.call(record.get_learner_record, model.LearnerRecordRqst(**asked), "getLearnerRecord")

    held = ask(run, ann)
    assert (held["uln"], held["learner"]["family_name"], held["learner"]["version_number"]) == (ann, "Archer", 2)
    assert held["linked_ulns"] == [mary]
    [version] = held["earlier_versions"]
    assert (version["version_number"], version["learner"]["given_name"], version["organisation_ref"]) == (1, "Ann", "TEST38")
    [decision] = held["decisions"]
    assert (decision["event"], decision["uln"], decision["master_uln"]) == ("merged", mary, ann)
    assert decision["master_family_name"] == "Archer"
    [event] = held["learning_events"]
    assert event["subject_title"] == eventfiles.row()["SubjectTitle"]
    [batch] = held["batches"]
    assert batch["sent"]["mis_identifier"] == "batched" and batch["organisation_ref"] == "TEST38"
    assert [known["organisation_ref"] for known in held["known_to"]] == ["TEST38"]
    assert [search["code"] for search in held["searches"]] == ["WSRC0004"]
    assert {"registerSingleLearner", "updateSingleLearner", "learner merge", "learnerByULN", "getLearnerRecord",
            "submitBatchRegistration"} <= {row["operation"] for row in held["audit"]}  # fmt: skip
    assert {row["user_name"] for row in held["audit"]} == {"J. College", "J. Operator", "Op"}
    [look] = [row for row in held["audit"] if row["operation"] == "getLearnerRecord"]
    assert {"user_type": "LNR", "lnr_contact_type": "FTF"} in look["as"]


def test_nothing_about_anybody_else_is_there(opened, run):
    desk = opened.desk
    ann, mary, kit = desk.new(ANN), desk.new(MARY), desk.new(KIT)
    desk.merge(mary, ann)
    desk.unmerge(mary)
    desk.retrieved(ann, kit)
    text = json.dumps(ask(run, mary))
    assert "Bishop" in text and ann in text
    for other in ("Ann", "Archer", "AB1 2DE", "Carter", "LS6 2AB", kit):
        assert f'"{other}"' not in text, other
    assert "Bishop" not in json.dumps(ask(run, ann))


def test_merged_and_deleted_learners_have_access_too(opened, run):
    desk = opened.desk
    ann, mary = desk.new(ANN), desk.new(MARY)
    desk.merge(ann, mary)
    desk.delete(mary)
    assert ask(run, ann)["learner"]["master_uln"] == mary
    assert ask(run, mary)["learner"]["learner_status"] == "2"


def test_the_look_is_audited_with_its_reason(opened, run, tmp_path):
    ann, file = opened.desk.new(ANN), tmp_path / "17.json"
    result = run(ann, "--reason", "request 17", "--output", file)
    assert (result.exit_code, result.output) == (0, "")
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["learner"]["family_name"] == "Archer"
    query = sa.select(tables.audit.c.operation, tables.audit.c.user_name, tables.audit.c.reference, tables.audit_learner.c.uln)
    with opened.engine.connect() as conn:
        rows = conn.execute(query.join(tables.audit_learner, tables.audit_learner.c.audit_id == tables.audit.c.id).order_by(tables.audit.c.id)).all()
    assert rows[-1] == ("subject", "Op", "request 17", ann)


def test_whom_nobody_knows(opened, run):
    result = run("9276308686", "--reason", "request 17")
    assert result.exit_code == 1 and "there is no learner 9276308686" in result.output
    assert run("9276308686", "--reason", " ").exit_code == 2
    assert run("927630868", "--reason", "request 17").exit_code == 2
    with opened.engine.connect() as conn:
        assert conn.execute(sa.select(tables.audit.c.operation)).scalars().all() == ["subject"]
