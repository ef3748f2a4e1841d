"""Profiles of 12345 platforms: who may see and change them, secrets shown once, mappings tried."""

import re
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.core import clock
from app.core.db import db, session, transact
from app.exchange import outbox, partners, queries
from app.exchange.models import Partner
from app.security.models import AccessLog
from tests.journeys.conftest import world, world_of
from tests.support.journey import World
from tests.support.pages import Browser
from tests.support.people import GUIZHOU, MEITAN, hire

__all__ = ["world", "world_of"]

_SECRET = re.compile(r'id="new-secret">([0-9a-f]{64})<')
_MARK = re.compile(r'name="looked_at" value="([0-9a-f]{64})"')


def browser_of(app: Flask, *roles: str, place: str = GUIZHOU) -> Browser:
    with app.app_context():
        person = transact(lambda: hire(place, *roles))
        db.session.remove()
    return Browser(app, person)


@pytest.fixture
def admin(app: Flask) -> Browser:
    return browser_of(app, "system_admin")


def entered(**changed: Any) -> dict[str, Any]:
    """A good profile as somebody enters it."""
    return {
        "name": "某省12345",
        "province_code": "520000",
        "enabled": "1",
        "sign_methods": ["HMAC-SHA256", "HMAC-SM3"],
        "anonymity_mode": "named_requires_caller",
        "delivery": "push",
        "callback_base": "https://12345.example.gov.cn/12317",
        "requests_per_minute": "600",
        "request_burst": "60",
        **changed,
    }


def new(admin: Browser, **changed: Any) -> tuple[str, str, int]:
    """Make a profile: application id, secret, id."""
    app_id = f"ui{uuid.uuid4().hex[:10]}"
    admin.get("/partners/new")
    page = admin.post("/partners/new", entered(app_id=app_id, **changed))
    assert page.status_code == 200, page.text
    secret = _SECRET.search(page.text)
    number = re.search(r'href="/partners/(\d+)">', page.text)
    assert secret
    assert number
    return app_id, secret[1], int(number[1])


def stored(app: Flask, app_id: str) -> Partner:
    with app.app_context():
        found = partners.by_app_id(app_id)
        session().expunge(found)
        db.session.remove()
    return found


def test_a_profile_is_made_and_its_secret_is_shown_once(app: Flask, admin: Browser) -> None:
    app_id, secret, number = new(
        admin, ip_allow_list="10.1.0.0/16\n10.2.0.0/16", retry_minutes="1 5"
    )

    assert app_id in admin.get("/partners").text
    page = admin.get(f"/partners/{number}")
    assert secret not in page.text
    assert "10.1.0.0/16" in page.text
    made = stored(app, app_id)
    assert made.secrets == [secret]
    assert (made.ip_allow_list, made.retry_minutes) == (["10.1.0.0/16", "10.2.0.0/16"], [1, 5])
    assert (made.requests_per_minute, made.request_burst) == (600, 60)


def test_every_wrong_field_is_named_and_nothing_is_saved(app: Flask, admin: Browser) -> None:
    app_id, _, number = new(admin)

    page = admin.post(
        f"/partners/{number}",
        entered(
            name="一",
            province_code="52",
            sign_methods=[],
            callback_base="ftp://x",
            ip_allow_list="10.0.0.0/99",
            requests_per_minute="many",
            request_burst="0",
            retry_minutes="0",
            paths="unknown=/x",
            field_names="a=x\nb=x",
            boolean_mapping="Y=maybe",
        ),
    )

    assert page.status_code == 422
    wrong = {
        *("name", "province_code", "sign_methods", "callback_base", "ip_allow_list"),
        *("requests_per_minute", "request_burst", "retry_minutes", "paths", "field_names"),
        "boolean_mapping",
    }
    assert set(re.findall(r'<li><a href="#f-([^"]+)">', page.text)) == wrong
    assert stored(app, app_id).name == "某省12345"


