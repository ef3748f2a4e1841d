"""Trying due dates out: the figures of the policy, on a calendar, without anything being kept."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from app.core.db import db, session, transact
from app.deadlines import calendars
from app.deadlines.calendar import Hours, Period
from app.deadlines.models import CalendarChange, CalendarDivision, Deadline
from app.engine.registry import Actor
from tests.conftest import MovableClock
from tests.support.journey import World
from tests.support.pages import Browser, elements, inline_code
from tests.support.people import GUIZHOU, Person

Browse = Callable[[Person], Browser]
ASKED = {
    "ticket_type": "complaint",
    "source": "p12345_api",
    "division": GUIZHOU,
    "received_at": "2026-02-13T10:00",
    "final_audit": "province",
}


@pytest.fixture
def browser(world: World, browse: Browse) -> Browser:
    return browse(world.employ(GUIZHOU, "supervisor"))


def asked(browser: Browser, **changed: Any) -> str:
    answer = browser.get("/deadlines/trial", **{**ASKED, **changed})
    assert answer.status_code == 200
    return answer.text


def test_the_page_opens_with_a_result(browser: Browser) -> None:
    page = browser.get("/deadlines/trial").text

    assert "总时限" in page
    assert "15个工作日" in page
    assert not inline_code(page)


def test_every_due_date_stands_there_with_its_rule(browser: Browser) -> None:
    page = asked(browser)

    for shown in ("总时限", "受理告知", "首次联系", "办理", "市级审核", "省级审核"):
        assert shown in page
    assert "2026-03-12 18:00" in page  # fifteen working days around the Spring Festival
    assert "信访工作条例 第二十三条：十五日内告知" in page
    assert "法规" in page


def test_holidays_and_make_up_days_are_drawn_on_the_calendar(browser: Browser) -> None:
    page = asked(browser)

    assert "2026 年 2 月" in page
    assert "2026 年 3 月" in page
    assert 'title="春节"' in page
    kinds = [str(e.attributes.get("class")) for e in elements(page) if e.tag == "td"]
    assert any("made_up" in kind for kind in kinds)
    assert sum("marked" in kind for kind in kinds) >= 5


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"ticket_type": "consultation"}, "2个工作日"),
        ({"ticket_type": "consultation", "level": "county"}, "5个工作日"),
        ({"ticket_type": "declaration"}, "20个工作日"),
        ({"source": "letter"}, "信访工作条例 第三十四条：六十日内办结"),
        ({"urgent": "1"}, "2个工作时"),
        ({"requested": "2026-03-02"}, "来件要求的办结日期"),
        ({"requested": "2026-02-13"}, "要求的日期过早或过晚"),
        ({"received_at": "2026-12-30T10:00"}, "暂定"),
    ],
)
def test_what_is_asked_changes_what_is_shown(
    browser: Browser, changed: dict[str, str], shown: str
) -> None:
    assert shown in asked(browser, **changed)


def test_a_final_audit_by_the_city_leaves_the_province_s_out(browser: Browser) -> None:
    assert "省级审核" not in asked(browser, final_audit="city", level="county")


def test_all_mistakes_are_named_at_once_and_kept(browser: Browser) -> None:
    page = asked(
        browser, ticket_type="praise", division="990000000000", received_at="yesterday", level="x"
    )

    assert "有 4 处需要修改" in page
    assert "各项时限" not in page


@pytest.mark.parametrize("moment", ["1999-01-01T08:00", "2999-01-01T08:00"])
def test_a_year_beyond_every_table_is_refused(browser: Browser, moment: str) -> None:
    assert "应在 2010 年至 2059 年之间" in asked(browser, received_at=moment)


def test_nothing_is_kept(app: Flask, browser: Browser) -> None:
    def count() -> int:
        with app.app_context():
            found = session().scalar(select(func.count()).select_from(Deadline)) or 0
            db.session.remove()
        return found

    before = count()
    asked(browser)

    assert count() == before


@pytest.fixture
def own_hours(app: Flask, clock: MovableClock) -> Iterator[str]:
    """A county that works later hours."""
    code = "520328000000"
    hours = Hours((Period(10 * 60, 14 * 60), Period(16 * 60, 20 * 60)))
    with app.app_context():
        transact(
            lambda: calendars.set_division(
                code, (), [hours], reason="测试", actor=Actor(None, "测试"), now=clock()
            )
        )
        db.session.remove()
    yield code
    with app.app_context():
        transact(lambda: session().execute(delete(CalendarDivision)))
        transact(lambda: session().execute(delete(CalendarChange)))
        db.session.remove()


def test_a_division_with_hours_of_its_own_can_be_chosen(own_hours: str, browser: Browser) -> None:
    page = asked(browser, division=own_hours)

    assert "贵州省遵义市湄潭县" in page
    assert "20:00" in page


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("province_operator", 200),
        ("process_analyst", 200),
        ("system_admin", 200),
        ("audit_admin", 403),
    ],
)
def test_business_and_technical_staff_may_try(
    world: World, browse: Browse, role: str, status: int
) -> None:
    assert browse(world.employ(GUIZHOU, role)).get("/deadlines/trial").status_code == status
