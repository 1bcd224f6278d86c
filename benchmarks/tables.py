"""What a run of benchmarks/run has found, as Markdown and as plots."""

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

Rows = list[dict]

_CALLS = {
    "register": "register", "learners": "learners", "kind": "operation, case", "per_second": "a second",
    "of_bare": "of bare", "p50_us": "p50 ms", "p99_us": "p99 ms", "alone_p50_us": "p50 alone", "alone_p99_us": "p99 alone",
    "cpu_us": "CPU us", "database_cpu_us": "database CPU us", "worker_mb": "worker MB",
}  # fmt: skip
_COMMITS = {"register": "register", "learners": "learners", "kind": "operation, case", "per_second": "a second",
            "commits": "commits a second", "of_commits": "of commits"}  # fmt: skip
_BATCHES = {"register": "register", "learners": "learners", "kind": "batch", "learners_per_second": "learners a second",
            "cpu_us": "CPU us a learner"}  # fmt: skip
_GROWTH = {"register": "register", "kind": "operation, case", "alone_p99_us": "p99 alone at the smallest size",
           "alone_p99_us_largest": "at the largest", "times": "times"}  # fmt: skip
_STARTS = {"register": "register", "learners": "learners", "start_seconds": "start-up to ready, s"}
_FAILURES = {"register": "register", "learners": "learners", "kind": "operation, case", "error": "not measured"}


def shown(name: str, value: object) -> str:
    """A value of a row as the tables have it: latencies in milliseconds, ratios in per cent."""
    if value is None:
        return ""
    if name.startswith("of_"):
        return f"{value:.0%}"
    if name.startswith(("p50", "p99", "alone")):
        return f"{value / 1000:.2f}"
    if name.endswith("seconds"):
        return f"{value:.2f}"
    return value if isinstance(value, str) else f"{value:,.0f}"


def markdown(about: dict, rows: Rows) -> str:
    """The tables of a run. about: the circumstances, by name."""
    parts = ["\n".join(f"- {name}: {value}" for name, value in about.items())]
    for heads, is_in in (
        (_CALLS, lambda row: "p99_us" in row),
        (_GROWTH, lambda row: "times" in row),
        (_COMMITS, lambda row: "commits" in row),
        (_BATCHES, lambda row: "learners_per_second" in row),
        (_STARTS, lambda row: "start_seconds" in row),
        (_FAILURES, lambda row: "error" in row),
    ):
        if chosen := [row for row in (*rows, *grown(rows)) if is_in(row)]:
            parts.append(_table(heads, chosen))
    return "\n\n".join(parts) + "\n"


def grown(rows: Rows) -> Rows:
    """For each kind and register that was measured at two sizes or more: how latency grew from the smallest to the
    largest."""
    of_kind: dict[tuple[str, str], Rows] = {}
    for row in sorted(rows, key=lambda row: row["learners"]):
        if row.get("alone_p99_us"):
            of_kind.setdefault((row["register"], row["kind"]), []).append(row)
    found = []
    for (register, kind), (first, *_, last) in ((key, of) for key, of in of_kind.items() if len(of) > 1):
        p99, largest = first["alone_p99_us"], last["alone_p99_us"]
        found.append({"register": register, "kind": kind, "alone_p99_us": p99, "alone_p99_us_largest": largest,
                      "times": f"{largest / p99:.2f}"})  # fmt: skip
    return found


def _table(heads: dict[str, str], rows: Rows) -> str:
    lines = [heads.values(), ["---"] * len(heads)]
    lines += [[shown(name, row.get(name)) for name in heads] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def plot(rows: Rows, where: Callable[[str], Path]) -> list[Path]:
    """Latency (p50 and p99, one connection) against size: a file for each register, which `where` names."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    written = []
    measured = [row for row in rows if row.get("alone_p99_us")]
    for register in dict.fromkeys(row["register"] for row in measured):
        of_register = [row for row in measured if row["register"] == register]
        names = list(dict.fromkeys(row["kind"].partition(",")[0] for row in of_register))
        figure, fields = pyplot.subplots(-(-len(names) // 3), 3, figsize=(18, 4 * -(-len(names) // 3)), squeeze=False)
        for name, axes in itertools.zip_longest(names, fields.flat):
            if name is None:
                axes.set_axis_off()
            else:
                _draw(axes, name, [row for row in of_register if row["kind"].partition(",")[0] == name])
        figure.suptitle(f"{register}: latency of one call at a time, against the register's size")
        figure.tight_layout(rect=(0, 0, 1, 0.98))
        path = where(register.lower())
        figure.savefig(path, dpi=80)
        pyplot.close(figure)
        written.append(path)
    return written


def _draw(axes, name: str, rows: Iterable[dict]) -> None:
    kinds: dict[str, list[dict]] = {}
    for row in sorted(rows, key=lambda row: row["learners"]):
        kinds.setdefault(row["kind"].partition(", ")[2] or "any", []).append(row)
    for case, of_case in kinds.items():
        sizes = [row["learners"] for row in of_case]
        (line,) = axes.plot(sizes, [row["alone_p99_us"] / 1000 for row in of_case], marker="o", label=f"{case}: p99")
        axes.plot(sizes, [row["alone_p50_us"] / 1000 for row in of_case], marker=".", linestyle=":", color=line.get_color())
    axes.set(title=name, xscale="log", yscale="log", xlabel="learners", ylabel="ms (dotted: p50)")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
