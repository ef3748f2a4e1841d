"""Due dates of a whole ticket: totals, stages planned back from them, lights, what is added."""

import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import BEIJING
from app.deadlines import plan
from app.deadlines.limits import Limit
from app.deadlines.plan import Adjustment, Facts, compute, lights, stage, total
from app.deadlines.policy import Lights, default
from app.deadlines.published import calendar
from app.deadlines.stages import STAGES

POLICY, C = default(), calendar()
DAY = timedelta(hours=7)
WORKING_DAYS = {"complaint": 15, "declaration": 20, "consultation": 2, "suggestion": 10}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def facts(kind: str = "complaint", received: str = "2026-11-24 09:30", **more: object) -> Facts:
    source = more.pop("source", "p12345_api")
    return Facts(kind, str(source), at(received), **more)  # type: ignore[arg-type]


def due(kind: str, received: str, **more: object) -> datetime:
    return total(facts(kind, received, **more), POLICY, C).due_at


@pytest.mark.parametrize(
    ("kind", "received", "due_at"),
    [
        ("complaint", "2024-02-02 10:00", "2024-02-28 18:00"),
        ("complaint", "2024-02-08 18:00", "2024-03-06 18:00"),
        ("complaint", "2024-02-08 18:01", "2024-03-07 18:00"),
        ("complaint", "2024-02-12 10:00", "2024-03-08 18:00"),
        ("complaint", "2024-09-24 10:00", "2024-10-18 18:00"),
        ("complaint", "2024-09-29 10:00", "2024-10-24 18:00"),
        ("complaint", "2024-12-16 10:00", "2025-01-07 18:00"),
        ("declaration", "2025-01-13 10:00", "2025-02-14 18:00"),
        ("declaration", "2025-01-26 10:00", "2025-02-28 18:00"),
        ("complaint", "2025-04-25 10:00", "2025-05-20 18:00"),
        ("complaint", "2025-09-19 10:00", "2025-10-16 18:00"),
        ("complaint", "2025-09-28 19:00", "2025-10-27 18:00"),
        ("suggestion", "2025-12-26 10:00", "2026-01-12 18:00"),
        ("consultation", "2025-12-31 17:30", "2026-01-05 18:00"),
        ("complaint", "2026-02-13 10:00", "2026-03-12 18:00"),
        ("complaint", "2026-02-15 10:00", "2026-03-16 18:00"),
        ("declaration", "2026-02-11 10:00", "2026-03-17 18:00"),
        ("consultation", "2026-02-13 17:00", "2026-02-24 18:00"),
        ("consultation", "2026-02-14 17:00", "2026-02-25 18:00"),
        ("suggestion", "2026-02-09 08:00", "2026-02-28 18:00"),
        ("complaint", "2026-09-30 10:00", "2026-10-27 18:00"),
        ("complaint", "2026-10-04 10:00", "2026-10-28 18:00"),
        ("consultation", "2026-09-29 18:00", "2026-10-08 18:00"),
        ("consultation", "2026-09-29 18:01", "2026-10-09 18:00"),
        ("suggestion", "2026-09-18 10:00", "2026-10-09 18:00"),
        ("complaint", "2026-11-29 10:00", "2026-12-21 18:00"),
        # into 2027, whose festivals are estimated: 1 January off
        ("complaint", "2026-12-24 10:00", "2027-01-15 18:00"),
        ("complaint", "2026-12-31 19:00", "2027-01-25 18:00"),
        ("declaration", "2026-12-31 10:00", "2027-01-29 18:00"),
        ("suggestion", "2026-12-18 10:00", "2027-01-04 18:00"),
    ],
)
def test_totals_around_the_holidays_of_three_years(kind: str, received: str, due_at: str) -> None:
    assert due(kind, received) == at(due_at)


@pytest.mark.parametrize(
    ("more", "due_at"),
    [
        ({"source": "letter"}, "2027-01-22 18:00"),
        ({"source": "visit", "delegated": True}, "2027-01-22 18:00"),
        ({"source": "letter", "reopened": True}, "2026-11-30 18:00"),
        ({"source": "national"}, "2026-12-14 18:00"),
        ({"source": "national", "requested": date(2026, 12, 1)}, "2026-12-01 18:00"),
        ({"requested": date(2026, 12, 6)}, "2026-12-06 18:00"),
        ({"requested": date(2026, 11, 24)}, "2026-11-24 18:00"),
        ({"requested": date(2026, 11, 23)}, "2026-12-14 18:00"),
        ({"requested": date(2028, 1, 1)}, "2026-12-14 18:00"),
    ],
)
def test_what_else_a_total_depends_on(more: dict[str, object], due_at: str) -> None:
    found = total(facts("complaint", "2026-11-23 09:00", **more), POLICY, C)

    assert found.due_at == at(due_at)
    assert found.adjusted is (more.get("requested") in {date(2026, 11, 23), date(2028, 1, 1)})


