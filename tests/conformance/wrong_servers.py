"""Deliberately wrong servers: each has one fault, and the case that has to catch it.

A fault is a function of the request and of `on`, which passes it on to an honest sandbox and gives its reply.
"""

import dataclasses
import pathlib

import wrong_files
import wrong_http
import wrong_learners
import wrong_outcomes
import wrong_replies
import wrong_requests
from proxy import Spoil

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "wrong-servers.md"


@dataclasses.dataclass(frozen=True)
class Wrong:
    """A wrong server: what it does, and the ids of cases that fail for it."""

    name: str
    caught_by: tuple[str, ...]
    spoil: Spoil


ALL = [
    Wrong(name, tuple(cases.split()), spoil)
    for module in (wrong_replies, wrong_learners, wrong_requests, wrong_outcomes, wrong_http, wrong_files)
    for name, (cases, spoil) in module.FAULTS.items()
]


def page() -> str:
    """docs/wrong-servers.md."""
    rows = "\n".join(f"| {wrong.name} | `{'`, `'.join(wrong.caught_by)}` |" for wrong in ALL)
    return f"""# Wrong servers, and which case catches each

Made by `python tests/conformance/wrong_servers.py`; do not edit it.

A conformance suite is worth what it can find. Each of these {len(ALL)} servers has one fault on purpose: it stands in front
of an honest sandbox and spoils what goes through. For each, a test shows that the cases named fail; others may fail too.
Every case of the suite is named by at least one of them; of the cases that are made by rule (`facet-`, `form-`, `schema-`,
`wsdl-operation-`) or from the table of outcomes (`outcome-`), some of each kind are. Without a fault the same server
passes every case. (Whole runs against servers that are nothing of the kind, such as one
that says nothing or sends noise, are in `tests/conformance/test_strange_servers.py`.)

| what is wrong | caught by |
|---|---|
{rows}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
