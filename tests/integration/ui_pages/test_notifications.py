"""Notifications on pages: one's own, of tickets still in one's unit, read or unread."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from app.core.db import db, session, transact
from app.notifications import preferences, queries, retention
from app.notifications.models import Notification
from app.notifications.rules import Quiet
from app.notifications.services import Notice, To, notify
from app.security.models import AccessLog
from tests.support.journey import Chain, World
from tests.support.notifications import hooked, send, sent
from tests.support.pages import Browser, inline_code
from tests.support.people import CHONGQING, GUIZHOU, MEITAN, Person

Browse = Callable[[Person], Browser]
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)


def tell(world: World, *people: Person, kind: str = "yellow", **more: Any) -> str:
    """Tell people something; returns its title."""
    title = f"事项 {uuid.uuid4().hex[:12]}"
    to = tuple(To(p.principal.unit_id, person_id=p.principal.user_id) for p in people)
    with world.app.app_context():
        transact(lambda: notify([Notice(f"page:{title}", kind, title, to, **more)], NOW))
        db.session.remove()
    return title


@pytest.fixture
def people(world: World) -> Chain:
    return world.chain()


def count(page: str) -> str:
    """What the bell says."""
    bell = page[page.index('id="bell"') :]
    bell = bell[: bell.index("</a>")]
    return bell.partition('<span class="count">')[2].partition("</span>")[0]


def test_a_person_reads_the_own_ones_newest_first(
    world: World, browse: Browse, people: Chain
) -> None:
    first, second = tell(world, people.county), tell(world, people.county)
    others = tell(world, people.county_colleague)

    page = browse(people.county).get("/notifications").text

    assert page.index(second) < page.index(first)
    assert others not in page
    assert not inline_code(page)


def test_the_bell_counts_what_is_unread_and_the_page_marks_it_read(
    world: World, browse: Browse, people: Chain
) -> None:
    browser = browse(people.county)
    assert count(browser.get("/worklist").text) == ""
    titles = [tell(world, people.county) for _ in range(3)]
    assert count(browser.get("/worklist").text) == "3"
    assert count(browser.get("/notifications/bell").text) == "3"

    with world.app.app_context():
        (one,) = session().scalars(select(Notification.id).where(Notification.title == titles[0]))
        newest = session().scalar(select(Notification.id).where(Notification.title == titles[2]))
        db.session.remove()
    assert browser.post(f"/notifications/{one}/read").status_code == 303
    unread = browser.get("/notifications", unread=1).text
    assert (titles[0] in unread, titles[1] in unread) == (False, True)

    later = tell(world, people.county)
    browser.post("/notifications/read", up_to=newest)
    unread = browser.get("/notifications", unread=1).text
    assert [title in unread for title in (*titles, later)] == [False, False, False, True]


def test_its_title_leads_to_the_ticket_and_reads_it(
    world: World, browse: Browse, people: Chain
) -> None:
    number = world.submit()
    title = tell(world, people.province, business_key=number)
    with world.app.app_context():
        one = session().scalar(select(Notification.id).where(Notification.title == title))
        db.session.remove()
    browser = browse(people.province)
    assert title in browser.get("/notifications").text

    answer = browser.post(f"/notifications/{one}/read", to="ticket")

    assert (answer.status_code, answer.location) == (303, f"/tickets/{number}")
    assert title not in browser.get("/notifications", unread=1).text


def test_whoever_loses_the_ticket_no_longer_sees_what_was_said_of_it(
    world: World, browse: Browse, people: Chain
) -> None:
    number = world.submit()
    world.down(number, people)
    title = tell(world, people.county, people.city, business_key=number)
    county, city = browse(people.county), browse(people.city)
    assert title in county.get("/notifications").text
    with world.app.app_context():
        mine = Notification.user_id == people.county.principal.user_id
        one = session().scalar(select(Notification.id).where(mine, Notification.title == title))
        db.session.remove()

    world.act(people.city, number, "recall", reason="由市局直接办理，县局不再承办。")

    assert title not in county.get("/notifications").text
    assert count(county.get("/worklist").text) == ""
    assert county.post(f"/notifications/{one}/read").status_code == 404
    assert title in city.get("/notifications").text


def test_somebody_else_s_notification_looks_like_none(
    world: World, browse: Browse, people: Chain
) -> None:
    title = tell(world, people.county)
    with world.app.app_context():
        one = session().scalar(select(Notification.id).where(Notification.title == title))
        db.session.remove()

    assert browse(people.county_colleague).post(f"/notifications/{one}/read").status_code == 404
    assert browse(people.county_colleague).post("/notifications/0/read").status_code == 404


def test_a_long_list_goes_on_page_by_page(world: World, browse: Browse) -> None:
    person = world.employ(MEITAN)
    titles = [tell(world, person) for _ in range(queries.PAGE + 2)]
    browser = browse(person)

    first = browser.get("/notifications").text
    before = first.partition("before=")[2].partition('"')[0]
    second = browser.get("/notifications", before=before).text

    assert [t in first for t in titles] == [False, False] + [True] * queries.PAGE
    assert [t in second for t in titles[:3]] == [True, True, False]
    assert "回到首页" in second


@pytest.mark.parametrize("path", ["/notifications?before=1" + "0" * 20, "/tickets/TS%00"])
def test_a_value_that_the_database_refuses_is_said_on_a_page_with_the_bell(
    world: World, browse: Browse, path: str
) -> None:
    page = browse(world.employ(GUIZHOU, "province_operator")).get(path)

    assert (page.status_code, "无法处理的字符或数值" in page.text) == (400, True)
    assert 'href="/notifications' in page.text


def test_the_bell_costs_a_page_one_statement(
    world: World, browse: Browse, people: Chain, app: Flask
) -> None:
    browser = browse(people.county)
    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(args[2])

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        browser.get("/worklist")
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert len([each for each in statements if "FROM notifications" in each]) == 1


def test_preferences_are_kept_and_wrong_hours_refused(
    world: World, browse: Browse, people: Chain
) -> None:
    browser = browse(people.county)
    hours = {"quiet_from": "20:00", "quiet_until": "07:30"}

    browser.post("/account/notifications", digest="daily", hours="own", **hours)

    with world.app.app_context():
        kept = queries.preference(people.county.principal.user_id)
        assert kept is not None
        assert (kept.daily_digest, f"{kept.quiet_from:%H:%M}") == (True, "20:00")
        db.session.remove()
    page = browser.get("/account").text
    assert 'value="daily" checked' in page
    assert 'value="20:00"' in page

    browser.post("/account/notifications", digest="single", hours="own", quiet_from="late")
    assert "请填写免打扰的起止时间" in browser.get("/account").text
    assert 'value="daily" checked' in browser.get("/account").text


def test_a_stranger_signs_in_first(app: Flask) -> None:
    answer = Browser(app).get("/notifications")

    assert (answer.status_code, "/login" in answer.location) == (302, True)


def test_the_staff_interface_lists_and_marks_read(world: World, people: Chain) -> None:
    titles = [tell(world, people.county) for _ in range(3)]
    headers = people.county.headers

    first = world.http.get("/api/v1/notifications", params={"limit": 2}, headers=headers).json()
    assert [row["title"] for row in first["notifications"]] == [titles[2], titles[1]]
    assert first["unread"] == 3
    rest = {"before": first["next"]}
    second = world.http.get("/api/v1/notifications", params=rest, headers=headers).json()
    assert ([row["title"] for row in second["notifications"]], second["next"]) == (
        [titles[0]],
        None,
    )

    one = second["notifications"][0]["id"]
    for _ in range(2):
        read = world.http.post(f"/api/v1/notifications/{one}/read", headers=headers)
        assert (read.status_code, bool(read.json()["read_at"])) == (200, True)
    other = people.county_colleague.headers
    assert world.http.post(f"/api/v1/notifications/{one}/read", headers=other).status_code == 404
    newest = {"up_to": first["notifications"][0]["id"]}
    all_read = world.http.post("/api/v1/notifications/read", json=newest, headers=headers)
    assert all_read.json()["read"] == 2


def test_old_ones_are_forgotten(world: World, browse: Browse) -> None:
    person = world.employ(GUIZHOU)
    old, new = tell(world, person), tell(world, person)
    with world.app.app_context():
        row = session().scalars(select(Notification).where(Notification.title == old)).one()
        row.created_at = NOW - retention.KEPT - timedelta(days=1)
        transact(lambda: session().flush())
        while transact(lambda: retention.forget(NOW, limit=1_000_000)):
            pass
        db.session.remove()

    page = browse(person).get("/notifications").text
    assert (old in page, new in page) == (False, True)


def test_own_hours_replace_those_of_the_province(world: World, people: Chain) -> None:
    night = Quiet(datetime.min.time(), datetime.min.time())
    with world.app.app_context():
        principal = people.city.principal
        transact(lambda: preferences.save(principal, daily_digest=False, quiet=night))
        transact(lambda: preferences.save(principal, daily_digest=False, quiet=None))
        kept = queries.preference(principal.user_id)
        assert kept is not None
        assert kept.quiet_from is None
        db.session.remove()


def test_the_province_sends_dead_ones_again_or_drops_them(world: World, browse: Browse) -> None:
    clerk = world.employ(GUIZHOU)
    later = NOW + timedelta(minutes=1)
    with hooked(world) as unit_id:
        for _ in range(2):
            tell(world, clerk)
            world.misbehave("reject", times=1)
            send(world, later)
        browser, other = browse(clerk), browse(world.employ(CHONGQING))
        page = browser.get("/operations").text
        assert "短信、邮件通道" in page
        assert f"/operations/hooks/{unit_id}/resend" in page
        assert f"/operations/hooks/{unit_id}/" not in other.get("/operations").text
        assert other.post(f"/operations/hooks/{unit_id}/resend").status_code == 404

        world.misbehave("reject", times=1)
        browser.post(f"/operations/hooks/{unit_id}/resend")
        send(world, later)
        browser.post(f"/operations/hooks/{unit_id}/drop", reason="短信平台已更换，不再补发")

        assert len(sent(world)) == 1
        assert f"/operations/hooks/{unit_id}/" not in browser.get("/operations").text
    with world.app.app_context():
        logged = session().scalars(
            select(AccessLog.action)
            .where(AccessLog.object_type == "hook", AccessLog.user_id == clerk.principal.user_id)
            .order_by(AccessLog.id)
        )
        assert list(logged) == ["queue.resend", "queue.settle"]
        db.session.remove()