def test_the_limit_of_a_consultation_grows_when_it_is_handed_down() -> None:
    assert due("consultation", "2026-11-24 09:30") == at("2026-11-26 18:00")
    assert due("consultation", "2026-11-24 09:30", delegated=True) == at("2026-12-01 18:00")


def counted_by_hand(received: datetime, days: int) -> datetime:
    """Day by day, with the published table itself."""
    local = received.astimezone(BEIJING)
    day = local.date() + timedelta(days=local.time() > clock_time(18))
    while not chinese_calendar.is_workday(day):
        day += timedelta(days=1)
    while days:
        day += timedelta(days=1)
        days -= chinese_calendar.is_workday(day)
    return datetime.combine(day, clock_time(18), BEIJING)


@given(st.sampled_from(list(WORKING_DAYS)), st.integers(0, 700 * 86_400))
def test_totals_agree_with_the_simple_rule_where_tables_are_published(
    kind: str, seconds: int
) -> None:
    moment = at("2024-06-01 00:00") + timedelta(seconds=seconds)

    found = total(replace(facts(kind), received_at=moment), POLICY, C)

    assert found.due_at == counted_by_hand(moment, WORKING_DAYS[kind])


def at_stage(key: str, start: str, until: str, **more: object) -> plan.Deadline:
    return stage(key, at(start), facts(**more), at(until), POLICY, C)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "start", "until", "due_at", "squeezed"),
    [
        # enough time: the stage's own limit
        ("handle", "2026-11-24 09:30", "2026-12-30 18:00", "2026-12-07 18:00", False),
        # the audits above need a day each: the county has to be done two days before the total
        ("handle", "2026-11-30 09:30", "2026-12-10 18:00", "2026-12-08 18:00", True),
        ("audit_city", "2026-12-08 18:00", "2026-12-10 18:00", "2026-12-09 18:00", False),
        # the reserve would leave six of thirteen hours: less than half, so both get their share
        ("audit_city", "2026-12-09 09:30", "2026-12-10 18:00", "2026-12-10 08:45", True),
        ("audit_province", "2026-12-09 09:30", "2026-12-10 18:00", "2026-12-10 18:00", False),
        # two days left for nine days' work and two audits: everybody gets a share
        ("handle", "2026-12-08 18:00", "2026-12-10 18:00", "2026-12-10 11:11", True),
        # the ticket is late already: due at once, and not before it starts
        ("handle", "2026-12-11 09:30", "2026-12-10 18:00", "2026-12-11 09:30", True),
    ],
)
def test_stages_are_planned_back_from_the_total(
    key: str, start: str, until: str, due_at: str, squeezed: bool
) -> None:
    found = at_stage(key, start, until)

    assert found.due_at.replace(second=0, microsecond=0) == at(due_at)
    assert found.squeezed is squeezed


def test_a_city_that_audits_last_reserves_only_its_own_audit() -> None:
    found = at_stage("handle", "2026-11-30 09:30", "2026-12-10 18:00", final_audit="city")

    assert found.due_at == at("2026-12-09 18:00")


def test_a_stage_without_a_limit_of_its_own_has_the_ticket_s() -> None:
    found = at_stage("audit_city", "2026-11-24 09:30", "2026-11-26 18:00", kind="consultation")

    assert found.due_at == at("2026-11-26 18:00")
    assert found.limit is None


def test_a_trial_lists_every_stage_in_order_and_within_the_total() -> None:
    found = compute(facts(delegated=True), POLICY, C)

    assert [each.stage for each in found] == [
        *("total", "notify_acceptance", "sign_in", "review", "dispatch", "city_forward"),
        *("county_sign_in", "first_contact", "handle", "audit_city", "audit_province"),
    ]
    assert all(each.due_at <= found[0].due_at for each in found if each.stage in STAGES)
    assert all(each.basis and each.title for each in found)


def test_a_petition_registered_at_a_city_has_no_review_and_ends_there() -> None:
    found = compute(
        facts(source="letter", delegated=True, final_audit="city", received="2026-11-23 09:00"),
        POLICY,
        C,
    )

    assert {"review", "dispatch", "audit_province"} & {each.stage for each in found} == set()
    assert {each.stage: each.due_at for each in found}["notify_acceptance"] == at(
        "2026-12-08 18:00"
    )


@pytest.mark.parametrize(
    ("start", "due_at", "in_hours", "yellow", "orange"),
    [
        # fifteen days: 70 % comes before the last two days
        ("2026-11-23 18:00", "2026-12-14 18:00", False, "2026-12-08 12:00", "2026-12-11 18:00"),
        # five days: two days left come before 70 %, but after half
        ("2026-11-23 18:00", "2026-11-30 18:00", False, "2026-11-26 18:00", "2026-11-27 18:00"),
        # two days: never before half the time is used
        ("2026-11-23 18:00", "2026-11-25 18:00", False, "2026-11-24 18:00", "2026-11-24 18:00"),
        ("2026-11-23 18:00", "2026-11-24 18:00", False, "2026-11-24 12:00", "2026-11-24 12:00"),
        # hours: 70 % and 90 %
        ("2026-11-24 08:30", "2026-11-24 18:00", True, "2026-11-24 15:54", "2026-11-24 17:18"),
    ],
)
def test_lights_change_by_share_and_by_days_left(
    start: str, due_at: str, in_hours: bool, yellow: str, orange: str
) -> None:
    assert lights(at(start), at(due_at), in_hours, Lights(), C) == (at(yellow), at(orange))


