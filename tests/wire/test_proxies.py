"""The configurations of docs/proxies, in the real proxies, over real sockets with real client certificates.

A proxy that is not installed is skipped, unless LRS_TEST_PROXIES is set (.ci/proxies installs and wants them all).
"""

import contextlib
import http.client
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from support import secured, server

from lrs_soap import contract

CONFIGURATIONS = Path(__file__).parents[2] / "docs" / "proxies"
MODULES = ("mpm_event", "authz_core", "headers", "proxy", "proxy_http", "reqtimeout", "socache_shmcb", "ssl")


def nginx(directory: Path, text: str) -> list[str]:
    text = text.replace("/run/nginx.pid", f"{directory}/nginx.pid")
    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        text = text.replace("http {\n", f"http {{\n{name}_temp_path {directory}/{name};\n", 1)
    (directory / "nginx.conf").write_text(text)
    return ["nginx", "-c", f"{directory}/nginx.conf", "-e", f"{directory}/log", "-g", "daemon off; user root;"]


def haproxy(directory: Path, text: str) -> list[str]:
    (directory / "haproxy.cfg").write_text(text)
    return ["haproxy", "-W", "-f", f"{directory}/haproxy.cfg"]


def apache2(directory: Path, text: str) -> list[str]:
    loaded = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in MODULES)
    around = f"ServerName localhost\nPidFile {directory}/pid\nErrorLog {directory}/log\nDefaultRuntimeDir {directory}\n"
    (directory / "apache.conf").write_text(loaded + around + text)
    return ["apache2", "-f", f"{directory}/apache.conf", "-X"]


PROXIES = {"nginx": (nginx, "nginx.conf"), "haproxy": (haproxy, "haproxy.cfg"), "apache2": (apache2, "apache.conf")}


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    made = secured.Papers(tmp_path_factory.mktemp("papers"))
    made.server = made.issue("server", "localhost")
    made.first, made.second = made.issue("first.example"), made.issue("second.example")
    made.stranger = secured.Papers(made.directory, "another").issue("stranger.example")
    return made


@pytest.fixture(scope="module")
def register(sqlite_databases, papers):
    """A register that believes its proxy about certificates, and wants one of every organisation."""
    url = sqlite_databases.migrated()
    ids = secured.add_colleges(url)
    secured.add_certificates(url, *(
        (ids[reference], {"fingerprint": secured.read(path).fingerprint})
        for reference, path in (("COLL01", papers.first), ("COLL02", papers.second))
    ))  # fmt: skip
    with secured.running(url, trusted_proxies="127.0.0.1", tls_client_certificates="required",
                         client_certificate_header="X-SSL-Client-Cert") as running:  # fmt: skip
        yield running
    sqlite_databases.drop(url)


@pytest.fixture(scope="module", params=PROXIES)
def port(request, register, papers, tmp_path_factory):
    """The port of the proxy, with the documented configuration but for ports and places of files."""
    if shutil.which(request.param) is None:
        (pytest.fail if os.environ.get("LRS_TEST_PROXIES") else pytest.skip)(f"{request.param} is not installed")
    prepare, name = PROXIES[request.param]
    text = (CONFIGURATIONS / name).read_text()
    for old, new in (
        ("/etc/lrs/server-and-key.pem", papers.server), ("/etc/lrs/server.pem", papers.server),
        ("/etc/lrs/server.key", papers.server), ("/etc/lrs/clients-ca.pem", papers.ca_file),
        ("127.0.0.1:8080", f"127.0.0.1:{register.port}"),
    ):  # fmt: skip
        text = text.replace(old, new)
    for _ in range(3):  # another process may take the port meanwhile
        listening = server.free_port()
        directory = tmp_path_factory.mktemp(request.param)
        command = prepare(directory, re.sub(r"(listen |Listen |\*:|bind :)443", rf"\g<1>{listening}", text))
        with (directory / "output").open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            if is_ready(process, listening, papers):
                yield listening
                return
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
    pytest.fail(f"{request.param} did not start: {(directory / 'output').read_text()}")


def is_ready(process, port, papers) -> bool:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        if answers(port, papers):
            return True
        time.sleep(0.1)
    return False


def answers(port, papers) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return get(port, papers, "/healthz").status == 200
    return False


def request(port, papers, certificate, method, path, body=None, headers=None) -> server.Reply:
    trust = ssl.create_default_context(cafile=papers.ca_file)
    if certificate:
        trust.load_cert_chain(certificate)
    connection = http.client.HTTPSConnection("localhost", port, context=trust, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, body, {"Content-Type": "text/xml"} | (headers or {}))
        return server.read(connection.getresponse())


def get(port, papers, path, **headers) -> server.Reply:
    return request(port, papers, papers.first, "GET", path, None, headers)


def said(port, papers, reference, certificate, headers=None) -> str:
    reply = request(port, papers, certificate, "POST", contract.ENDPOINT, secured.find(reference), headers)
    (code,) = {code for code in ("WSRC0001", "WSEC0006") if code in reply.body.decode()}
    return code


def test_a_certificate_opens_its_organisation_and_no_other(port, papers):
    assert said(port, papers, "COLL01", papers.first) == "WSRC0001"
    assert said(port, papers, "COLL02", papers.second) == "WSRC0001"
    assert said(port, papers, "COLL01", papers.second) == "WSEC0006"
    assert said(port, papers, "COLL03", papers.first) == "WSEC0006"


@pytest.mark.parametrize("name", ["X-SSL-Client-Cert", "x-ssl-client-cert", "X_SSL_Client_Cert", "X-Ssl-Client-Cert "])
def test_a_header_of_the_client_s_does_not_get_through(port, papers, name):
    forged = {name.strip(): secured.read(papers.first).fingerprint}
    assert said(port, papers, "COLL01", papers.second, forged) == "WSEC0006"


def test_without_a_trusted_certificate_there_is_no_answer(port, papers):
    for certificate in (None, papers.stranger):
        try:
            assert request(port, papers, certificate, "GET", "/healthz").status in (400, 496)
        except (ssl.SSLError, OSError):
            pass  # most refuse the handshake


def test_the_wsdl_names_the_address_that_the_client_used(port, papers):
    for headers in ({}, {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil"}):
        body = get(port, papers, f"{contract.ENDPOINT}?wsdl", **headers).body.decode()
        assert f'location="https://localhost:{port}{contract.ENDPOINT}"' in body


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/%6detrics", "/%72eadyz"])
def test_what_is_for_who_watches_is_not_shown_outside(port, papers, path):
    assert get(port, papers, path, **{"X-Forwarded-For": "127.0.0.1"}).status == 404


def test_too_long_a_message_is_refused(port, papers):
    with contextlib.suppress(OSError):
        body = secured.find("COLL01") + b" " * 9_000_000
        reply = request(port, papers, papers.first, "POST", contract.ENDPOINT, body)
        assert reply.status == 413 or b"WSEC0001" in reply.body
