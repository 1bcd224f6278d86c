"""Registrations and updates that share a transaction: each ends as if it had come alone, on both databases."""

import concurrent.futures
import dataclasses
import datetime
import threading

import pytest
import sqlalchemy as sa
from support import desk as desks
from support.desk import ANN, KIT, MARY, NOON

from lrs_soap import errors, model
from lrs_soap.operations import register as registering
from lrs_soap.operations import together
from lrs_soap.register import Call
from lrs_soap.rules import matching
from lrs_soap.store import bulk, learners, libpq, searches, tables
from lrs_soap.store import engine as engines

DONE, THERE = "WSRC0005", "WSRC0021"
postgresql = pytest.mark.parametrize("databases", ["postgresql"], indirect=True)  # on SQLite a writer is alone


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


def applied(desk, details, caller=None, request_id="0"):
    wanted = model.LearnerToRegister(**details, verification_type="2", ability_to_share="1")
    call = Call(register=desk.register, request_id=request_id, caller=caller or desk.college, at=NOON, reference="R",
                operation="registerSingleLearner", user_name="J. College")  # fmt: skip
    request = model.RegisterSingleLearnerRqst(learner=wanted, org_password="-" * 16, user_name="J. College")
    return registering.applied(call, request)


def outcomes_of(desk, *wanted):
    """What comes of them as a group: None of who is to be made alone."""
    made = together.make_together(desk.register, lambda: wanted)
    assert list(made) == list(wanted)
    return [one.outcome for one in wanted]


def together_of(desk, *wanted):
    """The same, and then those alone who are to be made alone."""
    outcomes_of(desk, *wanted)
    for one in wanted:
        if one.outcome is None:
            together.make_together(desk.register, lambda one=one: [one])
    return [one.outcome for one in wanted]


def code(outcome):
    if outcome is None or isinstance(outcome, Exception):
        return outcome if outcome is None else type(outcome).__name__
    return str(outcome.response_code)


def codes(outcomes):
    return list(map(code, outcomes))


def everything(desk):
    """How many learners and audit rows there are."""
    with desk.register.engine.connect() as connection:
        count = sa.select(sa.func.count())
        return [connection.execute(count.select_from(table)).scalar() for table in (tables.learner, tables.audit)]


def trail(desk):
    """(request_id, organisation_id, code, ULNs) of each row, in order."""
    a, of = tables.audit, tables.audit_learner
    with desk.register.engine.connect() as connection:
        rows = connection.execute(sa.select(a).order_by(a.c.id)).all()
        ulns = {row.id: connection.execute(sa.select(of.c.uln).where(of.c.audit_id == row.id)).scalars().all() for row in rows}
    return [(row.request_id, row.organisation_id, row.code, ulns[row.id]) for row in rows]


def test_all_are_registered_and_each_has_its_audit_row(desk):
    other = desk.organisation("TEST39")
    applications = [applied(desk, ANN, request_id="a"), applied(desk, MARY, other, "b"), applied(desk, KIT, request_id="c")]
    outcomes = together_of(desk, *applications)
    assert codes(outcomes) == [DONE] * 3
    ulns = [outcome.uln for outcome in outcomes]
    assert len(set(ulns)) == 3
    assert [desk.held(uln).given_name for uln in ulns] == ["Ann", "Mary", "Kit"]
    college, another = desk.college.organisation_id, other.organisation_id
    assert trail(desk) == [("a", college, DONE, ulns[:1]), ("b", another, DONE, ulns[1:2]), ("c", college, DONE, ulns[2:])]
    assert all(application.call.audited for application in applications)


def test_the_first_of_two_who_are_one_is_registered(desk):
    same = ANN | {"given_name": "ANN ", "last_known_post_code": "ab12de"}
    outcomes = together_of(desk, applied(desk, MARY), applied(desk, ANN), applied(desk, same), applied(desk, MARY))
    assert codes(outcomes) == [DONE, DONE, THERE, THERE]
    assert [outcome.uln is None for outcome in outcomes] == [False, False, True, True]
    assert [len(ulns) for *_, ulns in trail(desk)] == [1, 1, 0, 0]
    assert codes(together_of(desk, applied(desk, KIT), applied(desk, same))) == [DONE, THERE]
    assert everything(desk) == [3, 6]


