import pytest

from lrs_soap import passwords

PASSWORD = "correct-horse-16"


def test_a_password_is_known_again_and_another_is_not():
    stored = passwords.hash_password(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored
    assert passwords.verify_password(stored, PASSWORD)
    assert not passwords.verify_password(stored, "Correct-horse-16")
    assert not passwords.verify_password(stored, "")


def test_every_hash_has_its_own_salt():
    assert passwords.hash_password(PASSWORD) != passwords.hash_password(PASSWORD)


@pytest.mark.parametrize("password", ["", "fifteen-letters", "seventeen-letters", " " * 16])
def test_a_password_no_request_could_carry_is_refused(password):
    with pytest.raises(passwords.UnusablePassword) as refusal:
        passwords.hash_password(password)
    assert not password.strip() or password not in str(refusal.value)


@pytest.mark.parametrize("damaged", ["", "plain", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA"])
def test_a_damaged_hash_is_an_error_and_not_a_wrong_password(damaged):
    with pytest.raises(passwords.UnusableHash):
        passwords.verify_password(damaged, PASSWORD)
