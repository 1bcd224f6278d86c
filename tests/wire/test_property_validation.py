"""Requests made from the XSDs: two validators agree, and the message names the right Xerces key, type and value."""

import functools
import re
import threading

import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from lxml import etree

from lrs_soap import contract, resources
from lrs_soap.wire import parser, xerces
from tests.support import messages

# The libxml2 errors that a Xerces key may stand for. libxml2's choice of words is not used, its codes judge ours.
SAME_ERROR = {
    "cvc-pattern-valid": {"SCHEMAV_CVC_PATTERN_VALID"},
    "cvc-minLength-valid": {"SCHEMAV_CVC_MINLENGTH_VALID"},
    "cvc-maxLength-valid": {"SCHEMAV_CVC_MAXLENGTH_VALID"},
    "cvc-minInclusive-valid": {"SCHEMAV_CVC_MININCLUSIVE_VALID", "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"},
    "cvc-maxInclusive-valid": {"SCHEMAV_CVC_MAXINCLUSIVE_VALID", "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"},
    "cvc-datatype-valid.1.2.1": {"SCHEMAV_CVC_DATATYPE_VALID_1_2_1"},
    "cvc-complex-type.2.3": {"SCHEMAV_CVC_COMPLEX_TYPE_2_3"},
    "cvc-complex-type.2.4.a": {"SCHEMAV_ELEMENT_CONTENT"},
    "cvc-complex-type.2.4.b": {"SCHEMAV_ELEMENT_CONTENT"},
    "cvc-complex-type.2.4.d": {"SCHEMAV_ELEMENT_CONTENT"},
    "cvc-complex-type.3.2.2": {"SCHEMAV_CVC_COMPLEX_TYPE_3_2_1"},
    "cvc-type.3.1.1": {"SCHEMAV_CVC_TYPE_3_1_1"},
    "cvc-type.3.1.2": {"SCHEMAV_CVC_TYPE_3_1_2"},
    "cvc-elt.1": {"SCHEMAV_CVC_ELT_1"},
    "cvc-elt.3.1": {"SCHEMAV_CVC_ELT_3_1", "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"},  # neither allowed nor a boolean
    "cvc-elt.3.2.1": {"SCHEMAV_CVC_ELT_3_2_1"},
    "cvc-elt.4.1": {"SCHEMAV_CVC_DATATYPE_VALID_1_2_1"},
    "cvc-elt.4.2": {"SCHEMAV_CVC_ELT_4_2"},
    "cvc-elt.4.3": {"SCHEMAV_CVC_ELT_4_3"},
}


@functools.cache
def second_judge() -> dict[str, xmlschema.XMLSchema]:
    schemas = [xmlschema.XMLSchema(str(path)) for path in sorted(resources.directory("schemas").glob("*.xsd"))]
    return {schema.target_namespace: schema for schema in schemas}


def is_valid(element: etree._Element) -> bool:
    schema = second_judge()[etree.QName(element).namespace]
    try:
        return schema.is_valid(element)
    except (xmlschema.exceptions.XMLSchemaKeyError, xmlschema.exceptions.XMLSchemaValueError):
        return False  # an xsi:type that names nothing: xmlschema raises where it should report


def judged(element: etree._Element) -> str | None:
    """xerces.violation, after the checks that hold for every message."""
    # As it comes from the network: written and parsed.
    element = parser.parse(messages.envelope(element))[0][0]
    found = xerces.violation(element)
    kinds = {entry.type_name for entry in contract.schema().error_log}
    assert (found is None) == is_valid(element)
    if found is None:
        return None
    key = found.partition(":")[0]
    assert SAME_ERROR[key] & kinds, (key, kinds)
    assert messages.PASSWORD not in found
    assert "\n" not in found and len(found) < 1500
    etree.Element("FurtherDetails").text = found  # raises if XML cannot carry it
    return found


SIMPLE_FIELDS = {
    (field.type_name, operation.name, field.name)
    for operation in contract.OPERATIONS.values()
    for type_ in [operation.request_type, *(f.complex for f in operation.request_type.fields if f.complex)]
    for field in type_.fields
    if field.simple
}
# One place for each simple type that any request uses.
PLACES = sorted({type_name: (operation, name) for type_name, operation, name in sorted(SIMPLE_FIELDS)}.items())


def simple(type_name: str):
    fields = (f for type_ in contract.TYPES.values() for f in type_.fields)
    return next(field.simple for field in fields if field.type_name == type_name)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("operation", contract.OPERATIONS)
def test_the_examples_are_valid(operation, full):
    assert judged(messages.request(operation, full=full)) is None


@pytest.mark.parametrize(("type_name", "place"), PLACES, ids=[name for name, _ in PLACES])
def test_every_facet_at_its_bound(type_name, place):
    operation, name = place
    type_ = simple(type_name)
    refused = 0
    for value in messages.values_at_the_bounds(type_):
        found = judged(messages.request(operation, **{name: value}))
        if type_.base == "string":
            assert (found is None) == messages.fits(type_, value), value
        if found is None:
            continue
        refused += 1
        key = found.partition(":")[0]
        if key == "cvc-datatype-valid.1.2.1":
            assert found.endswith("is not a valid value for 'integer'.")
        else:
            assert found.endswith(f"for type '{type_name}'.")
        if type_.patterns and not any(re.fullmatch(pattern, value, re.ASCII) for pattern in type_.patterns):
            assert key == "cvc-pattern-valid"  # Xerces looks at patterns first
            assert f"pattern '{'|'.join(type_.patterns)}'" in found
        elif type_.base == "string":
            limit, facet = (type_.max_length, "maxLength") if len(value) > type_.max_length else (type_.min_length, "minLength")
            assert key == f"cvc-{facet}-valid" and f"{facet} '{limit}'" in found
    assert refused or type_.base == "string" and type_.max_length is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages.requests())
def test_valid_requests_are_valid_to_both(element):
    assert judged(element) is None


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages.requests(mistakes=1))
def test_one_mistake_is_named(element):
    judged(element)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages.requests(mistakes=4))
def test_of_many_mistakes_one_is_named(element):
    judged(element)


def test_no_message_carries_another_threads_value():
    """libxml2 mixes up the error logs of threads that share a schema; here each has its own, and this shows it."""
    wrong = []
    start = threading.Barrier(4)

    def call(thread: int):
        start.wait()
        for number in range(500):
            value = f"thread{thread}call{number}"
            name = ("ULN", "FindType", "UKPRN")[number % 3]
            found = xerces.violation(messages.request("learnerByULN", **{name: value}))
            if f"Value '{value}' is not facet-valid with respect to pattern" not in found:
                wrong.append((value, found))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
