"""The tables of README.md and docs/sandbox.md that are made from fixtures/: `python tests/support/tables.py`."""

import json
import pathlib

from lrs_soap import codes, sandbox

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEANINGS = {row["code"]: row["meaning"] for part in ("response_codes", "error_codes", "verification_codes")
            for row in codes.TABLE[part]}  # fmt: skip


def summary() -> str:
    """For each operation, every code it gives and the first case that shows it."""
    first = {}
    for row in sandbox.outcomes():
        for code in row["expected"].split():
            if code in MEANINGS:
                first.setdefault((row["operation"], code), row)
    lines = ["| operation | code | what it means | one of the cases that give it |", "|---|---|---|---|"]
    order = list(dict.fromkeys(operation for operation, _ in first))
    for operation, code in sorted(first, key=lambda key: (order.index(key[0]), key[1])):
        lines.append(f"| {operation} | {code} | {MEANINGS[code]} | `{first[operation, code]['case']}` |")
    return "\n".join(lines)


def cases() -> str:
    """Every row, with what it sends."""
    lines = ["| case | expected | basis | what | input |", "|---|---|---|---|---|"]
    operation, order = None, list(dict.fromkeys(row["operation"] for row in sandbox.outcomes()))
    for row in sorted(sandbox.outcomes(), key=lambda row: order.index(row["operation"])):
        if row["operation"] != operation:
            operation = row["operation"]
            lines.append(f"| **{operation}** | | | | |")
        sent = ", ".join(f"{name}={_word(value)}" for name, value in json.loads(row["input"]).items())
        who = "" if row["organisation"] == "SAND01" else f" (by {row['organisation']})"
        changes = f" ({row['changes']})" if row["changes"] else ""
        lines.append(f"| `{row['case']}` | {row['expected']}{changes} | {row['basis']} | {row['what']}{who} | {sent} |")
    return "\n".join(lines)


def _word(value) -> str:
    if value is None:
        return "*absent*"
    if isinstance(value, list):
        return "; ".join(map(_word, value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={_word(item)}" for name, item in value.items()) + "}"
    return value or "*empty*"


DOCUMENTS = {"README.md": summary, "docs/sandbox.md": cases}


def current(name: str) -> str:
    """The document `name` with its generated part made anew."""
    text = (ROOT / name).read_text(encoding="utf-8")
    start, end = "<!-- generated: python tests/support/tables.py -->\n", "<!-- end -->"
    before, _, rest = text.partition(start)
    return f"{before}{start}\n{DOCUMENTS[name]()}\n\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    for document in DOCUMENTS:
        (ROOT / document).write_text(current(document), encoding="utf-8")
