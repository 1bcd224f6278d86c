import pytest
import sqlalchemy as sa

from lrs_soap.rules import access
from lrs_soap.store import organisations, tables


def add(conn, ref, ukprn, **options):
    values = {"name": "A College", "password_hash": "hash", "rights": access.ALL} | options
    return organisations.add(conn, organisation_ref=ref, ukprn=ukprn, **values)


def test_an_organisation_comes_back_as_it_was_added(conn):
    rights = access.parse("find verify")
    new = add(conn, "TEST38", "TEST0038", rights=rights, sandbox=True)
    found = organisations.by_reference(conn, "TEST38", None)
    assert (found.id, found.organisation_ref, found.ukprn, found.name) == (new, "TEST38", "TEST0038", "A College")
    assert (found.password_hash, found.rights, found.sandbox, found.disabled_at) == ("hash", rights, True, None)
    assert found.created_at.utcoffset().total_seconds() == 0


def test_a_hash_is_not_shown(conn):
    add(conn, "TEST38", "TEST0038", password_hash="$argon2id$")
    assert "argon2" not in repr(organisations.by_reference(conn, "TEST38", None))


@pytest.mark.parametrize(
    ("reference", "ukprn", "found"),
    [
        ("TEST38", None, "TEST38"),
        (None, "TEST0038", "TEST38"),
        ("TEST38", "TEST0038", "TEST38"),
        ("TEST38", "", "TEST38"),
        ("TEST38", "TEST0039", None),
        ("NOBODY", "TEST0038", None),
        ("NOBODY", None, None),
        (None, "NOBODY00", None),
        (None, None, None),
        ("", "", None),
    ],
)
def test_an_organisation_is_found_by_what_names_it_and_nothing_else(conn, reference, ukprn, found):
    add(conn, "TEST38", "TEST0038")
    add(conn, "TEST39", "TEST0039")
    organisation = organisations.by_reference(conn, reference, ukprn)
    assert (organisation and organisation.organisation_ref) == found


@pytest.mark.parametrize(("reference", "ukprn"), [("TEST38", "TEST0039"), ("TEST39", "TEST0038")])
def test_references_are_given_once(conn, reference, ukprn):
    add(conn, "TEST38", "TEST0038")
    with pytest.raises(organisations.OrganisationExists):
        add(conn, reference, ukprn)
    add(conn, "TEST39", "TEST0039")  # the transaction goes on


def test_list_is_in_order(conn):
    add(conn, "TEST39", "TEST0039")
    add(conn, "TEST38", "TEST0038")
    assert [row.organisation_ref for row in organisations.list_all(conn)] == ["TEST38", "TEST39"]


def test_disable_and_enable(conn):
    one, other = add(conn, "TEST38", "TEST0038"), add(conn, "TEST39", "TEST0039")
    assert organisations.disable(conn, one)
    assert organisations.by_reference(conn, "TEST38", None).disabled_at is not None
    assert organisations.by_reference(conn, "TEST39", None).disabled_at is None
    assert organisations.enable(conn, one)
    assert organisations.by_reference(conn, "TEST38", None).disabled_at is None
    assert not organisations.disable(conn, one + other)
    assert not organisations.enable(conn, one + other)


def test_set_password(conn):
    one, other = add(conn, "TEST38", "TEST0038"), add(conn, "TEST39", "TEST0039")
    assert organisations.set_password(conn, one, "new")
    assert [row.password_hash for row in organisations.list_all(conn)] == ["new", "hash"]
    assert not organisations.set_password(conn, one + other, "new")


def test_users(conn):
    one, other = add(conn, "TEST38", "TEST0038"), add(conn, "TEST39", "TEST0039")
    organisations.put_user(conn, one, "Zoë Teacher")
    organisations.put_user(conn, one, "A Clerk", disabled=True)
    assert [row.user_name for row in organisations.users(conn, one)] == ["A Clerk", "Zoë Teacher"]
    assert organisations.users(conn, other) == []
    assert organisations.user(conn, other, "A Clerk") is None
    enabled = {name: organisations.user_is_enabled(conn, one, name) for name in ("Zoë Teacher", "A Clerk", "Nobody")}
    assert enabled == {"Zoë Teacher": True, "A Clerk": False, "Nobody": False}
    organisations.put_user(conn, one, "A Clerk")
    assert organisations.user_is_enabled(conn, one, "A Clerk")
    assert not organisations.user_is_enabled(conn, other, "A Clerk")


def test_users_belong_to_an_organisation(conn):
    with pytest.raises(sa.exc.IntegrityError), conn.begin_nested():
        organisations.put_user(conn, 999, "Nobody's")
    assert conn.execute(sa.select(tables.organisation_user)).all() == []
