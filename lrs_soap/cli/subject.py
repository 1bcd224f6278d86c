"""lrs-soap subject: everything the register holds about one ULN, for the person whose it is."""

import datetime

import click

from lrs_soap.cli import auditoptions, exits, options, output


@click.command(epilog="Example: lrs-soap subject 4123001008 --reason 'request 2026-17' --output 2026-17.json")
@click.argument("uln", metavar="ULN", type=auditoptions.Uln())
@click.option("--reason", required=True, help="Why, for the audit trail: the number of the request. Name nobody in it.")
@click.option("--output", "target", type=click.Path(dir_okay=False, writable=True), default="-", metavar="FILE",
              help="Where to write, readable by you alone [default: standard output].")
@options.operator_option
@options.database_option
@exits.handles()
def subject(uln, reason, target, operator, database) -> None:
    """Write all that is held about a ULN as JSON, for the person who asks for it (subject access).

    Its details and their earlier versions, decisions, learning events, batches that name it, and who looked at it. A
    learner that was merged has several ULNs: linked_ulns and master_uln name them; ask for each. The look is audited.
    """
    from lrs_soap.cli import auditexport, register
    from lrs_soap.operations import trail
    from lrs_soap.store import subject as subjects

    if not reason.strip():
        raise click.UsageError("give a reason: the audit trail has nothing else")
    with register.connection(database) as conn:
        held = subjects.held(conn, uln)
        trail.note(conn, "subject", operator, reason=reason.strip(), ulns=() if held is None else (uln,))
    if held is None:
        raise exits.Failure(f"there is no learner {uln}", exits.Exit.NEGATIVE)
    now = datetime.datetime.now(datetime.UTC)
    with auditexport.opened(target) as file:
        file.write(output.text({"uln": uln, "written_at": now, **held}) + "\n")
