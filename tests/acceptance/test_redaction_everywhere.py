"""Every outcome the service knows, and every command that works on the register: what the log, the figures, standard
error and the audit say of the people in them. `test_redaction` has the failures."""

import json

import pytest
from click.testing import CliRunner
from support import canaries, outcomes, server, soap

from lrs_soap import passwords, sandbox
from lrs_soap.cli import main
from lrs_soap.rules import access
from lrs_soap.store import engine as engines
from lrs_soap.store import organisations

ELEMENTS = set(canaries.DETAILS) - {"Gender", "VerificationType", "AbilityToShare", "Nationality"}
SHORTEST = 4  # shorter values stand in other words by chance


def values(given, element="") -> set[str]:
    """What a request says of people, at any depth; the ULNs it names, and the password."""
    if isinstance(given, dict):
        return set().union(*(values(one, path.rpartition(".")[2]) for path, one in given.items()))
    if isinstance(given, list):
        return set().union(*(values(one, element) for one in given))
    told = isinstance(given, str) and element in ELEMENTS | {"ULN", "OrgPassword"} and len(given.strip()) >= SHORTEST
    return {given.strip().lower()} if told else set()


def test_every_outcome_leaves_nobody_in_log_and_figures(sqlite_databases):
    url = sqlite_databases.empty()
    rows = outcomes.rows()
    with server.running(url, log_format="json", log_level="DEBUG", workers=2) as running:
        answered = {code for row in rows for code in outcomes.said(_answer(running, row))}
        said = running.get("/metrics").body.decode() + "\n".join(
            line for line in running.output.splitlines() if line.startswith("{")
        )
    sqlite_databases.drop(url)
    assert len(answered) > 25
    logged = {json.loads(line)["event"] for line in said.splitlines() if line.startswith("{")}
    assert {"call", "fault"} <= logged
    people = set().union(*(values(row.values) for row in rows)) | {
        value.lower() for learner in sandbox.stored_learners() for value in _details(learner) if len(value) >= SHORTEST
    }
    assert len(people) > 100
    said = said.lower()
    assert [value for value in sorted(people) if value in said] == []


def _answer(running, row):
    return soap.answer(running.post(row.message))


def _details(learner) -> list[str]:
    return [learner.given_name, learner.family_name, learner.date_of_birth, learner.last_known_post_code, learner.uln]


# Commands: what goes to standard error ends in mail and journals; what goes to standard output was asked for.

LEARNER = {"GivenName": "Qwxcangiven", "FamilyName": "Zyxcanfamily", "DateOfBirth": "1987-06-05", "Gender": "2",
           "LastKnownPostCode": "ZE9 9ZZ", "Notes": "Ytxcannotes", "EmailAddress": "cfxcan.mail@canarymail.test"}  # fmt: skip
ULN, OTHER = "9276308686", "1000000019"


@pytest.fixture
def register(database_url, tmp_path):
    """Runs a command on a register with two people of the canaries' details; gives its exit code and both outputs."""
    engine = engines.create(database_url)
    with engines.write(engine) as conn:
        organisations.add(conn, organisation_ref="CANARY", ukprn="CANARY01", name="College",
                          password_hash=passwords.hash_password(canaries.PASSWORD), rights=access.ALL)  # fmt: skip
    engine.dispose()

    def run(*arguments, stdin=None, database=database_url):
        given = {"LRS_SOAP_DATABASE": database, "LRS_ORG_PASSWORD": canaries.PASSWORD}
        result = CliRunner().invoke(main.main, list(map(str, arguments)), input=stdin, env=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert not canaries.passwords(result.output)
        return result

    file = tmp_path / "learners.csv"
    rows = [LEARNER | {"ULN": ULN}, LEARNER | {"ULN": OTHER, "GivenName": "Kjxcanpreferred"}]
    file.write_text("\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n")
    run.load = run("load", file)
    assert run.load.exit_code == 0, run.load.output
    return run


COMMANDS = [
    ["learner", "show", ULN], ["learner", "history", ULN], ["learner", "merge", OTHER, "--into", ULN, "--reason", "r", "--yes"],
    ["learner", "merge", OTHER, "--into", ULN, "--reason", "r", "--yes"], ["learner", "merge", ULN, "--into", ULN, "--reason", "r", "--yes"],
    ["learner", "delete", OTHER, "--reason", "r", "--yes"], ["learner", "unmerge", OTHER, "--reason", "r", "--yes"],
    ["learner", "delete", ULN, "--reason", "r", "--yes"], ["learner", "restore", ULN, "--reason", "r", "--yes"],
    ["learner", "restore", ULN, "--reason", "r", "--yes"], ["learner", "show", "1234567890"],
    ["subject", ULN, "--reason", "r"], ["org", "list"], ["org", "password", "CANARY", "--password-stdin"],
    ["audit", "search", "--uln", ULN], ["audit", "search"], ["audit", "export"], ["audit", "seal"], ["audit", "head"], ["audit", "verify"],
]  # fmt: skip
# These show people to the operator who asked.
SHOWING = (["learner", "show"], ["learner", "history"], ["subject", ULN])


def clean(arguments, result) -> None:
    assert not canaries.personal(result.stderr), (arguments, result.stderr)
    if not any(arguments[: len(words)] == words for words in SHOWING):
        assert not canaries.personal(result.stdout), (arguments, result.stdout)


def test_commands_on_the_register(register, tmp_path, sqlite_databases):
    clean(["load"], register.load)
    shown = 0
    for arguments in COMMANDS:
        for more in ([], ["--json"]):
            operator = ["--operator", "Op"] if arguments[0] in ("learner", "subject") or "search" in arguments else []
            result = register(*arguments, *operator, *more, stdin=canaries.PASSWORD + "\n")
            clean(arguments, result)
            shown += bool(canaries.personal(result.stdout))
    assert shown >= 3, "the canaries were there to be seen"
    for arguments in (["backup", tmp_path / "copy"], ["backup", tmp_path / "copy"], ["restore", tmp_path / "copy"]):
        clean(arguments, register(*arguments))
    # Where there is no register, and where there is something else.
    other = tmp_path / "other.sqlite"
    other.write_text("Zyxcanfamily was here")
    for database in (f"sqlite:///{tmp_path}/none.sqlite", f"sqlite:///{other}", f"postgresql://u:{canaries.PASSWORD}@127.0.0.1:9/x"):
        for arguments in (["learner", "show", ULN, "--operator", "Op"], ["audit", "verify"], ["backup", tmp_path / "copy2"]):
            result = register(*arguments, database=database)
            assert result.exit_code == 6
            assert not canaries.personal(result.output)
