"""The Validator Tool: everything that is wrong with a batch file."""

import datetime
from collections.abc import Iterator
from pathlib import Path

from lrs_soap.batchfile import checks, csvfile, layout, problems, source, xmlfile
from lrs_soap.batchfile.problems import Effect
from lrs_soap.codes import BatchJobType

_WHY = {
    "FileVersion": "that of this format",
    "FileName": "the name that the file has",
    "UKPRN": "the one in the name of the file",
}
_NEW = "`lrs-soap batch new` makes a correct one"


def examine(
    path: Path, today: datetime.date, job_type: BatchJobType = BatchJobType.FULL
) -> Iterator[problems.Problem | source.FileValues | tuple[source.Learner, list[problems.Problem]]]:
    """Reads and judges a batch file as it streams by.

    Gives each Problem where it is met, the FileValues, and each learner with the problems of that learner (which are
    also given on their own, before). today: the day on which ages count. Never raises for what a file holds: what
    cannot be read further ends with a Problem. Raises OSError when the file cannot be opened.
    """
    try:
        yield from _examine(path, today, job_type)
    except problems.Unreadable as error:
        yield error.problem


def validate(
    path: Path, today: datetime.date, job_type: BatchJobType = BatchJobType.FULL
) -> Iterator[problems.Problem]:
    """Every problem of the file, as `examine` finds them."""
    return (item for item in examine(path, today, job_type) if isinstance(item, problems.Problem))


def _examine(path, today, job_type):
    yield from _name(path)
    identifiers, count, own = checks.Identifiers(), 0, None
    reader = xmlfile.read(path) if source.kind(path) == "XML" else csvfile.read(path)
    for item in reader:
        if isinstance(item, problems.Problem):
            yield item
        elif isinstance(item, source.FileValues):
            own = item
            yield item
            yield from _own_values(item, source.kind(path))
        else:
            count += 1
            found = list(checks.learner(item, today, job_type))
            duplicate = identifiers.problem(item)
            if duplicate:
                found.append(duplicate)
            if count == layout.MAX_LEARNERS + 1:
                found.append(_too_many(item))
            yield from found
            yield item, [*item.unreadable, *found]
    yield from _count(count, own)


def _name(path: Path) -> Iterator[problems.Problem]:
    name, kind = layout.parse_name(path.name), source.kind(path)
    if name is None:
        message = "The file is not named LRB_<UKPRN>_<ddmmyyyyHHMM>.CSV or .XML, in capitals"
        yield _file_problem("file-name", message, f"Rename it, for example LRB_10001234_010920260915.{kind}", path.name)
    elif name.kind != kind:
        message = f"The file is {kind}, but its name ends in .{name.kind}"
        yield _file_problem("file-name", message, "Rename it", path.name)


def _own_values(own: source.FileValues, kind: str) -> Iterator[problems.Problem]:
    """What the file says of itself; an XML file has neither version nor name in it."""
    name = layout.parse_name(own.name)
    expected = {"UKPRN": name.ukprn if name else None}
    if kind == "CSV":
        expected |= {"FileVersion": layout.VERSION, "FileName": own.name}
    for column, right in expected.items():
        value = own.values.get(column)
        if value is None:
            if kind == "CSV":
                yield _absent(own, column, right)
        elif right is not None and value.text != right:
            message = f"{column} is not {_WHY[column]}"
            effect = Effect.FILE if column == "FileVersion" else Effect.SERVICE
            yield value.problem("file-values", message, f"Write {right}, or rename the file", effect)


def _count(count: int, own: source.FileValues | None) -> Iterator[problems.Problem]:
    if count == 0:
        yield _file_problem("no-learners", "The file holds no learners", f"Add a row for each learner; {_NEW}", None)
    if own is None:
        return
    stated = own.values.get("LearnerRecordCount")
    if stated is None:
        yield _absent(own, "LearnerRecordCount", str(count))
    elif not (stated.text.isascii() and stated.text.isdigit() and stated.text.lstrip("0") == str(count)):
        yield stated.problem("count", f"LearnerRecordCount is not the number of learners: there are {count}",
                             f"Write {count}, or look for the learners that are missing", Effect.FILE)


def _absent(own: source.FileValues, column: str, right: str | None) -> problems.Problem:
    return problems.Problem(
        line=own.line, column=column, rule="file-values", effect=Effect.FILE,
        message=f"{column} is empty in the first data row",
        advice=f"Write {right}" if right else "Fill it in, as the file name has it",
    )  # fmt: skip


def _too_many(item: source.Learner) -> problems.Problem:
    return problems.Problem(
        line=item.line, rule="too-many", message=f"The file holds more than {layout.MAX_LEARNERS:,} learners",
        advice=f"Divide it into files of at most {layout.MAX_LEARNERS:,}", effect=Effect.FILE,
    )  # fmt: skip


def _file_problem(rule: str, message: str, advice: str, value: str | None) -> problems.Problem:
    effect = Effect.FILE if rule == "no-learners" else Effect.SERVICE
    return problems.Problem(line=1, rule=rule, message=message, advice=advice, effect=effect, value=value)
