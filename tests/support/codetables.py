"""The tables of docs/codes.md, made from wsdl/codes.json: `python tests/support/codetables.py`."""

import pathlib

from lrs_soap import codes

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "codes.md"
START, END = "<!-- generated: python tests/support/codetables.py -->\n", "<!-- end -->"


def rows_by_table() -> dict[str, list[dict]]:
    """The rows of every table, by its path in codes.json."""
    listed = {part: rows for part, rows in codes.TABLE.items() if isinstance(rows, list)}
    return listed | {f"enumerations.{name}": rows for name, rows in codes.TABLE["enumerations"].items()}


def markdown(rows: list[dict]) -> str:
    """Rows as a table."""
    more = [key for key in ("used_by", "actor") if key in rows[0]]
    lines = [f"| {' | '.join(['code', 'name', 'meaning', 'basis', *more])} |", "|---" * (4 + len(more)) + "|"]
    for row in rows:
        values = [row["code"], row["name"], row["meaning"], row["basis"], *(row[key] for key in more)]
        lines.append(f"| {' | '.join(', '.join(one) if isinstance(one, list) else one for one in values)} |")
    return "\n".join(lines)


def current() -> str:
    """The document with its generated part made anew."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(START)
    tables = "\n\n".join(f"## {title}\n\n{markdown(rows)}" for title, rows in rows_by_table().items())
    return f"{before}{START}\n{tables}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(current(), encoding="utf-8")
