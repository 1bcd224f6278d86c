"""TLS and client certificates over real sockets: who is let in, for whom, and who is not."""

import base64
import contextlib
import datetime
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest
from support import secured, server

from lrs_soap import client, contract
from lrs_soap.store import certificates as store
from lrs_soap.store import engine as engines

ENDPOINT = contract.ENDPOINT
NOW = datetime.datetime.now(datetime.UTC)
YEAR = datetime.timedelta(days=365)


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """Certificates: of the server, of colleges in the register and out of it, and of an authority nobody trusts."""
    made = secured.Papers(tmp_path_factory.mktemp("papers"))
    made.server = made.issue("server", "localhost", "127.0.0.1")
    for name in ("first", "renewed", "second", "stranger", "ended", "future"):
        setattr(made, name, made.issue(name))
    made.expired = made.issue("expired", not_after=NOW - datetime.timedelta(days=1))
    made.forged = secured.Papers(made.directory, "other").issue("first-again")
    return made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request):
    """A register with three colleges, on each kind of database."""
    databases = request.getfixturevalue(f"{request.param}_databases")
    made = databases.migrated()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def colleges(url, papers):
    """The colleges' ids; the first has two certificates by fingerprint and subject, the second one, the third none."""
    ids = secured.add_colleges(url)
    first, second, _ = ids.values()
    renewed = secured.read(papers.renewed)
    secured.add_certificates(
        url,
        (first, {"fingerprint": secured.read(papers.first).fingerprint}),
        (first, {"subject": renewed.subject, "issuer": renewed.issuer}),
        (second, {"fingerprint": secured.read(papers.second).fingerprint}),
        (first, {"fingerprint": secured.read(papers.ended).fingerprint, "valid_until": NOW - YEAR}),
        (first, {"subject": secured.read(papers.future).subject, "valid_from": NOW + YEAR}),
    )
    return ids


def tls_settings(papers, **more):
    return {"tls_certificate": papers.server, "tls_client_ca": papers.ca_file, "organisation_cache_seconds": 0} | more


@pytest.fixture(scope="module")
def mutual(url, colleges, papers):
    """A server that requires certificates."""
    with secured.running(url, **tls_settings(papers, tls_client_certificates="required")) as running:
        yield running


def said(running, papers, reference, certificate, password=None) -> str:
    """The code that the client library gets."""
    with client.LrsClient(
        running.url, organisation_ref=reference, org_password=password or secured.PASSWORDS[reference],
        user_name="A Tester", client_certificate=certificate, ca_bundle=papers.ca_file,
    ) as service:  # fmt: skip
        try:
            return service.learner_by_uln("9276308686", "Archer", "Ann").response_code
        except client.LrsServiceFault as fault:
            return fault.error_code


# Mutual TLS


def test_the_certificates_of_an_organisation_open_its_door(mutual, papers):
    assert said(mutual, papers, "COLL01", papers.first) == "WSRC0001"
    assert said(mutual, papers, "COLL01", papers.renewed) == "WSRC0001"
    assert said(mutual, papers, "COLL02", papers.second) == "WSRC0001"


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("COLL01", "second"),
        ("COLL02", "first"),
        ("COLL02", "renewed"),
        ("COLL03", "first"),
        ("COLL01", "stranger"),
        ("COLL01", "ended"),
        ("COLL01", "future"),
    ],
)
def test_no_other_certificate_does_whatever_the_password(mutual, papers, reference, name):
    certificate = getattr(papers, name)
    before = len(mutual.reasons())
    assert said(mutual, papers, reference, certificate) == "WSEC0006"
    assert said(mutual, papers, reference, certificate, "another password") == "WSEC0006"
    assert mutual.reasons()[before:] == ["certificate"] * 2


def test_a_wrong_password_is_one_with_the_right_certificate_too(mutual, papers):
    assert said(mutual, papers, "COLL01", papers.first, "another password") == "WSEC0005"


@pytest.mark.parametrize("name", ["none", "forged", "expired"])
def test_the_handshake_refuses_what_no_trusted_authority_vouches_for(mutual, papers, name):
    with pytest.raises(client.LrsUnreachable):
        said(mutual, papers, "COLL01", getattr(papers, name, None))


