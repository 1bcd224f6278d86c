"""What a run found: as JUnit XML and as one HTML file that needs nothing else. No OrgPassword is in either."""

import collections
import dataclasses
import datetime
import importlib.metadata
import re
from collections.abc import Sequence
from pathlib import Path

import jinja2
from lxml import etree

from lrs_soap.conformance import case, mask, wire

MOST_EXCHANGES = 4  # P: of one case in the HTML report; those of a failure are the last ones
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEMPLATE = Path(__file__).with_name("report.html.j2")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run: where, how (in words), when (aware), and the results in the order of the suite."""

    url: str
    mode: str
    at: datetime.datetime
    seconds: float
    results: Sequence[case.Result]

    def counts(self) -> dict[str, dict[str, int]]:
        """By part, how many cases ended how; every verdict is there."""
        counted = {part: dict.fromkeys(map(str, case.Verdict), 0) for part in map(str, case.Part)}
        for result in self.results:
            counted[str(result.case.part)][str(result.verdict)] += 1
        return counted

    def number(self, *verdicts: case.Verdict) -> int:
        """How many cases ended in one of these ways."""
        return sum(result.verdict in verdicts for result in self.results)

    def broken(self) -> list[case.Result]:
        """Those that failed, and those that broke themselves."""
        return [result for result in self.results if result.verdict in (case.Verdict.FAILED, case.Verdict.ERROR)]

    def outcome(self) -> str:
        """How it went, in a sentence."""
        said = f"{self.number(case.Verdict.PASSED)} of {len(self.results)} cases passed"
        counted = ((self.number(verdict), verdict) for verdict in case.Verdict if verdict != case.Verdict.PASSED)
        return ", ".join([said, *(f"{number} {verdict}" for number, verdict in counted if number)])


def junit(run: Run, masker: mask.Masker) -> bytes:
    """The run as JUnit XML: a suite for each part, a failure or error with its reason, a skip for what was not run."""
    root = etree.Element("testsuites", name="lrs-soap conform")
    for part, counted in run.counts().items():
        rows = [result for result in run.results if result.case.part == part]
        suite = etree.SubElement(
            root,
            "testsuite",
            name=part,
            tests=str(len(rows)),
            failures=str(counted["failed"]),
            errors=str(counted["error"]),
            skipped=str(counted["not run"]),
            time=f"{sum(result.seconds for result in rows):.3f}",
            timestamp=run.at.strftime("%Y-%m-%dT%H:%M:%S"),
            hostname=mask.Masker(()).url(run.url),
        )
        for result in rows:
            _junit_case(suite, result, masker)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _junit_case(suite: etree._Element, result: case.Result, masker: mask.Masker) -> None:
    row = etree.SubElement(suite, "testcase", classname=str(result.case.part), name=f"{result.case.id}: {result.case.title}",
                           time=f"{result.seconds:.3f}")  # fmt: skip
    kind = {case.Verdict.FAILED: "failure", case.Verdict.ERROR: "error", case.Verdict.NOT_RUN: "skipped"}.get(result.verdict)
    if kind:
        reason = printable(masker.text(result.reason))
        found = etree.SubElement(row, kind, message=reason)
        if kind != "skipped":
            found.set("type", result.case.clause)
            found.text = f"clause: {result.case.clause} ({result.case.basis})\n{reason}"


def html(run: Run, masker: mask.Masker) -> str:
    """The run as one HTML page without outside resources: for each case the clause, what was sent and received, and the
    judgement."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    rows = collections.defaultdict(list)
    for result in run.results:
        exchanges = [_shown(exchange, masker) for exchange in result.exchanges[-MOST_EXCHANGES:]]
        left_out = len(result.exchanges) - len(exchanges)
        reason = printable(masker.text(result.reason))
        rows[str(result.case.part)].append((result, reason, exchanges, left_out))
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    broken = [(result, printable(masker.text(result.reason))) for result in run.broken()]
    return template.render(run=run, outcome=run.outcome(), broken=broken, version=importlib.metadata.version("lrs_soap"),
                           url=masker.url(run.url), parts=rows, counts=run.counts(), verdicts=list(case.Verdict))  # fmt: skip


def _shown(exchange: wire.Exchange, masker: mask.Masker) -> dict:
    sent, received = masker.messages(exchange)
    return {
        "request": f"{exchange.method} {masker.url(exchange.url)}",
        "request_headers": printable(masker.text("\n".join(f"{name}: {value}" for name, value in exchange.sent_headers))),
        "sent": printable(sent),
        "status": f"HTTP {exchange.status}" if exchange.status else "no reply",
        "problem": printable(exchange.problem),
        "headers": printable(masker.text("\n".join(f"{name}: {value}" for name, value in exchange.headers))),
        "received": printable(received),
        "milliseconds": round(exchange.seconds * 1000),
    }


def printable(text: str) -> str:
    """`text` without what XML cannot hold."""
    return _UNPRINTABLE.sub("\ufffd", text)
