"""lrs-soap conform: the conformance suite against any LearnerService."""

import datetime
import sys
import time
from pathlib import Path

import click

from lrs_soap.cli import exits, options, output

_MOST_SHOWN = 50  # P: failures on a terminal; who has more has the wrong URL, or wants a report
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog="Exit codes: 0 every case that ran passed; 1 at least one failed; 2 the command or the target file is not "
    "valid; 4 nothing answers at the URL. Example: lrs-soap conform http://127.0.0.1:8080 --html report.html"
)
@click.argument("url", required=False)
@click.option("--html", type=_FILE, help="Write one self-contained page: each case with its request and reply.")
@click.option("--junit", type=_FILE, help="Write JUnit XML.")
@click.option("--read-only", is_flag=True, help="Register and change nothing; cases that would are not run.")
@click.option("--documented-only", is_flag=True, help="Leave out the cases that prove this project's own rules (P).")
@click.option("--target", type=_FILE, help="TOML file of credentials and known learners [default: the sandbox's].")
@click.option("--list", "listing", is_flag=True, help="Say what would be done, and send nothing.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Only cases whose id fits, as in 'find-*', or of a part.")
@click.option("--organisation-ref", envvar="LRS_ORGANISATION_REF", show_envvar=True, help="OrganisationRef of the caller.")
@click.option("--ukprn", envvar="LRS_UKPRN", show_envvar=True, help="UKPRN of the caller.")
@click.option("--org-password", "--password", envvar="LRS_ORG_PASSWORD", show_envvar=True,
              help="OrgPassword. Others on this machine can see it here: prefer the environment or the target file.")
@click.option("--password-stdin", is_flag=True, help="Read OrgPassword from standard input.")
@click.option("--user-name", "--user", envvar="LRS_USER_NAME", show_envvar=True, help="UserName of the calls.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=20.0, show_default=True,
              help="Seconds to wait for each answer.")
@click.option("--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Cases at a time.")
@click.option("--client-certificate", envvar="LRS_CLIENT_CERTIFICATE", show_envvar=True, metavar="FILE",
              help="PEM file of the TLS client certificate, with its key or beside --client-key.")
@click.option("--client-key", envvar="LRS_CLIENT_KEY", show_envvar=True, metavar="FILE", help="PEM file of its key.")
@click.option("--ca-bundle", envvar="LRS_CA_BUNDLE", show_envvar=True, metavar="FILE",
              help="PEM file of the authorities to trust instead of the usual ones.")
@click.option("--markdown", is_flag=True, hidden=True)
@options.json_option
@exits.handles()
def conform(url, html, junit, read_only, documented_only, target, listing, only, organisation_ref, ukprn, org_password,
            password_stdin, user_name, timeout, parallel, client_certificate, client_key, ca_bundle, markdown,
            as_json) -> None:  # fmt: skip
    """Try the conformance suite on the LearnerService at URL, ours or another.

    It asks what the Basic Profile, the contract and the service's behaviour say, and shows case by case what came. A
    full run registers, updates and submits batches of invented people: on a service with real learners use --read-only.
    """
    # The suite imports zeep and two schema processors, which --help need not wait for.
    from lrs_soap.conformance import catalogue, document, mask, opening, reports, runner
    from lrs_soap.conformance import target as targets

    if markdown:
        click.echo(document.page(), nl=False)
        return
    if password_stdin:
        org_password = sys.stdin.readline().rstrip("\r\n")
    about = targets.load(target, organisation_ref=organisation_ref, ukprn=ukprn, org_password=org_password,
                         user_name=user_name)  # fmt: skip
    cases = runner.chosen(catalogue.cases(about), documented_only=documented_only, only=only)
    if not cases:
        raise click.UsageError("no case fits")
    if url is None and not listing:
        raise click.UsageError("where is the service? Give its URL")
    session = opening.session(
        url or "http://127.0.0.1", about, read_only=read_only, timeout=timeout, client_certificate=client_certificate,
        client_key=client_key, ca_bundle=ca_bundle,
    )  # fmt: skip
    if listing:
        _list(cases, session, as_json)
        return
    for path in (html, junit):
        if path is not None and not path.parent.is_dir():
            raise click.UsageError(f"{path.parent} is not a directory")
    try:
        odd = opening.look(session)
    except opening.CannotBegin as error:
        raise exits.Failure(str(error), exits.Exit.UNREACHABLE) from None
    masker = mask.Masker(about.secrets)
    if odd:
        click.echo(masker.text(odd), err=True)
    at, started = datetime.datetime.now(datetime.UTC), time.monotonic()
    results = _run(cases, session, parallel)
    mode = ", ".join(word for word, said in (("read-only", read_only), ("documented rules only", documented_only)) if said)
    run = reports.Run(url=session.url, mode=mode or "all cases", at=at, seconds=time.monotonic() - started, results=results)
    if html is not None:
        html.write_text(reports.html(run, masker), encoding="utf-8")
    if junit is not None:
        junit.write_bytes(reports.junit(run, masker))
    _show(run, masker, as_json)
    if run.broken() or not run.number(runner.Verdict.PASSED):
        click.get_current_context().exit(exits.Exit.NEGATIVE)


