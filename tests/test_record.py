"""getLearnerRecord on both databases: verification, consent, events through merges, what is audited, the message."""

import dataclasses

import pytest
import sqlalchemy as sa
from lxml import etree
from support import desk, soap

from lrs_soap import binding, contract, errors, model, register, sandbox
from lrs_soap.operations import record as operation
from lrs_soap.rules import record
from lrs_soap.store import engine as engines
from lrs_soap.store import events, learners, tables, tables_events

EVENTS = [row.event for row in sandbox.learning_events()]
RESPONSE = contract.OPERATIONS["getLearnerRecord"].response


class Reader:
    """A desk that asks for records and stores events."""

    def __init__(self, at: desk.Desk):
        self.desk = at
        self.ann = at.new(desk.ANN)
        self.mary = at.new(desk.MARY)

    def asked(self, uln, details, **more) -> model.LearnerRecordResp:
        """The reply, which both validators judged."""
        values = {"user_type": "ORG", "lnr_contact_type": "TEL"} | details | more
        request = model.LearnerRecordRqst(uln=uln, org_password="-" * 16, user_name="J. College", **values)
        reply = self.desk.call(operation.get_learner_record, request)
        soap.judge(etree.fromstring(binding.element_encoder(RESPONSE)(reply)))
        return reply

    def shown(self, uln, details, **more) -> tuple:
        """The code, the ULN of the record and its events."""
        reply = self.asked(uln, details, **more)
        shown = reply.learner_record
        return reply.response_code, shown and shown.uln, shown and shown.learning_events.learning_event

    def has(self, uln, *found) -> None:
        with engines.write(self.desk.register.engine) as connection:
            places = {(uln, record.key("ILR", event)): event for event in found}
            events.insert(connection, places, dict.fromkeys(places, "ILR"))

    def shares(self, uln, ability_to_share) -> None:
        with engines.write(self.desk.register.engine) as connection:
            old = learners.by_uln(connection, uln)
            new = dataclasses.replace(old, ability_to_share=ability_to_share, version_number=old.version_number + 1)
            learners.replace(connection, old, new, changed_by=None, user_name="me")

    def rows(self, *columns) -> list[tuple]:
        with self.desk.register.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.select(*columns))]


@pytest.fixture
def reader(database_url, monkeypatch):
    monkeypatch.setitem(desk._NAMES, operation.get_learner_record, "getLearnerRecord")
    with desk.opened(database_url) as opened:
        yield Reader(opened)


def test_a_record_has_the_learner_as_stored_and_every_field_of_the_events(reader):
    reader.has(reader.ann, *EVENTS)
    reply = reader.asked(reader.ann, desk.ANN | {"given_name": "ANN"})
    held, shown = reader.desk.held(reader.ann), reply.learner_record
    for field in dataclasses.fields(shown):
        if field.name != "learning_events":
            assert getattr(shown, field.name) == getattr(held, field.name)
    assert shown.learning_events.learning_event == record.in_order(EVENTS)
    assert len(EVENTS) == len(set(EVENTS)) == 14


def test_the_request_is_echoed_whatever_comes_of_it(reader):
    for uln, details in ((reader.ann, desk.ANN), (reader.mary, desk.ANN), ("9999999999", desk.ANN)):
        reply = reader.asked(uln, details)
        echo = {f.name: getattr(reply, f.name) for f in dataclasses.fields(reply) if f.name.startswith("incoming_")}
        assert echo == {f"incoming_{name}": value for name, value in details.items()} | {"incoming_uln": uln}


def test_mandatory_values_that_are_empty_are_empty_elements_and_absent_ones_are_left_out(reader):
    event = dataclasses.replace(EVENTS[0], date_loaded="", framework_code="", credits_achieved=None, restriction=None)
    reader.has(reader.ann, event)
    shown = etree.fromstring(binding.element_encoder(RESPONSE)(reader.asked(reader.ann, desk.ANN)))
    (element,) = shown.iter("LearningEvent")
    assert element.find("DateLoaded").text is element.find("FrameworkCode").text is None
    absent = {"CreditsAchieved", "Restriction", "RestrictionFlag", "ParticipationStartDate"}
    assert absent.isdisjoint(child.tag for child in element)
    assert shown.find("LearnerRecord").find("Title") is None


def test_a_record_without_events_has_an_empty_list_of_them(reader):
    assert reader.shown(reader.ann, desk.ANN) == ("WSRC0004", reader.ann, ())
    shown = etree.fromstring(binding.element_encoder(RESPONSE)(reader.asked(reader.ann, desk.ANN)))
    assert len(shown.find("LearnerRecord").find("LearningEvents")) == 0


@pytest.mark.parametrize("name", sorted(desk.ANN))
def test_every_detail_must_verify(reader, name):
    other = "9" if name == "gender" else desk.KIT[name]
    assert reader.shown(reader.ann, desk.ANN | {name: other}) == ("WSEC0208", None, None)


def test_the_uln_must_be_the_learners(reader):
    for uln in (reader.mary, "9276308686", "9999999999"):
        assert reader.shown(uln, desk.ANN) == ("WSEC0208", None, None)


