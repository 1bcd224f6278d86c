"""The command lrs-soap: which commands there are, and what its help says. Nothing heavy is imported here."""

import click

from lrs_soap.cli import exits, lazy

_SECTIONS = {
    "The service": {
        "sandbox": lazy.Command("lrs_soap.cli.server", "sandbox", "Start a service with synthetic learners, to try out."),
        "serve": lazy.Command("lrs_soap.cli.server", "serve", "Start the service on your own register."),
        "worker": lazy.Command("lrs_soap.cli.worker", "worker", "Work on batches, beside the workers of a server."),
        "settings": lazy.Command("lrs_soap.cli.server", "show_settings", "Show every setting and its value."),
        "org": lazy.Command("lrs_soap.cli.org", "org", "The organisations and users that may call the service."),
        "load": lazy.Command("lrs_soap.cli.load", "load", "Load learners from a file, with the ULNs they have."),
        "dedupe": lazy.Command("lrs_soap.cli.dedupe", "dedupe", "Find people who have two ULNs."),
        "learner": lazy.Command("lrs_soap.cli.learner", "learner", "Merge, delete and look at the register's learners."),
        "backup": lazy.Command("lrs_soap.cli.backup", "backup", "Copy the register to a file, while it is at work."),
        "restore": lazy.Command("lrs_soap.cli.backup", "restore", "Put a backup into an empty database."),
        "partition": lazy.Command("lrs_soap.cli.partition", "partition", "Put the learners of PostgreSQL into partitions."),
        "audit": lazy.Command("lrs_soap.cli.audit", "audit", "Verify, search, export and prune the audit trail."),
        "subject": lazy.Command("lrs_soap.cli.subject", "subject", "All that is held about one ULN, for its learner."),
    },
    "As a client of any LearnerService": {
        "find-uln": lazy.Command("lrs_soap.cli.calls", "find_uln", "Find a learner by ULN and names."),
        "find": lazy.Command("lrs_soap.cli.calls", "find", "Find learners by name, date of birth, gender and postcode."),
        "register": lazy.Command("lrs_soap.cli.calls", "register", "Register a learner and get a new ULN."),
        "update": lazy.Command("lrs_soap.cli.calls", "update", "Change the details of a learner."),
        "verify": lazy.Command("lrs_soap.cli.calls", "verify", "Check details against the learner with a ULN."),
        "record": lazy.Command("lrs_soap.cli.record", "record", "See a learner's record; load learning events."),
        "retrieve": lazy.Command("lrs_soap.cli.calls", "retrieve", "See what the register holds of ULNs."),
        "batch": lazy.Command("lrs_soap.cli.batch", "batch", "Batch files: make, validate, submit, and their output."),
    },
    "To test a LearnerService": {
        "calls": lazy.Command("lrs_soap.cli.calls_shown", "calls", "Show what your client really sent to a sandbox."),
        "conform": lazy.Command("lrs_soap.cli.conform", "conform", "Try the conformance suite on a service, ours or another."),
    },
    "Without a service": {
        "synth": lazy.Command("lrs_soap.cli.synth", "synth", "Make a synthetic register, to measure and to try with."),
        "uln": lazy.Command("lrs_soap.cli.uln", "uln", "Check the check digit of ULNs."),
    },
}

_EPILOG = f"""\b
Try it:
  lrs-soap sandbox                    starts a service and prints what to send
  lrs-soap find --help                every command has an example

\b
Exit codes:
{exits.TABLE}

Every command that answers takes --json. See docs/cli.md and docs/settings.md.
"""


@click.group(cls=lazy.LazyGroup, sections=_SECTIONS, epilog=_EPILOG, context_settings={"max_content_width": 110})
@click.version_option(package_name="lrs_soap")
def main() -> None:
    """England's Learner Registration Service of 2008: the register, as a SOAP service, and a client of it."""
