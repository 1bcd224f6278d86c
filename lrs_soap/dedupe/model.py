"""What Splink compares, and how it learns what a comparison is worth. All of it is P."""

from typing import Any

import splink.comparison_library as compare
from splink import Linker, SettingsCreator, block_on

TEXT, NUMBER = "text", "number"
COLUMNS = {
    "unique_id": TEXT, "given": TEXT, "family": TEXT, "previous": TEXT, "date_of_birth": TEXT, "day_of_birth": NUMBER,
    "postcode": TEXT, "sector": TEXT, "district": TEXT, "area": TEXT, "gender": TEXT,
}  # fmt: skip
"""Of the table that Splink reads: names and postcode folded, the postcode's parts, the date of birth also as a number of
days; a postcode or gender that says nothing is NULL. Whatever could be worked out of a column for every pair that is
compared is a column instead: on Spark, looking for the parts of two postcodes was most of the work."""

# The pairs that are compared: those that a search would look at, by the five READS of `rules.keys`.
_BLOCKS = (
    ("date_of_birth", "family"), ("date_of_birth", "given"), ("postcode", "date_of_birth"), ("postcode", "family"),
    ("postcode", "given"),
)  # fmt: skip
_SWAPPED = tuple(f"l.{same} = r.{same} AND l.given = r.family AND l.family = r.given"
                 for same in ("date_of_birth", "postcode"))  # fmt: skip
_MOST_PAIRS = 1e7  # drawn at random to learn how often a comparison comes out so between two people
_SEED = 1


_YEAR = 365.25


def _levels(null: str, *conditions: str) -> list[dict[str, Any]]:
    """Levels of a comparison, of which the first to hold counts, and at last that none does."""
    found: list[dict[str, Any]] = [{"sql_condition": null, "label_for_charts": "not known", "is_null_level": True}]
    return found + [{"sql_condition": condition, "label_for_charts": condition} for condition in (*conditions, "ELSE")]


def settings() -> SettingsCreator:
    """The comparisons, for any of Splink's databases."""
    previous = compare.CustomComparison(
        output_column_name="previous",
        comparison_levels=_levels(
            "previous_l IS NULL AND previous_r IS NULL", "family_l = previous_r OR family_r = previous_l"
        ),
    )
    born = compare.CustomComparison(
        output_column_name="date_of_birth",
        comparison_levels=_levels(
            "day_of_birth_l IS NULL OR day_of_birth_r IS NULL",
            "date_of_birth_l = date_of_birth_r",
            "damerau_levenshtein(date_of_birth_l, date_of_birth_r) <= 1",
            *(f"abs(day_of_birth_l - day_of_birth_r) <= {days}" for days in (_YEAR / 12, _YEAR, 10 * _YEAR)),
        ),
    )
    lives = compare.CustomComparison(
        output_column_name="postcode",
        comparison_levels=_levels(
            "postcode_l IS NULL OR postcode_r IS NULL",
            *(f"{part}_l = {part}_r" for part in ("postcode", "sector", "district", "area")),
        ),
    )
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.ForenameSurnameComparison("given", "family"),
            previous,
            born,
            lives,
            compare.ExactMatch("gender"),
        ],
        blocking_rules_to_generate_predictions=[*(block_on(*columns) for columns in _BLOCKS), *_SWAPPED],
    )


def trained(table: Any, database: Any) -> Linker:
    """A linker of the table in one of Splink's databases, whose weights are learnt from the register itself: how often values agree between any two
    people by chance, and by expectation maximisation how often they do between two records of one."""
    linker = Linker(table, settings(), db_api=database, set_up_basic_logging=False)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("date_of_birth", "given", "family"), block_on("postcode", "given", "family")], recall=0.6
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=_MOST_PAIRS, seed=_SEED)
    for columns in (("date_of_birth", "given"), ("postcode", "given"), ("date_of_birth", "postcode")):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    return linker
