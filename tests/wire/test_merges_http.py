"""An operator merges, unmerges and deletes at the command line; a college sees it over HTTP. On both databases."""

import pytest
from click.testing import CliRunner
from support import server, soap

from lrs_soap import sandbox
from lrs_soap.cli import main

ORGANISATION = sandbox.published_organisations()[0]
ANN = {"GivenName": "Annika", "FamilyName": "Hollowell", "DateOfBirth": "2001-02-03", "Gender": "2",
       "LastKnownPostCode": "AB1 2DE"}  # fmt: skip
MARY = ANN | {"GivenName": "Marielle", "FamilyName": "Underhay", "LastKnownPostCode": "CV1 2WT"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request):
    databases = request.getfixturevalue(f"{request.param}_databases")
    url = databases.sandbox()
    with server.running(url) as started:
        yield started
    databases.drop(url)


@pytest.fixture(scope="module")
def call(running):
    def send(operation, **values):
        who = {"OrganisationRef": ORGANISATION["organisation_ref"], "OrgPassword": ORGANISATION["password"], "UserName": "J"}
        return soap.answer(running.post(soap.message(operation, who | values)))

    return send


@pytest.fixture(scope="module")
def pair(call):
    """Two learners that the college registered: so they are in the scope of its reports."""
    more = {"VerificationType": "2", "AbilityToShare": "1"}
    return [
        call("registerSingleLearner", **{f"Learner.{name}": value for name, value in (details | more).items()}).text("ULN")
        for details in (ANN, MARY)
    ]


@pytest.fixture
def learner(running):
    def run(*arguments):
        result = CliRunner().invoke(main.main, ["learner", *arguments, "--database", running.database, "--operator", "Op"])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def codes(answer):
    return answer.texts("ResponseCode")


def test_what_a_college_sees(call, pair, learner):
    ann, mary = pair
    today = {"FromDate": "2024-09-01", "ToDate": "2099-12-31"}
    assert codes(call("getMergedUnmergedULNsReport", **today)) == ["WSRC0024"]

    learner("merge", ann, "--into", mary, "--reason", "registered twice", "--yes")
    found = call("learnerByDemographics", FindType="FUL", **ANN)
    assert codes(found) == ["WSRC0022"]
    assert found.text("MasterSubstituted") == "Y"
    assert found.texts("ULN") == [mary, ann]
    verified = call("verifyLearner", **{f"LearnerToVerify.{name}": value for name, value in
                                        {"ULN": ann, "FamilyName": "Hollowell", "GivenName": "Annika"}.items()})  # fmt: skip
    assert (codes(verified), verified.text("ULN")) == (["WSVRC002"], mary)
    assert call("retrieveULNs", **{"ULNsToRetrieve.ULN": [ann]}).text("MasterULN") == mary
    report = call("getMergedUnmergedULNsReport", **today)
    assert (codes(report), report.text("MergedULN"), report.text("MasterULN")) == (["WSRC0023"], ann, mary)
    assert (report.text("FromDate"), report.text("ToDate")) == ("2024-09-01", "2099-12-31")

    learner("unmerge", ann, "--reason", "two people")
    assert codes(call("learnerByDemographics", FindType="FUL", **ANN)) == ["WSRC0004"]
    report = call("getMergedUnmergedULNsReport", **today)
    assert (report.texts("MergedULN"), report.texts("UnmergedULN")) == ([ann], [ann])

    learner("delete", ann, "--reason", "never existed", "--yes")
    assert codes(call("learnerByDemographics", FindType="FUL", **ANN)) == ["WSRC0001"]
    report = call("getDeletedULNsReport", **today)
    assert (codes(report), report.texts("ULN")) == (["WSRC0023"], [ann])

    learner("restore", ann, "--reason", "it did")
    assert codes(call("learnerByDemographics", FindType="FUL", **ANN)) == ["WSRC0004"]
    assert codes(call("getDeletedULNsReport", **today)) == ["WSRC0024"]


@pytest.mark.parametrize("operation", ["getMergedUnmergedULNsReport", "getDeletedULNsReport"])
@pytest.mark.parametrize(
    "dates", [{"FromDate": "1900-02-29"}, {"FromDate": "2020-01-02", "ToDate": "2020-01-01"}, {"FromDate": "2099-12-31"}]
)
def test_dates_that_make_no_period(call, operation, dates):
    fault = call(operation, **dates)
    assert fault.is_fault
    assert fault.text("ErrorCode") == "WSEC0001"
