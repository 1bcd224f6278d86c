"""The types of settings that are more than a number or a word: what is read, and what it is made of."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Annotated

import pydantic
import pydantic_settings
import sqlalchemy
from sqlalchemy import exc

from lrs_soap.rules import hours as operational_hours

DATABASE_ALLOWED = "an SQLAlchemy URL of SQLite or PostgreSQL: sqlite:///file.sqlite, postgresql://user:password@host/name"
REPLICAS_ALLOWED = "URLs of PostgreSQL, for a database of PostgreSQL; a list in a file, with spaces between them elsewhere"
NETWORKS_ALLOWED = "addresses and networks with commas between them: 10.0.0.7, 192.0.2.0/24, 2001:db8::/64"
HEADER_ALLOWED = "the name of an HTTP header, or nothing"


def mask(database: str) -> str:
    """The database URL `database` as it may be shown: without its password, wherever in the URL that stands."""
    url = sqlalchemy.make_url(database)
    hidden = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def has_password(database: str) -> bool:
    """Whether the database URL holds a password; what is no URL might, if it is more than nothing."""
    try:
        url = sqlalchemy.make_url(database)
    except (exc.ArgumentError, ValueError):
        return bool(database)
    return url.password is not None or any("password" in name.lower() for name in url.query)


def _database(value: str) -> str:
    try:
        url = sqlalchemy.make_url(value)
    except (exc.ArgumentError, ValueError):
        raise ValueError(f"allowed is {DATABASE_ALLOWED}") from None
    if url.drivername in ("postgres", "postgresql"):
        # SQLAlchemy 2.0 and 2.1 disagree about the driver a bare "postgresql" means; ours is psycopg 3.
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ValueError(f"allowed is {DATABASE_ALLOWED}")
    if (url.database or "").startswith("file:") and url.query.get("mode") != "memory":
        # A URI of SQLite: what guards and copies the file looks for it by its path.
        raise ValueError(f"allowed is {DATABASE_ALLOWED}")
    return url.render_as_string(hide_password=False)


def _split(value: str | Sequence[str]) -> Sequence[str]:
    return value.split() if isinstance(value, str) else value


def _replica(value: str) -> str:
    url = _database(value)
    if not url.startswith("postgresql"):
        raise ValueError(f"allowed is {REPLICAS_ALLOWED}")
    return url


def _hours(value: str | operational_hours.Hours) -> operational_hours.Hours:
    return value if isinstance(value, operational_hours.Hours) else operational_hours.parse(str(value))


def _networks(value: str) -> str:
    return ", ".join(str(ipaddress.ip_network(part.strip())) for part in value.split(",") if part.strip())


def _header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]*", value):
        raise ValueError(f"allowed is {HEADER_ALLOWED}")
    return value.lower()


Database = Annotated[str, pydantic.AfterValidator(_database)]
Replicas = Annotated[
    tuple[Annotated[str, pydantic.AfterValidator(_replica)], ...],
    pydantic_settings.NoDecode,
    pydantic.BeforeValidator(_split),
    pydantic.PlainSerializer(" ".join),
]
Hours = Annotated[
    operational_hours.Hours,
    pydantic_settings.NoDecode,
    pydantic.PlainValidator(_hours),
    pydantic.PlainSerializer(str),
]
Networks = Annotated[str, pydantic.AfterValidator(_networks)]
Header = Annotated[str, pydantic.AfterValidator(_header)]
