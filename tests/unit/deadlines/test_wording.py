"""How time left is said."""

from datetime import datetime, timedelta

import pytest

from app.core.clock import BEIJING
from app.deadlines.published import calendar
from app.deadlines.wording import duration, remaining


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("now", "due", "text"),
    [
        ("2026-11-24 09:30", "2026-11-24 18:00", "剩余 6 工作时"),
        ("2026-11-24 17:30", "2026-11-24 18:00", "剩余不足 1 工作时"),
        ("2026-11-24 18:00", "2026-11-24 18:00", "剩余不足 1 工作时"),
        ("2026-11-24 09:30", "2026-11-26 18:00", "剩余 2 个工作日 6 小时"),
        ("2026-11-24 18:00", "2026-11-26 18:00", "剩余 2 个工作日"),
        ("2026-09-30 18:00", "2026-10-08 18:00", "剩余 1 个工作日"),
        ("2026-11-26 10:30", "2026-11-24 18:00", "逾期 1 个工作日 2 小时"),
        ("2026-11-29 10:30", "2026-11-27 18:00", "逾期不足 1 工作时"),
        ("2026-11-30 10:30", "2026-11-27 18:00", "逾期 2 工作时"),
        ("2027-01-04 18:00", "2026-12-31 18:00", "逾期 1 个工作日"),
    ],
)
def test_time_left_is_said_in_working_time(now: str, due: str, text: str) -> None:
    assert remaining(at(now), at(due), calendar()) == text


def test_no_due_date_is_said_too() -> None:
    assert remaining(at("2026-11-24 09:30"), None, calendar()) == "未设时限"


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0, "不足 1 分钟"), (0.5, "30 分钟"), (7, "1 个工作日"), (15.25, "2 个工作日 1 小时 15 分钟")],
)
def test_a_pause_is_said_in_full(hours: float, text: str) -> None:
    assert duration(timedelta(hours=hours), calendar()) == text
