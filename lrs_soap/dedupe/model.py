"""What Splink compares, and how it learns what a comparison is worth. All of it is P."""

from typing import Any

import splink.comparison_library as compare
from splink import Linker, SettingsCreator, block_on

COLUMNS = ("unique_id", "given", "family", "previous", "date_of_birth", "postcode", "gender")
"""Of the table that Splink reads: names and postcode folded; a postcode or gender that says nothing is NULL."""

# The pairs that are compared: those that a search would look at, by the five indexes of `rules.keys`.
_BLOCKS = (
    ("date_of_birth", "family"), ("date_of_birth", "given"), ("postcode", "date_of_birth"), ("postcode", "family"),
    ("postcode", "given"),
)  # fmt: skip
_SWAPPED = tuple(f"l.{same} = r.{same} AND l.given = r.family AND l.family = r.given"
                 for same in ("date_of_birth", "postcode"))  # fmt: skip
_MOST_PAIRS = 1e7  # drawn at random to learn how often a comparison comes out so between two people
_SEED = 1


def settings() -> SettingsCreator:
    """The comparisons, for any of Splink's databases."""
    previous = compare.CustomComparison(
        output_column_name="previous",
        comparison_levels=[
            {"sql_condition": "previous_l IS NULL AND previous_r IS NULL", "label_for_charts": "none",
             "is_null_level": True},
            {"sql_condition": "family_l = previous_r OR family_r = previous_l", "label_for_charts": "previous name"},
            {"sql_condition": "ELSE", "label_for_charts": "another"},
        ],
    )  # fmt: skip
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.ForenameSurnameComparison("given", "family"),
            previous,
            compare.DateOfBirthComparison("date_of_birth", input_is_string=True),
            compare.PostcodeComparison("postcode"),
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
