"""The reports of merges, unmerges and deletions: periods, scope, rows as they were, on both databases."""

import datetime

import pytest
from support import desk as desks
from support.desk import ANN, KIT, MARY, NOON

from lrs_soap import errors, model
from lrs_soap.operations import reports
from lrs_soap.register import Call
from lrs_soap.rules import reporting
from lrs_soap.store import audit

DAY = datetime.timedelta(days=1)


@pytest.fixture
def desk(database_url):
    with desks.opened(database_url) as opened:
        yield opened


@pytest.fixture
def pair(desk):
    """Two learners of the college: Ann and Mary."""
    return desk.new(ANN), desk.new(MARY)


def merged(reply):
    report = reply.uln_report
    return [(row.merged_uln, row.master_uln, row.merged_date) for row in report.merged_learners.merged_learner]


def unmerged(reply):
    report = reply.uln_report
    return [(row.unmerged_uln, row.master_uln, row.unmerged_date) for row in report.unmerged_learners.unmerged_learner]


def deleted(reply):
    return [(row.uln, row.deleted_date) for row in reply.uln_report.deleted_learners.deleted_learner]


@pytest.mark.parametrize("report", ["merge_report", "deletion_report"])
def test_nothing_to_report(desk, pair, report):
    assert getattr(desk, report)(to_date="2026-11-30") == model.ULNReportResp(
        response_code="WSRC0024", from_date="2026-11-01", to_date="2026-11-30"
    )


def test_the_row_of_a_merge(desk, pair):
    ann, mary = pair
    desk.merge(ann, mary)
    row = model.MIAPMergedLearner(
        master_uln=mary, master_family_name="Bishop", master_given_name="Mary", master_date_of_birth="2001-02-03",
        merged_uln=ann, merged_family_name="Archer", merged_given_name="Ann", merged_date_of_birth="2001-02-03",
        merged_date="2026-11-23",
    )  # fmt: skip
    assert desk.merge_report() == model.ULNReportResp(
        response_code="WSRC0023",
        from_date="2026-11-01",
        uln_report=model.MIAPULNReport(merged_learners=model.MIAPMergedLearners(merged_learner=(row,))),
    )
    assert desk.deletion_report().response_code == "WSRC0024"


def test_the_row_of_an_unmerge_beside_that_of_the_merge(desk, pair):
    ann, mary = pair
    desk.merge(ann, mary, at=NOON - DAY)
    desk.unmerge(ann)
    report = desk.merge_report().uln_report
    assert report.unmerged_learners.unmerged_learner == (
        model.MIAPUnmergedLearner(
            master_uln=mary, master_family_name="Bishop", master_given_name="Mary", master_date_of_birth="2001-02-03",
            unmerged_uln=ann, unmerged_family_name="Archer", unmerged_given_name="Ann",
            unmerged_date_of_birth="2001-02-03", unmerged_date="2026-11-23",
        ),
    )  # fmt: skip
    assert merged(desk.merge_report()) == [(ann, mary, "2026-11-22")]
    assert desk.merge_report("2026-11-23").uln_report.merged_learners is None


def test_both_sides_are_reported_as_they_were(desk, pair):
    ann, mary = pair
    desk.merge(ann, mary)
    assert desk.updated(mary, 1, KIT) == "WSRC0006"
    desk.unmerge(ann, at=NOON + DAY)
    report = desk.merge_report(to_date="2026-11-30").uln_report
    assert report.merged_learners.merged_learner[0].master_given_name == "Mary"
    (row,) = report.unmerged_learners.unmerged_learner
    assert (row.master_given_name, row.master_family_name, row.master_date_of_birth) == ("Kit", "Carter", "1999-12-31")


def test_a_chain_is_reported_link_by_link(desk, pair):
    ann, mary = pair
    kit = desk.new(KIT)
    desk.merge(ann, mary)
    desk.merge(mary, kit)
    desk.unmerge(ann)
    assert merged(desk.merge_report()) == [(ann, mary, "2026-11-23"), (mary, kit, "2026-11-23")]
    assert unmerged(desk.merge_report()) == [(ann, mary, "2026-11-23")]


