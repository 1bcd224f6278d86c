"""OrgPassword: how it is kept (argon2id) and compared. No exception here repeats a password."""

import functools
import json

import argon2

from lrs_soap import errors, resources

LENGTH = 16  # MIAPOrgPassword of the contract: exactly 16 characters

# RFC 9106, second recommended option (64 MiB): 50-200 ms a check, so a caller remembers what it verified.
_HASHER = argon2.PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)


def cheapen() -> None:
    """From now on this process hashes in a moment: for registers that only tests use, whose passwords guard nothing.
    What was hashed so is as quick to verify, in any process."""
    global _HASHER
    _HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class UnusablePassword(errors.LrsError):
    """An OrgPassword has exactly 16 characters, and not only white space."""


class PublishedPassword(errors.LrsError):
    """Everybody can read this OrgPassword: it is one of the sandbox's, or one character repeated. Take another."""


class UnusableHash(errors.LrsError):
    """The stored hash of an OrgPassword is damaged: set the password again."""


def hash_password(password: str) -> str:
    """The argon2id hash of an OrgPassword, with its own salt, for `organisations.add` or `set_password`.

    Raises UnusablePassword for one that no request could carry.
    """
    if len(password) != LENGTH or not password.strip():
        raise UnusablePassword()
    return _HASHER.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Whether `password` is the one that was hashed; the comparison takes the same time wherever they differ.

    Raises UnusableHash when the stored text is not an argon2 hash.
    """
    try:
        return _HASHER.verify(password_hash, password)
    except argon2.exceptions.VerifyMismatchError:
        return False
    except (argon2.exceptions.InvalidHashError, argon2.exceptions.VerificationError):
        raise UnusableHash() from None


@functools.cache
def _published() -> frozenset[str]:
    rows = json.loads((resources.directory("fixtures") / "organisations.json").read_text(encoding="utf-8"))
    return frozenset(row["password"] for row in rows)


def is_published(password: str) -> bool:
    """Whether it is a password of the sandbox, which everybody can read: it opens nothing but a sandbox."""
    return password in _published()


def refuse_published(password: str) -> None:
    """Raises PublishedPassword for one of the sandbox's passwords and for one character repeated (P)."""
    if is_published(password) or len(set(password)) == 1:
        raise PublishedPassword()
