"""The commands that are a client of a LearnerService."""

import click

from lrs_soap import model
from lrs_soap.cli import answers, connection, fields


@click.command("find-uln", epilog="Example: lrs-soap find-uln --uln 9276308686 --family-name Archer --given-name Ann")
@fields.options("LearnerByULNRqst", find_type="FUL")
@connection.connected
def find_uln(call, as_json, **details) -> None:
    """Find the learner with a ULN, if both names are the learner's. Exit code 0: found exactly."""
    answers.find(as_json, "learnerByULN", call("learner_by_uln", **details))


@click.command(epilog="Example: lrs-soap find --family-name Archer --given-name Ann --date-of-birth 2001-02-03 --gender 2"
                      " --last-known-post-code 'AB1 2DE'")
@fields.options("LearnerByDemographicsRqst", find_type="FUL")
@connection.connected
def find(call, as_json, **details) -> None:
    """Find the learner with five details. Exit code 0: found exactly; 1: also when there are possible matches.

    When there are too many, the optional details narrow them.
    """
    answers.find(as_json, "learnerByDemographics", call("learner_by_demographics", **details))


@click.command(epilog="Example: lrs-soap register --family-name Archer --given-name Ann --date-of-birth 2001-02-03"
                      " --gender 2 --last-known-post-code 'AB1 2DE' --verification-type 2 --ability-to-share 1")
@fields.options("LearnerToRegister")
@connection.connected
def register(call, as_json, **details) -> None:
    """Register a learner and get a new ULN. Look first whether the learner has one: `lrs-soap find`."""
    reply = call("register_single_learner", model.LearnerToRegister(**details))
    answers.short(as_json, "registerSingleLearner", reply, reply.uln)


@click.command(epilog="Example: lrs-soap update --uln 9276308686 --version-number 1 --family-name Archer --given-name Ann"
                      " --date-of-birth 2001-02-03 --gender 2 --last-known-post-code 'AB1 2DE' --verification-type 2"
                      " --ability-to-share 1 --email-address ''")
@fields.options("LearnerToUpdate")
@connection.connected
def update(call, as_json, **details) -> None:
    """Change the details of a learner.

    --version-number is the one you last obtained by finding the learner. Mandatory details are always sent. An option
    left out keeps what is stored, an empty one ('') clears it.
    """
    reply = call("update_single_learner", model.LearnerToUpdate(**details))
    answers.short(as_json, "updateSingleLearner", reply, details["uln"])


@click.command(epilog="Example: lrs-soap verify --uln 9276308686 --family-name Archer --given-name Ann"
                      " --date-of-birth 2001-02-03")
@fields.options("MIAPLearnerToVerify")
@connection.connected
def verify(call, as_json, **details) -> None:
    """Check details against those of the learner with a ULN. Exit code 0: every one of them matches."""
    answers.verify(as_json, call("verify_learner", model.MIAPLearnerToVerify(**details)))


@click.command(epilog="Example: lrs-soap retrieve 9276308686 1234567890")
@click.argument("ulns", metavar="ULN...", nargs=-1, required=True)
@connection.connected
def retrieve(call, as_json, ulns) -> None:
    """See what the register holds of 1 to 200 ULNs. Exit code 0: it holds all of them."""
    answers.retrieve(as_json, call("retrieve_ulns", ulns))