def test_who_was_merged_away_is_there_and_who_was_deleted_is_not(desk):
    ann, mary, kit = (desk.new(details) for details in (ANN, MARY, KIT))
    desk.merge(ann, mary)
    desk.delete(kit)
    assert codes(together_of(desk, applied(desk, ANN), applied(desk, MARY), applied(desk, KIT))) == [THERE, THERE, DONE]
    desk.delete(mary)
    assert codes(together_of(desk, applied(desk, MARY), applied(desk, ANN))) == [DONE, DONE]


def test_a_search_first_is_each_organisations_own(desk):
    desk.register.settings = desk.register.settings.model_copy(update={"find_before_register": True})
    other = desk.organisation("TEST39")
    with engines.write(desk.register.engine) as connection:
        for person in (ANN, MARY):
            identity = matching.identity(matching.Query(**person))
            searches.remember(connection, other.organisation_id, identity, "WSRC0001", NOON - datetime.timedelta(seconds=60))
    # The college has not searched for Ann, so that she is still to be registered when the other does.
    outcomes = together_of(desk, applied(desk, ANN), applied(desk, ANN, other), applied(desk, KIT, other), applied(desk, MARY, other))
    assert codes(outcomes) == [THERE, DONE, THERE, DONE]


@postgresql
def test_the_constraint_decides_between_groups(desk, monkeypatch):
    """What others commit after a group has looked is there all the same."""
    look = bulk.equal_and_drawn

    def look_first(connection, new):
        found = look(connection, new)
        monkeypatch.setattr(bulk, "equal_and_drawn", look)
        assert codes(together_of(desk, applied(desk, ANN), applied(desk, KIT))) == [DONE, DONE]
        return found

    monkeypatch.setattr(bulk, "equal_and_drawn", look_first)
    assert codes(together_of(desk, applied(desk, MARY), applied(desk, ANN), applied(desk, ANN))) == [DONE, THERE, THERE]
    assert everything(desk) == [3, 5]


@postgresql
def test_a_group_makes_three_round_trips(desk, monkeypatch):
    assert codes(together_of(desk, applied(desk, KIT))) == [DONE]  # statements are prepared
    exchanged, exchange = [], libpq.Session.exchange

    def noted(session, asked, begin=False, commit=False):
        exchanged.append((len(asked), begin, commit))
        return exchange(session, asked, begin, commit)

    monkeypatch.setattr(libpq.Session, "exchange", noted)
    assert codes(together_of(desk, applied(desk, ANN), applied(desk, KIT), applied(desk, MARY))) == [DONE, THERE, DONE]
    assert exchanged == [(2, True, False), (1, False, False), (1, False, True)]


def unstorable(application):
    """The database refuses this one for what it says."""
    application.newcomer.values["gender"] = None
    return application


def test_one_that_cannot_be_stored_leaves_the_others_alone(desk):
    people = [applied(desk, ANN), unstorable(applied(desk, MARY)), applied(desk, ANN), applied(desk, KIT)]
    outcomes = together_of(desk, *people)
    assert codes(outcomes) == [DONE, "IntegrityError", THERE, DONE]
    assert [application.call.audited for application in people] == [True, False, True, True]
    assert everything(desk) == [2, 3]
    assert codes(together_of(desk, unstorable(applied(desk, MARY)))) == ["IntegrityError"]
    assert desk.register.engine.pool.checkedout() == 0


def changed(desk, uln, version, details, request_id="0"):
    """An update, as `applied` gives a registration."""
    wanted = model.LearnerToUpdate(**details, verification_type="2", ability_to_share="1", uln=uln, version_number=version)
    call = Call(register=desk.register, request_id=request_id, caller=desk.college, at=NOON, reference="R",
                operation="updateSingleLearner", user_name="J. College")  # fmt: skip
    return registering.change(call, model.UpdateLearnerRqst(learner=wanted, org_password="-" * 16, user_name="J. College"))


