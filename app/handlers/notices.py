"""Who is told (提醒): of lights, of urgent tasks, of messages that did not arrive.

§2.2: yellow tells whoever has the task and the unit's head; orange the operators of the unit above
too; red the supervisors of every unit above that has the ticket.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.core.clock import BEIJING
from app.core.db import session
from app.deadlines.held import DeadlineRow
from app.deadlines.ladder import ORANGE, RED, YELLOW
from app.deadlines.policy import TITLES
from app.deadlines.registry import Climb, reached_together
from app.engine.models import UserTask
from app.engine.registry import Change
from app.exchange.models import OutboundMessage
from app.exchange.registry import given_up, late
from app.exchange.rules import OPERATIONS
from app.matters.queries import Hold, held_by
from app.matters.rules import TASKS as MATTER_TASKS
from app.notifications.rules import URGENT
from app.notifications.services import Notice, To, notify
from app.security.permissions import OPERATOR
from app.tickets import clock
from app.tickets.models import Ticket

HEADS = frozenset({"supervisor", "province_leader"})
"""Who answers for a unit's work (单位负责人); a county's operators have none above them there."""

OPERATORS = frozenset({OPERATOR})
SUPERVISORS = frozenset({"supervisor"})

_SAYS = {YELLOW: "时限临近", ORANGE: "即将到期", RED: "已超过时限"}
_FLOW = ("ticket.", "call.")


@dataclass(frozen=True)
class Place:
    """A ticket and the units that have it."""

    number: str
    province: int
    city: int | None
    county: int | None
    registered: int | None


@reached_together(YELLOW, ORANGE, RED)
def warn(climbs: Sequence[Climb], now: datetime) -> None:
    """Tell of the lights of a batch, once each."""
    found = _tickets({each.row.ticket_id for each in climbs})
    told = [(each, found[each.row.ticket_id]) for each in climbs if each.row.ticket_id in found]
    tasks = _tasks([each.row for each, _ in told], found)
    notify([_of_light(each, ticket, tasks.get(each.row.id)) for each, ticket in told], now)


def announce(ticket: Ticket, change: Change) -> None:
    """紧急 (EX-15): a task of the flow that a unit gets is told to its staff at once."""
    if ticket.urgency != clock.URGENT:
        return
    opened = [task for task in change.opened if (task.form or "").startswith(_FLOW)]
    notify(
        [
            Notice(
                f"task:{task.id}",
                URGENT,
                f"紧急工单 {ticket.acceptance_no} 待办：{task.name}",
                (To(task.unit_id, frozenset({task.role or OPERATOR})),),
                ticket.acceptance_no,
                task.id,
            )
            for task in opened
            if task.unit_id is not None
        ],
        change.now,
    )


def urge_helpers(change: Change) -> None:
    """催办 (EX-05): whoever holds the ticket answers; units still asked to help hear of it too."""
    for urge in (task for task in change.opened if task.element_id == MATTER_TASKS["urge"]):
        helpers = select(UserTask).where(
            UserTask.instance_id == urge.instance_id,
            UserTask.state == "open",
            UserTask.element_id == MATTER_TASKS["cohandle"],
            UserTask.unit_id != urge.unit_id,
        )
        notify([_of_urge(urge.id, task) for task in session().scalars(helpers)], change.now)


def _of_urge(urge_id: UUID, task: UserTask) -> Notice:
    role = frozenset({task.role or OPERATOR})
    to = To(task.unit_id or 0, frozenset() if task.assignee_id else role, task.assignee_id)
    title = f"工单 {task.business_key} 被催办，请尽快提出协办意见"
    return Notice(f"urge:{urge_id}:{task.id}", "urge", title, (to,), task.business_key, task.id)


@given_up
def tell_undelivered(message: OutboundMessage, now: datetime) -> None:
    """A message to 12345 was given up: the province's operators send it again or settle it."""
    _tell_of(
        message, f"message:{message.id}:{now.isoformat()}", "undelivered", "未能送达12345", now
    )


@late
def tell_late(message: OutboundMessage, now: datetime) -> None:
    """A result is still on its way an hour after the last audit: its province hears of it."""
    _tell_of(message, f"late:{message.id}", "late_push", "超时未送达12345，系统继续发送", now)


def _tell_of(message: OutboundMessage, source: str, kind: str, what: str, now: datetime) -> None:
    ticket = session().scalar(select(Ticket).where(Ticket.acceptance_no == message.business_key))
    if ticket is None:
        return
    title = f"{OPERATIONS.get(message.operation, '消息')}{what}：{ticket.acceptance_no}"
    to = To(ticket.province_unit_id, frozenset({"province_operator"}))
    notify([Notice(source, kind, title, (to,), ticket.acceptance_no)], now)


def _of_light(climb: Climb, ticket: Place, task: Hold | None) -> Notice:
    row, step = climb.row, climb.step
    unit_id = (task.unit_id if task else row.unit_id) or ticket.province
    to = [To(unit_id, HEADS)]
    if task is not None and task.assignee_id:
        to.append(To(unit_id, person_id=task.assignee_id))
    else:
        to.append(To(unit_id, frozenset({task.role or OPERATOR}) if task else OPERATORS))
    above = _above(ticket, unit_id)
    if step != YELLOW and above:
        to.append(To(above[0], OPERATORS))
    if step == RED:
        to += [To(each, SUPERVISORS) for each in above]
    due = f"{row.due_at.astimezone(BEIJING):%m-%d %H:%M}"
    return Notice(
        f"deadline:{row.id}:{row.generation}:{step}",
        step,
        f"{TITLES[row.stage]}{_SAYS[step]}（{due}）：{ticket.number}",
        tuple(to),
        ticket.number,
        row.task_id,
    )


def _above(ticket: Place, unit_id: int) -> list[int]:
    """The units above one that have the ticket too, the nearest first."""
    units = (ticket.county, ticket.city, ticket.province, ticket.registered)
    chain = list(dict.fromkeys(each for each in units if each is not None))
    return chain[chain.index(unit_id) + 1 :] if unit_id in chain else chain


def _tickets(ids: Collection[int]) -> dict[int, Place]:
    rows = session().execute(
        select(
            *(Ticket.id, Ticket.acceptance_no, Ticket.province_unit_id),
            *(Ticket.city_unit_id, Ticket.county_unit_id, Ticket.registered_unit_id),
        ).where(Ticket.id.in_(ids), Ticket.archived_at.is_(None))
    )
    return {row[0]: Place(*row[1:]) for row in rows}


def _tasks(rows: Sequence[DeadlineRow], places: Mapping[int, Place]) -> dict[int, Hold]:
    """The task that each deadline is about; of what has neither task nor unit, the holder's."""
    own = {row.task_id: row.id for row in rows if row.task_id is not None}
    columns = (UserTask.id, UserTask.unit_id, UserTask.role, UserTask.assignee_id)
    tasks = session().execute(select(*columns).where(UserTask.id.in_(own))) if own else ()
    found = {own[task[0]]: Hold(*task[1:]) for task in tasks}
    whole = {
        row.id: places[row.ticket_id].number
        for row in rows
        if row.task_id is None and row.unit_id is None
    }
    held = held_by(whole.values()) if whole else {}
    return found | {of: held[number] for of, number in whole.items() if number in held}
