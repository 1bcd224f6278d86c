"""docs/conformance.md: what the suite proves, made from its cases and the table of the Basic Profile."""

import collections
import csv
import re
from collections.abc import Mapping
from pathlib import Path

from lrs_soap.conformance import case, catalogue, target

ASSERTIONS = Path(__file__).with_name("basic_profile.csv")
_NUMBER = re.compile(r"R(\d{4})(?:-R(\d{4}))?")
_TEXT = Path(__file__).with_name("document.md")


def assertions() -> list[dict[str, str]]:
    """The rows of the table: number (or a range), about, status, statement and note."""
    with ASSERTIONS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(text: str) -> list[int]:
    """The assertions that a text names: R1000 is 1000, R1000-R1002 all three."""
    return [number for low, high in _NUMBER.findall(text) for number in range(int(low), int(high or low) + 1)]


def tested_by(cases: list[case.Case]) -> Mapping[int, list[str]]:
    """The ids of the cases that name an assertion in their clause, by its number."""
    found: Mapping[int, list[str]] = collections.defaultdict(list)
    for row in cases:
        for number in numbers(row.clause):
            found[number].append(row.id)
    return found


def page() -> str:
    """The whole page."""
    cases = catalogue.cases(target.load(None))
    text = _TEXT.read_text(encoding="utf-8")
    made = {"COUNTS": _counts(cases), "ASSERTIONS": _assertions(cases), "CASES": _cases(cases)}
    return re.sub(r"\{\{(\w+)\}\}", lambda found: made[found[1]], text)


def _counts(cases: list[case.Case]) -> str:
    lines = ["| part | cases | documented (D) | ours (P) | that may write |", "|---|---|---|---|---|"]
    for part in case.Part:
        rows = [row for row in cases if row.part == part]
        basis = collections.Counter(row.basis for row in rows)
        lines.append(f"| {part} | {len(rows)} | {basis['D']} | {basis['P']} | {sum(row.writes for row in rows)} |")
    return "\n".join(lines)


def _assertions(cases: list[case.Case]) -> str:
    by_number = tested_by(cases)
    lines = ["| assertion | what it says, in our words | status | cases | note |", "|---|---|---|---|---|"]
    for row in assertions():
        ids = ", ".join(f"`{id_}`" for number in numbers(row["number"]) for id_ in by_number.get(number, []))
        lines.append(f"| {row['number']} | {row['statement']} | {row['status']} | {ids} | {row['note']} |")
    return "\n".join(lines)


def _cases(cases: list[case.Case]) -> str:
    """Every case but those that are made by rule or from the table of outcomes, which has its own page."""
    lines = []
    for part in case.Part:
        lines += [f"### {part}", "", "| case | what it proves | clause | basis | writes |", "|---|---|---|---|---|"]
        for row in cases:
            if row.part == part and not row.id.startswith(("facet-", "form-", "outcome-")):
                writes = "yes" if row.writes else ""
                lines.append(f"| `{row.id}` | {row.title} | {row.clause} | {row.basis} | {writes} |")
        lines.append("")
    return "\n".join(lines).rstrip()