@pytest.mark.parametrize("user_type", ["LNR", "ORG", "SER"])
@pytest.mark.parametrize("ability_to_share", ["0", "1", "2"])
def test_consent(reader, ability_to_share, user_type):
    reader.shares(reader.ann, ability_to_share)
    if user_type == "LNR" or ability_to_share == "1":
        expected = ("WSRC0004", reader.ann, ())
    else:
        expected = ("WSEC0206", None, None)
    assert reader.shown(reader.ann, desk.ANN, user_type=user_type) == expected


def test_who_does_not_know_the_learner_is_not_told_about_consent(reader):
    reader.shares(reader.ann, "2")
    assert reader.shown(reader.ann, desk.MARY)[0] == "WSEC0208"


def test_a_record_follows_merges_and_an_unmerge_gives_it_back(reader):
    kit = reader.desk.new(desk.KIT)
    reader.has(reader.ann, EVENTS[0])
    reader.has(reader.mary, EVENTS[4])
    reader.has(kit, EVENTS[5])
    reader.desk.merge(reader.ann, reader.mary)
    both = record.in_order([EVENTS[0], EVENTS[4]])
    assert reader.shown(reader.mary, desk.MARY) == ("WSRC0004", reader.mary, both)
    # The details of either record verify for the ULN that was merged; for the master's only its own.
    assert reader.shown(reader.ann, desk.ANN) == reader.shown(reader.ann, desk.MARY) == ("WSRC0022", reader.mary, both)
    assert reader.shown(reader.mary, desk.ANN)[0] == "WSEC0208"
    reader.desk.merge(reader.mary, kit)
    everything = record.in_order([EVENTS[0], EVENTS[4], EVENTS[5]])
    assert reader.shown(reader.ann, desk.ANN) == ("WSRC0022", kit, everything)
    reader.desk.unmerge(reader.ann)
    assert reader.shown(reader.ann, desk.ANN) == ("WSRC0004", reader.ann, (EVENTS[0],))
    assert reader.shown(kit, desk.KIT) == ("WSRC0004", kit, record.in_order([EVENTS[4], EVENTS[5]]))


def test_the_consent_of_a_merged_learner_is_the_masters(reader):
    reader.shares(reader.ann, "2")
    reader.desk.merge(reader.ann, reader.mary)
    assert reader.shown(reader.ann, desk.ANN)[0] == "WSRC0022"
    reader.shares(reader.mary, "2")
    assert reader.shown(reader.ann, desk.ANN) == ("WSEC0206", None, None)


def test_a_deleted_learner_and_those_merged_into_it_have_no_record(reader):
    reader.desk.merge(reader.ann, reader.mary)
    reader.desk.delete(reader.mary)
    assert reader.shown(reader.ann, desk.ANN)[0] == reader.shown(reader.mary, desk.MARY)[0] == "WSEC0208"
    reader.desk.restore(reader.mary)
    assert reader.shown(reader.ann, desk.ANN)[0] == "WSRC0022"


def test_a_date_that_never_was_is_a_fault_and_shows_nothing(reader):
    with pytest.raises(errors.InvalidRequest) as raised:
        reader.asked(reader.ann, desk.ANN | {"date_of_birth": "1900-02-29"})
    assert raised.value.code == "WSEC0001"


def test_every_look_is_audited_with_who_asked_and_how(reader):
    reader.desk.merge(reader.ann, reader.mary)
    reader.asked(reader.ann, desk.ANN, user_type="LNR", lnr_contact_type="FTF")
    reader.asked(reader.ann, desk.KIT)
    reader.shares(reader.mary, "0")
    reader.asked(reader.mary, desk.MARY, user_type="SER", lnr_contact_type="NKN")
    audit, touched, look = tables.audit.c, tables.audit_learner.c, tables_events.record_look.c
    rows = [row for row in reader.rows(audit.id, audit.operation, audit.code, audit.user_name) if row[1] == "getLearnerRecord"]
    assert [row[2:] for row in sorted(rows)] == [(code, "J. College") for code in ("WSRC0022", "WSEC0208", "WSEC0206")]
    ulns = reader.rows(touched.audit_id, touched.uln)
    shown = [{uln for id_, uln in ulns if id_ == row[0]} for row in sorted(rows)]
    assert shown == [{reader.ann, reader.mary}, set(), {reader.mary}]
    assert reader.rows(look.request_id, look.user_type, look.lnr_contact_type) == [
        ("0", "LNR", "FTF"), ("0", "ORG", "TEL"), ("0", "SER", "NKN"),
    ]  # fmt: skip


def test_a_look_is_audited_before_it_is_answered(reader):
    request = model.LearnerRecordRqst(uln=reader.ann, org_password="-" * 16, user_name="J. College", user_type="ORG",
                                      lnr_contact_type="TEL", **desk.ANN)  # fmt: skip
    call = register.Call(register=reader.desk.register, request_id="1", caller=reader.desk.college, at=desk.NOON,
                         operation="getLearnerRecord", user_name="J. College")  # fmt: skip
    operation.get_learner_record(call, request)
    assert ("1", "WSRC0004") in reader.rows(tables.audit.c.request_id, tables.audit.c.code)
