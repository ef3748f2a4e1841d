"""The calendar's page: a year to read, and changes that are shown before they count."""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.core.db import db, session
from app.deadlines import calendars, published
from app.security.models import AccessLog
from app.ui.calendar_forms import table_text
from tests.support.journey import World
from tests.support.pages import Browser, elements, inline_code
from tests.support.people import CHONGQING, GUIZHOU, MEITAN, Person
from tests.support.timelimits import forget_edits

Browse = Callable[[Person], Browser]
NATION = "000000000000"


@pytest.fixture(autouse=True)
def _leave_nothing(app: Flask) -> Iterator[None]:
    yield
    with app.app_context():
        forget_edits()
        db.session.remove()


@pytest.fixture
def admin(world: World, browse: Browse) -> Browser:
    return browse(world.employ(NATION, "system_admin"))


def table_of(year: int) -> str:
    """A published-looking table: that of 2026 moved to another year's weekdays."""
    days = "\n".join(
        f"{year}-{day},off,{name}"
        for day, name in (
            ("01-01", "元旦"),
            ("02-06", "春节"),
            ("04-05", "清明节"),
            ("05-01", "劳动节"),
            ("06-09", "端午节"),
            ("09-15", "中秋节"),
            ("10-01", "国庆节"),
            ("10-02", "国庆节"),
            ("10-03", "国庆节"),
        )
    )
    return f"date,kind,name\n{days}"


def hidden(page: str) -> dict[str, str]:
    fields = [e.attributes for e in elements(page) if e.attributes.get("type") == "hidden"]
    return {str(f["name"]): str(f["value"]) for f in fields if f["name"] != "csrf_token"}


def ask(browser: Browser, address: str = "/calendar/edit?year=2027", **values: Any) -> TestResponse:
    browser.get(address)
    given = {
        "status": "official",
        "source": "国办发明电〔2026〕1号",
        "table": table_of(2027),
        "reason": "国务院办公厅公布",
        **values,
    }
    return browser.post(address, given)


def confirm(
    browser: Browser, page: str, address: str = "/calendar/apply?year=2027"
) -> TestResponse:
    return browser.post(address, hidden(page))


def test_a_year_stands_on_one_page(world: World, browse: Browse) -> None:
    page = browse(world.employ(MEITAN)).get("/calendar", year=2026).text

    assert page.count('<table class="month"') == 12
    for shown in ("已公布", "春节", "国庆节", "08:30–12:00", "14:30–18:00", "248 个工作日"):
        assert shown in page
    assert "/calendar/edit" not in page
    assert not inline_code(page)


def test_an_estimated_year_is_marked(world: World, browse: Browse) -> None:
    assert "预估" in browse(world.employ(MEITAN)).get("/calendar", year=2027).text


@pytest.mark.parametrize("query", ["year=1999", "year=2999", "division=999999999999"])
def test_what_does_not_exist_is_not_found(world: World, browse: Browse, query: str) -> None:
    assert browse(world.employ(MEITAN)).get(f"/calendar?{query}").status_code == 404


def test_an_import_shows_the_difference_and_changes_nothing(app: Flask, admin: Browser) -> None:
    page = ask(admin).text

    assert "状态 预估 → 已公布" in page
    with app.app_context():
        assert calendars.years()[2027].status == published.ESTIMATED
        db.session.remove()


def test_what_was_shown_is_put_in_force_and_on_record(app: Flask, admin: Browser) -> None:
    answer = confirm(admin, ask(admin).text)

    assert answer.status_code == 302
    page = admin.get("/calendar", year=2027).text
    assert "已公布" in page
    assert "国办发明电〔2026〕1号" in page
    assert "国务院办公厅公布" in page
    with app.app_context():
        assert calendars.years()[2027].status == published.OFFICIAL
        noted = select(func.count()).where(
            AccessLog.action == "calendar.change", AccessLog.object_id == "2027"
        )
        assert (session().scalar(noted) or 0) >= 1
        db.session.remove()


