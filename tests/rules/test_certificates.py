"""Whose certificate it is, and how names and fingerprints are written."""

import datetime

import pytest
import trustme
from cryptography import x509
from cryptography.x509.oid import NameOID

from lrs_soap.rules import certificates
from lrs_soap.rules.certificates import Known, Presented

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
PRINT = "ab" * 32


def known(organisation_id, fingerprint=None, subject=None, issuer="", start=None, end=None):
    return Known(organisation_id=organisation_id, fingerprint=fingerprint, subject=subject, issuer=issuer,
                 valid_from=start, valid_until=end)  # fmt: skip


def presented(**more):
    return Presented(**{"fingerprint": PRINT, "subject": "CN=a", "issuer": "CN=ca"} | more)


@pytest.mark.parametrize(
    ("rows", "owner"),
    [
        ([], None),
        ([known(1, PRINT)], 1),
        ([known(1, "cd" * 32)], None),
        ([known(1, subject="CN=a")], 1),
        ([known(1, subject="CN=a", issuer="CN=ca")], 1),
        ([known(1, subject="CN=a", issuer="CN=other")], None),
        ([known(1, subject="cn=a")], None),
        ([known(1, subject="CN=a", issuer="CN=ca"), known(2, PRINT)], 2),
        ([known(1, subject="CN=a"), known(2, subject="CN=a", issuer="CN=ca")], 2),
        ([known(1, subject="CN=a"), known(2, subject="CN=a", issuer="CN=other")], 1),
        ([known(1, subject="CN=a"), known(2, PRINT, end=NOW)], None),
        ([known(1, subject="CN=a"), known(1, subject="CN=a", issuer="CN=ca", start=NOW + DAY)], None),
        ([known(1, PRINT, start=NOW, end=NOW + DAY)], 1),
        ([known(1, PRINT, start=NOW + DAY)], None),
    ],
)
def test_the_nearest_row_decides_alone(rows, owner):
    for order in (rows, rows[::-1]):
        assert certificates.organisation_of(presented(), order, NOW) == owner


@pytest.mark.parametrize("row", [known(1, subject=""), known(1, subject="", issuer="CN=ca")])
def test_no_subject_is_nobodys(row):
    assert certificates.organisation_of(presented(subject=""), [row], NOW) is None


def test_an_unreadable_certificate_is_nobodys():
    nobody = Presented(fingerprint="")
    assert certificates.organisation_of(nobody, [known(1, PRINT), known(2, subject="CN=a")], NOW) is None


@pytest.mark.parametrize(
    ("dates", "owner"),
    [
        ({"not_before": NOW - DAY, "not_after": NOW + DAY}, 1),
        ({"not_after": NOW}, None),
        ({"not_before": NOW + DAY}, None),
    ],
)
def test_its_own_dates_count_too(dates, owner):
    assert certificates.organisation_of(presented(**dates), [known(1, PRINT)], NOW) == owner


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("CN=a,O=A College", "CN=a,O=A College"),
        ("CN=a, O=A College", None),
        ("OU=b+CN=a", "OU=b+CN=a"),
        ("CN=a+OU=b", "OU=b+CN=a"),
        (r"CN=a\,O=b", r"CN=a\,O=b"),
        (r"CN=\61", "CN=a"),
        ("2.5.4.3=a", "CN=a"),
    ],
)
def test_names_have_one_form(text, written):
    if written is None:
        with pytest.raises(certificates.NotACertificate):
            certificates.name(text)
    else:
        assert certificates.name(text) == written
        assert certificates.name(written) == written


@pytest.mark.parametrize("text", ["", "a", "CN", "=a", "CN=a,,O=b", "CN=a\0", "XX=a", 'CN="a"', "CN=a;O=b"])
def test_what_is_no_name_is_refused(text):
    try:
        written = certificates.name(text)
    except certificates.NotACertificate:
        return
    # Whatever the parser lets through still has one unambiguous form.
    assert certificates.name(written) == written


@pytest.mark.parametrize(
    "common_name", ["a,O=A College", "a+OU=b", "a\\,O=b", "#61", " a ", 'a"b;c<d>', "a\0b", "CN=a"]
)
def test_a_value_cannot_pass_for_another_part_of_the_name(common_name):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    written = certificates._written(name)
    assert x509.Name.from_rfc4514_string(written) == name
    assert written not in ("CN=a,O=A College", "OU=b+CN=a", "CN=a")


def test_pem_der_and_fingerprint_are_the_same_certificate():
    pem = trustme.CA().issue_cert(common_name="mis.example").cert_chain_pems[0].bytes().decode()
    read = certificates.from_pem("text before\n" + pem + pem[:30])
    assert read.subject.startswith("CN=mis.example,OU=Testing cert")
    assert read.issuer.startswith("OU=Testing CA")
    assert read.not_before < datetime.datetime.now(datetime.UTC) < read.not_after
    assert certificates.from_header(pem.replace("\n", " ")) == read
    assert certificates.from_header(read.fingerprint.upper()) == Presented(fingerprint=read.fingerprint)


@pytest.mark.parametrize("text", ["", "ab" * 31, "zz" * 32, "ab" * 33, "SHA256:" + PRINT])
def test_what_is_no_fingerprint_is_refused(text):
    with pytest.raises(certificates.NotACertificate):
        certificates.fingerprint(text)


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "AAAA", "é", ":::"]
)
def test_what_is_no_certificate_is_refused(text):
    with pytest.raises(certificates.NotACertificate):
        certificates.from_header(text)
