"""lrs-soap org: the organisations of a register, their OrgPasswords and users."""

import datetime
import re
import secrets
import string
import sys

import click

from lrs_soap import contract, passwords
from lrs_soap.cli import exits, moments, options, org_certificate, org_user, output, register
from lrs_soap.rules import access
from lrs_soap.rules import passwords as terms
from lrs_soap.store import organisations


class _Rights(click.ParamType):
    name = "rights"

    def convert(self, value, param, ctx):
        try:
            return value if isinstance(value, frozenset) else access.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Formatted(click.ParamType):
    """A value that a simple type of the contract accepts."""

    name = "text"

    def __init__(self, type_name: str, words: str):
        self.type, self.words = contract.SIMPLE_TYPES[type_name], words

    def convert(self, value, param, ctx):
        if not any(re.fullmatch(pattern, value) for pattern in self.type.patterns):
            self.fail(f"{value!r} is not {self.words}", param, ctx)
        return value


def _password_options(function):
    expires = click.option("--expires", type=moments.Day(end=True), help="The last day on which the password works.")
    function = expires(function)
    function = click.option("--generate", is_flag=True, help="Make a password and print it, once.")(function)
    return click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")(function)


def _password(password_stdin: bool, generate: bool) -> str:
    if password_stdin and generate:
        raise click.UsageError("give --password-stdin or --generate, not both")
    if generate:
        return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(passwords.LENGTH))
    if password_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        given = click.prompt(f"OrgPassword ({passwords.LENGTH} characters)", hide_input=True, confirmation_prompt=True)
    else:
        raise click.UsageError("no terminal to ask for the password on: give --password-stdin or --generate")
    passwords.refuse_published(given)
    return given


@click.group(epilog="Example: lrs-soap org add --organisation-ref COLL01 --ukprn 10001234 --name 'A College' --generate")
def org() -> None:
    """The organisations that may call the service, in the register's database."""


@org.command(epilog="Example: lrs-soap org add --organisation-ref AWRD01 --ukprn 10001235 --name 'An Awarding Body'"
                    " --rights find,verify,report --generate")
@click.option("--organisation-ref", required=True, type=_Formatted("MIAPOrganisationRef", "6 letters and digits"),
              help="OrganisationRef, 6 letters and digits.")
@click.option("--ukprn", required=True, type=_Formatted("MIAPUKPRN", "8 letters and digits"),
              help="UKPRN, 8 letters and digits.")
@click.option("--name", required=True, help="The name of the organisation.")
@click.option("--rights", type=_Rights(), default="all", show_default=True,
              help=f"What it may do: all, or some of {','.join(access.Right)}.")
@_password_options
@options.database_option
@options.json_option
@exits.handles()
def add(organisation_ref, ukprn, name, rights, password_stdin, generate, expires, database, as_json) -> None:
    """Add an organisation; makes the register's tables if the database has none.

    Its OrgPassword, 16 characters, is asked for, read from standard input, or made. Only a hash of it is kept.
    """
    password = _password(password_stdin, generate)
    password_hash = passwords.hash_password(password)
    with register.connection(database, create=True) as conn:
        try:
            new = organisations.add(
                conn, organisation_ref=organisation_ref, ukprn=ukprn, name=name, password_hash=password_hash, rights=rights
            )
            if expires is not None:
                organisations.set_password(conn, new, password_hash, terms.Terms(expires))
        except organisations.OrganisationExists as error:
            raise exits.Failure(str(error), exits.Exit.NEGATIVE) from None
    shown = {"org_password": password} if generate else {}
    output.done(as_json, f"added {organisation_ref}" + _told(shown), organisation_ref=organisation_ref, ukprn=ukprn, **shown)


def _told(shown: dict[str, str]) -> str:
    return f"; its OrgPassword is {shown['org_password']}" if shown else ""


@org.command("list")
@options.database_option
@options.json_option
def list_(database, as_json) -> None:
    """List the organisations of the register, and warn of passwords that have expired or soon will."""
    now = datetime.datetime.now(datetime.UTC)
    with register.connection(database) as conn:
        found = organisations.list_all(conn)
    for one in found:
        if one.disabled_at is None and (words := terms.warning(one.terms, now)):
            click.echo(f"Warning: {one.organisation_ref}: {words}", err=True)
    rows = [
        {"organisation_ref": o.organisation_ref, "ukprn": o.ukprn, "name": o.name, "rights": sorted(map(str, o.rights)),
         "enabled": o.disabled_at is None, "sandbox": o.sandbox,
         "password_expires": moments.last_day(o.terms.expires_at),
         "former_password_until": _time(o.terms.former_until, now)}
        for o in found
    ]
    if as_json:
        output.as_json(rows)
        return
    output.table(
        ["OrganisationRef", "UKPRN", "name", "rights", "state", "password until"],
        [[r["organisation_ref"], r["ukprn"], r["name"],
          "all" if o.rights == access.ALL else " ".join(r["rights"]), "enabled" if r["enabled"] else "disabled",
          (r["password_expires"] or "")
          + (f" (the one before until {r['former_password_until']})" if r["former_password_until"] else "")]
         for r, o in zip(rows, found, strict=True)],
    )


def _time(moment: datetime.datetime | None, now: datetime.datetime) -> str | None:
    return None if moment is None or moment <= now else moment.isoformat(" ", "minutes")


@org.command(epilog="Example: lrs-soap org password COLL01 --generate --overlap 7d --expires 2027-08-31")
@register.organisation_argument
@_password_options
@click.option("--overlap", type=moments.Duration(terms.LONGEST_OVERLAP), default=datetime.timedelta(),
              help=f"How long the old password works too: 30m, 12h, 7d; at most {terms.LONGEST_OVERLAP.days}d.")
@options.database_option
@options.json_option
@exits.handles()
def password(organisation, password_stdin, generate, expires, overlap, database, as_json) -> None:
    """Give an organisation a new OrgPassword.

    The old one stops working within seconds, or with --overlap when that is over. With --expires the new one ends too.
    """
    new = _password(password_stdin, generate)
    password_hash = passwords.hash_password(new)
    with register.connection(database) as conn:
        found = register.named(conn, organisation)
        now = datetime.datetime.now(datetime.UTC)
        bound = terms.rotated(found.password_hash, found.terms, now, overlap, expires)
        organisations.set_password(conn, found.id, password_hash, bound)
    shown = {"org_password": new} if generate else {}
    until = _time(bound.former_until, now)
    words = f"changed the OrgPassword of {found.organisation_ref}" + _told(shown)
    output.done(as_json, words + (f"; the one before works until {until}" if until else ""),
                organisation_ref=found.organisation_ref, former_password_until=until, **shown)


def _switch(organisation: str, database: str | None, as_json: bool, enabled: bool) -> None:
    with register.connection(database) as conn:
        found = register.named(conn, organisation)
        (organisations.enable if enabled else organisations.disable)(conn, found.id)
    output.done(as_json, f"{'enabled' if enabled else 'disabled'} {found.organisation_ref}",
                organisation_ref=found.organisation_ref, enabled=enabled)


@org.command()
@register.organisation_argument
@options.database_option
@options.json_option
def disable(organisation, database, as_json) -> None:
    """Keep an organisation from calling. What it did stays."""
    _switch(organisation, database, as_json, enabled=False)


@org.command()
@register.organisation_argument
@options.database_option
@options.json_option
def enable(organisation, database, as_json) -> None:
    """Let a disabled organisation call again."""
    _switch(organisation, database, as_json, enabled=True)


org.add_command(org_user.user)
org.add_command(org_certificate.certificate)
