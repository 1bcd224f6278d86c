"""The sandbox: invented learners and published organisations, so that every outcome can be seen on demand.

`learners.csv`, `learning_events.csv`, `jobs.json` and `organisations.json` of `fixtures/` are what is loaded; `outcomes.csv` says
which request gives which code. All of it is this project's own (P): the historic service had no such table.
"""

import csv
import datetime
import json
from typing import Any

from sqlalchemy.engine import Connection, Engine

from lrs_soap import contract, errors, eventfile, passwords, resources, sandbox_decisions, sandbox_jobs
from lrs_soap.rules import access, matching, record
from lrs_soap.store import contents, events, learners, organisations
from lrs_soap.store import engine as engines


class NotASandbox(errors.LrsError):
    """The database holds learners or organisations that are not the sandbox's: a reset would lose them."""


def load(engine: Engine) -> bool:
    """Puts the fixtures into a database that has neither learners nor organisations; False if it has any.

    One transaction. Servers that start at once load once.
    """
    with engines.read(engine) as connection:
        if not contents.is_new(connection):
            return False
    published = _organisations()
    rows = stored_learners()
    try:
        with engines.write(engine) as connection:
            # First, so that whoever loads at the same time waits here and then finds the organisations taken.
            for row in published:
                organisations.add(connection, **row, sandbox=True)
            _insert(connection, rows)
    except organisations.OrganisationExists:
        return False
    return True


def reset(engine: Engine) -> None:
    """Makes a sandbox what it was when it was new: its learners, their history and whatever else was stored since go,
    the fixtures and the published passwords come back. The audit stays: it is append-only.

    Raises NotASandbox, and changes nothing, if an organisation is not the sandbox's or learners belong to none.
    """
    published = _organisations()
    rows = stored_learners()
    with engines.write(engine) as connection:
        held = organisations.list_all(connection)
        if any(not organisation.sandbox for organisation in held) or (not held and contents.has_learners(connection)):
            raise NotASandbox()
        contents.clear(connection)
        ids = {organisation.organisation_ref: organisation.id for organisation in held}
        for row in published:
            if row["organisation_ref"] in ids:
                organisations.set_password(connection, ids[row["organisation_ref"]], row["password_hash"])
                organisations.enable(connection, ids[row["organisation_ref"]])
            else:
                organisations.add(connection, **row, sandbox=True)
        _insert(connection, rows)


def published_organisations() -> list[dict[str, Any]]:
    """The rows of fixtures/organisations.json: organisation_ref, ukprn, name, password, rights (words)."""
    return json.loads((resources.directory("fixtures") / "organisations.json").read_text(encoding="utf-8"))


def stored_learners() -> list[learners.StoredLearner]:
    """The learners of fixtures/learners.csv, whose headings are the contract's element names and MasterULN."""
    with (resources.directory("fixtures") / "learners.csv").open(encoding="utf-8", newline="") as file:
        return [_learner(row) for row in csv.DictReader(file)]


def learning_events() -> list[eventfile.Row]:
    """The rows of fixtures/learning_events.csv, which is a file as `lrs-soap record load` takes it."""
    return list(eventfile.EventFile(resources.directory("fixtures") / "learning_events.csv").rows())


def outcomes() -> list[dict[str, str]]:
    """The rows of fixtures/outcomes.csv, as docs/sandbox.md describes them."""
    with (resources.directory("fixtures") / "outcomes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _organisations() -> list[dict[str, Any]]:
    """What `organisations.add` takes for each published organisation. Each hash takes 0.1 to 0.2 seconds."""
    rows = published_organisations()
    for row in rows:
        row["password_hash"] = passwords.hash_password(row.pop("password"))
        row["rights"] = access.parse(row["rights"])
    return rows


def _learner(row: dict[str, str]) -> learners.StoredLearner:
    values: dict[str, Any] = {contract.attribute_name(name): value or None for name, value in row.items()}
    values["version_number"] = int(row["VersionNumber"])
    return learners.StoredLearner(**values)


def _insert(connection: Connection, rows: list[learners.StoredLearner]) -> None:
    for row in rows:
        if not learners.insert(connection, row, matching.identity(row), matching.stored_keys(row)):
            raise errors.LrsError(f"fixtures/learners.csv: the learner {row.uln} is there already under another ULN")
    first = organisations.by_reference(connection, published_organisations()[0]["organisation_ref"], None)
    sandbox_decisions.insert(connection, rows, first.id)
    found = {(row.uln, record.key(row.source, row.event)): row for row in learning_events()}
    events.insert(
        connection,
        {place: row.event for place, row in found.items()},
        {place: row.source for place, row in found.items()},
    )
    now = datetime.datetime.now(datetime.UTC)
    sandbox_jobs.insert(connection, first.id, first.organisation_ref, now)


def announcement(address: str, database: str) -> str:
    """What the sandbox prints when it starts.

    address: the endpoint's URL; database: its URL without password. The request in it can be pasted into a POSIX
    shell as it stands.
    """
    organisation, other = published_organisations()
    learner = stored_learners()[0]
    rule = "=" * 78
    return f"""{rule}
 SANDBOX: passwords are published, learners are invented. PUT NO REAL DATA HERE.
{rule}
 WSDL          {address}?wsdl
 Organisation  OrganisationRef {organisation["organisation_ref"]} or UKPRN {organisation["ukprn"]}, \
OrgPassword {organisation["password"]}, may do everything
               OrganisationRef {other["organisation_ref"]} or UKPRN {other["ukprn"]}, \
OrgPassword {other["password"]}, may {other["rights"]}
 Learner       ULN {learner.uln}, {learner.given_name} {learner.family_name}, born {learner.date_of_birth}, \
gender {learner.gender}, {learner.last_known_post_code}
 Database      {database}
 Your calls    {address.removesuffix(contract.ENDPOINT)}/calls, or: lrs-soap calls

 Try it in another terminal:

{curl(address, organisation, learner)}

 Stop with Ctrl-C.
{rule}"""


def curl(address: str, organisation: dict[str, Any], learner: learners.StoredLearner) -> str:
    """A command for a POSIX shell that finds `learner` by ULN and prints the SOAP reply."""
    message = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        '<find:FindLearnerByULN xmlns:find="http://api.lrs.miap.gov.uk/findmsg"><FindType>FUL</FindType>'
        f"<OrganisationRef>{organisation['organisation_ref']}</OrganisationRef>"
        f"<OrgPassword>{organisation['password']}</OrgPassword><UserName>me</UserName>"
        f"<ULN>{learner.uln}</ULN><FamilyName>{learner.family_name}</FamilyName>"
        f"<GivenName>{learner.given_name}</GivenName></find:FindLearnerByULN></soapenv:Body></soapenv:Envelope>"
    )
    return f"curl -sS -H 'Content-Type: text/xml' --data-binary '{message}' {address}"