def test_a_certificate_that_is_taken_away_opens_nothing(mutual, url, colleges, papers):
    lent = papers.issue("lent")
    (number,) = secured.add_certificates(url, (colleges["COLL03"], {"fingerprint": secured.read(lent).fingerprint}))
    assert said(mutual, papers, "COLL03", lent) == "WSRC0001"
    engine = engines.create(url)
    with engines.write(engine) as conn:
        store.remove(conn, colleges["COLL03"], number)
    engine.dispose()
    assert said(mutual, papers, "COLL03", lent) == "WSEC0006"


def test_requests_of_one_connection_each_name_their_organisation(mutual, papers):
    context = ssl.create_default_context(cafile=papers.ca_file)
    context.load_cert_chain(papers.first)
    codes = []
    with contextlib.closing(http.client.HTTPSConnection("localhost", mutual.port, timeout=20, context=context)) as one:
        for reference in ("COLL01", "COLL02", "COLL01"):
            one.request("POST", ENDPOINT, secured.find(reference), {"Content-Type": "text/xml"})
            body = server.read(one.getresponse()).body
            codes.append([code for code in (b"WSRC0001", b"WSEC0006") if code in body])
    assert codes == [[b"WSRC0001"], [b"WSEC0006"], [b"WSRC0001"]]


def test_the_command_line_shows_its_certificate(mutual, papers):
    find = ["find-uln", "--url", f"https://localhost:{mutual.port}", "--organisation-ref", "COLL01", "--user-name", "A",
            "--password-stdin", "--uln", "9276308686", "--family-name", "Archer", "--given-name", "Ann", "--json",
            "--ca-bundle", papers.ca_file]  # fmt: skip
    command = [sys.executable, "-c", server.START, *find]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
    answers = [
        subprocess.run(
            [*command, *more], input=secured.PASSWORDS["COLL01"], capture_output=True, text=True, env=environment,
            timeout=60, check=False,
        )
        for more in (["--client-certificate", papers.first], ["--client-certificate", papers.second], [])
    ]  # fmt: skip
    assert [answer.returncode for answer in answers] == [1, 3, 4]
    assert json.loads(answers[0].stdout)["code"] == "WSRC0001"
    assert json.loads(answers[1].stdout)["fault"]["error_code"] == "WSEC0006"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")
