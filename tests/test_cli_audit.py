"""lrs-soap audit: what operators read and answer, exit codes, JSON, and that looks and removals are audited."""

import csv
import datetime
import io
import json
import os

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support import desk as desks
from support.desk import ANN, KIT, MARY

from lrs_soap.cli import main, options
from lrs_soap.store import auditchain, tables
from lrs_soap.store import engine as engines


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "audit.key"
    path.write_text("0123456789abcdef" * 4 + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def run(desk, database_url, monkeypatch):
    """Runs a command on the register as the operator Op."""
    monkeypatch.setattr(options.getpass, "getuser", lambda: "Op")

    def invoke(*arguments, **more):
        return CliRunner().invoke(main.main, ["audit", *map(str, arguments), "--database", database_url], **more)

    return invoke


@pytest.fixture
def calls(desk):
    """Two registrations and three finds; the ULNs."""
    ann, mary = desk.new(ANN), desk.new(MARY)
    desk.by_uln(ann, ANN)
    desk.by_uln(mary, MARY)
    desk.by_demographics(KIT)
    return ann, mary


def lines(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_sealed_verified_and_the_head_kept(run, calls, key):
    assert run("seal", "--audit-key", key).output == "5 rows sealed\n"
    head = run("head").output.strip()
    result = run("verify", "--audit-key", key, "--expect", head)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "1 blocks (1 with a key), 5 rows; 0 rows wait to be sealed", f"head {head}", "everything is as it was sealed"
    ]  # fmt: skip
    other = head.replace(head[-1], "0" if head[-1] != "0" else "1")
    result = run("verify", "--audit-key", key, "--expect", other, "--json")
    assert result.exit_code == 1
    assert [problem["kind"] for problem in json.loads(result.stdout)["problem"]] == ["head"]


def test_tampering_is_told_with_its_place(run, desk, calls, key):
    run("seal", "--audit-key", key)
    with engines.write(desk.register.engine) as conn:
        for statement in (
            ["DROP TRIGGER audit_no_update"] if conn.dialect.name == "sqlite" else ["ALTER TABLE audit DISABLE TRIGGER ALL"]
        ):
            conn.exec_driver_sql(statement)
        conn.exec_driver_sql("UPDATE audit SET user_name = 'Nobody' WHERE operation = 'registerSingleLearner'")
    result = run("verify", "--audit-key", key)
    assert result.exit_code == 1
    assert result.stderr.count("row changed: row ") == 2 and "2 things do not fit" in result.stderr


def test_verifying_needs_the_key_it_was_sealed_with(run, calls, key):
    run("seal", "--audit-key", key)
    result = run("verify")
    assert result.exit_code == 1 and "was not given" in result.stderr
    old = key.with_name("old.key")
    key.rename(old)
    key.write_text("fedcba9876543210" * 4)
    key.chmod(0o600)
    assert run("verify", "--audit-key", key).exit_code == 1
    run("seal", "--audit-key", key)
    run("search")
    run("seal", "--audit-key", key)
    assert run("verify", "--audit-key", key, "--old-key", old).exit_code == 0


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [("short", 0o600, "openssl rand"), ("x" * 64, 0o644, "chmod 600"), (None, 0o600, "cannot be read")],
)
def test_a_key_that_is_none(run, key, content, mode, told):
    key.unlink() if content is None else key.write_text(content)
    if content is not None:
        key.chmod(mode)
    result = run("seal", "--audit-key", key)
    assert result.exit_code == 2 and told in result.output


def test_search_by_everything(run, desk, calls):
    ann, mary = calls
    for given, operations in (
        (["--uln", ann], ["learnerByULN", "registerSingleLearner"]),
        (["--organisation", "TEST38", "--operation", "learnerByULN"], ["learnerByULN"] * 2),
        (["--organisation", "TEST3800", "--code", "WSRC0005"], ["registerSingleLearner"] * 2),
        (["--user", "Op", "--code", "done", "--limit", "1"], ["audit search"]),
        (["--request-id", "0"], ["learnerByDemographics", *["learnerByULN"] * 2, *["registerSingleLearner"] * 2]),
        (["--since", "2026-11-23T12:00", "--until", "2026-11-23T12:00:01"],
         ["learnerByDemographics", *["learnerByULN"] * 2, *["registerSingleLearner"] * 2]),
    ):  # fmt: skip
        result = run("search", *given, "--json")
        assert [row["operation"] for row in json.loads(result.stdout)] == operations, given
    for given in (["--until", "2026-11-23T12:00"], ["--code", "WSRC9999"]):
        assert run("search", *given).exit_code == 1
    result = run("search", "--uln", mary)
    assert result.exit_code == 0
    for text in ("2026-11-23 12:00:00", "TEST38", "J. College", "learnerByULN", "WSRC0004", mary):
        assert text in result.stdout
    assert ann not in result.stdout


