"""重新计算: bring open deadlines up to the present calendar, and up to the present policy if asked.

One ticket with a preview, or all of them in the background: a chain of work items, a hundred
tickets each, that a restart goes on with. What is closed stays frozen.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, func, select

from app.core.db import session
from app.deadlines import clocks, editions, held, policies
from app.deadlines.clocks import Clock
from app.deadlines.errors import NoClock
from app.deadlines.models import OPEN_STATES, Deadline, TicketClock
from app.deadlines.policy import Policy
from app.engine import runner
from app.workqueue import services as workqueue
from app.workqueue.models import READY, WorkItem
from app.workqueue.registry import Item, lane

LANE = "recompute"
BATCH = 100

CALENDAR, POLICY = "calendar", "policy"
KINDS = {CALENDAR: "按现行日历重新计算", POLICY: "按现行日历和时限政策重新计算"}


@dataclass(frozen=True)
class Move:
    """A due date that would move."""

    deadline_id: int
    stage: str
    old_due_at: datetime
    due_at: datetime
    provisional: bool


@dataclass(frozen=True)
class Progress:
    """How far a run in the background is."""

    kind: str
    reason: str
    done: int
    total: int


def preview(ticket_id: int, kind: str = POLICY) -> list[Move]:
    """What computing a ticket anew would move."""
    clock = clocks.lock(ticket_id)
    return [
        Move(row.id, row.stage, row.due_at, found.due_at, found.provisional)
        for row, found in clocks.plans(clock, _policy(clock, kind))
        if row.due_at != found.due_at
    ]


def recompute(
    ticket_id: int, now: datetime, *, reason: str, actor_name: str, kind: str = POLICY
) -> None:
    """Compute a ticket's open deadlines anew; each that moves is logged.

    The ticket's instance is locked first, as every action on it does.
    """
    known = session().get(TicketClock, ticket_id)
    if known is None:
        raise NoClock
    runner.hold(known.business_key)
    with clocks.changed(ticket_id) as clock:
        policy = _policy(clock, kind)
        held.read_lights(clock.rows)
        for row, found in clocks.plans(clock, policy):
            row.policy = policy.version
            clocks.move(clock, row, found, now, "recomputed", reason, actor_name)
        clock.row.policy, clock.policy = policy.version, policy


def begin(kind: str, now: datetime, *, reason: str, actor_name: str) -> int:
    """Compute open tickets anew in the background; returns how many there are to do."""
    total = session().scalar(select(func.count()).select_from(_outdated(kind).subquery())) or 0
    if total:
        _next(
            {
                "run": uuid4().hex,
                "kind": kind,
                "reason": reason,
                "actor": actor_name,
                "after": 0,
                "done": 0,
                "total": total,
            }
        )
    return total


def running() -> list[Progress]:
    """The runs that have not ended."""
    payloads = session().scalars(
        select(WorkItem.payload).where(WorkItem.lane == LANE, WorkItem.state == READY)
    )
    return [Progress(p["kind"], p["reason"], p["done"], p["total"]) for p in payloads]


@lane(LANE, batch=1)
def go_on(item: Item, now: datetime) -> None:
    """Compute the next hundred tickets anew and write the item of those after them."""
    run = item.payload
    ids = list(
        session().scalars(
            _outdated(run["kind"])
            .where(TicketClock.ticket_id > run["after"])
            .order_by(TicketClock.ticket_id)
            .limit(BATCH)
        )
    )
    for ticket_id in ids:
        with suppress(NoClock):  # it has ended meanwhile
            recompute(
                ticket_id, now, reason=run["reason"], actor_name=run["actor"], kind=run["kind"]
            )
    if len(ids) == BATCH:
        _next({**run, "after": ids[-1], "done": run["done"] + len(ids)})


def _next(run: dict[str, Any]) -> None:
    workqueue.enqueue(LANE, f"recompute:{run['run']}:{run['after']}", payload=run)


def _outdated(kind: str) -> Select[int]:
    """Open tickets to compute anew: by `calendar` those of an older edition, by `policy` all."""
    open_tickets = select(TicketClock.ticket_id).where(TicketClock.closed_at.is_(None))
    if kind == POLICY:
        return open_tickets
    return open_tickets.where(
        select(Deadline.id)
        .where(Deadline.ticket_id == TicketClock.ticket_id, Deadline.state.in_(OPEN_STATES))
        .where(Deadline.calendar < editions.current().calendar.last)
        .exists()
    )


def _policy(clock: Clock, kind: str) -> Policy:
    if kind != POLICY:
        return clock.policy
    return policies.current(policies.scope_of(clock.row.division_code))
