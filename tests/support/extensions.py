"""Asking for more time in the stories: the request, 12345's answer, and what is known of both."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import select, update

from app.approvals import extensions
from app.approvals import queries as approvals
from app.approvals.models import Extension
from app.core import clock as core_clock
from app.core.db import db, session, transact
from app.deadlines.models import Deadline
from app.deadlines.published import calendar
from app.engine import runner
from app.engine.models import ProcessInstance, UserTask, WaitingMessage
from app.simulator.client import Answer
from app.tickets import registration
from app.tickets.access import actor_of
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World
from tests.support.people import MEITAN, Person

REASON = "入户核实时当事人外出务工，需待其返乡后补充核实。"
ASK = {
    "extension_reason": REASON,
    "extension_days": 10,
    "informed_note": "已电话告知诉求人延期理由，诉求人表示理解。",
}
AGREE = {"decision": "agree", "opinion": "情况属实。"}
REFUSE = {"decision": "refuse", "opinion": "证据已经齐全，请按期办结。"}


def act(world: World, person: Person, number: str, values: dict[str, Any]) -> httpx.Response:
    return world.http.post(
        f"/api/v1/tickets/{number}/actions/extend",
        json={"values": values},
        headers=person.headers,
    )


def ask(world: World, person: Person, number: str, **changed: Any) -> httpx.Response:
    return act(world, person, number, {**ASK, **changed})


def asked_12345(world: World, people: Chain, number: str) -> None:
    """The county's request has passed both levels and reached 12345."""
    assert ask(world, people.county, number).status_code == 200
    world.complete(people.city, number, **AGREE)
    world.complete(people.province, number, **AGREE)
    world.deliver()


def answer(world: World, number: str, **changed: Any) -> Answer:
    body = {"approved": 1, "opinion": "同意延期。", **changed}
    return world.partner.post(f"/tickets/{number}/extension-decision", body)


def offered(world: World, person: Person, number: str) -> list[str]:
    given = world.http.get(f"/api/v1/tickets/{number}/actions", headers=person.headers).json()
    return [each["key"] for each in given["actions"]]


def steps(world: World, person: Person, number: str) -> list[str]:
    return [task["element_id"] for task in world.tasks(person, number)]


def state(world: World, number: str) -> dict[str, Any]:
    return dict(world.partner.ticket(number).data)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def due(world: World, number: str) -> datetime:
    with world.app.app_context():
        found = ticket_numbered(number).due_at
        session().rollback()
    return found


def set_due(world: World, number: str, when: datetime) -> None:
    def change() -> None:
        ticket = ticket_numbered(number)
        ticket.due_at = when
        total = (Deadline.ticket_id == ticket.id) & (Deadline.stage == "total")
        session().execute(update(Deadline).where(total).values(due_at=when))

    with world.app.app_context():
        transact(change)
        db.session.remove()


def task_times(world: World, person: Person, number: str) -> tuple[datetime, datetime]:
    """When a person's one task is due, and until when lists do not call it overdue."""
    (task,) = world.tasks(person, number)
    with world.app.app_context():
        row = session().scalars(select(UserTask).where(UserTask.id == task["id"])).one()
        assert row.due_at is not None
        found = (row.due_at, row.sort_at)
        session().rollback()
    return found


def task_due(world: World, person: Person, number: str) -> datetime:
    due_at, sort_at = task_times(world, person, number)
    assert sort_at == due_at
    return due_at


def task_due_at(world: World, person: Person, number: str) -> datetime:
    return task_times(world, person, number)[0]


def prolonged(due: datetime, days: int) -> datetime:
    """So many calendar days later, at closing time of a working day (民法典 203)."""
    return calendar().add_calendar_days(due, days).at


def request_of(world: World, number: str) -> Extension:
    with world.app.app_context():
        found = approvals.latest_extension(ticket_numbered(number).id)
        assert found is not None
        session().expunge(found)
        session().rollback()
    return found


def request_count(world: World, number: str) -> int:
    with world.app.app_context():
        count = len(approvals.extensions_of(ticket_numbered(number).id))
        session().rollback()
    return count


def registered(world: World, person: Person, source: str, **changed: Any) -> str:
    """A complaint that staff registered themselves."""
    values = {
        "called_at": (datetime.now(UTC) - timedelta(minutes=9)).isoformat(timespec="seconds"),
        "is_anonymous": False,
        "caller_name": "李某某",
        "contact_phone": "13800001234",
        "division_code": MEITAN,
        "detail_address": "三组",
        "content": "反映危房改造补助资金未按标准发放。",
        "problem_category": 3,
        **changed,
    }

    def work() -> str:
        now, principal = datetime.now(UTC), person.principal
        row = registration.source_for(principal, source)
        taken = registration.read(row, "complaint", values, principal, now)
        actor = actor_of(principal)
        return registration.register(row, taken, principal, actor, now).acceptance_no

    with world.app.app_context():
        number = transact(work)
        db.session.remove()
    return number


def answer_at(world: World, number: str, given: dict[str, Any], now: datetime) -> bool:
    """12345's answer at another moment."""
    core_clock.set_source(lambda: now)
    try:
        with world.app.app_context():
            repeated = transact(lambda: extensions.answer(ticket_numbered(number), given, now))
            db.session.remove()
    finally:
        core_clock.set_source(None)
    return repeated


def let_timers_run(world: World, number: str, now: datetime) -> None:
    """Fire what is due in the ticket's diagram as if it were `now`."""
    core_clock.set_source(lambda: now)
    try:
        with world.app.app_context():
            transact(lambda: runner.fire_due(_instance(number), now=now))
            db.session.remove()
    finally:
        core_clock.set_source(None)


def deliver_all(world: World) -> None:
    """Everything that waits for 12345; the next message of a ticket only after the one before."""
    for _ in range(5):
        world.hurry()
        world.deliver()


def waiting_elements(world: World, number: str) -> set[str]:
    """Elements of the diagram that wait for a message."""
    with world.app.app_context():
        query = select(WaitingMessage.element_id).where(WaitingMessage.business_key == number)
        found = set(session().scalars(query))
        session().rollback()
    return found


def _instance(number: str) -> int:
    query = select(ProcessInstance.id).where(ProcessInstance.business_key == number)
    return session().scalars(query).one()
