"""What follows when a time limit is over (超时): what is drawn, or an urge; later a 督办单.

A light turns in a transaction that does not hold the ticket's instance. So a drawn overdue event is
a work item, raised in a transaction of its own that locks the instance first; and matters are
posted, to be taken up when the diagram moves next.
"""

from datetime import datetime

from sqlalchemy import func, select

from app.core.clock import BEIJING
from app.core.db import session
from app.deadlines.clocks import PLANNED
from app.deadlines.held import ClockRow, DeadlineRow
from app.deadlines.ladder import LATE, RED, SUPERVISE
from app.deadlines.models import OPEN_STATES, Deadline, DeadlineEvent, TicketClock
from app.deadlines.policy import TITLES
from app.deadlines.registry import reached
from app.engine import runner
from app.engine.queries import is_awaited
from app.engine.registry import OVERDUE, SYSTEM, Step, Variables, handler
from app.matters import queries
from app.matters import services as matters
from app.matters.rules import RUNNING, is_above
from app.tickets.models import Ticket
from app.workqueue import services as workqueue
from app.workqueue.registry import Item, lane

LANE = "overdue"
URGED = PLANNED | {"total", "review_return"}
"""Limits whose end urges somebody where no diagram says what follows: an answer that is late urges
nobody to answer again."""


@reached(RED)
def follow(row: DeadlineRow, clock: ClockRow, step: str, now: datetime) -> None:
    """A limit is over: hand it to the diagram that draws what follows, or urge the unit."""
    if is_awaited(clock.business_key, f"{OVERDUE}{row.stage}"):
        workqueue.enqueue(
            LANE,
            f"overdue:{row.id}:{row.generation}",
            payload={"deadline": row.id, "generation": row.generation},
            business_key=clock.business_key,
        )
    elif row.stage in URGED:
        _urge(row, now)


@lane(LANE, batch=1)
def raise_overdue(item: Item, now: datetime) -> None:
    """Raise the overdue event in the diagram, once; urge after all when nothing there takes it.

    Nothing happens when the task was done or the due date has moved since. The clock is locked
    before it is asked whether somebody was urged: another scheduler may be turning the total red.
    One item a transaction, as a scheduler that turns lights holds the clocks of two hundred tickets
    and each would wait for the other.
    """
    runner.hold(item.business_key or "")
    row = session().get(Deadline, item.payload["deadline"])
    if row is None:
        return
    session().get(TicketClock, row.ticket_id, with_for_update=True)
    session().refresh(row)
    if not _is_still_late(row, item.payload["generation"]):
        return
    taken = runner.raise_event(
        item.business_key or "",
        f"{OVERDUE}{row.stage}",
        {"overdue_id": row.id},
        actor=SYSTEM,
        now=now,
        task_id=row.task_id,
        once=item.dedup_key,
    )
    if not taken and row.stage in URGED:
        _urge(row, now)


@handler("timelimits.urge_unit")
def urge_unit(step: Step) -> Variables:
    """催办、催签: urge the unit whose limit is over, as what an overdue event leads to."""
    row = session().get(Deadline, step.data["overdue_id"])
    if row is None:
        raise LookupError(f"deadline {step.data['overdue_id']} of a running process is missing")
    _urge(row, step.now)
    return {}


@reached(SUPERVISE)
def consider_supervision(row: DeadlineRow, clock: ClockRow, step: str, now: datetime) -> None:
    """是否发督办单: the total is a working day over; the province's supervisor decides.

    Only an upper level supervises (EX-06): of what the province itself holds its leader hears.
    Nobody is asked while the unit has a 督办单 to answer.
    """
    ticket = _running(row)
    if ticket is None or row.stage != "total":
        return
    holder = queries.holder(ticket)
    if not is_above("province", holder.level):
        text = f"工单办结已逾期（时限{_shown(row)}），现由本级办理，请督促办结。"
        matters.notify_leader(ticket, text, now)
    elif not queries.is_supervised(ticket.id):
        text = f"工单办结已逾期（时限{_shown(row)}），由{holder.name}承办，请决定是否发督办单。"
        matters.ask_supervision(ticket, text, now)


def _urge(row: Deadline | DeadlineRow, now: datetime) -> None:
    """自动催办: the unit of the stage, or whoever holds the ticket.

    An urge that came after this limit was over is about it too: what a night has let pass, or the
    total and its last stage together, urge once.
    """
    ticket = _running(row)
    if ticket is None or queries.is_urged_since(ticket, row.due_at):
        return
    text = f"{TITLES[row.stage]}已超过时限（{_shown(row)}），请尽快办理并答复进展。"
    matters.urge_overdue(ticket, text, unit_id=row.unit_id, now=now)


def _is_still_late(row: Deadline, generation: int) -> bool:
    """Whether this generation was the last to turn red, and the limit is open and red still."""
    last = select(func.max(DeadlineEvent.generation)).where(
        DeadlineEvent.deadline_id == row.id, DeadlineEvent.event == RED
    )
    return row.state in OPEN_STATES and row.light in LATE and session().scalar(last) == generation


def _running(row: Deadline | DeadlineRow) -> Ticket | None:
    ticket = session().get(Ticket, row.ticket_id)
    return ticket if ticket is not None and ticket.status in RUNNING else None


def _shown(row: Deadline | DeadlineRow) -> str:
    return f"{row.due_at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