def _run(cases, session, parallel):
    """The results, with a bar on a terminal while they come."""
    from rich import console, progress

    from lrs_soap.conformance import runner

    with progress.Progress(console=console.Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("conformance", total=len(cases))
        return runner.run(cases, session, parallel=parallel, done=lambda result: bar.advance(task))


def _list(cases, session, as_json: bool) -> None:
    from lrs_soap.conformance import runner

    rows = [(row, runner.obstacle(row, session)) for row in cases]
    if as_json:
        output.as_json(
            [{"id": row.id, "part": str(row.part), "title": row.title, "clause": row.clause, "basis": row.basis,
              "writes": row.writes, "not_run": obstacle or None} for row, obstacle in rows]
        )  # fmt: skip
        return
    writing = sum(row.writes and not obstacle for row, obstacle in rows)
    click.echo(
        f"{len(rows)} cases, {sum(not obstacle for _, obstacle in rows)} of which would run"
        + (f"; {writing} of them may register or change invented learners" if writing else "; none changes anything")
        + ". Nothing was sent.\n"
    )
    output.table(
        ["part", "case", "clause", "basis", "writes", "what it proves", "not run because"],
        [[row.part, row.id, row.clause, row.basis, "yes" if row.writes else "", row.title, obstacle] for row, obstacle in rows],
    )


def _show(run, masker, as_json: bool) -> None:
    from lrs_soap.conformance import case

    rows = [
        {"id": result.case.id, "part": str(result.case.part), "clause": result.case.clause, "basis": result.case.basis,
         "title": result.case.title, "verdict": str(result.verdict), "reason": masker.text(result.reason) or None}
        for result in run.results
    ]  # fmt: skip
    if as_json:
        output.as_json({"url": masker.url(run.url), "mode": run.mode, "seconds": round(run.seconds, 1),
                        "counts": run.counts(), "cases": rows})  # fmt: skip
        return
    broken = [row for row in rows if row["verdict"] in (case.Verdict.FAILED, case.Verdict.ERROR)]
    for row in broken[:_MOST_SHOWN]:
        click.echo(f"{row['verdict'].upper()} {row['id']} [{row['clause']}; {row['basis']}] {row['title']}\n    {row['reason']}")
    if len(broken) > _MOST_SHOWN:
        click.echo(f"... and {len(broken) - _MOST_SHOWN} more: --html, --junit and --json have all of them")
    if broken:
        click.echo("")
    output.table(["part", *map(str, case.Verdict)], [[part, *map(str, counted.values())] for part, counted in run.counts().items()])
    reasons = sorted({row["reason"] for row in rows if row["verdict"] == case.Verdict.NOT_RUN and row["reason"]})
    if reasons:
        click.echo("\nNot run: " + "; ".join(reasons[:5]) + ("; ..." if len(reasons) > 5 else ""))
    click.echo(f"\n{masker.url(run.url)}: {run.outcome()} in {run.seconds:.1f} s ({run.mode})")
