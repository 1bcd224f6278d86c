"""lrs-soap org: passwords that end and overlap, and certificates, on both kinds of database."""

import json
import os
import stat
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization

from lrs_soap import passwords
from lrs_soap.cli.main import main
from lrs_soap.rules import certificates
from lrs_soap.store import engine as engines
from lrs_soap.store import organisations, schema


@pytest.fixture
def org(database_url):
    """Runs `lrs-soap org` on a register with two colleges."""

    def run(*arguments, **more):
        return CliRunner().invoke(main, ["org", *arguments, "--database", database_url], **more)

    def json_of(*arguments):
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    run.json = json_of
    for reference in ("COLL01", "COLL02"):
        run.json("add", "--organisation-ref", reference, "--ukprn", f"{reference}00", "--name", "A", "--generate")
    return run


@pytest.fixture
def held(engine):
    """The first college as it is stored."""

    def read():
        with engines.read(engine) as conn:
            return organisations.by_reference(conn, "COLL01", None)

    return read


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    path = tmp_path_factory.mktemp("papers") / "college.pem"
    trustme.CA().issue_cert(common_name="mis.example").cert_chain_pems[0].write_to_path(str(path))
    return str(path)


# Passwords


def test_an_overlap_keeps_the_old_password(org, held):
    before = held().password_hash
    changed = org.json("password", "COLL01", "--generate", "--overlap", "7d")
    after = held()
    assert passwords.verify_password(after.password_hash, changed["org_password"])
    assert after.terms.former_hash == before
    assert (after.terms.former_until - after.created_at).days in (6, 7)
    assert org.json("list")[0]["former_password_until"] == changed["former_password_until"]
    org.json("password", "COLL01", "--generate")
    assert held().terms == (None, None, None)


def test_a_password_with_a_last_day_is_listed_and_warned_of(org, held):
    org.json("password", "COLL01", "--generate", "--expires", "2020-06-30")
    assert held().terms.expires_at.isoformat() == "2020-06-30T23:00:00+00:00", "the day is England's, in summer"
    listed = org("list")
    assert "2020-06-30" in listed.stdout
    assert "Warning: COLL01: the OrgPassword has expired" in listed.stderr and "COLL02" not in listed.stderr
    assert [row["password_expires"] for row in json.loads(org("list", "--json").stdout)] == ["2020-06-30", None]
    org.json("disable", "COLL01")
    assert org("list").stderr == ""


def test_a_new_organisation_may_have_a_password_with_an_end(org, engine):
    names = ["--organisation-ref", "COLL03", "--ukprn", "COLL0300", "--name", "A"]
    org.json("add", *names, "--generate", "--expires", "2999-12-31")
    with engines.read(engine) as conn:
        assert organisations.by_reference(conn, "COLL03", None).terms.expires_at.year == 3000


@pytest.mark.parametrize(
    "arguments", [["--overlap", "91d"], ["--overlap", "1w"], ["--expires", "tomorrow"], ["--expires", "9999-12-31"]]
)
def test_what_is_no_time_changes_nothing(org, held, arguments):
    before = held()
    assert org("password", "COLL01", "--generate", *arguments).exit_code == 2
    assert held() == before


@pytest.mark.parametrize("given", ["sandbox-password", "aaaaaaaaaaaaaaaa"])
def test_a_password_that_everybody_knows_is_refused(org, held, given):
    before = held()
    result = org("password", "COLL01", "--password-stdin", input=given + "\n")
    assert (result.exit_code, given in result.output) == (2, False)
    assert held() == before


# Certificates


def test_certificates_are_added_listed_and_removed(org, pem):
    read = certificates.from_pem(Path(pem).read_text())
    by_print = org.json("certificate", "add", "COLL01", "--file", pem, "--valid-until", "2027-08-31")
    by_name = org.json("certificate", "add", "COLL0100", "--file", pem, "--by-subject")
    other = org.json("certificate", "add", "COLL01", "--subject", "CN=x,O=A College", "--valid-from", "2027-01-01")
    rows = org.json("certificate", "list", "COLL01")
    assert [(row["id"], row.get("fingerprint"), row.get("subject"), row.get("issuer")) for row in rows] == [
        (by_print["id"], read.fingerprint, None, None),
        (by_name["id"], None, read.subject, read.issuer),
        (other["id"], None, "CN=x,O=A College", None),
    ]
    assert (rows[0]["valid_until"], rows[2]["valid_from"]) == ("2027-08-31", "2027-01-01")
    assert read.fingerprint in org("certificate", "list", "COLL01").stdout
    assert org("certificate", "remove", "COLL02", str(by_print["id"])).exit_code == 1
    org.json("certificate", "remove", "COLL01", str(by_print["id"]))
    assert len(org.json("certificate", "list", "COLL01")) == 2


def test_a_certificate_stands_for_one_organisation(org, pem):
    assert org("certificate", "add", "COLL01", "--file", pem).exit_code == 0
    again = org("certificate", "add", "COLL02", "--file", pem)
    assert (again.exit_code, "one organisation only" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--fingerprint", "ab" * 32, "--subject", "CN=a"],
        ["--fingerprint", "ab"],
        ["--subject", "college"],
        ["--subject", ""],
        ["--fingerprint", "ab" * 32, "--issuer", "CN=a"],
        ["--subject", "CN=a", "--by-subject"],
        ["--file", __file__],
        ["--fingerprint", "ab" * 32, "--valid-from", "2027-01-02", "--valid-until", "2027-01-01"],
    ],
)
def test_what_is_no_certificate_is_a_usage_error(org, arguments):
    assert org("certificate", "add", "COLL01", *arguments).exit_code == 2
    assert org.json("certificate", "list", "COLL01") == []