def test_the_row_of_a_deletion_until_it_is_undone(desk, pair):
    ann, mary = pair
    desk.delete(mary, at=NOON - DAY)
    desk.delete(ann)
    assert deleted(desk.deletion_report()) == [(mary, "2026-11-22"), (ann, "2026-11-23")]
    assert deleted(desk.deletion_report("2026-11-23")) == [(ann, "2026-11-23")]
    assert desk.merge_report().response_code == "WSRC0024"
    desk.restore(ann, at=NOON + DAY)
    assert deleted(desk.deletion_report()) == [(mary, "2026-11-22")]
    desk.restore(mary, at=NOON + DAY)
    assert desk.deletion_report().response_code == "WSRC0024"


def other_college_that(desk, does):
    caller = desk.organisation("TEST39")
    does(caller)
    return caller


@pytest.mark.parametrize("details", [ANN, MARY], ids=["merged side", "master's side"])
def test_either_side_found_is_enough(desk, pair, details):
    ann, mary = pair
    other = other_college_that(desk, lambda caller: desk.by_demographics(details, caller=caller))
    stranger = desk.organisation("TEST40")
    desk.merge(ann, mary)
    assert merged(desk.merge_report(caller=other)) == [(ann, mary, "2026-11-23")]
    assert desk.merge_report(caller=stranger).response_code == "WSRC0024"


def test_a_deletion_concerns_who_knows_the_learner(desk, pair):
    ann, mary = pair
    other = other_college_that(desk, lambda caller: desk.retrieved(mary, caller=caller))
    desk.delete(ann)
    desk.delete(mary)
    assert deleted(desk.deletion_report(caller=other)) == [(mary, "2026-11-23")]
    assert deleted(desk.deletion_report()) == [(ann, "2026-11-23"), (mary, "2026-11-23")]


def test_a_report_widens_nobodys_scope(desk, pair):
    ann, mary = pair
    other = other_college_that(desk, lambda caller: desk.by_demographics(ANN, caller=caller))
    desk.merge(ann, mary)
    desk.merge_report(caller=other)
    desk.unmerge(ann)
    desk.delete(mary)
    assert desk.deletion_report(caller=other).response_code == "WSRC0024"


def test_registering_counts_as_knowing_and_verifying_does_not(desk, pair):
    assert "verifyLearner" not in audit.IN_SCOPE
    desk.delete(pair[0])
    assert deleted(desk.deletion_report()) == [(pair[0], "2026-11-23")]


# 00:30 in England's summer is the day before in UTC; the last half hour of 31 October 2026 is in winter time.
SUMMER_NIGHT = datetime.datetime(2026, 7, 14, 23, 30, tzinfo=datetime.UTC)
WINTER_NIGHT = datetime.datetime(2026, 10, 31, 23, 30, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "at, day", [(SUMMER_NIGHT, "2026-07-15"), (WINTER_NIGHT, "2026-10-31")], ids=["summer", "winter"]
)
def test_days_are_those_of_england(desk, pair, at, day):
    desk.delete(pair[0], at=at)
    assert deleted(desk.deletion_report(day, day)) == [(pair[0], day)]
    before = (datetime.date.fromisoformat(day) - DAY).isoformat()
    after = (datetime.date.fromisoformat(day) + DAY).isoformat()
    assert desk.deletion_report("2026-01-01", before).response_code == "WSRC0024"
    assert desk.deletion_report(after, "2026-12-31").response_code == "WSRC0024"


