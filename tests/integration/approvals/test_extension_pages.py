"""How an extension looks to those who ask for it, who see it, and who wait for it."""

import re
import uuid
from datetime import timedelta

from flask import Flask
from sqlalchemy import update

from app.core.clock import BEIJING
from app.core.db import db, session, transact
from app.engine.models import UserTask
from app.tickets.services import ticket_numbered
from tests.integration.ui.conftest import Desk
from tests.support.journey import World

REASON = "需待当事人返乡后补充核实。"
ASK = {
    "extension_reason": REASON,
    "extension_days": "10",
    "informed_note": "已电话告知诉求人延期理由。",
}


def handled(world: World) -> tuple[str, Desk, Desk, Desk]:
    """A ticket that the county handles, and a browser at each level."""
    people = world.chain()
    number = world.submit()
    world.down(number, people)
    desks = (Desk(world.app, each) for each in (people.county, people.city, people.province))
    return number, *desks


def ask(desk: Desk, number: str, **changed: str) -> str:
    page = desk.post(
        f"/tickets/{number}/actions/extend", action_id=str(uuid.uuid4()), **{**ASK, **changed}
    )
    return page.text if page.status_code != 302 else ""


def test_the_handling_unit_asks_on_the_page_of_the_ticket(app: Flask, world: World) -> None:
    number, county, city, _ = handled(world)
    page = f"/tickets/{number}"

    assert "申请延期" in county.get(page).text
    assert "申请延期" not in city.get(page).text
    form = county.get(f"{page}/actions/extend").text
    for label in ("延期理由", "延期时间（天）", "告知诉求人延期理由的情况"):
        assert label in form
    refused = ask(county, number, extension_days="45", extension_reason="太忙")
    assert "延期天数应为1–30" in refused
    assert "至少填写10个字" in refused
    assert ask(county, number) == ""

    for shown in (
        county.get(page).text,
        city.get(page).text,
        county.post("/worklist", q=number).text,
    ):
        assert "延期审批中" in shown
    assert f"10天 · {REASON}" in city.get(page).text
    assert "市级意见" in city.get(page).text
    assert "延期审批中" in county.get("/tickets").text
    again = county.post(f"{page}/actions/extend", action_id=str(uuid.uuid4()), **ASK)
    assert again.status_code == 409
    assert "已有延期申请正在审批" in again.text


def test_the_answer_stands_in_the_timeline(app: Flask, world: World) -> None:
    number, county, city, province = handled(world)
    ask(county, number)
    world.complete(city.person, number, decision="agree")
    world.complete(province.person, number, decision="agree")
    world.partner.decide_extension(number, approved=True, opinion="同意，请抓紧办理。")

    page = re.sub(r"\s+", " ", county.get(f"/tickets/{number}").text)
    with app.app_context():
        due = ticket_numbered(number).due_at.astimezone(BEIJING)
        session().rollback()

    assert "12345 批复延期申请" in page
    assert f"同意 · 延至 {due:%Y-%m-%d} · 同意，请抓紧办理。" in page
    assert "延期审批中" not in page


def test_what_waits_for_an_answer_is_not_overdue(app: Flask, world: World) -> None:
    number, county, _, _ = handled(world)
    ask(county, number)

    def pass_the_time_limit() -> None:
        ticket = ticket_numbered(number)
        ticket.due_at -= timedelta(days=60)
        ours = UserTask.business_key == number
        session().execute(update(UserTask).where(ours).values(due_at=ticket.due_at))

    with app.app_context():
        transact(pass_the_time_limit)
        db.session.remove()

    rows = re.findall(r"<tr.*?</tr>", county.post("/worklist", q=number).text, re.DOTALL)
    (row,) = [each for each in rows if number in each]
    assert 'class="late"' not in row
    assert "逾期" not in row
    assert row.count("延期审批中") == 2
    red = county.post("/worklist", q=number, light="red").text
    assert f"/tickets/{number}" not in red
    page = county.get(f"/tickets/{number}").text
    assert 'data-overdue=""' in page
    assert not re.search(r"逾期 \d", page)