# What serve refuses before it listens


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Runs `lrs-soap serve` with settings it must refuse; gives what it says."""
    database = tmp_path / "register.sqlite"

    def run(*arguments, database=database):
        result = CliRunner().invoke(main, ["serve", "--port", "0", "--database", f"sqlite:///{database}", *arguments])
        assert result.exit_code == 6, result.output
        return result.stderr

    return run


@pytest.fixture
def papers(tmp_path):
    ca = trustme.CA()
    pair = tmp_path / "pair.pem"
    issued = ca.issue_cert("localhost")
    pair.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    pair.chmod(0o600)
    other = tmp_path / "other-key.pem"
    other.write_bytes(ca.issue_cert("localhost").private_key_pem.bytes())
    other.chmod(0o600)
    return pair, other


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "lrs.example"])
def test_no_tls_where_others_can_reach_it(serve, host):
    words = serve("--host", host)
    assert "--tls-certificate" in words and "--insecure-http" in words


@pytest.mark.parametrize("networks", ["0.0.0.0/0", "10.0.0.7, ::/0"])
def test_everybody_is_no_trusted_proxy(serve, networks):
    assert "trusted_proxies" in serve("--trusted-proxies", networks)


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_a_database_or_key_that_everybody_can_read(serve, tmp_path, papers):
    database = tmp_path / "open.sqlite"
    engines.create(f"sqlite:///{database}").dispose()
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    database.chmod(0o644)
    assert f"chmod 600 {database}" in serve(database=database)
    papers[0].chmod(0o604)
    assert f"chmod 600 {papers[0]}" in serve("--tls-certificate", str(papers[0]))


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_authorities_that_everybody_can_replace(serve, papers):
    pair, authorities = papers
    authorities.chmod(0o646)
    ask = ["--tls-client-certificates", "required", "--tls-client-ca", str(authorities)]
    assert f"chmod o-w {authorities}" in serve("--tls-certificate", str(pair), *ask)


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_an_audit_key_that_everybody_can_read(serve, tmp_path):
    key = tmp_path / "audit.key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o604)
    assert f"chmod 600 {key}" in serve("--audit-key", str(key))


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_directory_in_which_everybody_can_write(tmp_path, command):
    # Who may put a -wal beside the database may put rows into it.
    directory = tmp_path / "shared"
    directory.mkdir()
    directory.chmod(0o1777)
    url = f"sqlite:///{directory / 'register.sqlite'}"
    result = CliRunner().invoke(main, [command, "--port", "0", "--database", url])
    assert result.exit_code in (2, 6)
    assert f"chmod o-w {directory}" in result.stderr
    assert list(directory.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_worker_refuses_a_database_that_everybody_can_read(tmp_path, suffix):
    database = tmp_path / "register.sqlite"
    schema.upgrade(upgraded := engines.create(f"sqlite:///{database}"))
    upgraded.dispose()
    exposed = Path(f"{database}{suffix}")
    exposed.touch()
    exposed.chmod(0o644)
    result = CliRunner().invoke(main, ["worker", "--database", f"sqlite:///{database}"])
    assert result.exit_code == 2
    assert f"chmod 600 {exposed}" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
@pytest.mark.parametrize("command", ["serve", "worker", "settings"])
@pytest.mark.parametrize("setting", ["database = {}", "database = 'postgresql://h/d'\nreplica = [{}]"])
def test_a_configuration_with_a_password_that_everybody_can_read(tmp_path, command, setting):
    file = tmp_path / "lrs.toml"
    file.write_text(setting.format('"postgresql://lrs:hunter2hunter2@127.0.0.1:9/lrs"\n'))
    file.chmod(0o640)
    assert CliRunner().invoke(main, ["settings", "--config", str(file)]).exit_code == 0, "a group may read it"
    file.chmod(0o644)
    result = CliRunner().invoke(main, [command, "--config", str(file)])
    assert result.exit_code == 2
    assert f"chmod 600 {file}" in result.stderr and "hunter2" not in result.output
    file.write_text(setting.format('"postgresql://lrs@127.0.0.1:9/lrs"\n'))
    assert CliRunner().invoke(main, ["settings", "--config", str(file)]).exit_code == 0, "no password, no secret"


def test_files_that_are_no_certificate_and_key(serve, tmp_path, papers):
    pair, other = map(str, papers)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    nonsense.chmod(0o600)
    assert "do not belong together" in serve("--tls-certificate", pair, "--tls-key", other)
    assert "not PEM files" in serve("--tls-certificate", str(nonsense))
    assert "does not exist" in serve("--tls-certificate", str(tmp_path / "none.pem"))
    ask = ["--tls-client-certificates", "required"]
    assert "not a PEM file" in serve("--tls-certificate", pair, "--tls-client-ca", str(nonsense), *ask)
    assert "tls_client_ca" in serve("--tls-certificate", pair, *ask)
    assert "tls_client_ca" in serve(*ask)
    assert "without tls_certificate" in serve("--tls-key", other)
    assert "trusted_proxies" in serve("--client-certificate-header", "X-SSL-Client-Cert")


def test_an_encrypted_key_is_refused_without_asking_for_its_passphrase(serve, tmp_path, papers):
    key = serialization.load_pem_private_key(papers[1].read_bytes(), None)
    encrypted = tmp_path / "encrypted.pem"
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    encrypted.chmod(0o600)
    assert "encrypted" in serve("--tls-certificate", str(papers[0]), "--tls-key", str(encrypted))
