"""The Validator Tool: each error where it is, with what to do, and nothing else of the learner."""

import datetime
import tracemalloc

import pytest
from support import batchfiles

from lrs_soap import resources
from lrs_soap.batchfile import layout, problems, source, validation
from lrs_soap.codes import BatchJobType

TODAY = datetime.date(2026, 11, 23)


def found(path, job_type=BatchJobType.FULL) -> list[problems.Problem]:
    return list(validation.validate(path, TODAY, job_type))


def brief(path, job_type=BatchJobType.FULL):
    return [(p.line, p.column, p.rule, str(p.effect)) for p in found(path, job_type)]


def altered(tmp_path, old: str, new: str, codec="utf-8-sig"):
    path = batchfiles.write(tmp_path, 2)
    text = path.read_bytes().decode("utf-8-sig")
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode(codec))
    return path


@pytest.mark.parametrize("name", ["LRB_SAND0001_231120260915.CSV", "LRB_SAND0001_231120260945.XML"])
def test_the_examples_are_valid(name):
    job_type = BatchJobType.CHECK if name.endswith("XML") else BatchJobType.FULL
    assert found(resources.directory("fixtures") / "batches" / name, job_type) == []


def test_the_wrong_example():
    assert brief(resources.directory("fixtures") / "batches" / "LRB_SAND0001_231120260930.CSV") == [
        (2, "DateOfBirth", "date", "learner"),
        (3, "OtherVerificationDescription", "description", "service"),
        (3, "MISIdentifier", "duplicate", "service"),
        (5, "ULN", "uln", "service"),
        (5, "Gender", "format", "learner"),
        (6, "LastKnownPostCode", "format", "learner"),
        (6, "DateOfBirth", "age", "service"),
        (6, "FamilyName", "mandatory", "learner"),
        (2, "LearnerRecordCount", "count", "file"),
    ]


@pytest.mark.parametrize(("value", "message", "advice"), [
    ("17/03/2004", "day/month/year", "Write 2004-03-17"),
    ("3/2/2001 00:00", "day/month/year", "Write 2001-02-03"),
    ("03/17/2004", "month/day/year", "Write 2004-03-17"),
    ("17/03/04", "two digits", "the whole year"),
    ("20040317", "not written yyyy-MM-dd", "Write 2004-03-17"),
    ("2004/3/17", "not written yyyy-MM-dd", "Write 2004-03-17"),
    ("17-Mar-2004", "name of the month", "Write 2004-03-17"),
    ("38063", "spreadsheet", "2004-03-17"),
    ("2001-02-30", "no such day", "Correct it"),
    ("31/02/2001", "no such day", "Correct it"),
    ("1900-02-29", "no such day", "29 February"),
    ("soon", "not a date", "2004-03-17"),
])  # fmt: skip
def test_dates(tmp_path, value, message, advice):
    (wrong,) = found(batchfiles.write(tmp_path, 3, n2={"DateOfBirth": value}))
    assert message in wrong.message
    assert advice in wrong.advice
    assert (wrong.line, wrong.cell, wrong.value) == (3, "U3", value)


@pytest.mark.parametrize(("column", "value", "rule", "effect"), [
    ("Gender", "5", "format", "learner"),
    ("GivenName", " ", "format", "learner"),
    ("GivenName", "x" * 36, "length", "learner"),
    ("Notes", "a\x07b", "character", "learner"),
    ("EmailAddress", "a@b", "format", "learner"),
    ("ScottishCandidateNumber", "12345678", "format", "learner"),
    ("ULN", "123", "format", "learner"),
    ("ULN", "9999999999", "uln", "service"),
    ("ULN", "1234567890", "uln", "service"),
    ("VerificationType", "8", "format", "learner"),
    ("VerificationType", "999", "description", "service"),
    ("DateOfBirth", "2013-11-24", "age", "service"),
    ("DateOfBirth", "1915-11-23", "age", "service"),
    ("DateOfBirth", "2027-01-01", "age", "service"),
    ("LastKnownPostCode", "", "needed", "service"),
    ("AbilityToShare", "", "needed", "service"),
    ("FamilyName", "", "mandatory", "learner"),
])  # fmt: skip
def test_values(tmp_path, column, value, rule, effect):
    path = batchfiles.write(tmp_path, 2, n1={column: value})
    rows = found(path)
    assert [(p.line, p.rule, str(p.effect)) for p in rows] == [(2, rule, effect)]
    others = set(batchfiles.row(1).values()) - {value, "1", "2"}
    assert not any(other in str(rows) for other in others)


@pytest.mark.parametrize("born", ["2013-11-23", "1915-11-24", "1916-11-23"])
def test_the_ages_at_the_edge_are_accepted(tmp_path, born):
    assert found(batchfiles.write(tmp_path, 1, n1={"DateOfBirth": born})) == []


def test_a_check_needs_less(tmp_path):
    path = batchfiles.write(tmp_path, 1, n1={"AbilityToShare": "", "VerificationType": ""})
    assert [p[2] for p in brief(path)] == ["needed", "needed"]
    assert brief(path, BatchJobType.CHECK) == []


