"""lrs-soap org certificate: the TLS client certificates of an organisation (docs/tls.md)."""

from pathlib import Path

import click

from lrs_soap.cli import exits, moments, options, output, register
from lrs_soap.rules import certificates as rules
from lrs_soap.store import certificates


@click.group(epilog="Example: lrs-soap org certificate add COLL01 --file college.pem")
def certificate() -> None:
    """The TLS client certificates of an organisation; they matter when tls_client_certificates is set."""


@certificate.command(epilog="Example: lrs-soap org certificate add COLL01 --file college.pem --valid-until 2027-08-31")
@register.organisation_argument
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="PEM file of the certificate; this very certificate is meant, unless --by-subject.")
@click.option("--by-subject", is_flag=True,
              help="Any certificate with the subject of the one in --file, from the same issuer: also renewed ones.")
@click.option("--fingerprint", help="SHA-256 of the certificate: 64 hexadecimal digits, with colons or without.")
@click.option("--subject", help="Subject as in RFC 4514, such as 'CN=mis.example,O=A College,C=GB'.")
@click.option("--issuer", help="With --subject: the issuer, as in RFC 4514; without it, any that is trusted.")
@click.option("--valid-from", type=moments.Day(), help="Not accepted before this day.")
@click.option("--valid-until", type=moments.Day(end=True), help="Not accepted after this day.")
@options.database_option
@options.json_option
@exits.handles()
def add(organisation, valid_from, valid_until, database, as_json, **names) -> None:
    """Let a certificate stand for the organisation, which may have several.

    One certificate stands for one organisation. Its own validity counts too.
    """
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise click.UsageError("--valid-until is before --valid-from")
    try:
        names = _names(**names)
    except rules.NotACertificate as error:
        raise click.UsageError(str(error)) from None
    with register.connection(database) as conn:
        found = register.named(conn, organisation)
        try:
            number = certificates.add(conn, found.id, **names, valid_from=valid_from, valid_until=valid_until)
        except certificates.CertificateExists as error:
            raise exits.Failure(str(error), exits.Exit.NEGATIVE) from None
    output.done(as_json, f"added certificate {number} of {found.organisation_ref}: {_what(names)}",
                organisation_ref=found.organisation_ref, id=number, **names)


def _names(
    file: Path | None, by_subject: bool, fingerprint: str | None, subject: str | None, issuer: str | None
) -> dict[str, str]:
    """What `certificates.add` takes to know the certificate by."""
    if sum(value is not None for value in (file, fingerprint, subject)) != 1:
        raise click.UsageError("give one of --file, --fingerprint and --subject")
    if (by_subject and file is None) or (issuer is not None and subject is None):
        raise click.UsageError("--by-subject goes with --file, and --issuer with --subject")
    if fingerprint is not None:
        return {"fingerprint": rules.fingerprint(fingerprint)}
    if subject is not None:
        return {"subject": rules.name(subject), "issuer": rules.name(issuer) if issuer is not None else ""}
    try:
        read = rules.from_pem(file.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        raise rules.NotACertificate(f"{file} cannot be read as a PEM file") from None
    if not by_subject:
        return {"fingerprint": read.fingerprint}
    if not read.subject:
        raise rules.NotACertificate(f"the certificate in {file} has no subject that could be compared")
    return {"subject": read.subject, "issuer": read.issuer}


def _what(row: dict) -> str:
    if row.get("fingerprint"):
        return f"SHA-256 {row['fingerprint']}"
    return f"subject {row['subject']}" + (f", issuer {row['issuer']}" if row.get("issuer") else ", any trusted issuer")


@certificate.command("list", epilog="Example: lrs-soap org certificate list COLL01")
@register.organisation_argument
@options.database_option
@options.json_option
def list_(organisation, database, as_json) -> None:
    """List the certificates of the organisation, with the numbers that `remove` takes."""
    with register.connection(database) as conn:
        found = certificates.of_organisation(conn, register.named(conn, organisation).id)
    rows = [
        {"id": one.id, "fingerprint": one.fingerprint, "subject": one.subject, "issuer": one.issuer or None,
         "valid_from": moments.first_day(one.valid_from), "valid_until": moments.last_day(one.valid_until)}
        for one in found
    ]  # fmt: skip
    if as_json:
        output.as_json(rows)
        return
    output.table(["id", "certificate", "from", "until"],
                 [[str(row["id"]), _what(row), row["valid_from"], row["valid_until"]] for row in rows])


@certificate.command(epilog="Example: lrs-soap org certificate remove COLL01 3")
@register.organisation_argument
@click.argument("id_", metavar="ID", type=int)
@options.database_option
@options.json_option
def remove(organisation, id_, database, as_json) -> None:
    """Take a certificate from the organisation: within seconds no call with it is answered."""
    with register.connection(database) as conn:
        found = register.named(conn, organisation)
        if not certificates.remove(conn, found.id, id_):
            raise exits.Failure(f"{found.organisation_ref} has no certificate {id_}", exits.Exit.NEGATIVE)
    output.done(as_json, f"removed certificate {id_} of {found.organisation_ref}",
                organisation_ref=found.organisation_ref, id=id_)
