"""The suite as a whole: its cases, its page, what it sends, and what a target file makes of it."""

import json
import pathlib
import re

import proxy
import pytest
from support import tables

from lrs_soap import contract
from lrs_soap import sandbox as sandboxes
from lrs_soap.cli import main
from lrs_soap.conformance import (
    case,
    catalogue,
    document,
    messages,
    replies,
    runner,
    target,
    values,
)
from lrs_soap.conformance import talk as talks

ABOUT = target.load(None)
CASES = catalogue.cases(ABOUT)
# What the founding issue names.
ASKED = "R1000 R1001 R1004-R1006 R1008-R1018 R1025-R1031 R1109-R1119 R1126 R1127 R1132 R1140 R1141 R2744 R2745 R4001 R2102 R2105 R2201 R2204 R2304 R2701-R2718"


def test_the_page_is_current():
    assert (tables.ROOT / "docs" / "conformance.md").read_text(encoding="utf-8") == document.page()


def test_cases_have_ids_of_their_own_and_say_what_they_prove():
    ids = [row.id for row in CASES]
    assert len(ids) == len(set(ids))
    for row in CASES:
        assert re.fullmatch(r"[A-Za-z0-9.-]+", row.id), row.id
        assert row.title and row.clause and row.basis in ("D", "P"), row


def test_every_assertion_that_is_tested_has_a_case_or_says_whose_tests_it():
    by_number = document.tested_by(CASES)
    for row in document.assertions():
        assert row["status"] in ("tested", "not testable", "not applicable", "departs")
        if row["status"] == "tested":
            named = document.numbers(row["number"]) + document.numbers(row["note"])
            assert by_number.keys() & set(named), row
        else:
            assert row["note"], row


def test_every_assertion_a_case_names_is_in_the_table_and_so_is_every_one_that_was_asked_for():
    listed = {number for row in document.assertions() for number in document.numbers(row["number"])}
    assert document.tested_by(CASES).keys() <= listed
    assert set(document.numbers(ASKED)) <= listed


def test_every_case_that_a_note_or_the_text_names_is_there():
    ids = {row.id for row in CASES}
    for name in re.findall(r"`([a-z]+(?:-[a-z0-9]+)+)`", document.page()):
        assert name in ids or (tables.ROOT / name).exists() or f"--{name}" in document.page(), name


def test_every_element_of_every_request_is_probed_on_both_sides():
    for operation in contract.OPERATIONS.values():
        for path, field in messages.leaves(operation.request_type):
            assert any(row.id == f"facet-{operation.name}-{path}" for row in CASES)
            judged = {
                replies.is_valid(messages.element(operation.name, messages.example(operation.name, **{path: value})))
                for value in values.at_the_bounds(field.simple)
            }
            assert judged == ({True, False} if has_bounds(field.simple) else {True}), (path, judged)


def has_bounds(kind: contract.SimpleType) -> bool:
    return kind.base != "string" or bool(kind.patterns) or kind.max_length is not None


def test_a_read_only_run_changes_nothing_and_all_it_can_run_passes(sandbox, results):
    sent = []

    def watched(request, on):
        sent.append(request.body)
        return on(request)

    with proxy.in_front(sandbox.port, watched) as url:
        found = results(url, read_only=True)
    assert {result.verdict for result in found.values()} == {case.Verdict.PASSED, case.Verdict.NOT_RUN}
    assert all(row.case.writes for row in found.values() if row.verdict == case.Verdict.NOT_RUN)
    names = [contract.OPERATIONS[name].request.rpartition("}")[2].encode() for name in talks.WRITING]
    known = [row[key].encode() for row in organisations() for key in ("organisation_ref", "ukprn")]
    writing = [body for body in sent if any(re.search(rb"<(\w+:)?%b[ >]" % name, body) for name in names)]
    assert len(writing) > 500
    assert [body for body in writing if any(b">%b<" % reference in body for reference in known)] == []


def organisations():
    return sandboxes.published_organisations()


def test_a_run_of_documented_rules_has_no_other():
    chosen = runner.chosen(CASES, documented_only=True)
    assert {row.basis for row in chosen} == {"D"}
    assert 0 < len(chosen) < len(CASES)


def write(path: pathlib.Path, text: str) -> pathlib.Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_service_of_which_little_is_known(tmp_path, honest, results):
    file = write(tmp_path / "t.toml", '[organisations.main]\nukprn = "SAND0001"\norg_password = "sandbox-password"\n')
    about = target.load(file)
    # The forms and facets of requests ask for nothing that a target file could leave out.
    ids = [row.id for row in catalogue.cases(about) if not row.id.startswith(("facet-", "form-"))]
    found = results(honest, *ids, about=about, read_only=True)
    assert {result.verdict for result in found.values()} == {case.Verdict.PASSED, case.Verdict.NOT_RUN}
    reason = found["find-merged-substituted"].reason
    assert reason == "the target file does not say: merged"
    assert sum(result.verdict == case.Verdict.PASSED for result in found.values()) > 100


def test_a_table_of_outcomes_of_ones_own(tmp_path, honest, results):
    row = {"FindType": "CHK", "ULN": "4123999998", "FamilyName": "Ann", "GivenName": "Ann"}
    columns = "case,operation,organisation,expected,basis,what,changes,ulns,input\n"
    quoted = json.dumps(row).replace('"', '""')
    write(tmp_path / "o.csv", f'{columns}mine,learnerByULN,SAND01,WSRC0001,D,Nobody,,,"{quoted}"\n')
    text = '[organisations.main]\norganisation_ref = "SAND01"\norg_password = "sandbox-password"\n'
    about = target.load(write(tmp_path / "t.toml", f'outcomes = "o.csv"\n{text}'))
    (result,) = results(honest, "outcome-mine", about=about).values()
    assert result.verdict == case.Verdict.PASSED
    assert "outcome-find-exact" not in [row.id for row in catalogue.cases(about)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = ", "is not TOML"),
        ("user = 'me'", "which is not one of"),
        ("[organisations.main]\nukprn = 'SAND0001'", "needs org_password"),
        ("[organisations.main]\norg_password = 'x'", "organisation_ref or ukprn"),
        ("[organisations]", "has no [organisations.main]"),
        ("outcomes = 'none.csv'\n[organisations.main]\nukprn = 'a'\norg_password = 'b'", "table of outcomes"),
        ("[organisations.main]\nukprn = 'a'\norg_password = 'b'\n[learners]\nlive = 3", "table of texts"),
    ],
)
def test_a_target_file_that_is_wrong(tmp_path, text, problem):
    with pytest.raises(target.TargetError, match=re.escape(problem)):
        target.load(write(tmp_path / "t.toml", text))


def test_the_command_is_there():
    assert "conform" in main.main.list_commands(None)