# In 2026 England's 25 October has 25 hours, its 29 March 23.
def utc(day, hour, minute=0):
    return datetime.datetime(2026, *day, hour, minute, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "at, day",
    [
        (utc((10, 24), 22, 59), "2026-10-24"), (utc((10, 24), 23), "2026-10-25"),
        (utc((10, 25), 0, 30), "2026-10-25"), (utc((10, 25), 1, 30), "2026-10-25"),  # both are half past one
        (utc((10, 25), 23, 59), "2026-10-25"), (utc((10, 26), 0), "2026-10-26"),
        (utc((3, 28), 23, 59), "2026-03-28"), (utc((3, 29), 0), "2026-03-29"), (utc((3, 29), 22, 59), "2026-03-29"),
        (utc((3, 29), 23), "2026-03-30"),
    ],
)  # fmt: skip
def test_each_moment_of_the_long_and_the_short_day_is_in_one_report(desk, pair, at, day):
    desk.merge(*pair, at=at)
    days = sorted({day, *(f"2026-10-{number}" for number in (24, 25, 26)), *(f"2026-03-{number}" for number in (28, 29, 30))})
    reports = {one: desk.merge_report(one, one) for one in days}
    assert [one for one in days if reports[one].response_code == "WSRC0023"] == [day]
    assert reports[day].uln_report.merged_learners.merged_learner[0].merged_date == day


def test_without_a_to_date_the_period_ends_with_today(desk, pair):
    ann, mary = pair
    desk.delete(ann)
    desk.delete(mary, at=NOON + DAY)
    assert deleted(desk.deletion_report("2026-11-23")) == [(ann, "2026-11-23")]
    assert deleted(desk.deletion_report("2026-11-23", at=NOON + DAY)) == [(ann, "2026-11-23"), (mary, "2026-11-24")]


@pytest.mark.parametrize("report", ["merge_report", "deletion_report"])
@pytest.mark.parametrize(
    "from_date, to_date, told",
    [
        ("2026-11-02", "2026-11-01", "ToDate is before FromDate."),
        ("2026-11-24", None, "FromDate is after today."),
        ("1900-02-29", None, "FromDate is not a date of the calendar."),
        ("1900-02-28", "1900-02-29", "ToDate is not a date of the calendar."),
    ],
)
def test_dates_that_make_no_period(desk, report, from_date, to_date, told):
    with pytest.raises(errors.InvalidRequest) as refused:
        getattr(desk, report)(from_date, to_date)
    assert refused.value.further_details == told


def test_a_period_may_reach_into_the_future_and_as_far_back_as_the_schema_goes(desk, pair):
    desk.delete(pair[0])
    assert deleted(desk.deletion_report("1800-01-01", "2099-12-31")) == [(pair[0], "2026-11-23")]


def test_a_report_is_audited_with_the_learners_it_shows(desk, pair):
    ann, mary = pair
    desk.merge(ann, mary)
    call = Call(register=desk.register, request_id="1", caller=desk.college, at=NOON)
    request = model.ULNReportRqst(from_date="2026-11-01", org_password="-" * 16, user_name="J")
    reports.get_merged_unmerged_ulns_report(call, request)
    assert (call.code, tuple(call.ulns)) == ("WSRC0023", (ann, mary))


def test_the_moments_of_a_period():
    zone = datetime.timezone(datetime.timedelta(hours=1))
    today = datetime.date(2026, 11, 23)
    first, after = reporting.moments("2026-02-28", "2026-02-28", today, zone)
    assert first == datetime.datetime(2026, 2, 27, 23, tzinfo=datetime.UTC)
    assert after == datetime.datetime(2026, 2, 28, 23, tzinfo=datetime.UTC)
    assert reporting.moments("2026-02-28", None, today, zone)[1] == datetime.datetime(2026, 11, 23, 23, tzinfo=datetime.UTC)
    leap = reporting.moments("2028-02-29", "2028-02-29", today, datetime.UTC)
    assert [moment.date().isoformat() for moment in leap] == ["2028-02-29", "2028-03-01"]
    assert reporting.date_error("2028-02-29", "2028-02-28", today) == "ToDate is before FromDate."
    assert reporting.date_error("2027-02-29", None, today) == "FromDate is not a date of the calendar."
