"""The same searches asked of Splink (DuckDB), trained on the same register.

It gets what it can use: names folded as ours are, comparisons of its library that know swapped names, dates with a slip
and parts of postcodes, the previous family name, and blocking rules that read all our indexes read and one more (both
names). Its frequencies come from the register, its weights from expectation maximisation over other searches of it. (Weights
estimated from the right answers of those searches were tried: at 2 % of absent people they found less.)
"""

import csv
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import splink.comparison_library as compare
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.matching.tally import FIRST, Answer
from lrs_soap.rules import names

_HEADINGS = ("GivenName", "FamilyName", "DateOfBirth", "LastKnownPostCode", "Gender")
_SWAPPED = "l.date_of_birth = r.date_of_birth and l.given = r.family", "l.postcode = r.postcode and l.given = r.family"


def answers(
    register: Path, searches: Sequence, tuning: Sequence, share: float
) -> Iterator[tuple[str, Iterable[Answer], float]]:
    """Columns of the table: name, answers, and the seconds they took.

    register: a CSV file of learners. tuning: other searches of it, on which the threshold is found at which no more than
    `share` of the absent people get anybody; in a second column no more than 2 %, which is allowed; in a third as many as
    there are twins, who are what a sum of weights cannot tell from people who have moved.
    """
    database = duckdb.connect()
    database.execute("SET memory_limit = '6GB'")
    _tables(database, register, tuning, "tuning")
    _tables(database, register, searches, "searches")
    started = time.perf_counter()
    linker = _trained(database, "tuning")
    scored = _scores(linker)
    print(f"Splink was trained and asked for tuning in {time.perf_counter() - started:.1f} s", flush=True)
    started = time.perf_counter()
    asked = Linker(["searches", "register"], linker.misc.save_model_to_json(), db_api=DuckDBAPI(database))
    found = _scores(asked)
    seconds = time.perf_counter() - started
    for name, most in (("Splink, as few absent", share), ("Splink, 2 % absent", 0.02), ("Splink, 20 %", 0.2)):
        threshold = _threshold(scored, tuning, most)
        yield name, _answers(found, searches, threshold), seconds


def _tables(database: duckdb.DuckDBPyConnection, register: Path, searches: Sequence, name: str) -> None:
    def folded(given, family, born, postcode, gender, previous=""):
        return (names.fold(given), names.fold(family), born, names.fold_postcode(postcode),
                gender if gender in "12" else None, names.fold(previous) or None)  # fmt: skip

    columns = "(unique_id VARCHAR, given VARCHAR, family VARCHAR, date_of_birth VARCHAR, postcode VARCHAR, " \
              "gender VARCHAR, previous VARCHAR)"  # fmt: skip
    exists = database.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'register'").fetchone()[0]
    if not exists:
        with register.open(encoding="utf-8", newline="") as file:
            rows = [(row["ULN"], *folded(*(row[heading] for heading in _HEADINGS), row["PreviousFamilyName"]))
                    for row in csv.DictReader(file)]  # fmt: skip
        _insert(database, "register", columns, rows)
    rows = [(f"s{nth}", *folded(*search[3:])) for nth, search in enumerate(searches)]
    _insert(database, name, columns, rows)


def _insert(database: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple]) -> None:
    database.execute(f"CREATE TABLE {name} {columns}")
    # A thousand rows a statement: DuckDB takes single ones slowly.
    for at in range(0, len(rows), 1000):
        part = rows[at : at + 1000]
        values = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(part))
        database.execute(f"INSERT INTO {name} VALUES {values}", [value for row in part for value in row])


def _settings() -> SettingsCreator:
    earlier = compare.CustomComparison(
        output_column_name="previous",
        comparison_levels=[
            {"sql_condition": "previous_l IS NULL AND previous_r IS NULL", "label_for_charts": "none",
             "is_null_level": True},
            {"sql_condition": "family_l = previous_r OR family_r = previous_l", "label_for_charts": "previous name"},
            {"sql_condition": "ELSE", "label_for_charts": "another"},
        ],
    )  # fmt: skip
    return SettingsCreator(
        link_type="link_only",
        comparisons=[
            compare.ForenameSurnameComparison("given", "family"),
            earlier,
            compare.DateOfBirthComparison("date_of_birth", input_is_string=True),
            compare.PostcodeComparison("postcode"),
            compare.ExactMatch("gender"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("date_of_birth", "family"),
            block_on("date_of_birth", "given"),
            block_on("postcode", "date_of_birth"),
            block_on("postcode", "family"),
            block_on("postcode", "given"),
            block_on("given", "family"),
            *_SWAPPED,
        ],
    )


def _trained(database: duckdb.DuckDBPyConnection, searches: str) -> Linker:
    linker = Linker([searches, "register"], _settings(), db_api=DuckDBAPI(database))
    linker.training.estimate_probability_two_random_records_match(
        [block_on("date_of_birth", "given", "family"), block_on("postcode", "given", "family")], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=2e7, seed=1)
    for rule in (block_on("date_of_birth", "family"), block_on("postcode", "given"), block_on("given", "family")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return linker


def _scores(linker: Linker) -> dict[str, list[tuple[float, str]]]:
    """For each search the best learners, each with its weight, best first."""
    found = linker.inference.predict(threshold_match_weight=-10).as_duckdbpyrelation()
    scores: dict[str, list[tuple[float, str]]] = {}
    rows = found.select("unique_id_l, unique_id_r, match_weight").fetchall()
    for left, right, weight in rows:
        search, uln = (left, right) if left.startswith("s") else (right, left)
        scores.setdefault(search, []).append((weight, uln))
    return {search: sorted(each, key=lambda one: (-one[0], one[1]))[:FIRST] for search, each in scores.items()}


def _threshold(scores: dict, searches: Sequence, most: float) -> float:
    """The weight that the best learner reaches for no more than `most` of the absent people."""
    absent = [scores.get(f"s{nth}", [(float("-inf"), "")])[0][0] for nth, one in enumerate(searches) if not one.uln]
    return sorted(absent, reverse=True)[int(most * len(absent))]


def _answers(scores: dict, searches: Sequence, threshold: float) -> Iterator[Answer]:
    for nth in range(len(searches)):
        yield Answer([uln for weight, uln in scores.get(f"s{nth}", ()) if weight > threshold])
