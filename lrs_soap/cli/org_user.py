"""lrs-soap org user: the MIS users an organisation has named. They matter when known_users_only is set."""

import click

from lrs_soap.cli import exits, options, output, register
from lrs_soap.store import organisations


@click.group(epilog="Example: lrs-soap org user add COLL01 'J. Smith'")
def user() -> None:
    """The users of an organisation; `known_users_only` turns all others away."""


@user.command()
@register.organisation_argument
@click.argument("user_name")
@options.database_option
@options.json_option
def add(organisation, user_name, database, as_json) -> None:
    """Make USER_NAME known as a user of the organisation, or enable that user again."""
    if not user_name.strip() or len(user_name) > 35:
        # MIAPNameNonEmpty: no request could carry another.
        raise click.UsageError("a user name has 1 to 35 characters, not only spaces")
    with register.connection(database) as conn:
        found = register.named(conn, organisation)
        organisations.put_user(conn, found.id, user_name)
    output.done(as_json, f"{user_name} may call for {found.organisation_ref}",
                organisation_ref=found.organisation_ref, user_name=user_name, enabled=True)


@user.command()
@register.organisation_argument
@click.argument("user_name")
@options.database_option
@options.json_option
def disable(organisation, user_name, database, as_json) -> None:
    """Keep USER_NAME from calling."""
    with register.connection(database) as conn:
        found = register.named(conn, organisation)
        if organisations.user(conn, found.id, user_name) is None:
            raise exits.Failure(f"{found.organisation_ref} has no user {user_name!r}", exits.Exit.NEGATIVE)
        organisations.put_user(conn, found.id, user_name, disabled=True)
    output.done(as_json, f"{user_name} may not call for {found.organisation_ref}",
                organisation_ref=found.organisation_ref, user_name=user_name, enabled=False)


@user.command("list")
@register.organisation_argument
@options.database_option
@options.json_option
def list_(organisation, database, as_json) -> None:
    """List the users of the organisation."""
    with register.connection(database) as conn:
        found = organisations.users(conn, register.named(conn, organisation).id)
    rows = [{"user_name": one.user_name, "enabled": one.disabled_at is None} for one in found]
    if as_json:
        output.as_json(rows)
    else:
        output.table(["user", "state"], [[r["user_name"], "enabled" if r["enabled"] else "disabled"] for r in rows])
