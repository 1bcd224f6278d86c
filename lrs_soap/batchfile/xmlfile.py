"""Reads a batch file in XML form: P, a SubmitBatch document.

It is read like the web service's request, with two differences that a file needs: up to 5,000 learners, and no
OrgPassword and UserName, which nobody should keep in a file (both are passed over if they are there).
"""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from lrs_soap import contract, errors
from lrs_soap.batchfile import layout, problems, source
from lrs_soap.batchfile.problems import Effect
from lrs_soap.wire import stream

ROOT = contract.OPERATIONS["submitBatchRegistration"].request
_ORDER = [field.name for field in contract.ELEMENTS[ROOT].fields]
_LEARNER = _ORDER[-1]
_PLACE = {field.name: place for place, field in enumerate(layout.FIELDS)}
_KEPT = ("UKPRN", "JobType", "LearnerRecordCount")


def read(path: Path) -> Iterator[source.Item]:
    """The file's own values, then its learners, with every problem of form where it is met.

    Raises problems.Unreadable when it is not well-formed or no SubmitBatch document.
    """
    try:
        with path.open("rb") as file:
            yield from _items(path, stream.elements(file))
    except errors.InvalidRequest as error:
        raise problems.Unreadable(_not_xml(error)) from None


def _items(path: Path, elements: Iterator[tuple[str, etree._Element]]) -> Iterator[source.Item]:
    own: dict[str, source.Value] = {}
    number, before, line = 0, 0, 1
    for event, element in elements:
        if event == "start":
            line = element.sourceline
            _check_root(element)
            continue
        place = _ORDER.index(element.tag) if element.tag in _ORDER else None
        if place is None or place < before or (place == before and element.tag in own):
            yield _unexpected(element, _ORDER[before:], Effect.FILE)
            continue
        before = place
        if element.tag != _LEARNER:
            if element.tag in _KEPT:
                own[element.tag] = source.Value((element.text or "").strip(), element.sourceline, element.tag)
            continue
        number += 1
        if number == 1:
            yield source.FileValues(path.name, line, own)
        wrong, values = [], {}
        for problem in _fill(element, values):
            wrong.append(problem)
            yield problem
        yield source.Learner(number, element.sourceline, values, tuple(wrong))


def _fill(learner: etree._Element, values: dict[str, source.Value]) -> Iterator[problems.Problem]:
    before = 0
    for element in learner:
        place = _PLACE.get(element.tag, -1)
        if place < before or len(element):
            yield _unexpected(element, list(_PLACE)[before:], Effect.LEARNER)
            continue
        before = place + 1
        if element.text:
            field = layout.FIELDS[place]
            values[field.attribute] = source.Value(element.text, element.sourceline, element.tag)


def _check_root(root: etree._Element) -> None:
    if root.tag != ROOT:
        namespace = ROOT[1:].partition("}")[0]
        raise problems.Unreadable(problems.Problem(
            line=root.sourceline, rule="xml", column=root.tag.rpartition("}")[2], effect=Effect.FILE,
            message="The root element is not that of a batch", advice=f"Write SubmitBatch in the namespace {namespace}",
        ))  # fmt: skip


def _unexpected(element: etree._Element, expected: list[str], effect: Effect) -> problems.Problem:
    name = etree.QName(element)
    qualified = bool(name.namespace) and name.localname in (*_ORDER, *_PLACE)
    return problems.Problem(
        line=element.sourceline, column=name.localname, rule="xml", effect=effect,
        message="The element is in a namespace" if qualified else "The element is not expected here",
        advice="Only the root element is in a namespace" if qualified else f"Expected here: {', '.join(expected)}",
    )  # fmt: skip


def _not_xml(error: errors.InvalidRequest) -> problems.Problem:
    message, _, place = error.further_details.rstrip(".").partition(" (line ")
    line, _, position = place.rstrip(")").partition(", column ")
    return problems.Problem(
        line=int(line or 1), position=int(position) if position else None, rule="xml", message=message,
        advice="Write the file with a program that knows XML", effect=Effect.FILE,
    )  # fmt: skip
