"""When a notification may leave: quiet hours over midnight, digests on working days, at once."""

from datetime import datetime, time, timedelta

import pytest

from app.core.clock import BEIJING
from app.deadlines.published import calendar
from app.notifications.rules import GATHERED, KINDS, NIGHT, Quiet, send_at, text_of

NONE = Quiet(time(0), time(0))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("moment", "over"),
    [
        ("2026-11-24 20:59:59", "2026-11-24 20:59:59"),
        ("2026-11-24 21:00:00", "2026-11-25 08:00:00"),
        ("2026-11-24 23:59:59", "2026-11-25 08:00:00"),
        ("2026-11-25 00:00:00", "2026-11-25 08:00:00"),
        ("2026-11-25 07:59:59", "2026-11-25 08:00:00"),
        ("2026-11-25 08:00:00", "2026-11-25 08:00:00"),
        ("2026-12-31 22:00:00", "2027-01-01 08:00:00"),
    ],
)
def test_the_night_spans_midnight_and_its_ends_are_exact(moment: str, over: str) -> None:
    assert NIGHT.over(at(moment)) == at(over)


@pytest.mark.parametrize(
    ("moment", "over"),
    [("12:29", "12:29"), ("12:30", "14:00"), ("13:59", "14:00"), ("14:00", "14:00")],
)
def test_quiet_hours_within_a_day(moment: str, over: str) -> None:
    nap = Quiet(time(12, 30), time(14))

    assert nap.over(at(f"2026-11-24 {moment}")) == at(f"2026-11-24 {over}")


def test_equal_ends_are_no_quiet_hours() -> None:
    for hour in range(24):
        moment = at(f"2026-11-24 {hour:02}:00")
        assert NONE.over(moment) == moment


@pytest.mark.parametrize(
    ("kind", "now", "daily", "wanted"),
    [
        ("yellow", "2026-11-24 10:00", False, "2026-11-24 10:01"),
        ("orange", "2026-11-24 22:00", False, "2026-11-25 08:00"),
        ("undelivered", "2026-11-24 22:00", True, "2026-11-25 08:00"),
        ("red", "2026-11-24 22:00", True, "2026-11-24 22:01"),
        ("urgent", "2026-11-25 03:00", True, "2026-11-25 03:00"),
        ("yellow", "2026-11-24 08:29", True, "2026-11-24 08:30"),
        ("yellow", "2026-11-24 08:30", True, "2026-11-25 08:30"),
        ("orange", "2026-11-27 10:00", True, "2026-11-30 08:30"),  # Friday: on Monday
        ("yellow", "2026-10-09 10:00", True, "2026-10-10 08:30"),  # Saturday 调休 works
        ("yellow", "2026-09-30 10:00", True, "2026-10-08 08:30"),  # 国庆 over
    ],
)
def test_each_kind_leaves_at_its_time(kind: str, now: str, daily: bool, wanted: str) -> None:
    assert send_at(kind, at(now), NIGHT, calendar(), daily=daily) == at(wanted)


def test_the_digest_waits_for_the_end_of_quiet_hours() -> None:
    late_riser = Quiet(time(20), time(10))

    found = send_at("yellow", at("2026-11-24 12:00"), late_riser, calendar(), daily=True)

    assert found == at("2026-11-25 10:00")


def test_only_what_is_urgent_is_not_gathered() -> None:
    now = at("2026-11-24 10:00")

    waits = {kind: send_at(kind, now, NIGHT, calendar(), daily=False) - now for kind in KINDS}

    assert waits.pop("urgent") == timedelta(0)
    assert set(waits.values()) == {GATHERED}


def test_one_notification_is_told_and_several_are_counted() -> None:
    assert text_of([("red", "办理已超过时限：X")]) == "【红灯】办理已超过时限：X"
    several = [("yellow", "a"), ("red", "b"), ("yellow", "c")]
    assert text_of(several) == "您有 3 条提醒：黄灯 2 条、红灯 1 条，请登录查看。"