def test_osticket_3034_a_pause_gives_back_exactly_the_working_time_it_took() -> None:
    """The wish of osTicket 3034: a ticket that waits for somebody else is not overdue."""
    paused = Adjustment(paused=C.working_time(at("2026-11-26 15:00"), at("2026-12-01 10:00")))

    found = total(facts(), POLICY, C, paused)

    assert found.due_at == C.add_working_time(at("2026-12-15 18:00"), paused.paused).at
    assert C.working_time(at("2026-11-26 15:00"), at("2026-12-15 18:00")) == C.working_time(
        at("2026-12-01 10:00"), found.due_at
    )


def test_glpi_15605_a_changed_rule_keeps_the_pauses() -> None:
    """GLPI 15605: the new rule was counted from the opening as if there had been no pause."""
    pause = Adjustment(paused=3 * DAY)
    before = total(facts("consultation"), POLICY, C, pause)
    after = total(facts("consultation", delegated=True), POLICY, C, pause)

    assert before.due_at == C.add_working_time(at("2026-11-26 18:00"), 3 * DAY).at
    assert after.due_at == C.add_working_time(at("2026-12-01 18:00"), 3 * DAY).at


def test_granted_days_and_a_refusal_move_the_due_date() -> None:
    ten = Adjustment(granted=(Limit(10, "cd"),))
    refused = Adjustment(not_before=at("2026-12-16 18:00"))

    assert total(facts(), POLICY, C, ten).due_at == at("2026-12-25 18:00")
    assert total(facts(), POLICY, C, refused).due_at == at("2026-12-16 18:00")
    assert total(facts(), POLICY, C, Adjustment(not_before=at("2026-12-01 18:00"))).due_at == at(
        "2026-12-15 18:00"
    )


seconds = st.integers(0, 900 * 86_400)
starts = seconds.map(lambda n: at("2024-01-01 00:00") + timedelta(seconds=n))
kinds = st.sampled_from(list(WORKING_DAYS))
keys = st.sampled_from(["review", "dispatch", "city_forward", "handle", "audit_city"])


@given(kinds, starts, starts, st.booleans())
def test_a_later_receipt_is_never_due_earlier(
    kind: str, one: datetime, other: datetime, delegated: bool
) -> None:
    first, second = sorted((one, other))
    base = facts(kind, delegated=delegated)

    assert total(replace(base, received_at=first), POLICY, C).due_at <= (
        total(replace(base, received_at=second), POLICY, C).due_at
    )


@given(keys, kinds, starts, st.integers(-10, 40 * 24), st.integers(0, 20 * 24))
def test_a_stage_lies_between_its_start_and_the_total_and_grows_with_it(
    key: str, kind: str, start: datetime, hours: int, more: int
) -> None:
    until = start + timedelta(hours=hours)

    found = stage(key, start, facts(kind), until, POLICY, C)
    wider = stage(key, start, facts(kind), until + timedelta(hours=more), POLICY, C)

    assert start <= found.due_at <= max(until, start)
    assert found.due_at <= wider.due_at
    assert start <= found.yellow_at <= found.orange_at <= max(found.due_at, found.yellow_at)


@given(kinds, starts, st.integers(0, 20 * 3600), st.integers(0, 20 * 3600))
def test_a_pause_changes_no_remaining_time_and_two_add_up(
    kind: str, start: datetime, one: int, other: int
) -> None:
    base = replace(facts(kind), received_at=start)
    plain = total(base, POLICY, C)
    first, second = timedelta(seconds=one), timedelta(seconds=other)

    both = total(base, POLICY, C, Adjustment(paused=first + second))

    assert C.working_time(plain.due_at, both.due_at) == first + second
    assert (
        both.due_at
        == C.add_working_time(total(base, POLICY, C, Adjustment(paused=first)).due_at, second).at
    )


@given(kinds, starts)
def test_lights_come_in_order(kind: str, start: datetime) -> None:
    for each in compute(replace(facts(kind), received_at=start), POLICY, C):
        assert each.start_at <= each.yellow_at <= each.orange_at
        assert each.orange_at <= max(each.due_at, each.start_at)


def test_facts_survive_being_kept() -> None:
    kept = facts(requested=date(2026, 12, 1), urgent=True)

    assert Facts.from_data(kept.as_data()) == kept


def test_computing_a_whole_ticket_takes_less_than_a_few_milliseconds() -> None:
    base = facts(delegated=True)
    compute(base, POLICY, C)

    began = time.perf_counter()
    for _ in range(50):
        compute(base, POLICY, C)

    assert (time.perf_counter() - began) / 50 < 0.010  # 0.7 ms when the machine is quiet
