"""Outcomes that depend on how the server is set up, each on a sandbox of its own; and what is started again."""

import contextlib
import datetime
import subprocess

import pytest
from support import outcomes, server, soap

from lrs_soap.rules import hours
from lrs_soap.store import engine as engines
from lrs_soap.store import organisations


@contextlib.contextmanager
def sandbox_with(databases, **settings):
    url = databases.sandbox()
    with server.running(url, **settings) as running:
        yield running
    databases.drop(url)


def said(running, operation, values) -> list[str]:
    return outcomes.said(soap.answer(running.post(soap.message(operation, values))))


def test_outside_the_hours(sqlite_databases):
    # Whatever the time zone, it is not that day today, nor will it be before the test is over.
    another_day = hours.DAYS[(datetime.datetime.now().weekday() + 3) % 7]
    row = outcomes.named("uln-exact")
    with sandbox_with(sqlite_databases, hours=f"{another_day} 10:00-10:01") as running:
        assert said(running, row.operation, row.values) == ["WSEC0004"]
        assert running.get("/healthz").status == 200


def test_known_users_only(databases):
    row = outcomes.named("uln-exact")
    with sandbox_with(databases, known_users_only=True, organisation_cache_seconds=0) as running:
        database = engines.create(running.database)
        assert said(running, row.operation, row.values) == ["WSEC0006"]
        for disabled, expected in [(False, "WSRC0004"), (True, "WSEC0006")]:
            with engines.write(database) as connection:
                organisation = organisations.by_reference(connection, "SAND01", None)
                organisations.put_user(connection, organisation.id, row.values["UserName"], disabled)
            assert said(running, row.operation, row.values) == [expected]
        database.dispose()


def test_find_before_register(databases):
    row = outcomes.named("register-new")
    details = ("FamilyName", "GivenName", "DateOfBirth", "Gender", "LastKnownPostCode")
    search = {name: value for name, value in row.values.items() if not name.startswith("Learner.")}
    search |= {"FindType": "CHK"} | {name: row.values[f"Learner.{name}"] for name in details}
    with sandbox_with(databases, find_before_register=True) as running:
        assert said(running, row.operation, row.values) == ["WSRC0021"]
        assert said(running, "learnerByDemographics", search) == ["WSRC0001"]
        assert said(running, row.operation, row.values) == ["WSRC0005"]


def test_a_registration_outlives_the_server(databases):
    row = outcomes.named("register-new")
    url = databases.empty()
    for expected in ("WSRC0005", "WSRC0021"):
        with server.running(url) as running:
            assert said(running, row.operation, row.values) == [expected]
    databases.drop(url)


def test_two_workers_answer_alike(databases):
    row = outcomes.named("find-exact")
    with sandbox_with(databases, workers=2) as running:
        assert [said(running, row.operation, row.values) for _ in range(12)] == [row.expected] * 12


def test_serve_refuses_a_sandbox_unless_told(sqlite_databases):
    row = outcomes.named("uln-exact")
    with sandbox_with(sqlite_databases) as running:
        with pytest.raises(RuntimeError, match="sandbox organisations"):
            with server.running(running.database, "serve"):
                pass
        with server.running(running.database, "serve", allow_sandbox_organisations=True) as served:
            assert said(served, row.operation, row.values) == row.expected
            assert "sandbox-password" not in served.output


def test_the_request_that_the_sandbox_prints_can_be_pasted(sandbox):
    (line,) = (line for line in sandbox.output.splitlines() if line.startswith("curl "))
    done = subprocess.run(["sh", "-c", line], capture_output=True, timeout=30, check=True)
    answer = soap.answer(server.Reply(200, {"content-type": "text/xml; charset=utf-8"}, done.stdout))
    assert outcomes.said(answer) == ["WSRC0004"]
