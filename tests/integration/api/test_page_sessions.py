"""Page sessions at the signed door: how an address is asked for, opened, guarded and forgotten."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.db import db, session, transact
from app.demo import sample_report
from app.files.models import Attachment
from app.pages import services
from app.pages.models import PageSession
from tests.support.intake_page import COMPLAINT, Desk, address, number_on, tickets, wanted
from tests.support.journey import World

ORIGIN = "https://12345.guizhou.example.gov.cn"


@pytest.fixture
def later() -> Iterator[Any]:
    """Let minutes pass for the platform."""
    yield lambda **delta: clock.set_source(partial(_moved, timedelta(**delta)))
    clock.set_source(None)


def _moved(delta: timedelta) -> datetime:
    return datetime.now(clock.BEIJING) + delta


def test_an_address_opens_once_and_names_nobody(world: World) -> None:
    path = address(world, caller_number="13800001234")
    assert "13800001234" not in path
    assert "0231" not in path
    assert len(path.partition("?s=")[2]) >= 22
    first, second = Desk(world), Desk(world)
    assert first.http.head(path).status_code == 200
    assert first.open(path).status_code == 200

    again = second.open(path)

    assert (again.status_code, "PAGE_SESSION_USED" in again.text) == (410, True)
    assert "链接已失效" in again.text
    assert second.open(first.action).status_code == 410
    assert first.again().status_code == 200


def test_a_stolen_cookie_or_key_alone_sends_nothing(world: World) -> None:
    desk = Desk(world)
    desk.open(address(world))
    thief = Desk(world)
    thief.action, thief.key = desk.action, desk.key
    assert thief.send(**COMPLAINT).status_code == 410

    thief.http.cookies.update(desk.http.cookies)
    thief.key = "0" * 64
    assert thief.send(**COMPLAINT).status_code == 410
    thief.key = ""
    assert thief.send(**COMPLAINT).status_code == 400
    assert tickets(world) == []
    number_on(desk.send(**COMPLAINT))


def test_an_address_that_nobody_opened_for_five_minutes_is_dead(world: World, later: Any) -> None:
    path = address(world)
    later(minutes=5, seconds=1)

    page = Desk(world).open(path)

    assert (page.status_code, "PAGE_SESSION_EXPIRED" in page.text) == (410, True)
    unknown = Desk(world).open("/page/complaint?s=none")
    assert (unknown.status_code, "PAGE_SESSION_EXPIRED" in unknown.text) == (410, True)
    assert Desk(world).open("/page/letter?s=none").status_code == 404


def test_a_window_may_not_be_framed_and_its_cookie_is_of_its_page_alone(world: World) -> None:
    desk = Desk(world)
    desk.http.follow_redirects = False

    gone_on = desk.http.get(address(world))

    cookie = gone_on.headers["Set-Cookie"]
    assert gone_on.status_code == 302
    assert f"Path={gone_on.headers['Location']}" in cookie
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Lax"))
    page = desk.open(gone_on.headers["Location"])
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "Set-Cookie" not in page.headers
    assert desk.http.get("/worklist").status_code == 302  # to the sign-in page
    assert desk.http.get("/divisions.json").status_code == 302


def test_places_are_listed_while_the_form_is_open(world: World) -> None:
    desk = Desk(world)
    desk.open(address(world))

    answer = desk.http.get(f"{desk.action}/divisions.json", params={"parent_code": "520000000000"})

    assert "遵义市" in [item["division_name"] for item in answer.json()["items"]]
    unknown = f"/page/complaint/{uuid.uuid4()}/divisions.json"
    assert desk.http.get(unknown, headers={"Accept": "application/json"}).status_code == 404


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"ticket_type": "letter", "display": "tab"}, {"ticket_type", "display"}),
        ({"operator_no": "工号 1", "caller_number": "x"}, {"operator_no", "caller_number"}),
        ({"called_at": "2099-01-01T00:00:00+08:00"}, {"called_at"}),
        ({"called_at": None, "return_url": "javascript:alert(1)"}, {"called_at", "return_url"}),
        ({"display": "iframe", "return_url": f"{ORIGIN}/x"}, {"display", "return_url"}),
    ],
)
def test_every_wrong_field_of_a_request_for_a_page_is_named(
    world: World, changed: dict[str, Any], fields: set[str]
) -> None:
    answer = world.partner.open_page(wanted(**changed))

    assert answer.status == 422
    assert {error["field"] for error in answer.envelope["errors"]} == fields


@pytest.mark.parametrize("url", ["https://elsewhere.example/", f"{ORIGIN}.elsewhere.example/"])
def test_nobody_is_sent_on_to_another_origin(world: World, url: str) -> None:
    world.settings(page_origin=ORIGIN)

    answer = world.partner.open_page(wanted(return_url=url))

    assert [error["field"] for error in answer.envelope["errors"]] == ["return_url"]


def test_a_platform_that_is_switched_off_has_no_pages(world: World) -> None:
    path = address(world)
    world.settings(enabled=False)

    assert Desk(world).open(path).status_code == 410


def test_a_session_is_forgotten_after_a_day_with_its_unused_files_and_the_ticket_stays(
    world: World, later: Any
) -> None:
    desk, left = Desk(world), Desk(world)
    desk.open(address(world))
    left.open(address(world))
    used = desk.upload("附件.docx", sample_report()).json()["id"]
    unused = left.upload("附件.docx", sample_report()).json()["id"]
    number = number_on(desk.send(**COMPLAINT, attachments=used))
    with world.app.app_context():
        counted = select(func.count()).where(PageSession.partner_id == world.partner_id)
        kept = select(Attachment.id).where(Attachment.id.in_([used, unused]))
        transact(lambda: services.forget_old(clock.now()))
        assert session().scalar(counted) == 2
        later(hours=26)
        assert transact(lambda: services.forget_old(clock.now())) >= 2
        assert (session().scalar(counted), session().scalars(kept).all()) == (0, [used])
        db.session.remove()

    assert [ticket.acceptance_no for ticket in tickets(world)] == [number]