def test_a_difference_that_has_grown_old_is_refused(admin: Browser) -> None:
    shown = ask(admin).text
    other = ask(admin, table=table_of(2027) + "\n2027-02-08,off,春节").text
    assert confirm(admin, other).status_code == 302

    confirm(admin, shown)

    page = admin.get("/calendar/edit?year=2027").text
    assert "日历刚被他人修改，请重新查看差异" in page
    assert "2027-02-08" in page


def test_a_file_counts_before_what_is_typed(admin: Browser) -> None:
    file = (io.BytesIO(table_of(2027).encode()), "2027.csv")

    page = ask(admin, table="nonsense", file=file).text

    assert "状态 预估 → 已公布" in page


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("nonsense", "首行应为列名"),
        (table_of(2027) + "\n2027-10-01,off,国庆节", "2027-10-01 出现多次"),
        (table_of(2027).replace("2027-05-01,off,劳动节\n", ""), "缺少劳动节"),
        (table_of(2027) + "\n2027-03-01,work,", "是工作日，不能再调为上班"),
        (table_of(2027) + "\n2028-03-01,off,", "不在 2027 年"),
        ('{"days": [{"date": "x", "kind": "off"}]}', "date 应为"),
        ('{"hours": [{"periods": [[8, 12]]}]}', "应形如"),
        ("date,kind,name\n2027-02-05,off," + "x" * 131_073, "不是有效的 CSV"),
    ],
)
def test_mistakes_are_named_and_the_text_is_kept(admin: Browser, table: str, told: str) -> None:
    answer = ask(admin, table=table)

    assert told in answer.text
    assert table.splitlines()[0].replace('"', "&#34;") in answer.text
    assert "查看差异" in answer.text


def test_a_file_that_is_not_utf_8_is_refused(admin: Browser) -> None:
    file = (io.BytesIO("日期".encode("gbk")), "2027.csv")

    assert "文件应为 UTF-8 编码" in ask(admin, file=file).text


@pytest.mark.parametrize("missing", ["status", "source", "reason"])
def test_nothing_may_be_left_out(admin: Browser, missing: str) -> None:
    assert "处需要修改" in ask(admin, **{missing: ""}).text


DIVISION = f"/calendar/edit?division={MEITAN}"
APPLY = f"/calendar/apply?division={MEITAN}"


def test_a_division_gets_holidays_and_hours_of_its_own(world: World, browse: Browse) -> None:
    admin = browse(world.employ(GUIZHOU, "system_admin"))
    table = "date,kind,name\n2026-07-23,off,州庆"
    hours = "01-01 12-31 10:00-14:00 16:00-20:00"

    page = ask(admin, DIVISION, table=table, hours=hours).text
    assert "2026-07-23 放假 州庆" in page
    assert confirm(admin, page, APPLY).status_code == 302

    shown = admin.get("/calendar", year=2026, division=MEITAN).text
    assert "州庆" in shown
    assert "10:00–14:00" in shown
    assert "247 个工作日" in shown
    assert "贵州省遵义市湄潭县" in admin.get("/calendar", year=2026).text
    assert "10:00-14:00 16:00-20:00" in admin.get(DIVISION).text


def test_what_a_division_has_of_its_own_can_be_taken_back(world: World, browse: Browse) -> None:
    admin = browse(world.employ(GUIZHOU, "system_admin"))
    table = "date,kind,name\n2026-07-23,off,州庆"
    confirm(admin, ask(admin, DIVISION, table=table).text, APPLY)

    page = ask(admin, DIVISION, table="date,kind,name").text
    assert "2026-07-23 放假 州庆" in page
    assert confirm(admin, page, APPLY).status_code == 302

    assert (
        "州庆" not in admin.get("/calendar", year=2026, division=MEITAN).text.split("变更记录")[0]
    )


