"""What operators are refused, and what is kept of what they decide, on both databases."""

import pytest
import sqlalchemy as sa
from support import desk as desks
from support.desk import ANN, KIT, MARY

from lrs_soap.operations import merging
from lrs_soap.store import engine as engines
from lrs_soap.store import merges, tables


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


@pytest.mark.parametrize(
    "first, last, told",
    [
        ([], ("merge", 0, 0), "cannot be merged into itself"),
        ([("merge", 0, 1)], ("merge", 0, 1), "already merged into {1}: unmerge it first"),
        ([("merge", 0, 1)], ("merge", 0, 2), "already merged into {1}: unmerge it first"),
        ([("merge", 0, 1)], ("merge", 1, 0), "unmerge {0} first"),
        ([("merge", 0, 1), ("merge", 1, 2)], ("merge", 2, 0), "unmerge {0} first"),
        ([("merge", 0, 1)], ("merge", 2, 0), "merge {2} into {1} instead"),
        ([("merge", 0, 1), ("delete", 1)], ("merge", 2, 1), "{1} was deleted: restore it first"),
        ([("delete", 0)], ("merge", 0, 1), "{0} was deleted: restore it first"),
        ([], ("unmerge", 0), "{0} is not merged"),
        ([("delete", 0)], ("unmerge", 0), "{0} is not merged"),
        ([("delete", 0)], ("delete", 0), "{0} was already deleted"),
        ([("merge", 0, 1)], ("delete", 0), "unmerge it first, or delete {1}"),
        ([], ("restore", 0), "{0} is not deleted"),
        ([("merge", 0, 1)], ("restore", 0), "{0} is not deleted"),
        ([], ("delete", 3), "there is no learner {3}"),
        ([], ("merge", 0, 3), "there is no learner {3}"),
    ],
)
def test_what_is_refused_says_what_to_do_and_changes_nothing(desk, first, last, told):
    ulns = [*(desk.new(details) for details in (ANN, MARY, KIT)), "9276308686"]

    def decide(name, *numbers):
        return getattr(desk, name)(*(ulns[number] for number in numbers))

    for step in first:
        decide(*step)
    held, rows = [desk.held(uln) for uln in ulns], audited(desk)
    with pytest.raises(merging.Refused) as refused:
        decide(*last)
    assert told.format(*ulns) in str(refused.value)
    assert ([desk.held(uln) for uln in ulns], audited(desk)) == (held, rows)


def test_a_decision_without_a_reason_is_refused(desk):
    ann = desk.new(ANN)
    with pytest.raises(merging.Refused, match="give a reason"):
        desk.delete(ann, reason=" ")
    assert desk.held(ann).learner_status == "1"


def audited(desk):
    """What operators are audited for: operation, name, code, ULNs."""
    rows = sa.select(tables.audit).where(tables.audit.c.operation.like("learner %")).order_by(tables.audit.c.id)
    ulns = sa.select(tables.audit_learner.c.uln).order_by(tables.audit_learner.c.uln)
    with engines.read(desk.register.engine) as connection:
        return [
            (row.operation, row.user_name, row.code,
             list(connection.execute(ulns.where(tables.audit_learner.c.audit_id == row.id)).scalars()))
            for row in connection.execute(rows).all()
        ]  # fmt: skip


def test_every_decision_is_audited_and_recorded_in_its_own_transaction(desk):
    ann, mary = desk.new(ANN), desk.new(MARY)
    both = sorted((ann, mary))
    desk.merge(ann, mary)
    desk.unmerge(ann, reason=" twins ")
    desk.delete(ann)
    desk.restore(ann)
    assert audited(desk) == [
        ("learner merge", "J. Operator", "done", both),
        ("learner unmerge", "J. Operator", "done", both),
        ("learner delete", "J. Operator", "done", [ann]),
        ("learner restore", "J. Operator", "done", [ann]),
    ]
    with engines.read(desk.register.engine) as connection:
        decisions = merges.of_learner(connection, ann)
    assert [(row.event, row.reason, row.user_name) for row in decisions] == [
        ("merged", "registered twice", "J. Operator"), ("unmerged", "twins", "J. Operator"),
        ("deleted", "registered twice", "J. Operator"), ("restored", "registered twice", "J. Operator"),
    ]  # fmt: skip


def test_what_fails_after_the_change_takes_the_change_with_it(desk, monkeypatch):
    ann, mary = desk.new(ANN), desk.new(MARY)
    held = desk.held(ann)

    def fail(*_):
        raise RuntimeError("the audit cannot be written")

    monkeypatch.setattr(merging.audit, "write", fail)
    with pytest.raises(RuntimeError):
        desk.merge(ann, mary)
    monkeypatch.undo()
    assert desk.held(ann) == held
    assert desk.by_demographics(ANN).response_code == "WSRC0004"
    with engines.read(desk.register.engine) as connection:
        assert merges.of_learner(connection, ann) == []