@pytest.mark.parametrize("given", [["--uln", "12"], ["--since", "yesterday"], ["--limit", "0"], ["--organisation", "NOBODY"]])
def test_what_cannot_be_searched_for(run, given):
    assert run("search", *given).exit_code == (1 if "NOBODY" in given else 2)


def test_looks_at_the_trail_are_audited(run, desk, calls):
    run("search", "--uln", calls[0])
    run("export")
    query = sa.select(tables.audit.c.operation, tables.audit.c.user_name, tables.audit_learner.c.uln)
    query = query.outerjoin(tables.audit_learner, tables.audit_learner.c.audit_id == tables.audit.c.id).order_by(tables.audit.c.id.desc()).limit(2)
    with desk.register.engine.connect() as conn:
        assert conn.execute(query).all() == [("audit export", "Op", None), ("audit search", "Op", calls[0])]


def test_export_as_lines_and_as_csv(run, desk, calls, tmp_path):
    exported = lines(run("export"))
    assert [row["operation"] for row in exported] == [
        *["registerSingleLearner"] * 2, *["learnerByULN"] * 2, "learnerByDemographics"
    ]  # fmt: skip
    assert exported[0]["ulns"] == [calls[0]] and exported[0]["at"] == "2026-11-23T12:00:00+00:00"
    file = tmp_path / "trail.csv"
    result = run("export", "--format", "csv", "--uln", calls[0], "--output", file)
    assert result.output == f"2 rows written to {file}\n"
    assert os.stat(file).st_mode & 0o777 == 0o600
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [(row["operation"], row["ulns"], row["organisation_ref"]) for row in rows] == [
        ("registerSingleLearner", calls[0], "TEST38"), ("learnerByULN", calls[0], "TEST38")
    ]  # fmt: skip


def test_csv_holds_no_formulas(run, desk):
    with engines.write(desk.register.engine) as conn:
        from lrs_soap.operations import trail

        trail.note(conn, "learner show", "=HYPERLINK(1)")
    assert ",'=HYPERLINK(1)," in run("export", "--format", "csv").stdout


def test_an_export_of_many_rows_is_whole(run, desk):
    from lrs_soap.store import audit

    with engines.write(desk.register.engine) as conn:
        audit.write(conn, [
            audit.Entry(at=desks.NOON, request_id=str(number), organisation_id=None, reference="", user_name="A",
                        operation="learnerByULN", code="WSRC0001", ulns=(), duration_us=number)
            for number in range(4_500)
        ])  # fmt: skip
    assert [row["duration_us"] for row in lines(run("export"))] == list(range(4_500))
    assert len(json.loads(run("search", "--limit", "3000", "--json").stdout)) == 3_000


def aged(desk, years):
    """A sealed block of calls of so many years ago."""
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=366 * years)
    desk.by_demographics(KIT, at=at)
    with engines.read(desk.register.engine) as conn:
        last = auditchain.head(conn).number
    return last


def test_prune_removes_what_the_policy_lets_go(run, desk, key):
    for years in (9, 8, 1):
        aged(desk, years)
        run("seal", "--audit-key", key)
    result = run("prune", "--reason", "policy", "--audit-key", key, "--yes")
    assert (result.exit_code, result.output) == (0, "2 rows of 2 blocks removed\n")
    run("seal", "--audit-key", key)
    result = run("verify", "--audit-key", key)
    assert result.exit_code == 0
    assert "blocks 1 to 2 (2 rows before " in result.output and "removed by Op on " in result.output
    assert ": policy" in result.output
    rows = lines(run("export"))
    assert [(row["operation"], row["user_name"], row["reference"]) for row in rows][-1:] == [("audit prune", "Op", "policy")]


def test_prune_keeps_what_the_policy_keeps(run, desk, key, monkeypatch):
    aged(desk, 3)
    run("seal")
    result = run("prune", "--older-than", "2y", "--reason", "policy", "--yes")
    assert result.exit_code == 2 and "7 years" in result.output
    assert run("prune", "--reason", "policy", input="n\n").exit_code == 1
    assert run("prune", "--reason", "policy", "--yes").output == "0 rows of 0 blocks removed\n"
    for wrong in (["--older-than", "7"], ["--older-than", "0y"]):
        assert run("prune", *wrong, "--reason", "policy", "--yes").exit_code == 2
    assert run("prune", "--reason", " ", "--yes").exit_code == 2
    monkeypatch.setenv("LRS_SOAP_AUDIT_KEEP_YEARS", "2")
    assert run("prune", "--older-than", "2y", "--reason", "policy", "--yes").output == "1 rows of 1 blocks removed\n"
