"""The command line: exit codes, what people and programs read, and that no secret is shown."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support import canned

from lrs_soap import contract, passwords, settings
from lrs_soap.cli import connection, exits, main
from lrs_soap.store import engine, organisations

PASSWORD = "sixteen-letters!"
DETAILS = ["--family-name", "Archer", "--given-name", "Ann", "--date-of-birth", "2001-02-03", "--gender", "2",
           "--last-known-post-code", "AB1 2DE"]  # fmt: skip
REGISTER = [*DETAILS, "--verification-type", "2", "--ability-to-share", "1"]
FIND_ULN = ["find-uln", "--uln", "1234567890", "--family-name", "Archer", "--given-name", "Ann"]


@pytest.fixture(scope="module")
def server():
    with canned.serving() as running:
        yield running


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs a command as a new user would who has no settings."""
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(settings.variable(name), raising=False)
    for name in connection._NAMES:
        monkeypatch.delenv(f"LRS_{name.upper()}", raising=False)
    monkeypatch.setattr(connection, "DEFAULT_FILE", tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, **more):
        return CliRunner().invoke(main.main, [str(one) for one in arguments], **more)

    return invoke


@pytest.fixture
def call(run, server, monkeypatch):
    """Runs a client command with everything it needs to reach the canned server."""
    for name, value in {"URL": server.url, "UKPRN": "TEST0001", "ORG_PASSWORD": PASSWORD, "USER_NAME": "J"}.items():
        monkeypatch.setenv(f"LRS_{name}", value)
    server.requests.clear()
    return run


# Help


def _commands(group, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


@pytest.mark.parametrize("path", [path for path, _ in _commands(main.main)], ids=" ".join)
def test_every_command_has_help(run, path):
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


def test_help_and_document_have_the_exit_codes(run):
    document = (Path(__file__).parent.parent / "docs" / "cli.md").read_text(encoding="utf-8")
    text = run("--help").output
    for code in exits.Exit:
        assert f"{code.value}  {code.meaning}" in text
        assert f"| {code.value} | {code.meaning} |" in document


def test_the_document_has_every_command():
    document = (Path(__file__).parent.parent / "docs" / "cli.md").read_text(encoding="utf-8")
    missing = [path for path, command in _commands(main.main) if not isinstance(command, click.Group)
               and f"`lrs-soap {' '.join(path)}" not in document]  # fmt: skip
    assert missing == []


@pytest.mark.parametrize(
    ("arguments", "not_imported"),
    [
        (["--help"], {"zeep", "spyne", "sqlalchemy", "lxml", "pydantic", "rich"}),
        (["uln", "check", "9276308686"], {"zeep", "spyne", "sqlalchemy", "lxml", "pydantic", "rich"}),
        (["find", "--help"], {"zeep", "spyne", "sqlalchemy", "pydantic"}),
        (["serve", "--help"], {"zeep", "spyne", "uvicorn"}),
    ],
)
def test_a_command_imports_only_what_it_needs(arguments, not_imported):
    program = (
        "import sys\nfrom lrs_soap.cli import main\n"
        f"try:\n    main.main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not_imported & set(done.stderr.split()) == set()


# ULNs


def test_uln_check(run):
    assert run("uln", "check", "9276308686").exit_code == 0
    result = run("uln", "check", "9276308686", "9999999999", "x", "--json")
    assert result.exit_code == 1
    assert [row["valid"] for row in json.loads(result.stdout)] == [True, False, False]
    assert run("uln", "check").exit_code == 2


# Organisations


@pytest.fixture
def register(run, tmp_path):
    """Runs `org` commands on a register with one organisation."""
    url = f"sqlite:///{tmp_path / 'register.sqlite'}"

    def invoke(*arguments, **more):
        return run("org", *arguments, "--database", url, **more)

    added = invoke("add", "--organisation-ref", "COLL01", "--ukprn", "COLL0001", "--name", "A [red]College",
                   "--password-stdin", input=PASSWORD + "\n")  # fmt: skip
    assert (added.exit_code, added.output) == (0, "added COLL01\n")
    invoke.url = url
    return invoke


def stored(register):
    opened = engine.create(register.url)
    try:
        with engine.read(opened) as conn:
            return organisations.by_reference(conn, "COLL01", None)
    finally:
        opened.dispose()


def test_org_add_keeps_a_hash(register):
    assert passwords.verify_password(stored(register).password_hash, PASSWORD)
    again = register("add", "--organisation-ref", "COLL01", "--ukprn", "COLL0002", "--name", "B", "--generate")
    assert (again.exit_code, again.stdout) == (1, "")


def test_org_list(register):
    shown = register("list")
    assert "A [red]College" in shown.stdout
    (row,) = json.loads(register("list", "--json").stdout)
    assert row["organisation_ref"], row["enabled"] == ("COLL01", True)
    assert "hash" not in str(row)


def test_org_disable_and_enable(register):
    assert register("disable", "COLL0001").exit_code == 0
    assert stored(register).disabled_at is not None
    assert json.loads(register("enable", "COLL01", "--json").stdout) == {"organisation_ref": "COLL01", "enabled": True}
    assert stored(register).disabled_at is None


def test_org_password_generated(register):
    result = register("password", "COLL01", "--generate", "--json")
    made = json.loads(result.stdout)["org_password"]
    assert len(made) == 16
    assert passwords.verify_password(stored(register).password_hash, made)


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        (["--password-stdin"], "short\n", "16 characters"),
        (["--password-stdin", "--generate"], "", "not both"),
        ([], "", "--password-stdin or --generate"),
    ],
)
def test_org_password_refused(register, arguments, given, words):
    result = register("password", "COLL01", *arguments, input=given)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "short" not in result.output
    assert passwords.verify_password(stored(register).password_hash, PASSWORD)