def test_openssl_s_client(mutual, papers):
    message = secured.find("COLL01")
    request = f"POST {ENDPOINT} HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: {len(message)}\r\n\r\n".encode()
    done = subprocess.run(
        ["openssl", "s_client", "-quiet", "-ign_eof", "-connect", f"localhost:{mutual.port}", "-CAfile", papers.ca_file,
         "-verify_return_error", "-cert", papers.first, "-key", papers.first],
        input=request + message, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert b"WSRC0001" in done.stdout, done.stderr


# TLS itself


def test_the_wsdl_names_https(mutual, papers):
    context = ssl.create_default_context(cafile=papers.ca_file)
    context.load_cert_chain(papers.second)
    with contextlib.closing(http.client.HTTPSConnection("localhost", mutual.port, timeout=20, context=context)) as one:
        one.request("GET", f"{ENDPOINT}?wsdl")
        wsdl = server.read(one.getresponse()).body.decode()
    assert f'location="https://localhost:{mutual.port}{ENDPOINT}' in wsdl
    assert f"WSDL: https://127.0.0.1:{mutual.port}{ENDPOINT}?wsdl" in mutual.output


def handshake(port, papers, version) -> str | None:
    """The version that both agree on if the client speaks only `version`; None if the server does not."""
    context = ssl.create_default_context(cafile=papers.ca_file)
    context.load_cert_chain(papers.first)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                return connection.version()
    except (ssl.SSLError, ConnectionError):
        return None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_old_versions_of_tls_are_not_spoken(mutual, papers):
    asked = (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    assert [handshake(mutual.port, papers, version) for version in asked] == [None, "TLSv1.2", "TLSv1.3"]


def test_plain_http_gets_no_answer_on_a_tls_port(mutual):
    with socket.create_connection(("127.0.0.1", mutual.port), timeout=20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"HTTP/" not in connection.recv(4096)


def test_sighup_takes_the_new_certificate_and_the_minimum_can_be_raised(url, colleges, papers, tmp_path):
    def shown(port):
        return ssl.get_server_certificate(("127.0.0.1", port))

    pair = tmp_path / "pair.pem"
    shutil.copy(papers.server, pair)
    settings = {"tls_certificate": pair, "tls_minimum": "TLSv1.3"}
    with secured.running(url, **settings) as running:
        assert handshake(running.port, papers, ssl.TLSVersion.TLSv1_2) is None
        assert handshake(running.port, papers, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        before = shown(running.port)
        shutil.copy(papers.issue("new", "localhost"), pair)
        running.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while (after := shown(running.port)) == before and time.monotonic() < deadline:
            time.sleep(0.1)
    assert after != before


# Certificates for those who have one


def test_optional_holds_an_organisation_to_the_certificates_it_has(url, colleges, papers):
    with secured.running(url, **tls_settings(papers, tls_client_certificates="optional")) as running:
        assert said(running, papers, "COLL01", papers.first) == "WSRC0001"
        assert said(running, papers, "COLL01", None) == "WSEC0006"
        assert said(running, papers, "COLL01", papers.stranger) == "WSEC0006"
        assert said(running, papers, "COLL03", None) == "WSRC0001"
        assert said(running, papers, "COLL03", papers.stranger) == "WSRC0001"
        assert said(running, papers, "COLL03", papers.first) == "WSEC0006"


# Behind a proxy


def passed_on(path: str) -> dict[str, str]:
    """A certificate in every way in which proxies pass it on."""
    pem = ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(leaf(path)))
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()
    fingerprint = secured.read(path).fingerprint
    return {
        "nginx": urllib.parse.quote(pem),
        "apache": pem.replace("\n", " "),
        "haproxy": der,
        "RFC 9440": f":{der}:",
        "fingerprint": fingerprint.upper(),
        "with colons": ":".join(fingerprint[i : i + 2] for i in range(0, 64, 2)),
    }


def leaf(path: str) -> str:
    """The first certificate of the file, as PEM."""
    begin = "-----BEGIN CERTIFICATE-----"
    return begin + Path(path).read_text().split(begin)[1]


def code_over_http(running, reference, **headers) -> str:
    body = running.over_http().post(secured.find(reference), **headers).body.decode()
    (code,) = {code for code in ("WSRC0001", "WSEC0006", "WSEC0005") if code in body}
    return code


@pytest.fixture(scope="module")
def proxied(url, colleges):
    """A server whose proxy is on this machine."""
    settings = {"tls_client_certificates": "required", "client_certificate_header": "X-SSL-Client-Cert"}
    with secured.running(url, trusted_proxies="127.0.0.1", organisation_cache_seconds=0, **settings) as running:
        yield running


@pytest.mark.parametrize("how", ["nginx", "apache", "haproxy", "RFC 9440", "fingerprint", "with colons"])
def test_a_trusted_proxy_passes_the_certificate_on(proxied, papers, how):
    first, second = passed_on(papers.first)[how], passed_on(papers.second)[how]
    assert code_over_http(proxied, "COLL01", X_SSL_Client_Cert=first) == "WSRC0001"
    assert code_over_http(proxied, "COLL01", X_SSL_Client_Cert=second) == "WSEC0006"
    assert code_over_http(proxied, "COLL02", X_SSL_Client_Cert=second) == "WSRC0001"


@pytest.mark.parametrize("value", [None, "", "nonsense", "%%%", "-----BEGIN CERTIFICATE-----", "0" * 64, ":AAAA:"])
def test_what_is_no_certificate_opens_nothing(proxied, value):
    headers = {} if value is None else {"X_SSL_Client_Cert": value}
    assert code_over_http(proxied, "COLL01", **headers) == "WSEC0006"


def test_a_header_that_comes_twice_opens_nothing(proxied, papers):
    first = passed_on(papers.first)["nginx"]
    message = secured.find("COLL01")
    lines = [f"POST {ENDPOINT} HTTP/1.0", "Host: localhost", f"Content-Length: {len(message)}",
             f"X-SSL-Client-Cert: {first}", f"x-ssl-client-cert: {first}"]  # fmt: skip
    with socket.create_connection(("127.0.0.1", proxied.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + message)
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"WSEC0006" in reply


def test_anybody_else_cannot_pass_a_certificate_on(url, colleges, papers):
    settings = {"tls_client_certificates": "optional", "client_certificate_header": "X-SSL-Client-Cert"}
    with secured.running(url, trusted_proxies="192.0.2.0/24", **settings) as running:
        first = passed_on(papers.first)["nginx"]
        assert code_over_http(running, "COLL01", X_SSL_Client_Cert=first) == "WSEC0006"
        assert code_over_http(running, "COLL03", X_SSL_Client_Cert=first) == "WSRC0001"
