"""Who may call, without HTTP: every way to be turned away, and what is remembered of passwords."""

import datetime
import types

import pytest

from lrs_soap import errors, passwords, settings
from lrs_soap.register import Call, Register
from lrs_soap.rules import access
from lrs_soap.rules.access import Right
from lrs_soap.store import engine, organisations
from lrs_soap.wire import auth

PASSWORD = "a-password-of-16"
OTHER = "another-password"
HASH = passwords.hash_password(PASSWORD)


def request(reference=None, ukprn=None, password=PASSWORD, user="M. Smith"):
    return types.SimpleNamespace(organisation_ref=reference, ukprn=ukprn, org_password=password, user_name=user)


@pytest.fixture
def open_register(database_url):
    opened = []

    def start(**chosen) -> Register:
        register = Register(settings.Settings(database=database_url, organisation_cache_seconds=0, **chosen))
        opened.append(register)
        if len(opened) == 1:
            with engine.write(register.engine) as connection:
                for reference, ukprn in (("COLL01", "10000001"), ("COLL02", "10000002")):
                    organisations.add(
                        connection, organisation_ref=reference, ukprn=ukprn, name="A college",
                        password_hash=HASH,
                        rights=frozenset({Right.FIND}), sandbox=False,
                    )  # fmt: skip
        return register

    yield start
    for register in opened:
        register.close()


def authenticate(register, asked, right=Right.FIND):
    call = Call(register=register, request_id="r")
    return auth.Authenticator(register).authenticate(call, asked, right)


@pytest.mark.parametrize(
    "names", [{"reference": "COLL01"}, {"ukprn": "10000001"}, {"reference": "COLL01", "ukprn": "10000001"}]
)
def test_either_name_or_both_will_do(open_register, names):
    caller = authenticate(open_register(), request(**names))
    assert (caller.reference, caller.user_name, caller.rights) == ("COLL01", "M. Smith", {Right.FIND})


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"reference": ""},
        {"reference": "NOBODY"},
        {"ukprn": "99999999"},
        {"reference": "COLL01", "ukprn": "10000002"},
        {"reference": "COLL01", "ukprn": "99999999"},
    ],
)
def test_no_or_contradictory_names_are_wsec0003(open_register, names):
    with pytest.raises(errors.UnknownOrganisation):
        authenticate(open_register(), request(**names))


def test_a_disabled_organisation_is_unknown(open_register):
    register = open_register()
    with engine.write(register.engine) as connection:
        organisation = organisations.by_reference(connection, "COLL01", None)
        organisations.disable(connection, organisation.id)
    with pytest.raises(errors.UnknownOrganisation):
        authenticate(register, request("COLL01"))


def test_a_wrong_password_is_wsec0005_and_is_not_repeated(open_register):
    with pytest.raises(errors.WrongPassword) as caught:
        authenticate(open_register(), request("COLL01", password=OTHER))
    assert OTHER not in repr(caught.value.__dict__) + str(caught.value)


def test_a_right_not_held_is_wsec0006(open_register):
    with pytest.raises(errors.NotAuthorised) as caught:
        authenticate(open_register(), request("COLL01"), Right.REGISTER)
    assert caught.value.reason == "right" and "register" in caught.value.further_details


def test_unknown_and_disabled_users_are_wsec0006_only_if_the_setting_says_so(open_register):
    assert authenticate(open_register(), request("COLL01", user="Anybody"))
    register = open_register(known_users_only=True)
    with pytest.raises(errors.NotAuthorised):
        authenticate(register, request("COLL01", user="Anybody"))
    with engine.write(register.engine) as connection:
        organisation = organisations.by_reference(connection, "COLL01", None)
        organisations.put_user(connection, organisation.id, "Anybody")
    assert authenticate(register, request("COLL01", user="Anybody"))
    with engine.write(register.engine) as connection:
        organisations.put_user(connection, organisation.id, "Anybody", disabled=True)
    with pytest.raises(errors.NotAuthorised):
        authenticate(register, request("COLL01", user="Anybody"))


def test_out_of_hours_is_wsec0004_before_anything_else(open_register, monkeypatch):
    register = open_register(hours="Mon-Fri 08:00-18:00")
    monday_evening = datetime.datetime(2026, 11, 23, 18, 30, tzinfo=datetime.timezone.utc)
    monkeypatch.setattr(register, "now", lambda: monday_evening)
    with pytest.raises(errors.OutOfHours):
        authenticate(register, request("NOBODY"))
    monkeypatch.setattr(register, "now", lambda: monday_evening.replace(hour=9))
    assert authenticate(register, request("COLL01"))


def test_a_verified_password_is_remembered_until_it_is_changed(open_register, monkeypatch):
    register = open_register()
    authenticator = auth.Authenticator(register)
    checks = []
    real = passwords.verify_password
    monkeypatch.setattr(passwords, "verify_password", lambda *given: checks.append(1) or real(*given))

    def call(password=PASSWORD):
        asked = request("COLL01", password=password)
        return authenticator.authenticate(Call(register=register, request_id="r"), asked, Right.FIND)

    call(), call()
    assert len(checks) == 1
    for _ in range(2):
        with pytest.raises(errors.WrongPassword):
            call(OTHER)
    assert len(checks) == 2, "what was wrong is wrong again, and is not computed again"
    with engine.write(register.engine) as connection:
        organisation = organisations.by_reference(connection, "COLL01", None)
        organisations.set_password(connection, organisation.id, passwords.hash_password(OTHER))
    with pytest.raises(errors.WrongPassword):
        call()
    assert call(OTHER)
    assert PASSWORD not in repr(authenticator.__dict__) and OTHER not in repr(authenticator.__dict__)


def test_rights_read_and_write_as_words():
    assert access.parse("all") == access.ALL
    assert access.render(access.parse("verify, find")) == "find verify"
    with pytest.raises(ValueError, match="'fly' is not a right"):
        access.parse("find fly")
