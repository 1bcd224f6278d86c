"""lrs-soap load: what is loaded, what is turned away and why, and that an interrupted load goes on."""

import csv
import dataclasses
import datetime
import io
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lrs_soap.batchfile.problems import Unreadable
from lrs_soap.cli import main
from lrs_soap.load import layout, loading, rows, source
from lrs_soap.rules import matching, uln
from lrs_soap.store import bulkload, bulkplace, learners, matches, tables
from lrs_soap.store import engine as engines
from lrs_soap.synth import people, writing

TODAY = datetime.date(2026, 11, 23)
REGISTER = list(people.learners(3_000, seed=5))
ULNS = [learner.uln for learner in REGISTER]
ANN = {
    "ULN": ULNS[0], "GivenName": "Ann", "FamilyName": "O'Neill", "DateOfBirth": "2001-02-03", "Gender": "2",
    "LastKnownPostCode": "AB1 2DE",
}  # fmt: skip
BEN = ANN | {"ULN": ULNS[1], "GivenName": "Ben"}
CAT = ANN | {"ULN": ULNS[2], "GivenName": "Cat"}


def file(*people, delimiter=","):
    """A file of these learners, as bytes."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for person in people for name in person))
    writer = csv.DictWriter(text, names, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(people)
    return text.getvalue().encode()


def synthetic(*learners):
    return "\n".join(map("\t".join, [writing.HEADINGS, *learners])).encode()


def load(engine, data, **more):
    found = []
    summary = loading.load(engine, io.BytesIO(data), operator="Op", today=TODAY, report=found.append,
                           **{"processes": 1} | more)  # fmt: skip
    return summary, [(problem.line, problem.column, problem.rule) for problem in found]


def counts(summary):
    return summary.loaded, summary.unchanged, summary.rejected


def held(engine, *ulns):
    with engines.read(engine) as conn:
        known = learners.by_ulns(conn, ulns)
    return [known.get(number) for number in ulns]


def number_of(engine, table):
    with engines.read(engine) as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def index_names(engine):
    with engine.connect() as conn:
        inspector = sa.inspect(conn)
        names = {index["name"] for name in ("learner", "learner_identity") for index in inspector.get_indexes(name)}
        return names, inspector.get_pk_constraint("learner")["constrained_columns"]


def is_forgotten(engine):
    """Whether nothing is left of a load."""
    with engine.connect() as conn:
        if conn.dialect.name == "postgresql":
            return "loading" not in sa.inspect(conn).get_schema_names()
    return not list(Path(engine.url.database).parent.glob(f"{Path(engine.url.database).name}.loading*"))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_register_is_filled_and_every_search_finds_its_learner(engine, processes, monkeypatch):
    monkeypatch.setattr(source, "PIECE", 50_000)  # several pieces
    before = index_names(engine)
    summary, problems = load(engine, synthetic(*REGISTER), processes=processes)
    assert (counts(summary), problems, summary.rows) == ((3_000, 0, 0), [], 3_000)
    assert index_names(engine) == before
    assert is_forgotten(engine)
    with engines.read(engine) as conn:
        for learner in REGISTER[::50]:
            found = matching.decide(learner_query(learner), matches.first_candidates(conn, matching.lookups(learner)))
            assert [match.learner.uln for match in found.matches] == [learner.uln]
            stored = found.matches[0].learner
            wanted = {name: value or None for name, value in learner._asdict().items()} | {
                "version_number": int(learner.version_number)
            }
            assert {name: getattr(stored, name) for name in wanted} == wanted
    assert number_of(engine, tables.learner_identity) == 3_000


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_the_pages_of_a_filled_register_have_room(engine):
    """SQLite fills pages to the last byte where rows come in order; each learner added then parted six of them."""
    load(engine, synthetic(*REGISTER))
    others = people.learners(100, seed=6)
    newcomers = [
        dataclasses.replace(
            known, uln=f"{known.uln[:-1]}{(int(known.uln[-1]) + 1) % 10}", given_name=other.given_name,
            family_name=other.family_name, date_of_birth=other.date_of_birth, last_known_post_code=other.last_known_post_code,
        )
        for known, other in zip(held(engine, *ULNS[::30]), others, strict=True)
    ]  # fmt: skip
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        for learner in newcomers:
            with engines.write(engine) as writer:
                assert learners.insert(writer, learner, matching.identity(learner), matching.stored_keys(learner))
        _, pages, _ = conn.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
    # A page of the rows, one of identities and one of each of three indexes; and now and then one is parted.
    assert pages / len(newcomers) < 9


def learner_query(learner):
    fields = ("given_name", "family_name", "date_of_birth", "gender", "last_known_post_code")
    return matching.Query(**{name: getattr(learner, name) for name in fields})


def test_what_a_file_may_leave_out(engine):
    load(engine, file(ANN, BEN | {"VerificationType": "2", "CreatedDate": "2020-01-02", "Notes": 'a\\b "c"\t\r\nd,é'}))
    ann, ben = held(engine, ANN["ULN"], BEN["ULN"])
    assert ann == learners.StoredLearner(
        uln=ANN["ULN"], version_number=1, learner_status="1", created_date="2026-11-23",
        last_updated_date="2026-11-23", given_name="Ann", family_name="O'Neill", last_known_post_code="AB1 2DE",
        date_of_birth="2001-02-03", gender="2", verification_type="0", tier_level="0", ability_to_share="0",
    )  # fmt: skip
    assert (ben.created_date, ben.last_updated_date, ben.tier_level) == ("2020-01-02", "2020-01-02", "2")
    assert ben.notes == 'a\\b "c"\t\r\nd,é'


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_delimiters_byte_order_mark_and_headings_in_any_case(engine, delimiter):
    data = b"\xef\xbb\xbf" + file(ANN, BEN, delimiter=delimiter).replace(b"FamilyName", b"familyname")
    assert counts(load(engine, data)[0]) == (2, 0, 0)


def test_what_the_store_registers_and_what_is_loaded_is_the_same_identity(engine):
    load(engine, file(ANN))
    with engines.write(engine) as conn:
        stored = learners.by_uln(conn, ANN["ULN"])
        assert matches.by_details(conn, stored) == stored
        assert not learners.insert(conn, stored, matching.identity(stored), matching.stored_keys(stored))


@pytest.mark.parametrize(
    "changes, column, rule",
    [
        ({"ULN": "1234567890"}, "ULN", "check-digit"),
        ({"ULN": "9999999999"}, "ULN", "check-digit"),
        ({"ULN": "123"}, "ULN", "format"),
        ({"ULN": ""}, "ULN", "format"),
        ({"GivenName": ""}, "GivenName", "format"),
        ({"GivenName": "x" * 36}, "GivenName", "length"),
        ({"GivenName": "A\x0bnn"}, "GivenName", "character"),
        ({"DateOfBirth": "2001-02-30"}, "DateOfBirth", "date"),
        ({"DateOfBirth": "1900-02-29"}, "DateOfBirth", "date"),
        ({"DateOfBirth": "2026-11-24"}, "DateOfBirth", "age"),
        ({"DateOfBirth": "1915-11-23"}, "DateOfBirth", "age"),
        ({"CreatedDate": "1900-02-29"}, "CreatedDate", "date"),
        ({"Gender": "3"}, "Gender", "format"),
        ({"LastKnownPostCode": "nowhere"}, "LastKnownPostCode", "format"),
        ({"VersionNumber": "0"}, "VersionNumber", "format"),
        ({"VersionNumber": "²"}, "VersionNumber", "format"),
        ({"EmailAddress": "nobody"}, "EmailAddress", "format"),
        ({"LearnerStatus": "0"}, "LearnerStatus", "master"),
        ({"MasterULN": ULNS[1], "LearnerStatus": "1"}, "MasterULN", "master"),
        ({"MasterULN": ULNS[0]}, "MasterULN", "master"),
        ({"MasterULN": "1234567890"}, "MasterULN", "check-digit"),
        ({"MasterULN": ULNS[9]}, "MasterULN", "master-unknown"),
    ],
)
def test_a_wrong_row_is_reported_and_the_others_are_loaded(engine, changes, column, rule):
    summary, problems = load(engine, file(ANN | changes, BEN))
    assert (counts(summary), problems) == ((1, 0, 1), [(2, column, rule)])
    assert held(engine, BEN["ULN"])[0].given_name == "Ben"


def test_dates_at_the_edges_are_right(engine):
    edges = [ANN | {"DateOfBirth": "1915-11-24"}, BEN | {"DateOfBirth": "2026-11-23"}, CAT | {"DateOfBirth": "2000-02-29"}]
    assert counts(load(engine, file(*edges))[0]) == (3, 0, 0)


def test_rows_of_another_length_and_empty_lines(engine):
    data = file(ANN, BEN).replace(b"\r\n", b"\r\n\r\n", 1) + b"too,short\r\n\r\n"
    summary, problems = load(engine, data)
    assert (counts(summary), summary.rows, problems) == ((2, 0, 1), 3, [(5, None, "columns")])


def test_of_two_rows_of_one_uln_or_one_person_the_first_is_loaded(engine):
    again = ANN | {"ULN": ULNS[3], "GivenName": "ANN", "FamilyName": "ONeill"}
    summary, problems = load(engine, file(ANN, BEN, BEN | {"GivenName": "Bob"}, again, CAT))
    assert (counts(summary), problems) == ((3, 0, 2), [(4, "ULN", "uln-twice"), (5, None, "identity-twice")])
    assert held(engine, BEN["ULN"], ULNS[3])[0].given_name == "Ben"
    assert held(engine, ULNS[3]) == [None]


def test_a_file_that_was_loaded_changes_nothing(engine):
    data = file(ANN, BEN, CAT | {"LearnerStatus": "2"})
    load(engine, data)
    assert counts(load(engine, data)[0]) == (0, 3, 0)
    assert number_of(engine, tables.learner) == 3


def test_what_the_register_has_stays_as_it_is(engine, monkeypatch):
    monkeypatch.setattr(bulkplace, "STEP", 2)
    load(engine, file(ANN, BEN))
    summary, problems = load(engine, file(
        CAT,
        ANN | {"LastKnownPostCode": "CV1 2WT"},  # the same learner, who has moved: an update is not a load
        BEN | {"GivenName": "Somebody"},
        BEN | {"ULN": ULNS[3]},
        ANN | {"ULN": ULNS[4], "GivenName": "Dan"},
    ))  # fmt: skip
    assert counts(summary) == (2, 1, 2)
    assert problems == [(4, "ULN", "uln-taken"), (5, None, "identity-taken")]
    ann, ben, cat, nobody = held(engine, ANN["ULN"], BEN["ULN"], CAT["ULN"], ULNS[3])
    assert (ann.last_known_post_code, ben.given_name, cat.given_name, nobody) == ("AB1 2DE", "Ben", "Cat", None)


@pytest.mark.parametrize("in_use", [False, True])
def test_merged_and_deleted_learners(engine, in_use):
    if in_use:
        load(engine, file(CAT))
    merged = ANN | {"ULN": ULNS[3], "MasterULN": ULNS[4]}
    chained = ANN | {"ULN": ULNS[4], "MasterULN": ANN["ULN"], "LearnerStatus": "0"}
    deleted = ANN | {"ULN": ULNS[5], "LearnerStatus": "2"}
    circle = [BEN | {"ULN": ULNS[6], "MasterULN": ULNS[7]}, BEN | {"ULN": ULNS[7], "MasterULN": ULNS[6]}]
    lost = BEN | {"ULN": ULNS[8], "MasterULN": ULNS[6]}
    summary, problems = load(engine, file(merged, chained, ANN, deleted, *circle, lost))
    assert counts(summary) == (4, 0, 3)
    assert problems == [(line, "MasterULN", "master-unknown") for line in (6, 7, 8)]
    one, two = held(engine, ULNS[3], ULNS[5])
    assert (one.learner_status, one.master_uln, two.learner_status) == ("0", ULNS[4], "2")
    assert masters(engine) == {ULNS[4], ANN["ULN"]}
    with engines.read(engine) as conn:
        assert learners.master_of(conn, one).uln == ANN["ULN"]
        assert matches.by_details(conn, one).uln == ANN["ULN"]


def test_a_master_may_be_in_the_register_already(engine):
    load(engine, file(ANN))
    assert masters(engine) == set()
    assert counts(load(engine, file(BEN | {"MasterULN": ANN["ULN"]}))[0]) == (1, 0, 0)
    assert masters(engine) == {ANN["ULN"]}


def test_a_master_may_be_placed_after_those_merged_into_it(engine, monkeypatch):
    load(engine, file(CAT))
    monkeypatch.setattr(bulkplace, "STEP", 1)
    merged = [ANN | {"ULN": ULNS[3], "MasterULN": ULNS[4]}, ANN | {"ULN": ULNS[4], "MasterULN": ANN["ULN"]}]
    assert counts(load(engine, file(*merged, BEN, ANN))[0]) == (4, 0, 0)
    assert masters(engine) == {ULNS[4], ANN["ULN"]}


def masters(engine):
    """The learners that the register holds for masters."""
    with engine.connect() as conn:
        return set(conn.execute(sa.select(tables.learner.c.uln).where(tables.learner.c.is_master)).scalars())


def test_the_exceptions_file_can_be_corrected_and_loaded(engine, tmp_path):
    path = tmp_path / "wrong.csv"
    again = ANN | {"ULN": ULNS[3], "Notes": "x"}
    summary, _ = load(engine, file(ANN, BEN | {"Gender": "3"}, again), exceptions=path)
    assert (counts(summary), summary.exceptions) == ((1, 0, 2), path)
    written = exceptions_in(path)
    assert [(row["ULN"], row["Line"], row["Notes"]) for row in written] == [(BEN["ULN"], "3", ""), (ULNS[3], "4", "x")]
    assert "Gender" in written[0]["Reason"] and "Line 2" in written[1]["Reason"]
    corrected = path.read_bytes().replace(b'"3","AB1', b'"1","AB1')
    assert counts(load(engine, corrected)[0]) == (1, 0, 1)


def exceptions_in(path):
    with path.open(encoding="utf-8-sig", newline="") as file_:
        return list(csv.DictReader(file_))


class Cut(io.BytesIO):
    """A file whose disk fails after some bytes."""

    left = 70_000

    def read(self, size=-1):
        self.left -= size
        if self.left < 0:
            raise OSError("the disk is gone")
        return super().read(size)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_interrupted_load_goes_on_where_it_stopped(engine, monkeypatch, tmp_path, processes):
    monkeypatch.setattr(source, "PIECE", 20_000)
    data = synthetic(*REGISTER[:10], REGISTER[10]._replace(gender="7"), *REGISTER[11:1000])
    path = tmp_path / "wrong.csv"
    with pytest.raises(OSError, match="the disk is gone"):
        loading.load(engine, Cut(data), operator="Op", today=TODAY, processes=processes, exceptions=path)
    assert number_of(engine, tables.learner) == 0
    with pytest.raises(bulkload.Interrupted):
        load(engine, synthetic(*REGISTER[1000:1500]))
    with path.open("a", encoding="utf-8") as file_:
        file_.write("what was written before the interruption, but not counted\n")
    summary, problems = load(engine, data, exceptions=path)
    assert (counts(summary), summary.rows, problems) == ((999, 0, 1), 1000, [])
    assert summary.resumed_after > 100
    assert [row["ULN"] for row in exceptions_in(path)] == [ULNS[10]]


def test_an_exceptions_file_that_is_gone_is_not_begun_anew(engine, monkeypatch, tmp_path):
    monkeypatch.setattr(source, "PIECE", 20_000)
    data, path = synthetic(REGISTER[0]._replace(gender="7"), *REGISTER[1:1000]), tmp_path / "wrong.csv"
    with pytest.raises(OSError):
        loading.load(engine, Cut(data), operator="Op", today=TODAY, processes=1, exceptions=path)
    path.unlink()
    with pytest.raises(loading.ExceptionsGone):
        load(engine, data, exceptions=path)
    assert counts(load(engine, data, exceptions=path, restart=True)[0]) == (999, 0, 1)
    assert len(exceptions_in(path)) == 1


def test_restart_forgets_an_interrupted_load(engine, monkeypatch):
    monkeypatch.setattr(source, "PIECE", 20_000)
    with pytest.raises(OSError):
        loading.load(engine, Cut(synthetic(*REGISTER[:1000])), operator="Op", today=TODAY, processes=1)
    summary, _ = load(engine, synthetic(*REGISTER[1000:1500]), restart=True)
    assert (counts(summary), summary.resumed_after) == ((500, 0, 0), 0)


def test_a_load_that_failed_while_filling_leaves_the_register_as_it_was(engine, monkeypatch):
    before = index_names(engine)

    def fail(*arguments):
        raise OSError("killed")

    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr(loading, "_record", fail)
        load(engine, file(ANN, BEN))
    assert (number_of(engine, tables.learner), index_names(engine)) == (0, before)
    assert counts(load(engine, file(ANN, BEN))[0]) == (2, 0, 0)


def test_two_loads_at_once(engine):
    first = bulkload.Load(engine)
    try:
        other = engines.create(engine.url, busy_timeout=0.1)
        with pytest.raises(bulkload.Busy):
            bulkload.Load(other)
    finally:
        first.close()
        other.dispose()
    assert counts(load(engine, file(ANN))[0]) == (1, 0, 0)


def test_a_load_is_audited_without_details(engine):
    load(engine, file(ANN, BEN))
    with engines.read(engine) as conn:
        audit = tables.audit
        rows_ = conn.execute(sa.select(audit.c.operation, audit.c.user_name, audit.c.code)).all()
    assert [tuple(row) for row in rows_] == [("load", "Op", "2 learners")]


@pytest.mark.parametrize(
    "data, told",
    [
        (b"", "empty"),
        (b"ULN,GivenName\n", "FamilyName is missing"),
        (file(ANN).replace(b"Gender", b"Sex"), "no column 'Sex'"),
        (file(ANN).replace(b"Gender", b"ULN"), "ULN is there twice"),
        (file(ANN | {"GivenName": "José"}).decode().encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read(engine, data, told):
    with pytest.raises(Unreadable, match=told):
        load(engine, data)


def test_pieces_end_where_rows_end(monkeypatch):
    monkeypatch.setattr(source, "PIECE", 64)
    notes = ['two\nlines, "quoted"', "plain", "", "\r\n" * 30]
    data = file(*(ANN | {"Notes": note} for note in notes * 5))
    read = source.Source(io.BytesIO(data))
    pieces = list(read.pieces())
    assert b"".join(piece.data for piece in pieces) == data[data.index(b"\n") + 1 :]
    line = 2
    for piece in pieces:
        assert piece.line == line
        assert all(len(row) == 7 for row in csv.reader(io.StringIO(piece.data.decode(), newline="")))
        line += piece.data.count(b"\n")
    assert read.position().offset == len(data)


def test_a_quote_that_is_never_closed(monkeypatch):
    monkeypatch.setattr(source, "PIECE", 64)
    monkeypatch.setattr(source, "_MOST", 1000)
    data = file(ANN) + b'"' + b"x\n" * 2000
    with pytest.raises(Unreadable, match="does not end"):
        list(source.Source(io.BytesIO(data)).pieces())


def test_the_quick_judgement_takes_only_what_is_right():
    numbers = {str(number) for number in range(1_000_000_000, 1_000_003_000)} | set(ULNS) | {"0000000000", "²234567890", ""}
    doubtful = set(rows._doubtful("ULN", numbers, TODAY))
    assert numbers - doubtful == {number for number in numbers if uln.is_valid(number)}
    assert set(layout.REQUIRED) < set(layout.FIELDS)


@pytest.fixture
def command(database_url, tmp_path):
    def run(data, *arguments, name="learners.csv", **more):
        path = tmp_path / name
        path.write_bytes(data)
        return CliRunner().invoke(
            main.main, ["load", str(path), "--database", database_url, "--operator", "Op", *arguments], **more
        )

    return run


def test_the_command(command, engine, tmp_path):
    result = command(file(ANN, BEN, BEN | {"ULN": "1"}))
    assert result.exit_code == 1
    assert result.stdout.startswith("3 rows: 2 loaded, 0 there already, 1 rejected, in ")
    assert 'line 4, ULN: "1" The value does not have the format of the column.' in result.stderr
    assert (tmp_path / "learners.csv.exceptions.csv").exists()
    result = command(file(ANN), "--json")
    shown = json.loads(result.stdout)
    assert (result.exit_code, shown["unchanged"], shown["problems"], shown["exceptions"]) == (0, 1, [], None)
    assert command(b"x\n").exit_code == 2
    assert command(file(ANN), "--exceptions", str(tmp_path / "learners.csv")).exit_code == 2


def test_the_command_reads_a_pipe_and_makes_the_register(empty_database_url):
    arguments = ["load", "-", "--database", empty_database_url, "--operator", "Op"]
    result = CliRunner().invoke(main.main, arguments, input=synthetic(*REGISTER[:20]))
    assert (result.exit_code, result.stdout[:20]) == (0, "20 rows: 20 loaded, ")


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_a_filled_register_has_only_its_rows_and_they_need_no_look(engine):
    """Also when the first attempt found somebody there twice: nothing is left of it, and no reader has to write."""
    load(engine, synthetic(*REGISTER[:300], REGISTER[0]))
    with engine.connect() as conn:
        pages = "SELECT relname, relpages, relallvisible FROM pg_class WHERE relname IN ('learner', 'learner_identity')"
        found = {name: (all_, visible) for name, all_, visible in conn.exec_driver_sql(pages)}
        conn.exec_driver_sql("CREATE TABLE once (LIKE learner) WITH (fillfactor = 90)")
        conn.exec_driver_sql("INSERT INTO once SELECT * FROM learner")
        conn.exec_driver_sql("ANALYZE once")
        once = conn.exec_driver_sql("SELECT relpages FROM pg_class WHERE relname = 'once'").scalar()
    assert all(all_ == visible > 0 for all_, visible in found.values()), found
    assert found["learner"][0] == once
