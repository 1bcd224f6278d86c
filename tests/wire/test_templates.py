"""A message like one that was learned says the same as if it had been read the long way, or is not taken at all."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from support import messages, secured

from lrs_soap import binding, contract, errors
from lrs_soap import settings as settings_
from lrs_soap.operations import TABLE
from lrs_soap.register import Register
from lrs_soap.wire import envelope, parser, soap, templates, xerces

QUICK = [name for name in contract.OPERATIONS if TABLE[name].quick] + ["registerSingleLearner"]
FIND = "learnerByULN"


@pytest.fixture(autouse=True)
def at_will(monkeypatch):
    monkeypatch.setattr(templates, "LEARNING_SECONDS", 0.0)


def learned(message: bytes, operation: str = FIND, charset: str | None = None) -> templates.Templates:
    assert long_way(message, charset) is not None  # nothing else is learned
    made = templates.Templates()
    made.learn(message, charset, contract.OPERATIONS[operation])
    return made


def long_way(message: bytes, charset: str | None = None):
    """The request that the message is, or None if it is refused."""
    try:
        element = envelope.body_element(parser.parse(message, charset))
    except errors.LrsError:
        return None
    operation = contract.BY_REQUEST.get(element.tag)
    if operation is None or xerces.violation(element):
        return None
    return templates.Known(operation, binding.decoder(operation.request_type)(element))


def fields(type_, path=()):
    for field in type_.fields:
        if field.complex is None:
            yield field
        else:
            yield from fields(field.complex)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("operation", QUICK)
def test_other_values_are_taken(operation, full):
    made = learned(messages.envelope(messages.request(operation, full=full)), operation)
    other = messages.envelope(messages.request(operation, full=full, UserName="Another User", ULN="1000000027"))
    found = made.read(other, None)
    assert found is not None and found == long_way(other)


@pytest.mark.parametrize("operation", QUICK)
def test_every_value_at_its_bounds(operation):
    made = learned(messages.envelope(messages.request(operation, full=True)), operation)
    taken = 0
    for field in fields(contract.OPERATIONS[operation].request_type):
        for value in messages.values_at_the_bounds(field.simple):
            message = messages.envelope(messages.request(operation, full=True, **{field.name: value}))
            found = made.read(message, None)
            taken += found is not None
            assert found is None or found == long_way(message), (field.name, value)
    assert taken > 20


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_whatever_is_taken_is_what_the_long_way_reads(data):
    operation = data.draw(st.sampled_from(QUICK))
    full = data.draw(st.booleans())
    made = learned(messages.envelope(messages.request(operation, full=full)), operation)
    names = [field.name for field in fields(contract.OPERATIONS[operation].request_type) if full or field.min_occurs]
    name = data.draw(st.sampled_from(names))
    text = data.draw(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from("\t\r\n ]&<>"), max_size=40))
    message = messages.envelope(messages.request(operation, full=full, **{name: text}))
    found = made.read(message, None)
    assert found is None or found == long_way(message)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_a_byte_changed_anywhere(data):
    before = messages.envelope(messages.request(FIND, full=True))
    made = learned(before)
    place = data.draw(st.integers(0, len(before) - 1))
    piece = data.draw(st.sampled_from([b"", b"&", b"<", b">", b"/", b'"', b" ", b"\n", b"\0", b"\xc3", b"&#10;", b"]]>", b"<!---->"]))
    changed = before[:place] + piece + before[place + data.draw(st.integers(0, 2)) :]
    found = made.read(changed, None)
    assert found is None or found == long_way(changed)


def find(**values) -> bytes:
    return messages.envelope(messages.request(FIND, **values))


UNUSUAL = {
    "a comment": find().replace(b"<ULN>", b"<!-- --><ULN>"),
    "a comment in a value": find().replace(b"<GivenName>", b"<GivenName><!-- -->"),
    "CDATA": find(GivenName="Ann").replace(b">Ann</GivenName>", b"><![CDATA[Ann]]></GivenName>"),
    "a reference": find(GivenName="Ann").replace(b">Ann</GivenName>", b">A&#110;n</GivenName>"),
    "xsi:type": find().replace(
        b"<ULN>", b'<ULN xmlns:t="http://www.w3.org/2001/XMLSchema-instance" xmlns:l="http://api.lrs.miap.gov.uk/learner" t:type="l:MIAPULN">'
    ),
    "a header": messages.envelope(messages.request(FIND), etree.Element("{urn:x}Trace")),
    "accents": find(GivenName="Zoë"),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_what_is_unusual_is_not_learned(kind):
    made = learned(UNUSUAL[kind])
    assert made.read(UNUSUAL[kind], None) is None


def test_forms_of_one_client_stand_beside_each_other():
    one, other = find(), find(OrganisationRef="SAND01", UKPRN=None)
    made = learned(one)
    assert made.read(other, None) is None
    made.learn(other, None, contract.OPERATIONS[FIND])
    assert made.read(one, None) == long_way(one) and made.read(other, None) == long_way(other)


def test_whoever_leaves_elements_out_is_read_too():
    """Each of many people has another set of details."""
    details = ["Title", "PlaceOfBirth", "EmailAddress", "Nationality", "SchoolAtAge16"]
    full = messages.envelope(messages.request("registerSingleLearner", full=True))
    sent = []
    for number in range(2 ** len(details)):
        message = full
        for place, name in enumerate(details):
            if number >> place & 1:
                message = re.sub(rf"<{name}>[^<]*</{name}>".encode(), b"", message)
        sent.append(message)
    assert len(set(sent)) == 2 ** len(details)
    made = templates.Templates()
    for message in sent:
        made.learn(message, None, contract.OPERATIONS["registerSingleLearner"])
    assert [made.read(message, None) for message in sent] == [long_way(message) for message in sent]


@pytest.mark.parametrize("spaces", [b"", b"\n", b"\r\n    "])
def test_white_space_between_elements(spaces):
    message = find().replace(b"><", b">" + spaces + b"<")
    assert learned(message).read(message, None) == long_way(message)


def test_elements_without_end_tags():
    nameless = messages.envelope(messages.request("learnerByDemographics", PlaceOfBirth=""))
    nameless = nameless.replace(b"<PlaceOfBirth></PlaceOfBirth>", b"<PlaceOfBirth/>")
    found = learned(nameless, "learnerByDemographics").read(nameless, None)
    assert found == long_way(nameless) and found.request.place_of_birth == ""


def test_another_charset_is_another_template():
    message = find().replace(b"UTF-8", b"x-unknown")
    made = learned(message, charset="utf-8")
    assert made.read(message, "utf-8") == long_way(message, "utf-8")
    assert made.read(message, None) is None and long_way(message) is None
    assert made.read(message, "utf-16") is None


def test_templates_hold_no_values():
    values = {"GivenName": "Tryphena", "FamilyName": "Sparks", "ULN": "1000000027"}
    made = learned(find(**values))
    kept = repr((made._kept, made._usual)) + "".join(one.message.pattern for one in made._kept.values())  # `repr` cuts it off
    assert not any(value in kept for value in (*values.values(), messages.PASSWORD))


def test_a_bounded_number_is_kept():
    made = templates.Templates()
    for number in range(2 * templates.MOST_FORMS):
        made.learn(find().replace(b"msg", b"m%d" % number), None, contract.OPERATIONS[FIND])
    for number in range(2 * templates.MOST_FORMS):
        made.learn(find().replace(b"<ULN>", b" " * number + b"<ULN>"), None, contract.OPERATIONS[FIND])
    assert len(made._kept) == len(made._usual) == templates.MOST_FORMS


def test_many_values_are_not_worth_it():
    some, many = (
        messages.envelope(messages.request("retrieveULNs")).replace(b"<ULN>9276308686</ULN>", b"<ULN>9276308686</ULN>" * number)
        for number in (20, templates.MOST_VALUES)
    )
    assert learned(some, "retrieveULNs").read(some, None) == long_way(some)
    assert learned(many, "retrieveULNs").read(many, None) is None


def test_messages_with_numbers_have_none():
    message = messages.envelope(messages.request("updateSingleLearner"))
    assert learned(message, "updateSingleLearner").read(message, None) is None


def test_long_messages_have_none():
    for blanks, is_taken in ((100, True), (templates.MOST_BYTES, False)):
        message = find().replace(b"<ULN>", b" " * blanks + b"<ULN>")
        assert (learned(message).read(message, None) is not None) == is_taken


def test_learning_is_seldom(monkeypatch):
    monkeypatch.setattr(templates, "LEARNING_SECONDS", 1_000.0)
    made = learned(find())
    other = find().replace(b"msg", b"m")
    made.learn(other, None, contract.OPERATIONS[FIND])
    assert made.read(find(), None) is not None and made.read(other, None) is None


def test_the_service_learns_registrations(sqlite_databases, monkeypatch):
    url = sqlite_databases.migrated()
    secured.add_colleges(url)
    register = Register(settings_.Settings(database=url))
    service = soap.SoapServer(register)
    parsed, parse = [], parser.parse
    monkeypatch.setattr(parser, "parse", lambda *given: parsed.append(1) or parse(*given))
    for name in ("Quilla", "Ada"):
        who = {"OrganisationRef": "COLL01", "UKPRN": None, "OrgPassword": secured.PASSWORDS["COLL01"]}
        message = messages.envelope(messages.request("registerSingleLearner", GivenName=name, **who))
        assert b"WSRC0015" in service.handle(message, "utf-8", "r").body
    register.close()
    assert len(parsed) == 2  # the first message, and for its template
