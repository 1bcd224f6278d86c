"""Certificates of organisations, and the terms of passwords, in both databases."""

import datetime

import pytest

from lrs_soap.rules import access, certificates, passwords
from lrs_soap.store import certificates as store
from lrs_soap.store import engine as engines
from lrs_soap.store import organisations

PRINT = "ab" * 32
NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)


def presented(fingerprint=PRINT, subject="CN=a", issuer="CN=ca"):
    return certificates.Presented(fingerprint=fingerprint, subject=subject, issuer=issuer)


@pytest.fixture
def two(conn):
    return [
        organisations.add(conn, organisation_ref=ref, ukprn=f"{ref}00", name="A", password_hash="one", rights=access.ALL)
        for ref in ("COLL01", "COLL02")
    ]


def test_a_certificate_comes_back_as_it_was_added(conn, two):
    later = NOW + datetime.timedelta(days=30)
    number = store.add(conn, two[0], fingerprint=PRINT, valid_from=NOW, valid_until=later)
    other = store.add(conn, two[0], subject="CN=a", issuer="CN=ca")
    first, second = store.of_organisation(conn, two[0])
    assert (first.id, first.fingerprint, first.subject, first.valid_from, first.valid_until) == (
        number, PRINT, None, NOW, later,
    )  # fmt: skip
    assert (second.id, second.fingerprint, second.subject, second.issuer) == (other, None, "CN=a", "CN=ca")
    assert store.has_any(conn, two[0]) and not store.has_any(conn, two[1])


def test_only_rows_that_may_speak_of_it_are_like_a_certificate(conn, two):
    store.add(conn, two[0], fingerprint=PRINT)
    store.add(conn, two[1], subject="CN=a")
    store.add(conn, two[1], subject="CN=b")
    store.add(conn, two[1], fingerprint="cd" * 32)
    assert sorted(row.organisation_id for row in store.like(conn, presented())) == two
    assert [row.subject for row in store.like(conn, presented("ef" * 32, "CN=b"))] == ["CN=b"]
    assert store.like(conn, presented("ef" * 32, "")) == []
    assert store.like(conn, presented("ef" * 32, "CN=a' OR '1'='1")) == []


def test_a_certificate_is_one_organisations_only(conn, two):
    for names in ({"fingerprint": PRINT}, {"subject": "CN=a"}, {"subject": "CN=a", "issuer": "CN=ca"}):
        store.add(conn, two[0], **names)
        for organisation_id in two:
            with pytest.raises(store.CertificateExists):
                store.add(conn, organisation_id, **names)
    assert len(store.of_organisation(conn, two[0])) == 3  # and the transaction goes on


def test_remove_takes_only_the_organisations_own(conn, two):
    number = store.add(conn, two[0], fingerprint=PRINT)
    assert not store.remove(conn, two[1], number)
    assert store.has_any(conn, two[0])
    assert store.remove(conn, two[0], number)
    assert not store.has_any(conn, two[0])


def test_terms_come_with_the_organisation_however_it_is_asked_for(engine, conn, two):
    until = NOW + datetime.timedelta(days=7)
    terms = passwords.Terms(NOW, "one", until)
    assert organisations.set_password(conn, two[0], "two", terms)
    conn.commit()
    with engines.read(engine) as reading:
        found = [organisations.by_reference(reading, "COLL01", None), organisations.by_reference(reading, None, "COLL0100")]
        found.append(organisations.list_all(reading)[0])
        assert [(one.password_hash, one.terms) for one in found] == [("two", terms)] * 3
        assert organisations.by_reference(reading, "COLL02", None).terms == passwords.NO_TERMS


def test_a_password_set_without_terms_has_none(conn, two):
    organisations.set_password(conn, two[0], "two", passwords.Terms(NOW, "one", NOW))
    organisations.set_password(conn, two[0], "three")
    assert organisations.by_reference(conn, "COLL01", None).terms == passwords.NO_TERMS
    assert not organisations.set_password(conn, sum(two) + 1, "x", passwords.Terms(NOW))