def test_a_changed_mapping_is_seen_on_a_sample_before_it_is_saved(
    app: Flask, admin: Browser
) -> None:
    app_id, _, number = new(admin)
    changed = entered(
        field_names="acceptance_no=gdbh\nauditors=shr", boolean_mapping="Y=true\nN=false"
    )

    page = admin.post(f"/partners/{number}", changed)
    assert page.status_code == 200
    assert "核对后再次保存" in page.text
    assert "&#34;gdbh&#34;: &#34;TS5200002026112300042S&#34;" in page.text
    assert "&#34;solved&#34;: &#34;Y&#34;" in page.text
    assert stored(app, app_id).field_names == {}
    mark = _MARK.search(page.text)
    assert mark

    other = admin.post(
        f"/partners/{number}", {**changed, "field_names": "a=b", "looked_at": mark[1]}
    )
    assert "核对后再次保存" in other.text
    done = admin.post(f"/partners/{number}", {**changed, "looked_at": mark[1]})

    assert done.status_code == 302
    made = stored(app, app_id)
    assert made.field_names == {"acceptance_no": "gdbh", "auditors": "shr"}
    assert made.boolean_mapping == {"Y": True, "N": False}


def test_a_secret_is_rotated_and_the_old_one_retired(app: Flask, admin: Browser) -> None:
    app_id, old, number = new(admin)

    page = admin.post(f"/partners/{number}/rotate")
    fresh = _SECRET.search(page.text)
    assert fresh
    assert stored(app, app_id).secrets == [old, fresh[1]]
    assert admin.post(f"/partners/{number}/rotate").status_code == 302
    assert "已有两个有效密钥" in admin.get(f"/partners/{number}").text
    assert admin.post(f"/partners/{number}/retire").status_code == 302

    assert stored(app, app_id).secrets == [fresh[1]]


def test_what_was_done_is_in_the_access_log_without_values(app: Flask, admin: Browser) -> None:
    _, secret, number = new(admin)
    admin.get(f"/partners/{number}")
    admin.post(f"/partners/{number}", entered(name="改名的12345", delivery="pull"))
    admin.post(f"/partners/{number}", entered(name="改名的12345", delivery="pull"))
    admin.post(f"/partners/{number}/rotate")

    with app.app_context():
        lines = session().scalars(
            select(AccessLog)
            .where(AccessLog.object_type == "partner", AccessLog.object_id == str(number))
            .order_by(AccessLog.id)
        )
        said = [(line.action, line.detail.get("fields")) for line in lines]
        assert secret not in str(said)
        db.session.remove()
    assert said == [
        ("partner.create", None),
        ("partner.update", ["delivery", "name"]),
        ("partner.rotate", None),
    ]


def test_only_administrators_see_profiles_and_only_system_administrators_change_them(
    app: Flask, admin: Browser
) -> None:
    _, _, number = new(admin)
    security = browser_of(app, "security_admin")

    page = security.get(f"/partners/{number}")
    assert page.status_code == 200
    assert "fieldset disabled" in page.text
    assert security.post(f"/partners/{number}", entered()).status_code == 403
    assert security.post(f"/partners/{number}/rotate").status_code == 403
    for roles, place in ((("province_operator",), GUIZHOU), (("county_operator",), MEITAN)):
        assert browser_of(app, *roles, place=place).get("/partners").status_code == 403


def test_a_platforms_own_pauses_decide_how_often_a_message_is_tried(world: World) -> None:
    world.settings(retry_minutes=[7])
    world.misbehave("fail")
    number = world.submit()
    with world.app.app_context():
        partner = partners.get(world.partner_id)
        transact(lambda: outbox.send(partner, number, "status-events", {"event": "x"}, clock.now()))
        db.session.remove()

    assert world.deliver() == 1
    assert world.deliver() == 0
    world.hurry()
    assert world.deliver() == 1

    with world.app.app_context():
        assert [d.state for d in queries.deliveries_of(number)] == ["dead"]
        session().rollback()


def test_the_monitor_of_a_platform_shows_each_try_masked(world: World) -> None:
    people = world.chain()
    number = world.submit()
    world.conclude(number, people)
    operator = Browser(world.app, people.province)

    assert f'href="/operations/partners/{world.partner_id}"' in operator.get("/operations").text
    page = operator.get(f"/operations/partners/{world.partner_id}")
    assert page.status_code == 200
    for shown in ("投诉办理结果", number, "已送达", "毫秒", "receipt_no"):
        assert shown in page.text
    for hidden in ("周明远", "13800009999", "已电话告知核实情况"):
        assert hidden not in page.text
    failed = operator.get(f"/operations/partners/{world.partner_id}", failed=1)
    assert "没有投递记录" in failed.text
    assert operator.get("/operations/partners/999999").status_code == 404
    other = browser_of(world.app, "province_operator", place="500000000000")
    assert other.get(f"/operations/partners/{world.partner_id}").status_code == 404