def test_a_table_on_one_line_is_read_and_not_taken_for_none(world: World, browse: Browse) -> None:
    admin = browse(world.employ(GUIZHOU, "system_admin"))
    table = '{"days":[{"date":"2026-07-23","kind":"off","name":"州庆"}]}'

    assert "2026-07-23 放假 州庆" in ask(admin, DIVISION, table=table).text
    assert "首行应为列名" in ask(admin, DIVISION, table="2026-07-23,off,州庆").text


def test_the_nations_hours_hold_where_nobody_has_his_own(world: World, browse: Browse) -> None:
    nation = browse(world.employ(NATION, "system_admin"))
    local = browse(world.employ(GUIZHOU, "system_admin"))
    own = ask(local, DIVISION, table="", hours="01-01 12-31 10:00-14:00 16:00-20:00").text
    assert confirm(local, own, APPLY).status_code == 302
    edit, apply = (f"/calendar/{each}?division={NATION}" for each in ("edit", "apply"))
    assert edit in nation.get("/calendar").text

    page = ask(nation, edit, table="", hours="01-01 12-31 09:00-12:00 13:00-17:00").text
    assert "作息时间" in page
    assert confirm(nation, page, apply).status_code == 302

    for division, hours in (("", "13:00–17:00"), (GUIZHOU, "13:00–17:00"), (MEITAN, "16:00–20:00")):
        shown = nation.get("/calendar", **({"division": division} if division else {})).text
        assert hours in shown.split("变更记录")[0], division
    taken_back = ask(nation, edit, table="", hours="").text
    assert confirm(nation, taken_back, apply).status_code == 302
    assert "13:00–17:00" not in nation.get("/calendar").text.split("变更记录")[0]


def test_the_nations_days_stand_in_its_tables(world: World, browse: Browse) -> None:
    nation = browse(world.employ(NATION, "system_admin"))

    page = ask(
        nation,
        f"/calendar/edit?division={NATION}",
        table="date,kind,name\n2026-07-23,off,州庆",
        hours="",
    ).text

    assert "全国的假日按年设置" in page


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ("01-01 12-31 14:00-10:00", "起止颠倒"),
        ("01-01 12-31 08:00-12:00 11:00-18:00", "互相重叠"),
        ("01-01 12-31 08:00-12:00\n06-01 08-31 09:00-12:00", "适用日期重叠"),
        ("always", "应形如"),
    ],
)
def test_impossible_hours_are_named(world: World, browse: Browse, hours: str, told: str) -> None:
    admin = browse(world.employ(GUIZHOU, "system_admin"))

    assert told in ask(admin, DIVISION, table="", hours=hours).text


@pytest.mark.parametrize(
    ("place", "role", "address", "status"),
    [
        (GUIZHOU, "province_operator", "/calendar", 200),
        (GUIZHOU, "audit_admin", "/calendar", 403),
        (GUIZHOU, "province_operator", "/calendar/edit?year=2027", 403),
        (GUIZHOU, "system_admin", "/calendar/edit?year=2027", 403),
        (GUIZHOU, "system_admin", DIVISION, 200),
        (GUIZHOU, "system_admin", f"/calendar/edit?division={NATION}", 403),
        (CHONGQING, "system_admin", DIVISION, 403),
        (NATION, "system_admin", DIVISION, 200),
    ],
)
def test_a_province_changes_its_own_divisions_and_the_nation_everything(
    world: World, browse: Browse, place: str, role: str, address: str, status: int
) -> None:
    browser = browse(world.employ(place, role))

    assert browser.get(address).status_code == status
    if status == 403 and "edit" in address:
        target = address.replace("edit", "apply")
        browser.get("/account")
        assert browser.post(target, {"reason": "不应生效"}).status_code == 403


def test_the_table_in_force_can_be_typed_over() -> None:
    text = table_text(published.years()[2026].days)

    assert re.search(r"^2026-02-1\d,放假,春节$", text, re.MULTILINE)
