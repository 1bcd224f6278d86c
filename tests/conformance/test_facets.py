"""The probes of the facet cases: every facet of every type that a request uses is broken alone, and every alternative taken."""

import re

import pytest

from lrs_soap import contract
from lrs_soap.conformance import messages, values

KINDS = {
    field.simple.name: field.simple
    for operation in contract.OPERATIONS.values()
    for _, field in messages.leaves(operation.request_type)
}
# Facets that no text breaks without breaking the type's pattern too.
IMPLIED = {
    ("MIAPNameNonEmpty", "minLength"), ("MIAPULN", "minLength"), ("MIAPULN", "maxLength"), ("MIAPULNNillable", "maxLength"),
    ("MIAPGender", "maxLength"), ("MIAPGenderNillable", "maxLength"), ("MIAPScottishCandidateNumber", "maxLength"),
    ("MIAPVerificationType", "maxLength"), ("MIAPAbilityToShare", "minLength"), ("MIAPAbilityToShare", "maxLength"),
}  # fmt: skip


def facets(kind):
    """By name, whether a text keeps to each facet of a type (its patterns are one: any may match)."""

    def number(text):
        return int(text) if re.fullmatch("[+-]?[0-9]+", text) else None

    held = {
        "pattern": (kind.patterns, lambda text: any(re.fullmatch(pattern, text) for pattern in kind.patterns)),
        "minLength": (kind.min_length, lambda text: len(text) >= kind.min_length),
        "maxLength": (kind.max_length, lambda text: len(text) <= kind.max_length),
        "base": (kind.base != "string", lambda text: number(text) is not None),
        "minInclusive": (kind.base != "string", lambda text: number(text) is None or number(text) >= kind.min_inclusive),
        "maxInclusive": (kind.base != "string", lambda text: number(text) is None or number(text) <= kind.max_inclusive),
    }
    return {name: holds for name, (there, holds) in held.items() if there}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_facet_is_broken_alone_and_every_pattern_taken(kind):
    held, probes = facets(kind), values.at_the_bounds(kind)
    broken = [{name for name, holds in held.items() if not holds(text)} for text in probes]
    missing = {name for name in held if {name} not in broken}
    assert missing == {name for type_name, name in IMPLIED if type_name == kind.name}
    taken = [text for text, names in zip(probes, broken, strict=True) if not names]
    assert [pattern for pattern in kind.patterns if not any(re.fullmatch(pattern, text) for text in taken)] == []


def test_how_many_there_are():
    assert len(KINDS) == 30 and sum(len(facets(kind)) for kind in KINDS.values()) == 52