def test_updates_and_registrations_are_made_together_and_each_has_its_audit_row(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    before = trail(desk)
    outcomes = together_of(
        desk,
        changed(desk, ann, 1, ANN | {"notes": "one"}, request_id="a"),
        changed(desk, ann, 1, ANN | {"notes": "two"}, request_id="b"),
        applied(desk, KIT, request_id="c"),
        changed(desk, mary, 1, ANN, request_id="d"),
        changed(desk, ann, 2, ANN | {"notes": "three"}, request_id="e"),
        changed(desk, "9999999999", 1, ANN, request_id="f"),
    )
    assert codes(outcomes) == ["WSRC0006", "WSRC0013", DONE, "WSRC0021", "WSRC0006", "WSRC0019"]
    kit = outcomes[2].uln
    assert sorted(trail(desk)[len(before) :]) == [
        (name, desk.college.organisation_id, code, ulns)
        for name, code, ulns in [
            ("a", "WSRC0006", [ann]), ("b", "WSRC0013", []), ("c", DONE, [kit]), ("d", "WSRC0021", []),
            ("e", "WSRC0006", [ann]), ("f", "WSRC0019", []),
        ]
    ]  # fmt: skip
    held = desk.held(ann)
    assert (held.version_number, held.notes, desk.held(mary).version_number) == (3, "three", 1)


def test_of_updates_one_that_cannot_be_stored_leaves_the_others_alone(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    broken = changed(desk, mary, 1, MARY | {"notes": "x"})
    decide = broken.decide

    def unstorable_version(old):
        code, new = decide(old)
        return code, dataclasses.replace(new, ability_to_share=None)

    broken.decide = unstorable_version
    wanted = [changed(desk, ann, 1, ANN | {"notes": "x"}), broken, applied(desk, KIT)]
    assert codes(together_of(desk, *wanted)) == ["WSRC0006", "IntegrityError", DONE]
    assert [one.call.audited for one in wanted] == [True, False, True]
    assert (desk.held(ann).notes, desk.held(mary).notes) == ("x", None)


@postgresql
def test_a_group_does_not_wait_for_a_learner_whom_another_changes(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    wanted = [changed(desk, one, 1, details | {"notes": "x"}) for one, details in ((mary, MARY), (ann, ANN))]
    with engines.write(desk.register.engine) as connection:
        learners.by_uln(connection, mary, for_update=True)
        assert codes(outcomes_of(desk, *wanted, applied(desk, KIT))) == [None, "WSRC0006", DONE]
        assert [one.call.audited for one in wanted] == [False, True]
    assert codes(outcomes_of(desk, wanted[0])) == ["WSRC0006"]
    assert (desk.held(ann).notes, desk.held(mary).notes) == ("x", "x")


@postgresql
def test_who_becomes_another_person_is_changed_alone(desk):
    """Another transaction may be about to register that person, and the group would wait for it."""
    ann, mary = desk.new(ANN), desk.new(MARY)
    wanted = [changed(desk, mary, 1, KIT), changed(desk, ann, 1, ANN | {"notes": "x"})]
    assert codes(outcomes_of(desk, *wanted)) == [None, "WSRC0006"]
    assert desk.held(mary).given_name == "Mary"
    assert codes(outcomes_of(desk, wanted[0])) == ["WSRC0006"]
    assert desk.held(mary).given_name == "Kit"
    assert code(desk.registered(KIT)) == THERE


@postgresql
def test_a_group_of_changes_makes_two_round_trips(desk, monkeypatch):
    ulns = [desk.new(details) for details in (ANN, MARY, KIT)]
    wanted = [changed(desk, uln, 1, details | {"notes": "x"}) for uln, details in zip(ulns, (ANN, MARY, KIT), strict=True)]
    exchanged, exchange = [], libpq.Session.exchange

    def noted(session, asked, begin=False, commit=False):
        exchanged.append((begin, commit))
        return exchange(session, asked, begin, commit)

    monkeypatch.setattr(libpq.Session, "exchange", noted)
    assert codes(outcomes_of(desk, *wanted)) == ["WSRC0006"] * 3
    assert exchanged == [(True, False), (False, True)]


def test_groups_that_want_the_same_learners_in_another_order(desk):
    people = [ANN, MARY, KIT]
    ulns = [desk.new(details) for details in people]
    for version in range(1, 6):
        groups = [
            [changed(desk, ulns[n], version, people[n] | {"notes": f"{version} {group}"}) for n in order]
            for group, order in enumerate([(0, 1, 2), (2, 1, 0), (1, 0, 2)])
        ]
        with concurrent.futures.ThreadPoolExecutor(len(groups)) as pool:
            found = list(pool.map(lambda group: codes(together_of(desk, *group)), groups))
        assert sorted(sum(found, [])) == ["WSRC0006"] * 3 + ["WSRC0013"] * 6
    assert {desk.held(uln).version_number for uln in ulns} == {6}


def test_an_error_of_ours_leaves_the_others_alone(desk):
    broken = applied(desk, MARY)
    broken.call.at = "noon"  # its audit row cannot be made
    outcomes = together_of(desk, applied(desk, ANN), broken, applied(desk, KIT))
    assert codes(outcomes) == [DONE, "AttributeError", DONE]
    assert everything(desk) == [2, 2]


def failing(monkeypatch, error, when):
    """The next commit fails with that error, before or after it is made; gives the number of transactions begun."""
    begun = []
    write = engines.write

    class Writes:
        def __init__(self, engine):
            self._write = write(engine)

        def __enter__(self):
            begun.append(True)
            return self._write.__enter__()

        def __exit__(self, *raised):
            if raised[0] is None and len(begun) == 1:
                self._write.__exit__(*((type(error), error, None) if when == "before" else (None, None, None)))
                raise error
            return self._write.__exit__(*raised)

    monkeypatch.setattr(engines, "write", Writes)
    return begun


LOST = sa.exc.OperationalError("COMMIT", None, Exception("server closed the connection unexpectedly"))


@pytest.mark.parametrize("error", [LOST, RuntimeError("who knows")])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_commit_fails_all_and_is_not_tried_again(desk, monkeypatch, error, when):
    begun = failing(monkeypatch, error, when)
    people = [applied(desk, ANN), applied(desk, MARY)]
    assert together_of(desk, *people) == [error, error]
    assert len(begun) == 1
    assert everything(desk) == ([2, 2] if when == "after" else [0, 0])
    assert not any(application.call.audited for application in people)


def test_a_database_in_trouble_fails_all_at_once(desk, monkeypatch):
    asked = []

    def trouble(connection, new):
        asked.append(len(new))
        raise LOST

    monkeypatch.setattr(bulk, "equal_and_drawn", trouble)
    assert together_of(desk, applied(desk, ANN), applied(desk, MARY)) == [LOST, LOST]
    assert asked == [2]


def test_who_waits_when_no_transaction_can_be_had_is_told(desk, monkeypatch):
    def refuse(engine):
        raise LOST

    monkeypatch.setattr(engines, "write", refuse)
    assert together_of(desk, applied(desk, ANN), applied(desk, MARY)) == [LOST, LOST]


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_who_comes_while_others_write_is_taken_along(desk):
    """A group is who waits when it has its turn, not when it asked for one."""
    waiting, made = [applied(desk, ANN)], []

    def take():
        return [waiting.pop(0) for _ in range(len(waiting))]

    writer = threading.Thread(target=lambda: made.extend(together.make_together(desk.register, take)))
    with engines.write(desk.register.engine):
        writer.start()
        waiting.append(applied(desk, MARY))
    writer.join()
    assert codes(one.outcome for one in made) == [DONE, DONE]


def test_what_needs_no_database_is_said_before(desk):
    wanted = model.LearnerToRegister(**ANN, verification_type="999", ability_to_share="1")
    request = model.RegisterSingleLearnerRqst(learner=wanted, org_password="-" * 16, user_name="J")
    call = Call(register=desk.register, request_id="0", caller=desk.college, at=NOON)
    assert registering.applied(call, request).response_code == call.code == "WSRC0015"
    with pytest.raises(errors.InvalidRequest):
        applied(desk, ANN | {"date_of_birth": "2030-01-01"})
