"""lrs-soap batch: batch files, from an empty one to what became of its learners."""

import collections
import datetime
from pathlib import Path

import click

from lrs_soap.batchfile import layout, new, outputs, source, state, submission, validation
from lrs_soap.cli import connection, exits, options, output, report
from lrs_soap.codes import BatchJobType, ResponseCode

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_job_type = click.option("--job-type", type=click.Choice([str(member) for member in BatchJobType]), default=None,
                         help="FUL finds, updates and registers; CHK only finds. [default: an XML file's own, or FUL]")
_directory = click.option("--directory", type=click.Path(exists=True, file_okay=False, path_type=Path),
                          help="Where the output and exceptions files go. [default: beside the file]")
_wait = click.option("--wait", is_flag=True, help="Wait until the service has finished.")


@click.group()
def batch() -> None:
    """Batch files, CSV version 2A or XML: make, validate, submit, and take back what became of the learners."""


@batch.command(epilog="Example: lrs-soap batch validate LRB_10001234_231120260915.CSV")
@_file
@_job_type
@options.json_option
def validate(file: Path, job_type: str | None, as_json: bool) -> None:
    """Tell everything that is wrong with a batch file, without a service.

    Each error says where it is, the value, the rule and what to do. "effect" says what it means: "file", nothing can
    be sent; "learner", all but this learner can; "service", the service may refuse the learner. The exit code is 0
    when nothing is wrong, else 1.
    """
    found = validation.validate(file, datetime.date.today(), _chosen(file, job_type))
    number = report.problems(found, as_json)
    exits.leave(exits.Exit.NEGATIVE if number else exits.Exit.DONE)


@batch.command(epilog="Example: lrs-soap batch submit LRB_10001234_231120260915.CSV --wait")
@_file
@_job_type
@click.option("--strict", is_flag=True, help="Send nothing if anything at all is wrong with the file.")
@_wait
@_directory
@connection.connecting
@exits.handles(exits.Exit.NEGATIVE)
def submit(connect, file: Path, job_type: str | None, strict: bool, wait: bool, directory: Path | None, as_json: bool):
    """Send a batch file of up to 5,000 learners, in as many calls of 200 as it takes.

    A learner whose values the service could not read is not sent; the exceptions file tells which and why. After an
    interruption the same command goes on where it stopped: FILE.submission.json remembers how far it was. --wait also
    writes the output, as `lrs-soap batch output` does.
    """
    with connect() as service:
        held = _begin(file, service, _chosen(file, job_type), strict, as_json)
        already = held.complete
        with report.bar("Submitting", sum(call.count for call in held.calls), as_json) as advance:
            for step in submission.send(file, held, service.submit_batch_registration):
                advance(step.done)
                if step.again:
                    click.echo(f"job {held.job_ids[-1]}: sent again, because its first answer was lost", err=True)
        if wait:
            _write(file, held, service, True, directory, as_json)
            return
    sent = sum(call.count for call in held.calls)
    said = "was submitted before" if already else "submitted"
    output.done(
        as_json,
        f"{file.name} {said}: {sent} of {held.learners} learners in {len(held.calls)} calls. "
        f"Next: lrs-soap batch output {file}",
        file=file.name, learners=held.learners, sent=sent, job_ids=held.job_ids,
    )  # fmt: skip


@batch.command(epilog="Example: lrs-soap batch status LRB_10001234_231120260915.CSV")
@_file
@connection.connecting
@exits.handles(exits.Exit.NEGATIVE)
def status(connect, file: Path, as_json: bool) -> None:
    """Say how far the service is with a submitted file. Exit code 0: it has finished."""
    held = _submitted(file)
    rows = []
    with connect() as service:
        for call in held.calls:
            reply = service.get_batch_registration_output(call.job_id) if call.job_id is not None else None
            rows.append({
                "job_id": call.job_id,
                "learners": call.count,
                "response_code": str(reply.response_code) if reply else None,
                "job_status": "not sent" if reply is None else reply.job_status and str(reply.job_status),
            })  # fmt: skip
    if as_json:
        output.as_json({"file": file.name, "jobs": rows})
    else:
        output.table(["JobID", "learners", "ResponseCode", "JobStatus"], [list(row.values()) for row in rows])
    done = all(row["response_code"] == ResponseCode.BATCH_SUCCESSFUL for row in rows)
    exits.leave(exits.Exit.DONE if done else exits.Exit.NEGATIVE)


