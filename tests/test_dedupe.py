"""lrs-soap dedupe: who is proposed and why, who is not, and that nothing is changed or left behind."""

import csv
import datetime
import importlib.util
import io
import json
import os
import sys
import types

import pytest
from click.testing import CliRunner

from lrs_soap.cli import main
from lrs_soap.load import loading
from lrs_soap.store import engine as engines
from lrs_soap.store import extract, learners
from lrs_soap.synth import writing

# Some tests say what is to be done where it is not installed.
SPLINK = importlib.util.find_spec("splink") is not None
if SPLINK:
    from lrs_soap.dedupe import proposals
needs_splink = pytest.mark.skipif(
    not SPLINK and not os.environ.get("CI"), reason="Splink is not installed: pip install 'lrs_soap[dedupe]'"
)


def synthetic(learners_, duplicates):
    files = [io.StringIO(), None, io.StringIO()]
    writing.write(writing.Plan(learners_, 8, duplicates=duplicates), writing.Files(*files), processes=1)
    pairs = csv.DictReader(io.StringIO(files[2].getvalue()))
    return files[0].getvalue().encode(), {frozenset((row["ULN"], row["DuplicateULN"])): row["Kind"] for row in pairs}


@pytest.fixture
def register(engine):
    """A register with 200 people who have two ULNs."""
    data, pairs = synthetic(4_000, 200)
    loading.load(engine, io.BytesIO(data), operator="Op", today=datetime.date(2026, 11, 23), processes=1)
    return pairs


def run(database_url, *arguments):
    return CliRunner().invoke(main.main, ["dedupe", "--database", database_url, *map(str, arguments)])


@needs_splink
@pytest.mark.parametrize(("postcode", "expected"), [
    ("cv5 5wt", ("CV55WT", "CV55", "CV5", "CV")),
    ("SW1A 1AA", ("SW1A1AA", "SW1A1", "SW1A", "SW")),
    ("M1 1AE", ("M11AE", "M11", "M1", "M")),
    ("EC1V 9NR", ("EC1V9NR", "EC1V9", "EC1V", "EC")),
    ("75001 Paris", ("75001PARIS", "", "", "")),
    ("ZZ99 3CZ", ("", "", "", "")),
    ("", ("", "", "", "")),
])  # fmt: skip
def test_the_parts_of_a_postcode(postcode, expected):
    assert proposals._places(postcode) == expected


@needs_splink
def test_the_work_list_has_most_duplicates_and_few_others(register, database_url, engine, tmp_path):
    path, room = tmp_path / "work.csv", tmp_path / "room"
    room.mkdir()
    result = run(database_url, "--out", path, "--directory", room)
    assert (result.exit_code, result.stdout) == (1, "")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {frozenset((row["MasterULN"], row["MergedULN"])) for row in rows}
    assert len(found) == len(rows)
    assert len(found & set(register)) > 0.85 * len(register)
    assert len(found & set(register)) > 0.9 * len(rows)
    scores = [float(row["Score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert (os.stat(path).st_mode & 0o777, list(room.iterdir())) == (0o600, [])
    row = rows[0]
    command = f"lrs-soap learner merge {row['MergedULN']} --into {row['MasterULN']} --reason 'dedupe: {row['Reason']}'"
    assert row["Command"] == command
    with engines.read(engine) as conn:
        for row in rows[:20]:
            known = learners.by_ulns(conn, [row["MasterULN"], row["MergedULN"]])
            assert known[row["MasterULN"]].created_date <= known[row["MergedULN"]].created_date
            assert {one.learner_status for one in known.values()} == {"1"}


@needs_splink
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_pairs_that_no_rule_takes_are_shown_on_demand(register, database_url):
    shown = json.loads(run(database_url, "--json", "--all").stdout)
    without = [row for row in shown if "reason" not in row]
    assert 0 < len(without) < len(shown)
    # Nearly all of them are families: other given names at one address.
    assert sum("given_name" in row["different"] for row in without) > 0.8 * len(without)


@needs_splink
@pytest.mark.skipif(not os.environ.get("LRS_TEST_SPARK"), reason="minutes: LRS_TEST_SPARK=1, with the extra spark and Java")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.filterwarnings("ignore:::pyspark", "ignore::ResourceWarning")
def test_spark_proposes_what_duckdb_does(engine, database_url, tmp_path):
    data, _ = synthetic(1_500, 150)  # all pairs of them are compared to learn: on one machine Spark takes its time
    loading.load(engine, io.BytesIO(data), operator="Op", today=datetime.date(2026, 11, 23), processes=1)
    scores = {}
    for backend in ("duckdb", "spark"):
        result = run(database_url, "--backend", backend, "--json", "--directory", tmp_path)
        assert result.exit_code == 1, result.output
        scores[backend] = {(row["master"], row["merged"]): row["score"] for row in json.loads(result.stdout)}
        assert list(tmp_path.iterdir()) == []
    # What two people agree on by chance is learnt from a sample that each draws in its own way.
    both = scores["duckdb"].keys() & scores["spark"].keys()
    assert len(both) >= 0.99 * max(map(len, scores.values())) > 100
    assert all(abs(scores["duckdb"][pair] - scores["spark"][pair]) < 0.05 for pair in both)


@needs_splink
def test_an_empty_register_has_no_pairs(database_url):
    result = run(database_url, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


@needs_splink
def test_without_pyspark_or_java_the_command_says_what_to_install(database_url, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    result = run(database_url, "--backend", "spark")
    assert (result.exit_code, "pip install 'lrs_soap[dedupe,spark]'" in result.stderr) == (2, True)
    monkeypatch.setitem(sys.modules, "pyspark", types.ModuleType("pyspark"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run(database_url, "--backend", "spark")
    assert (result.exit_code, "Java" in result.stderr) == (2, True)


@pytest.mark.skipif(SPLINK, reason="Splink is installed: the other tests run")
def test_without_splink_the_command_says_what_to_install(database_url):
    result = run(database_url)
    assert result.exit_code == 2
    assert "pip install 'lrs_soap[dedupe]'" in result.stderr


def test_extract_reads_live_learners_in_order(engine, monkeypatch):
    monkeypatch.setattr(extract, "_AT_ONCE", 100)
    data, _ = synthetic(1_000, 0)
    lines = data.decode().splitlines()
    status = writing.HEADINGS.index("LearnerStatus")
    deleted = lines[5].split(",")
    deleted[status] = "2"
    lines[5] = ",".join(deleted)
    loading.load(engine, io.BytesIO("\n".join(lines).encode()), operator="Op", today=datetime.date(2026, 11, 23),
                 processes=1)  # fmt: skip
    found = [row.uln for row in extract.live(engine, ["uln", "given_name"])]
    assert found == sorted(line.split(",")[0] for line in lines[1:] if line is not lines[5])
    assert extract.count(engine) == 999
