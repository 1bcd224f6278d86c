"""docs/clients quotes the programs that .ci/clients runs, and says of each stack whether it was run."""

import re
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parent.parent / "docs" / "clients"
STACKS = sorted(path.name for path in CLIENTS.iterdir() if path.is_dir())
QUOTE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("stack", STACKS)
def test_the_page_quotes_the_files_that_are_run(stack):
    quoted = dict(QUOTE.findall((CLIENTS / f"{stack}.md").read_text(encoding="utf-8")))
    files = {f"{stack}/{path.name}": path.read_text(encoding="utf-8") for path in (CLIENTS / stack).iterdir()}
    assert quoted == files
    assert f"{stack}/run.sh" in files
    assert len(files) == 2


def test_every_stack_has_its_page_and_its_row():
    index = (CLIENTS / "README.md").read_text(encoding="utf-8")
    rows = {page: status for page, status in re.findall(r"^\| \[.*?\]\((\S+?)\.md\) \|.*\| (.*?) \|$", index, re.MULTILINE)}
    assert sorted(rows) == STACKS == sorted(path.stem for path in CLIENTS.glob("*.md") if path.name != "README.md")
    for stack, status in rows.items():
        said = re.search(r"^\*\*Run\*\* with .* on ([\d-]+), by `\.ci/clients (.*)`\.$",
                         (CLIENTS / f"{stack}.md").read_text(encoding="utf-8"), re.MULTILINE)  # fmt: skip
        assert (f"run {said[1]}", said[2]) == (status, stack)


def test_no_two_stacks_register_the_same_learner():
    programs = [path.read_text(encoding="utf-8") for path in CLIENTS.glob("*/[lL]earner*")]
    assert len(programs) == len(STACKS)
    names = [re.search(r"""[fF]amilyName\W+(?:=> )?["'](?!Whitcombe)(\w+)""", text)[1] for text in programs]
    assert len(set(names)) == len(names)