@batch.command("output", epilog="Example: lrs-soap batch output LRB_10001234_231120260915.CSV --wait")
@_file
@_wait
@_directory
@connection.connecting
@exits.handles(exits.Exit.NEGATIVE)
def output_(connect, file: Path, wait: bool, directory: Path | None, as_json: bool) -> None:
    """Write what became of the learners of a submitted file.

    NAME_OUTPUT.CSV repeats the columns, with the ULNs, and adds ReturnCode; NAME_EXCEPTIONS.CSV holds the learners to
    look at (RC006-RC011), with what the code means and the line of the file. Exit code 1: there are such learners.
    """
    with connect() as service:
        _write(file, _submitted(file), service, wait, directory, as_json)


@batch.command("new", epilog="Example: lrs-soap batch new --ukprn 10001234 --from enrolments.csv"
                             " --map GivenName=Forename --map FamilyName=Surname")
@click.option("--ukprn", required=True, help="The organisation's UKPRN, 8 characters.")
@click.option("--from", "origin", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Any CSV file whose first row names its columns.")
@click.option("--map", "mapped", multiple=True, metavar="HEADING=COLUMN",
              help="The file's column for a heading of the format; equal names need none. Repeatable.")
@_directory
@options.json_option
@exits.handles()
def new_(ukprn: str, origin: Path | None, mapped: tuple[str, ...], directory: Path | None, as_json: bool) -> None:
    """Make a correct batch file: an empty one to fill in, or one from any CSV file."""
    mapping = dict(_pair(text) for text in mapped)
    path = (directory or Path()) / str(layout.Name(ukprn, datetime.datetime.now(), "CSV"))
    if layout.parse_name(path.name) is None:
        raise click.UsageError("--ukprn has 8 letters or digits")
    if path.exists():
        raise exits.Failure(f"{path} is there already: try again in a minute", exits.Exit.USAGE)
    table, count = (), 0
    if origin:
        table = new.Table(origin, mapping)
        count = sum(1 for _ in table)
    elif mapping:
        raise click.UsageError("--map needs --from, the file whose columns it names")
    new.write(path, ukprn.upper(), table, count)
    unused = table.unused if origin else []
    more = f" Not used: {', '.join(unused)}." if unused else ""
    output.done(as_json, f"{path} with {count} learners.{more}", file=str(path), learners=count, unused=unused)


def _pair(text: str) -> tuple[str, str]:
    heading, equals, column = text.partition("=")
    if not equals:
        raise click.UsageError(f"--map {text}: write HEADING=COLUMN")
    return heading.strip(), column.strip()


def _chosen(file: Path, job_type: str | None) -> BatchJobType:
    """The job type: as given, else what an XML file says, else FUL."""
    if job_type is None:
        for item in validation.examine(file, datetime.date.min):
            if isinstance(item, source.FileValues):
                own = item.values.get("JobType")
                job_type = own.text if own and own.text in set(BatchJobType) else None
                break
    return BatchJobType(job_type or BatchJobType.FULL)


def _begin(file: Path, service, job_type: BatchJobType, strict: bool, as_json: bool) -> state.State:
    from lrs_soap.client import transport

    # The state file must hold no password, and a URL can.
    url = transport.without_credentials(service.url)
    caller = {"url": url, "organisation_ref": service.organisation_ref, "ukprn": service.ukprn}
    try:
        return submission.begin(file, caller, job_type, datetime.date.today(), strict)
    except submission.Refused as refused:
        report.problems(refused.problems, as_json)
        exits.leave(exits.Exit.NEGATIVE)


def _submitted(file: Path) -> state.State:
    held = state.load(file)
    if held is None:
        raise state.StateError(f"{file.name} was not submitted from here: {state.path_of(file).name} is not there")
    return held


def _write(file: Path, held: state.State, service, wait: bool, directory: Path | None, as_json: bool) -> None:
    with report.bar("Fetching", sum(call.count for call in held.calls), as_json) as advance:
        fetched = 0

        def fetch(job_id: int):
            nonlocal fetched
            ask = service.get_batch_registration_output
            reply = service.finished(ask, job_id) if wait else ask(job_id)
            fetched += len(reply.learner)
            advance(fetched)
            return reply

        counts = outputs.write(file, held, fetch, directory)
    _show(file, counts, outputs.paths(file, directory), as_json)


def _show(file: Path, counts: collections.Counter, paths: tuple[Path, Path], as_json: bool) -> None:
    rows = [(code, getattr(code, "meaning", "No result"), number) for code, number in sorted(counts.items())]
    if as_json:
        output.as_json({"file": file.name, "output": str(paths[0]), "exceptions": str(paths[1]),
                        "return_codes": {str(code): number for code, _, number in rows}})  # fmt: skip
    else:
        output.table(["ReturnCode", "meaning", "learners"], rows)
        click.echo(f"{paths[0]}\n{paths[1]}")
    clean = all(code in outputs.OUTCOMES for code in counts)
    exits.leave(exits.Exit.DONE if clean else exits.Exit.NEGATIVE)