@pytest.mark.parametrize(
    "wrong", [["--organisation-ref", "COLL1"], ["--ukprn", "COLL0001\n"], ["--rights", "find,fly"]], ids=lambda w: w[0]
)
def test_org_add_refuses_what_no_request_could_name(register, wrong):
    given = {"--organisation-ref": "COLL02", "--ukprn": "COLL0002", "--name": "B", wrong[0]: wrong[1]}
    result = register("add", *[part for pair in given.items() for part in pair], "--generate")
    assert result.exit_code == 2
    assert len(json.loads(register("list", "--json").stdout)) == 1


def test_org_unknown(register):
    assert register("disable", "NONE01").exit_code == 1
    result = register("user", "list", "NONE01", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["exit_code"] == 1


def test_org_user(register):
    assert register("user", "add", "COLL01", "J Smith").exit_code == 0
    assert register("user", "disable", "COLL01", "J Smith").exit_code == 0
    assert json.loads(register("user", "list", "COLL01", "--json").stdout) == [{"user_name": "J Smith", "enabled": False}]
    assert "disabled" in register("user", "list", "COLL01").stdout
    assert register("user", "disable", "COLL01", "Nobody").exit_code == 1
    assert register("user", "add", "COLL01", " ").exit_code == 2


def test_org_without_a_register(run, tmp_path):
    file = tmp_path / "none.sqlite"
    assert run("org", "list", "--database", f"sqlite:///{file}").exit_code == 6
    assert not file.exists()
    file.write_text("not a database, but long enough to be looked at as one: " + "x" * 200)
    assert run("org", "list", "--database", f"sqlite:///{file}").exit_code == 6


def test_org_never_shows_the_database_password(run):
    url = "postgresql://lrs:secret@127.0.0.1:9/lrs?connect_timeout=1"
    result = run("org", "list", "--database", url)
    assert result.exit_code == 6
    assert "127.0.0.1:9" in result.stderr
    assert "secret" not in result.output
    wrong = run("org", "list", "--database", "mysql://lrs:secret@h/lrs")
    assert (wrong.exit_code, "secret" in wrong.output) == (2, False)


# The server


@pytest.mark.parametrize(("command", "sandbox"), [("serve", False), ("sandbox", True)])
def test_server_commands_pass_their_settings_on(run, monkeypatch, command, sandbox):
    from lrs_soap import server as started

    calls = []
    monkeypatch.setattr(started, "run", lambda chosen, *, sandbox, reset=False: calls.append((chosen, sandbox)))
    monkeypatch.setenv("LRS_SOAP_POSSIBLE_LIMIT", "10")
    assert run(command, "--port", 8090, "--known-users-only", "--hours", "Mon-Fri 08:00-18:00").exit_code == 0
    ((chosen, was_sandbox),) = calls
    assert (was_sandbox, chosen.port, chosen.known_users_only, chosen.possible_limit) == (sandbox, 8090, True, 10)
    assert str(chosen.hours) == "Mon-Fri 08:00-18:00"
    assert chosen.database == ("sqlite:///lrs-sandbox.sqlite" if sandbox else "sqlite:///lrs-register.sqlite")


@pytest.mark.parametrize("arguments", [["--port", "-1"], ["--hours", "never"], ["--audit", "often"], ["--config", "none"]])
def test_serve_refuses_wrong_settings(run, arguments):
    result = run("serve", *arguments)
    assert result.exit_code == 2
    assert result.stderr


def test_settings_masks_the_database_password(run, monkeypatch):
    monkeypatch.setenv("LRS_SOAP_DATABASE", "postgresql://lrs:secret@h/lrs")
    shown = json.loads(run("settings", "--json").stdout)
    assert shown["database"] == "postgresql+psycopg://lrs:***@h/lrs"
    assert set(shown) == set(settings.Settings.model_fields)
    table = run("settings").stdout
    assert "secret" not in table
    assert "LRS_SOAP_PORT" in table


# A client of a service


def answers(code, children=""):
    return f"<ResponseCode>{code}</ResponseCode>{children}"


@pytest.mark.parametrize(
    ("operation", "code", "arguments", "exit_code"),
    [
        ("learnerByULN", "WSRC0004", FIND_ULN, 0),
        ("learnerByULN", "WSRC0003", FIND_ULN, 1),
        ("learnerByDemographics", "WSRC0022", ["find", *DETAILS], 0),
        ("learnerByDemographics", "WSRC0002", ["find", *DETAILS], 1),
        ("registerSingleLearner", "WSRC0005", ["register", *REGISTER], 0),
        ("registerSingleLearner", "WSRC0021", ["register", *REGISTER], 1),
        ("updateSingleLearner", "WSRC0006", ["update", *REGISTER, "--uln", "9276308686", "--version-number", "4"], 0),
        ("updateSingleLearner", "WSRC0022", ["update", *REGISTER, "--uln", "9276308686", "--version-number", "4"], 1),
    ],
)
def test_answers(call, server, operation, code, arguments, exit_code):
    server.answer(canned.reply(operation, answers(code)))
    result = call(*arguments)
    assert result.exit_code == exit_code
    assert result.stdout.startswith(code + "  ")
    assert "Archer" in server.sent()
    found = json.loads(call(*arguments, "--json").stdout)
    assert (found["operation"], found["code"], found["reply"]["response_code"]) == (operation, code, code)
    assert found["meaning"]


def test_find_shows_one_learner_in_full_and_several_as_rows(call, server):
    server.answer(canned.reply("learnerByULN", answers("WSRC0004", canned.LEARNER)))
    one = call(*FIND_ULN).stdout
    assert [line.split()[1:] for line in one.splitlines() if line.startswith(("LinkedULNs", "VersionNumber"))] == [
        ["1234567890"], ["4"],
    ]  # fmt: skip
    server.answer(canned.reply("learnerByULN", answers("WSRC0003", canned.LEARNER * 2)))
    several = call(*FIND_ULN).stdout
    assert len([line for line in several.splitlines() if "Ann [x]" in line and "9276308686" in line]) == 2
    (first, _) = json.loads(call(*FIND_ULN, "--json").stdout)["reply"]["learner"]
    assert (first["uln"], first["version_number"], "title" in first) == ("9276308686", 4, False)


def test_register_shows_the_uln(call, server):
    server.answer(canned.reply("registerSingleLearner", answers("WSRC0005", "<ULN>9276308686</ULN>")))
    assert "ULN 9276308686\n" in call("register", *REGISTER, "--notes", "").stdout
    assert "<Notes></Notes>" in server.sent()


@pytest.mark.parametrize(("code", "exit_code"), [("WSVRC001", 0), ("WSVRC003", 1), ("WSVRC005", 1)])
def test_verify(call, server, code, exit_code):
    server.answer(canned.reply(
        "verifyLearner",
        "<VerifiedLearner><SearchedULN>9276308686</SearchedULN><SearchedFamilyName>Archer</SearchedFamilyName>"
        f"<SearchedGivenName>Ann</SearchedGivenName>{answers(code)}<FailureFlag>VRF8</FailureFlag></VerifiedLearner>",
    ))  # fmt: skip
    result = call("verify", "--uln", "9276308686", "--family-name", "Archer", "--given-name", "Ann")
    assert (result.exit_code, result.stdout.startswith(code)) == (exit_code, True)
    assert "VRF8  Gender does not match" in result.stdout


@pytest.mark.parametrize(("code", "exit_code"), [("WSRC0004", 0), ("WSRC0001", 1)])
def test_retrieve(call, server, code, exit_code):
    row = "<VerifiedULN><ULN>{}</ULN>{}</VerifiedULN>"
    rows = row.format("9276308686", answers("WSRC0022")) + row.format("1234567890", answers(code))
    server.answer(canned.reply("retrieveULNs", f"<RetrievedULNs>{rows}</RetrievedULNs>"))
    result = call("retrieve", "9276308686", "1234567890")
    assert (result.exit_code, code in result.stdout) == (exit_code, True)


def test_a_fault(call, server):
    server.answer(canned.fault("WSEC0005", "the details"), status=500)
    result = call(*FIND_ULN)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "WSEC0005" in result.stderr
    assert "the details" in result.stderr
    assert json.loads(call(*FIND_ULN, "--json").stdout)["fault"] == {
        "error_code": "WSEC0005", "error_actor": "actor()", "description": "What it means",
        "further_details": "the details", "error_timestamp": "2026-11-23 10:11:12",
    }  # fmt: skip


def test_nothing_there_and_something_else_there(call, server):
    result = call(*FIND_ULN, "--url", "http://127.0.0.1:9", "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["error"]["exit_code"] == 4
    server.answer("<html/>")
    assert call(*FIND_ULN).exit_code == 5
    assert PASSWORD not in result.output


@pytest.mark.parametrize("missing", ["LRS_URL", "LRS_UKPRN", "LRS_USER_NAME", "LRS_ORG_PASSWORD"])
def test_what_a_call_needs(call, server, monkeypatch, missing):
    monkeypatch.delenv(missing)
    result = call(*FIND_ULN)
    assert result.exit_code == 2
    assert missing in result.stderr
    assert server.requests == []


def test_a_mandatory_element_is_a_required_option(call, server):
    result = call("update", *REGISTER, "--uln", "9276308686")
    assert (result.exit_code, "--version-number" in result.stderr, server.requests) == (2, True, [])


def test_every_element_has_an_option(run):
    text = run("update", "--help").output
    missing = [field.name for field in contract.TYPES["LearnerToUpdate"].fields
               if f"--{field.attribute.replace('_', '-')} " not in text]  # fmt: skip
    assert missing == []


def test_connection_from_a_file(run, server, tmp_path, monkeypatch):
    file = tmp_path / "client.toml"
    file.write_text(f'url = "http://127.0.0.1:9"\nukprn = "FILE0001"\nuser_name = "File"\norg_password = "{PASSWORD}"\n')
    file.chmod(0o600)
    monkeypatch.setenv("LRS_URL", server.url)
    server.answer(canned.reply("learnerByULN", answers("WSRC0004")))
    result = run(*FIND_ULN, "--config", file, "--user-name", "Flag")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"<UKPRN>FILE0001</UKPRN><OrgPassword>{PASSWORD}</OrgPassword><UserName>Flag</UserName>" in server.sent()
    file.chmod(0o644)
    monkeypatch.setattr(connection, "DEFAULT_FILE", file)
    warned = run(*FIND_ULN)
    assert (warned.exit_code, "chmod 600" in warned.stderr, PASSWORD in warned.output) == (0, True, False)


@pytest.mark.parametrize("content", [None, f'org_password = "{PASSWORD}', f'org_pasword = "{PASSWORD}"'])
def test_a_wrong_file_is_a_usage_error(run, tmp_path, content):
    file = tmp_path / "client.toml"
    if content is not None:
        file.write_text(content)
    result = run(*FIND_ULN, "--config", file)
    assert (result.exit_code, str(file) in result.stderr, PASSWORD in result.output) == (2, True, False)


def test_the_password_from_standard_input(call, server, monkeypatch):
    monkeypatch.delenv("LRS_ORG_PASSWORD")
    server.answer(canned.reply("learnerByULN", answers("WSRC0004")))
    assert call(*FIND_ULN, "--password-stdin", input="0123456789abcdef\n").exit_code == 0
    assert "<OrgPassword>0123456789abcdef</OrgPassword>" in server.sent()
