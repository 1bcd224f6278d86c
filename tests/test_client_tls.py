"""Both clients over HTTPS: whom they trust, and the certificate that they show."""

import ssl

import pytest
import trustme
from support import canned, driven

from lrs_soap import client

NO_MATCH = canned.reply("learnerByULN", "<ResponseCode>WSRC0001</ResponseCode>")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """An authority, a server of localhost that asks for certificates, and the files of both sides."""
    ours, directory = trustme.CA(), tmp_path_factory.mktemp("tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    ours.issue_cert("localhost").configure_cert(context)
    ours.configure_trust(context)
    caller = ours.issue_cert("caller@example.org")
    caller.private_key_and_cert_chain_pem.write_to_path(directory / "both.pem")
    caller.private_key_pem.write_to_path(directory / "key.pem")
    caller.cert_chain_pems[0].write_to_path(directory / "certificate.pem")
    ours.cert_pem.write_to_path(directory / "ca.pem")
    trustme.CA().cert_pem.write_to_path(directory / "other.pem")
    (directory / "not.pem").write_text("not PEM")
    with canned.serving(context) as service:
        service.answer(NO_MATCH)
        yield service.url, directory


@pytest.fixture(params=[client.LrsClient, driven.Driven], ids=["LrsClient", "AsyncLrsClient"])
def ask(request, office):
    url, directory = office

    def asking(certificate, ca_bundle):
        files = tuple(str(directory / name) for name in certificate)
        bundle = str(directory / ca_bundle) if isinstance(ca_bundle, str) else ca_bundle
        with request.param(
            url, ukprn="TEST0001", org_password="p", user_name="u", timeout=5, ca_bundle=bundle,
            client_certificate=(files if len(files) > 1 else files[0]) if files else None,
        ) as service:  # fmt: skip
            return service.learner_by_uln("1234567890", "A", "B").response_code

    return asking


@pytest.mark.parametrize("certificate", [["both.pem"], ["certificate.pem", "key.pem"]])
@pytest.mark.parametrize("ca_bundle", ["ca.pem", False])
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_with_the_certificate(ask, certificate, ca_bundle):
    assert ask(certificate, ca_bundle) == "WSRC0001"


def test_the_environment_names_the_authorities(ask, office, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(office[1] / "ca.pem"))
    assert ask(["both.pem"], None) == "WSRC0001"
    with pytest.raises(client.LrsUnreachable, match="TLS connection was refused"):
        ask(["both.pem"], "other.pem")


@pytest.mark.parametrize(
    ("certificate", "ca_bundle", "words"),
    [
        (["both.pem"], "other.pem", "TLS connection was refused"),
        (["both.pem"], None, "TLS connection was refused"),
        # TLS 1.3: the server says no after the client has begun to send, and some only see the connection end.
        ([], "ca.pem", "TLS connection was refused|broke off"),
        (["not.pem"], "ca.pem", "TLS"),
        (["both.pem"], "not.pem", "TLS"),
        (["absent.pem"], "ca.pem", "TLS file"),
    ],
)
def test_without_trust(ask, certificate, ca_bundle, words):
    with pytest.raises(client.LrsUnreachable, match=words):
        ask(certificate, ca_bundle)
