"""The monitor: what did not arrive and what broke, for those who look after it and their scope."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.core.db import db, session, transact
from app.engine.models import Incident, ProcessInstance
from app.exchange import outbox
from app.exchange.models import OutboundMessage
from app.exchange.partners import get
from app.security.models import AccessLog
from tests.integration.ui.conftest import Desk, Employ, Receive, task_of
from tests.support.journey import CHAIN, World, complaint
from tests.support.people import CHONGQING, GUIZHOU, ZUNYI, Person

REASON = "已电话告知12345值班长"
Log = Callable[..., list[AccessLog]]


@dataclass
class Dead:
    """A message 12345 refused for good."""

    ticket: str
    message_id: int

    @property
    def path(self) -> str:
        """Below which its actions are."""
        return f"/operations/messages/{self.message_id}"


@pytest.fixture
def dead(app: Flask, world: World, receive: Receive) -> Dead:
    """A status event that the platform rejected."""
    number = receive()
    world.misbehave("reject", times=1)

    def send() -> int:
        partner = get(world.partner_id)
        body = {"acceptance_no": number}
        return outbox.send(partner, number, "status-events", body, datetime.now(UTC)).id

    with app.app_context():
        message_id = transact(send)
        db.session.remove()
    world.deliver()
    return Dead(number, message_id)


def state_of(app: Flask, message_id: int) -> str:
    with app.app_context():
        found = session().get_one(OutboundMessage, message_id).state
        db.session.remove()
    return found


def test_the_province_sees_its_dead_message_on_the_monitor_and_on_the_ticket(
    employ: Employ, dead: Dead
) -> None:
    desk = employ(GUIZHOU)

    monitor = desk.get("/operations").text
    ticket = desk.get(f"/tickets/{dead.ticket}").text

    assert f'href="/tickets/{dead.ticket}"' in monitor
    assert "对方返回 HTTP 422" in monitor
    assert "状态通知未送达 12345" in ticket
    assert 'href="/operations"' in ticket
    assert "异常事件" not in monitor


def test_a_resend_is_queued_recorded_and_delivered(
    app: Flask, world: World, employ: Employ, dead: Dead, log_of: Log
) -> None:
    desk = employ(GUIZHOU)

    answer = desk.post(f"{dead.path}/resend")
    said = desk.messages()
    world.deliver()

    assert answer.headers["Location"] == "/operations"
    assert "已重新排队" in said
    assert state_of(app, dead.message_id) == "delivered"
    (line,) = log_of(desk.person, "queue.resend")
    assert (line.object_id, line.detail) == (str(dead.message_id), {"ticket": dead.ticket})
    assert "未送达 12345" not in desk.get(f"/tickets/{dead.ticket}").text


def test_a_second_resend_is_refused_in_words(employ: Employ, dead: Dead, log_of: Log) -> None:
    desk = employ(GUIZHOU)
    desk.post(f"{dead.path}/resend")
    desk.messages()

    desk.post(f"{dead.path}/resend")

    assert "该事项不在失败队列中" in desk.messages()
    assert len(log_of(desk.person, "queue.resend")) == 1


@pytest.mark.parametrize("reason", ["", "电话", "     ", "长" * 201])
def test_settling_needs_a_reason(
    app: Flask, employ: Employ, dead: Dead, log_of: Log, reason: str
) -> None:
    desk = employ(GUIZHOU)

    desk.post(f"{dead.path}/settle", reason=reason)

    assert "请填写说明，5–200 个字" in desk.messages()
    assert state_of(app, dead.message_id) == "dead"
    assert log_of(desk.person, "queue.settle") == []


def test_a_result_told_by_telephone_moves_its_ticket_on(
    app: Flask, world: World, log_of: Log
) -> None:
    province, auditor, city, city_auditor, county, _ = world.hire(*CHAIN)
    number = world.partner.submit_complaint(complaint()).data["acceptance_no"]
    to_the_result(world, number, province, auditor, city, city_auditor, county)
    world.misbehave("reject", times=1)
    world.deliver()
    desk = Desk(app, province)
    assert 'data-current="result_confirmed"' in desk.get(f"/tickets/{number}").text
    settle = re.search(r"/operations/messages/\d+/settle", monitor_of(desk, number))
    assert settle

    desk.post(settle[0], reason=REASON)

    assert "已标记为线下反馈" in desk.messages()
    assert world.partner.ticket(number).data["status"] == "callback_pending"
    (line,) = log_of(province, "queue.settle")
    assert (line.reason, line.detail) == (REASON, {"ticket": number})
    assert "已线下反馈" in desk.get(f"/tickets/{number}").text


def test_another_province_neither_sees_nor_touches_the_message(
    app: Flask, employ: Employ, dead: Dead, log_of: Log
) -> None:
    outsider = employ(CHONGQING)

    assert dead.ticket not in outsider.get("/operations").text
    for action in ("resend", "settle"):
        assert outsider.post(f"{dead.path}/{action}", reason=REASON).status_code == 404
    assert state_of(app, dead.message_id) == "dead"
    assert log_of(outsider.person, "queue.resend") == []


def test_a_city_has_no_monitor(employ: Employ, dead: Dead) -> None:
    desk = employ(ZUNYI)

    assert desk.get("/operations").status_code == 403
    assert 'href="/operations"' not in desk.get("/worklist").text
    assert desk.post(f"{dead.path}/resend").status_code == 403


def test_an_analyst_sees_all_provinces_and_no_ticket_and_sends_nothing(
    employ: Employ, dead: Dead
) -> None:
    desk = employ(CHONGQING, "process_analyst")

    monitor = desk.get("/operations").text

    assert dead.ticket in monitor
    assert f'href="/tickets/{dead.ticket}"' not in monitor
    assert "李某某" not in monitor
    assert "重新发送" not in monitor
    assert desk.get("/").headers["Location"] == "/operations"
    assert desk.post(f"{dead.path}/resend").status_code == 403


def test_partners_of_the_own_province_are_listed_with_their_health(
    world: World, employ: Employ, dead: Dead
) -> None:
    own = employ(GUIZHOU).get("/operations").text
    other = employ(CHONGQING).get("/operations").text

    assert world.app_id in own
    assert "有未送达" in own
    assert world.app_id not in other


@dataclass
class Broken:
    """A ticket whose engine state cannot be read, as after a damaged disk."""

    app: Flask
    ticket: str
    kept: bytes | None = None

    def damage(self) -> None:
        """Overwrite the state."""
        query = select(ProcessInstance.state).where(ProcessInstance.business_key == self.ticket)
        with self.app.app_context():
            self.kept = session().scalars(query).one()
            db.session.remove()
        self._write(b"damaged")

    def repair(self) -> None:
        """Bring it back from the backup."""
        self._write(self.kept)

    def _write(self, state: bytes | None) -> None:
        statement = (
            update(ProcessInstance)
            .where(ProcessInstance.business_key == self.ticket)
            .values(state=state)
        )
        with self.app.app_context():
            transact(lambda: session().execute(statement))
            db.session.remove()


@pytest.fixture
def broken(app: Flask, world: World, employ: Employ, receive: Receive) -> Broken:
    """An operator met an internal error when signing in a ticket."""
    operator = employ(GUIZHOU)
    number = receive()
    task_id = task_of(world, operator.person, number)
    made = Broken(app, number)
    made.damage()
    answer = operator.post(f"/tasks/{task_id}/complete", remark="李某某 13800001234")
    assert answer.status_code == 500
    assert "已记录异常事件" in answer.text
    return made


def incident_of(app: Flask, number: str) -> Incident:
    with app.app_context():
        query = select(Incident).where(Incident.business_key == number)
        found = session().scalars(query).one()
        db.session.remove()
    return found


def test_an_incident_is_retried_until_its_cause_is_gone(
    app: Flask, world: World, employ: Employ, log_of: Log, broken: Broken
) -> None:
    technician, operator = employ(GUIZHOU, "system_admin"), employ(GUIZHOU)
    monitor = technician.get("/operations").text
    path = f"/operations/incidents/{incident_of(app, broken.ticket).id}/retry"
    assert path in monitor
    assert "办理待办" in monitor
    assert "13800001234" not in monitor

    technician.post(path)
    assert "重试仍未成功" in technician.messages()
    assert incident_of(app, broken.ticket).attempts == 2
    broken.repair()
    technician.post(path)

    assert "重试成功" in technician.messages()
    assert incident_of(app, broken.ticket).state == "resolved"
    assert world.tasks(operator.person, broken.ticket)[0]["element_id"] == "review"
    lines = log_of(technician.person, "incident.retry")
    assert [line.detail["outcome"] for line in lines] == ["failed", "resolved"]


def test_an_incident_settled_another_way_is_closed_with_a_reason(
    app: Flask, employ: Employ, log_of: Log, broken: Broken
) -> None:
    technician, operator = employ(GUIZHOU, "system_admin"), employ(GUIZHOU)
    path = f"/operations/incidents/{incident_of(app, broken.ticket).id}/dismiss"

    technician.post(path, reason="好")
    assert incident_of(app, broken.ticket).state == "open"
    refused = operator.post(path, reason="工单已人工办结")
    technician.post(path, reason="工单已人工办结")

    assert refused.status_code == 403
    assert incident_of(app, broken.ticket).state == "resolved"
    (line,) = log_of(technician.person, "incident.dismiss")
    assert line.reason == "工单已人工办结"


def monitor_of(desk: Desk, number: str) -> str:
    """The monitor's row of one ticket."""
    rows = desk.get("/operations").text.split("<tr>")
    return next(row for row in rows if number in row)


def to_the_result(world: World, number: str, *people: Person) -> None:
    province, auditor, city, city_auditor, county = people
    world.complete(province, number)
    world.complete(province, number, review="accept")
    world.complete(province, number, route="down", target_unit_id=city.principal.unit_id)
    world.complete(city, number, city_route="county", target_unit_id=county.principal.unit_id)
    world.complete(county, number)
    world.complete(county, number, **world.report(county, number))
    world.complete(city_auditor, number, decision="approve")
    world.complete(auditor, number, decision="approve")
