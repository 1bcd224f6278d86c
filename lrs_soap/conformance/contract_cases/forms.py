"""For each operation: which elements may, must and must not stand in its request, and in what order."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from lrs_soap import contract
from lrs_soap.conformance import case, messages, replies, talk
from lrs_soap.conformance.contract_cases import facets

BOOK = case.Book(case.Part.CONTRACT)
_NIL = f"{messages.XSI}nil"
Forms = Callable[[contract.Operation, Any], Iterator[tuple[str, Any]]]


def _kinds(kind: contract.ComplexType, element: Any) -> Iterator[tuple[Any, contract.Field]]:
    """Every element below `element`, with its field."""
    fields = {field.name: field for field in kind.fields}
    for child in element:
        yield child, fields[child.tag]
        if fields[child.tag].complex is not None:
            yield from _kinds(fields[child.tag].complex, child)


def _without(operation, element):
    """A mandatory element that is missing"""
    for child, field in list(_kinds(operation.request_type, element)):
        if field.min_occurs:
            yield f"without {field.name}", _changed(element, child, lambda found: found.getparent().remove(found))


def _twice(operation, element):
    """An element twice that may stand once"""
    for child, field in list(_kinds(operation.request_type, element)):
        if field.max_occurs == 1:
            yield f"{field.name} twice", _changed(element, child, lambda found: found.addnext(copy.deepcopy(found)))


def _swapped(operation, element):
    """Two neighbours in each other's place"""
    for child, field in list(_kinds(operation.request_type, element)):
        if child.getnext() is not None and child.getnext().tag != child.tag:
            yield f"{field.name} behind {child.getnext().tag}", _changed(element, child, lambda found: found.getnext().addnext(found))


def _unknown(operation, element):
    """An element or attribute that the contract does not have, or text between elements"""
    yield "with an unknown element", _changed(element, element, lambda found: etree.SubElement(found, "ShoeSize"))
    yield "with an unknown attribute", _changed(element, element[0], lambda found: found.set("size", "43"))
    yield "with text between elements", _changed(element, element[0], lambda found: setattr(found, "tail", "text"))


def _qualified(operation, element):
    """Children in a namespace"""
    namespace = operation.request.partition("}")[0]
    for index in (0, len(element) - 1):
        yield "with a qualified child", _changed(element, element[index], lambda found: setattr(found, "tag", f"{namespace}}}{found.tag}"))


def _nil_refused(operation, element):
    """xsi:nil="true" on an element that is not nillable"""
    for child, field in list(_kinds(operation.request_type, element)):
        if not field.nillable and field.complex is None:
            yield f"{field.name} with xsi:nil", _changed(element, child, _make_nil)


def _too_many(operation, element):
    """One more than the most elements that a list may have"""
    for child, field in list(_kinds(operation.request_type, element)):
        if field.max_occurs not in (1, None):
            yield f"{field.max_occurs + 1} of {field.name}", _changed(element, child, lambda found, most=field.max_occurs: [
                found.addnext(copy.deepcopy(found)) for _ in range(most)])  # fmt: skip


def _nil_taken(operation, element):
    """xsi:nil="true" and "false" on a nillable element, as .NET sends it"""
    for child, field in list(_kinds(operation.request_type, element)):
        if field.nillable and field.name != "OrganisationRef":
            yield f"{field.name} with xsi:nil", _changed(element, child, _make_nil)
            yield f"{field.name} with xsi:nil=false", _changed(element, child, lambda found: found.set(_NIL, "false"))


def _everything(operation, element):
    """Every optional element, and none"""
    yield "with every optional element", element
    sparse = messages.element(operation.name, messages.example(operation.name))
    yield "without any optional element", sparse


def _most(operation, element):
    """As many elements as a list may have"""
    for child, field in list(_kinds(operation.request_type, element)):
        if field.max_occurs not in (1, None):
            yield f"{field.max_occurs} of {field.name}", _changed(element, child, lambda found, most=field.max_occurs: [
                found.addnext(copy.deepcopy(found)) for _ in range(most - 1)])  # fmt: skip


def _make_nil(found: Any) -> None:
    found.text = None
    found.set(_NIL, "true")


def _changed(element: Any, child: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of the whole request in which `change` was made to the copy of `child`."""
    path = child.getroottree().getelementpath(child)
    whole = copy.deepcopy(element)
    change(whole if child is element else whole.find(path))
    return whole


def _form_case(operation: contract.Operation, forms: Forms) -> Callable[[talk.Talk], None]:
    def run(conversation: talk.Talk) -> None:
        anonymous = facets.is_anonymous(conversation, operation.name)
        full = messages.example(operation.name, full=True, OrganisationRef=conversation.target.unknown_organisation_ref)
        for what, sent in forms(operation, messages.element(operation.name, full)):
            if replies.is_valid(sent):
                facets.taken(conversation, operation.name, etree.tostring(sent, encoding="unicode"), f"a request {what}")
                continue
            if not anonymous:
                _make_ours(sent, conversation)
            if not replies.is_valid(sent):
                facets.refused(conversation, etree.tostring(sent, encoding="unicode"), f"a request {what}", anonymous)

    return run


def _make_ours(sent: Any, conversation: talk.Talk) -> None:
    """Puts the caller's own values where the request names the caller."""
    for name, value in conversation.values().items():
        for child in sent.findall(name):
            if value is None:
                sent.remove(child)
            elif child.text:
                child.text = value


_REFUSED = (("missing", _without), ("twice", _twice), ("order", _swapped), ("unknown", _unknown),
            ("qualified", _qualified), ("nil-where-not-nillable", _nil_refused), ("too-many", _too_many))  # fmt: skip
_TAKEN = (("optional", _everything), ("nil", _nil_taken), ("most", _most))

for _operation in contract.OPERATIONS.values():
    for (_slug, _forms), _word in [(row, "is refused") for row in _REFUSED] + [(row, "is taken") for row in _TAKEN]:
        _sample = messages.element(_operation.name, messages.example(_operation.name, full=True))
        if any(True for _ in _forms(_operation, _sample)):
            BOOK.add(
                f"form-{_operation.name}-{_slug}",
                f"{_operation.name}: {_forms.__doc__[0].lower() + _forms.__doc__[1:]} {_word}",
                "contract: " + _operation.request_type.name,
                _form_case(_operation, _forms),
            )
