"""What a run leaves behind: the command, its files, and no password in any of them."""

import html.parser
import json

import pytest
import strange_servers
from click.testing import CliRunner
from lxml import etree

from lrs_soap.cli import main
from lrs_soap.conformance import catalogue, mask, target, wire

PASSWORDS = ("sandbox-password", "awarding-body-02")


def conform(*arguments: str, **more):
    return CliRunner().invoke(main.main, ["conform", *arguments], **more)


class Page(html.parser.HTMLParser):
    """Looks for whatever a browser would fetch or run."""

    def __init__(self):
        super().__init__()
        self.outside, self.cases, self.texts = [], 0, []

    def handle_starttag(self, tag, attrs):
        self.cases += ("class", "case passed") in attrs
        self.outside += [(tag, name) for name, value in attrs if name in ("src", "href", "action", "srcset") and value[:1] != "#"
                         or name[:2] == "on"]  # fmt: skip
        if tag in ("script", "link", "iframe", "img", "object"):
            self.outside.append((tag, ""))

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def reported(honest, tmp_path_factory):
    """A whole run by the command, with both files, against the server that the wrong ones are made of."""
    directory = tmp_path_factory.mktemp("reports")
    page, xml = directory / "r.html", directory / "r.xml"
    return conform(honest, "--html", str(page), "--junit", str(xml)), page, xml


def test_an_honest_server_passes_every_case_and_the_command_says_so(reported):
    result, _, _ = reported
    assert result.exit_code == 0, result.output
    number = len(catalogue.cases(target.load(None)))
    assert f": {number} of {number} cases passed in " in result.output
    for part in ("Basic Profile", "Contract", "Behaviour"):
        assert part in result.output


def test_the_page_needs_nothing_else_and_shows_every_case(reported):
    page = Page()
    page.feed(reported[1].read_text(encoding="utf-8"))
    text = "".join(page.texts)
    assert page.outside == []
    assert page.cases > 600
    assert "Clause: R1126." in text
    assert "<m:FindLearnerByDemographics" in text
    assert "<ResponseCode>WSRC0004</ResponseCode>" in text


def test_junit_counts_what_it_holds(reported):
    root = etree.parse(reported[2]).getroot()
    for suite in root:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) == 0
        assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))


def test_no_password_is_in_a_report(reported):
    result, page, xml = reported
    for text in (result.output, page.read_text(encoding="utf-8"), xml.read_text(encoding="utf-8")):
        for password in PASSWORDS:
            assert password.lower() not in text.lower()
    assert mask.MASK in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1"])
def test_a_password_is_masked_wherever_it_stands(encoding):
    secret = "Pa<ss&word\"'1234"
    written = secret.replace("&", "&amp;").replace("<", "&lt;")
    sent = f'<x:OrgPassword a="b">{written}</x:OrgPassword><UserName>x</UserName><OrgPassword>another-one-here</OrgPassword>'
    told = f"<e>{written} {secret} another-one-here</e>"
    exchange = wire.Exchange("POST", "http://user:pw@host/", (), sent.encode(encoding), body=told.encode(encoding))
    for text in mask.Masker([secret]).messages(exchange):
        assert "ss&" not in text and "another" not in text and mask.MASK in text
    assert mask.Masker([]).url(exchange.url) == "http://host/"


def test_one_case_by_name_and_as_json(sandbox):
    result = conform(sandbox.url, "--only", "find-exact", "--json")
    assert result.exit_code == 0
    (row,) = json.loads(result.stdout)["cases"]
    assert (row["id"], row["verdict"]) == ("find-exact", "passed")


def test_a_failed_case_is_shown_and_ends_with_1(sandbox, tmp_path):
    page, xml = tmp_path / "r.html", tmp_path / "r.xml"
    arguments = ["--ukprn", "SAND0001", "--password-stdin", "--user", "Me", "--html", str(page), "--junit", str(xml)]
    result = conform(sandbox.url, "--only", "find-exact", *arguments, input="0123456789abcdef\n")
    assert result.exit_code == 1
    assert "FAILED find-exact [Finds; D] " in result.output
    assert "WSRC0004 was expected, WSEC0005" in result.output
    assert "0 of 1 cases passed, 1 failed in " in result.output
    assert '<a href="#find-exact">' in page.read_text(encoding="utf-8")
    assert etree.parse(xml).getroot().find("testsuite/testcase/failure") is not None
    for text in (result.output, page.read_text(encoding="utf-8"), xml.read_text(encoding="utf-8")):
        assert "0123456789abcdef" not in text


def test_a_password_as_an_option(sandbox):
    result = conform(sandbox.url, "--only", "find-exact", "--ukprn", "SAND0001", "--password", "0123456789abcdef")
    assert result.exit_code == 1
    assert "WSRC0004 was expected, WSEC0005" in result.output


def test_what_is_no_learner_service_is_said_and_its_failures_are_counted_not_all_listed():
    with strange_servers.listening(strange_servers.STRANGE["a web page"]) as url:
        result = conform(url, "--only", "form-*", "--timeout", "1")
    assert result.exit_code == 1
    assert "gives no WSDL of a LearnerService (HTTP 200). Is the URL right?" in result.stderr
    assert result.output.count("FAILED form-") == 50
    assert " more: --html, --junit and --json have all of them" in result.output


def test_a_list_sends_nothing():
    result = conform("http://127.0.0.1:1", "--list", "--read-only")
    assert result.exit_code == 0
    assert "none changes anything. Nothing was sent." in result.output
    assert "facet-learnerByULN-ULN" in result.output


def test_nothing_answers():
    result = conform("http://127.0.0.1:1")
    assert result.exit_code == 4
    assert "no connection could be made" in result.output


@pytest.mark.parametrize("arguments", [[], ["ftp://x"], ["http://127.0.0.1:1", "--only", "no-such-case"],
                                       ["http://127.0.0.1:1", "--target", "none.toml"],
                                       ["https://127.0.0.1:1", "--client-certificate", "none.pem"],
                                       ["http://127.0.0.1:1", "--html", "nowhere/r.html"]])  # fmt: skip
def test_a_mistake_of_the_user_ends_with_2(arguments):
    assert conform(*arguments).exit_code == 2