@pytest.mark.parametrize(("old", "new", "expected"), [
    ('"FamilyNameAt16"', '"FamilyNameAtAge16"', 
     [(1, None, "heading", "file"), (1, "FamilyNameAt16", "heading", "file")]),
    ('"Gender"', '"gender"', [(1, "Gender", "heading", "file")]),
    ('"Title","GivenName"', '"GivenName","Title"', [(1, "GivenName", "heading", "file")]),
    ('"2A"', '"2B"', [(2, "FileVersion", "file-values", "file")]),
    ('_231120260915.CSV"', '_1.CSV"', [(2, "FileName", "file-values", "service")]),
    ('"SAND0001"', '"SAND0002"', [(2, "UKPRN", "file-values", "service")]),
    ('"2","","MIS-000001"', '"3","","MIS-000001"', [(2, "LearnerRecordCount", "count", "file")]),
    ('"2","","MIS-000001"', '"","","MIS-000001"', [(2, "LearnerRecordCount", "file-values", "file")]),
    ('\r\n"","","",""', '\r\n"2A","","",""', [(3, "FileVersion", "first-row-only", "service")]),
    ('\r\n"","","","",', '\r\n\r\n,,,,,\r\n"","","","",', [(3, None, "empty-line", "service")]),
    ('\r\n"","","","",', '\r\n"","","","","",', [(3, None, "columns", "learner")]),
    ('"MIS-000002"', '"MIS-000002', [(3, None, "quotes", "learner")]),
])  # fmt: skip
def test_form(tmp_path, old, new, expected):
    got = brief(altered(tmp_path, old, new))
    assert [row for row in got if row[2] == expected[0][2]] == expected


def test_other_delimiters(tmp_path):
    path = batchfiles.write(tmp_path, 2)
    text = path.read_bytes().decode("utf-8-sig")
    path.write_bytes(text.replace('","', '";"').encode())
    assert brief(path) == [(1, None, "delimiter", "service")]
    path.write_bytes(text.replace('","', '"\t"').encode())
    assert brief(path) == [(1, None, "delimiter", "service")]
    path.write_bytes(text.replace('","', '"\t"').encode("utf-16"))  # Excel's Unicode Text
    assert brief(path) == []


def test_names_of_files(tmp_path):
    assert "file-name" in [p[2] for p in brief(batchfiles.write(tmp_path, 1, "LRB_SAND0001_231120260915.csv"))]
    assert [p[2] for p in brief(batchfiles.write(tmp_path, 1, "LRB_SAND0001_231120260915.XML"))] == ["file-name"]


@pytest.mark.parametrize("data", [
    b"", b"a,b\r\n1,2\r\n", b"\x89PNG\0\0", b"<a/>", b"<a", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
])  # fmt: skip
def test_what_is_no_batch_file_ends_in_one_problem(tmp_path, data):
    path = tmp_path / batchfiles.NAME
    path.write_bytes(data)
    (wrong,) = [p for p in found(path) if p.effect is problems.Effect.FILE]
    assert wrong.rule in ("empty", "heading", "encoding", "xml")


def test_too_many_learners(tmp_path):
    wrong = brief(batchfiles.write(tmp_path, layout.MAX_LEARNERS + 2))
    assert wrong == [(layout.MAX_LEARNERS + 2, None, "too-many", "file")]


def test_xml(tmp_path):
    text = (resources.directory("fixtures") / "batches" / "LRB_SAND0001_231120260945.XML").read_text("utf-8")
    path = tmp_path / "LRB_SAND0001_231120260945.XML"
    for old, new, expected in [
        ("<Gender>2</Gender>", "<Gender>2</Gender><Gender>2</Gender>", (12, "Gender", "xml", "learner")),
        ("<Gender>2</Gender>", "<Sex>2</Sex>", (12, "Sex", "xml", "learner")),
        ("2006-02-03", "03/02/2006", (11, "DateOfBirth", "date", "learner")),
        ("<JobType>CHK</JobType>", "<Job/>", (4, "Job", "xml", "file")),
        ("<FamilyName>Whitcombe</FamilyName>", "", (14, "FamilyName", "mandatory", "learner")),
        ("Count>2<", "Count>3<", (5, "LearnerRecordCount", "count", "file")),
        ("</Learner>\n  <Learner>", "</Learner>\n <?pi x?> <Learner>", (14, None, "xml", "file")),
    ]:
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        assert expected in brief(path, BatchJobType.CHECK), new
    path.write_bytes(("\n" + text).replace("UTF-8", "UTF-16").encode("utf-16"))
    assert found(path, BatchJobType.CHECK) == []


def peak(path) -> int:
    tracemalloc.start()
    try:
        assert sum(1 for item in validation.examine(path, TODAY) if not isinstance(item, source.FileValues))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def xml(path, count: int):
    with path.open("w", encoding="utf-8") as file:
        file.write('<b:SubmitBatch xmlns:b="http://api.lrs.miap.gov.uk/batchmsg">')
        file.write(f"<LearnerRecordCount>{count}</LearnerRecordCount>")
        for _ in range(count):
            file.write("<Learner><GivenName>A</GivenName><FamilyName>B</FamilyName><Notes>")
            file.write("n" * 3000 + "</Notes></Learner>\n")
        file.write("</b:SubmitBatch>")
    return path


def test_memory_does_not_grow_with_the_file(tmp_path):
    notes = {"Notes": "n" * 3000, "MISIdentifier": ""}
    made = {}
    for count in (200, 800):
        rows = {f"n{number}": notes for number in range(1, count + 1)}
        made[count] = batchfiles.write(tmp_path, count, f"LRB_SAND0001_23112026{count:04}.CSV", **rows)
    peak(made[200])  # what is compiled once
    assert peak(made[800]) < peak(made[200]) + 100_000 < 1_500_000
    small, large = xml(tmp_path / "a.XML", 200), xml(tmp_path / "b.XML", 800)
    peak(small)
    assert peak(large) < peak(small) + 100_000
