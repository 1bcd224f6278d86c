"""The organisations that may call, and their users."""

import dataclasses
import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from lrs_soap import errors
from lrs_soap.rules import access, passwords
from lrs_soap.store import tables, tables_access


class OrganisationExists(errors.LrsError):
    """An organisation with that OrganisationRef or UKPRN is in the register already."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation of the register. `disabled_at` is None while it may call."""

    id: int
    organisation_ref: str
    ukprn: str
    name: str
    password_hash: str = dataclasses.field(repr=False)
    rights: frozenset[access.Right]
    sandbox: bool
    created_at: datetime.datetime
    disabled_at: datetime.datetime | None
    terms: passwords.Terms = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user an organisation has named. `disabled_at` is None while the user may call."""

    user_name: str
    created_at: datetime.datetime
    disabled_at: datetime.datetime | None


_O = tables.organisation
_U = tables.organisation_user
_P = tables_access.organisation_password
_TERMS = (_P.c.password_expires_at, _P.c.former_password_hash, _P.c.former_password_until)
_ORGANISATION = sa.select(
    *(_O.c[field.name] for field in dataclasses.fields(Organisation) if field.name != "terms"), *_TERMS
).select_from(_O.outerjoin(_P))
_REF_IS = _O.c.organisation_ref == sa.bindparam("organisation_ref")
_UKPRN_IS = _O.c.ukprn == sa.bindparam("ukprn")
_BY_REF = _ORGANISATION.where(_REF_IS)
_BY_UKPRN = _ORGANISATION.where(_UKPRN_IS)
_BY_BOTH = _ORGANISATION.where(_REF_IS, _UKPRN_IS)
_LIST = _ORGANISATION.order_by(_O.c.organisation_ref)
_UPDATE = sa.update(_O).where(_O.c.id == sa.bindparam("of_id"))
_SET_PASSWORD = _UPDATE.values(password_hash=sa.bindparam("password_hash"))
_CLEAR_TERMS = sa.delete(_P).where(_P.c.organisation_id == sa.bindparam("of_id"))
_SET_DISABLED = _UPDATE.values(disabled_at=sa.bindparam("disabled_at"))
_ADD = {
    name: dialect.insert(_O).on_conflict_do_nothing().returning(_O.c.id)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_USER = sa.select(_U.c.user_name, _U.c.created_at, _U.c.disabled_at).where(
    _U.c.organisation_id == sa.bindparam("organisation_id")
)
_USER_NAMED = _USER.where(_U.c.user_name == sa.bindparam("user_name"))
_USERS = _USER.order_by(_U.c.user_name)


def _put_user(dialect):
    insert = dialect.insert(_U)
    return insert.on_conflict_do_update(
        index_elements=["organisation_id", "user_name"], set_={"disabled_at": insert.excluded.disabled_at}
    )


_PUT_USER = {"sqlite": _put_user(sqlite), "postgresql": _put_user(postgresql)}


def _organisation(row) -> Organisation:
    values = row._asdict()
    terms = passwords.Terms(*(values.pop(column.name) for column in _TERMS))
    return Organisation(**values | {"rights": access.parse(values["rights"]), "terms": terms})


def by_reference(conn: Connection, organisation_ref: str | None, ukprn: str | None) -> Organisation | None:
    """The organisation a request names, also a disabled one.

    P: None if neither is given, if it is not known, or if the two name different organisations.
    """
    if organisation_ref and ukprn:
        statement, values = _BY_BOTH, {"organisation_ref": organisation_ref, "ukprn": ukprn}
    elif organisation_ref:
        statement, values = _BY_REF, {"organisation_ref": organisation_ref}
    elif ukprn:
        statement, values = _BY_UKPRN, {"ukprn": ukprn}
    else:
        return None
    row = conn.execute(statement, values).first()
    return _organisation(row) if row is not None else None


def list_all(conn: Connection) -> list[Organisation]:
    """Every organisation, by OrganisationRef."""
    return [_organisation(row) for row in conn.execute(_LIST)]


def add(
    conn: Connection,
    *,
    organisation_ref: str,
    ukprn: str,
    name: str,
    password_hash: str,
    rights: frozenset[access.Right],
    sandbox: bool = False,
) -> int:
    """Adds an organisation and gives its id. password_hash: from `passwords.hash_password`.

    Raises OrganisationExists, and the transaction stays usable.
    """
    new_id = conn.execute(
        _ADD[conn.dialect.name],
        {
            "organisation_ref": organisation_ref,
            "ukprn": ukprn,
            "name": name,
            "password_hash": password_hash,
            "rights": access.render(rights),
            "sandbox": sandbox,
            "created_at": _now(),
        },
    ).scalar()
    if new_id is None:
        raise OrganisationExists()
    return new_id


def set_password(
    conn: Connection, organisation_id: int, password_hash: str, terms: passwords.Terms = passwords.NO_TERMS
) -> bool:
    """Replaces the hash of an organisation's OrgPassword, and what passwords are bound by (`rules.passwords.rotated`
    gives it); False if there is no such organisation."""
    if not conn.execute(_SET_PASSWORD, {"of_id": organisation_id, "password_hash": password_hash}).rowcount:
        return False
    conn.execute(_CLEAR_TERMS, {"of_id": organisation_id})
    if any(terms):
        conn.execute(
            sa.insert(_P),
            {"organisation_id": organisation_id} | {column.name: term for column, term in zip(_TERMS, terms, strict=True)},
        )
    return True


def disable(conn: Connection, organisation_id: int) -> bool:
    """Keeps an organisation from calling; what it did stays. False if there is no such organisation."""
    return bool(conn.execute(_SET_DISABLED, {"of_id": organisation_id, "disabled_at": _now()}).rowcount)


def enable(conn: Connection, organisation_id: int) -> bool:
    """Lets a disabled organisation call again; False if there is no such organisation."""
    return bool(conn.execute(_SET_DISABLED, {"of_id": organisation_id, "disabled_at": None}).rowcount)


def user(conn: Connection, organisation_id: int, user_name: str) -> User | None:
    """The user of that name, if the organisation has named one."""
    row = conn.execute(_USER_NAMED, {"organisation_id": organisation_id, "user_name": user_name}).first()
    return User(**row._asdict()) if row is not None else None


def user_is_enabled(conn: Connection, organisation_id: int, user_name: str) -> bool:
    """Whether the organisation has named this user and not disabled it."""
    found = user(conn, organisation_id, user_name)
    return found is not None and found.disabled_at is None


def users(conn: Connection, organisation_id: int) -> list[User]:
    """The users an organisation has named, by name."""
    return [User(**row._asdict()) for row in conn.execute(_USERS, {"organisation_id": organisation_id})]


def put_user(conn: Connection, organisation_id: int, user_name: str, disabled: bool = False) -> None:
    """Makes a user of the organisation known, or enables or disables the one of that name."""
    now = _now()
    conn.execute(
        _PUT_USER[conn.dialect.name],
        {
            "organisation_id": organisation_id,
            "user_name": user_name,
            "created_at": now,
            "disabled_at": now if disabled else None,
        },
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
