"""The register's database, as the commands that administer it use it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click
import sqlalchemy
from sqlalchemy import exc

from lrs_soap import settings
from lrs_soap.cli import exits
from lrs_soap.store import engine, organisations, schema

_TELLING = (exc.OperationalError, exc.InterfaceError)  # about connections and tables, not about rows

organisation_argument = click.argument("organisation", metavar="REF_OR_UKPRN")


@contextlib.contextmanager
def connection(database: str | None, create: bool = False) -> Iterator[sqlalchemy.Connection]:
    """A writing transaction on the register at `database` (None: as the settings say); create: make what it lacks.

    Ends the command when there is no register of this version, or it cannot be used.
    """
    with opened(database, create) as register, engine.write(register) as conn:
        yield conn


@contextlib.contextmanager
def opened(database: str | None, create: bool = False) -> Iterator[sqlalchemy.Engine]:
    """The register itself, for a command of many transactions; as `connection` else."""
    with exits.failing(exits.Exit.USAGE):
        url = settings.load(database=database).database
    with database_failures(url):
        if not create and is_missing(url):
            raise _no_register(url)
        register = engine.create(url)
        try:
            if create:
                schema.upgrade(register)
            elif not schema.is_current(register):
                raise _no_register(url)
            yield register
        finally:
            register.dispose()


@contextlib.contextmanager
def database_failures(url: str) -> Iterator[None]:
    """Ends the command when the database at `url` cannot be used in this block, saying why but not its password."""
    try:
        with exits.failing(exits.Exit.UNUSABLE):
            yield
    except exc.SQLAlchemyError as error:
        # The exception's own text holds the statement. The driver's first line says what is wrong, but only where no
        # value of a learner can stand in it.
        tells = isinstance(error, _TELLING) or type(error) is exc.DatabaseError  # a file that is broken, or is none
        said = str(getattr(error, "orig", None) or "") if tells else ""
        cause = (said.splitlines() or [type(error).__name__])[0]
        raise exits.Failure(f"{settings.mask(url)} cannot be used: {cause}", exits.Exit.UNUSABLE) from None


def is_missing(url: str) -> bool:
    """Whether the URL is that of a SQLite file that is not there."""
    # Looking into a SQLite file that is not there would make one.
    parts = sqlalchemy.make_url(url)
    return parts.get_backend_name() == "sqlite" and not (parts.database and Path(parts.database).exists())


def _no_register(url: str) -> exits.Failure:
    advice = "`lrs-soap org add` makes one, `lrs-soap serve` upgrades an older one"
    return exits.Failure(f"{settings.mask(url)} holds no register of this version: {advice}", exits.Exit.UNUSABLE)


def named(conn: sqlalchemy.Connection, organisation: str) -> organisations.Organisation:
    """The organisation with that OrganisationRef or UKPRN; ends the command if there is none."""
    found = organisations.by_reference(conn, organisation, None) or organisations.by_reference(conn, None, organisation)
    if found is None:
        raise exits.Failure(f"there is no organisation {organisation}: see `lrs-soap org list`", exits.Exit.NEGATIVE)
    return found
