"""重新计算: bring open deadlines up to the present calendar, and up to the present policy if asked.

One ticket with a preview, or all of them in the background: a chain of work items, a hundred
tickets each, that a restart goes on with. What is closed stays frozen.
"""

from collections.abc import Sequence
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
    """Compute a ticket's open deadlines anew; each that moves is logged. NoClock when none runs."""
    if not _compute([ticket_id], now, kind, reason, actor_name):
        raise NoClock


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
    _compute(ids, now, run["kind"], run["reason"], run["actor"])
    if len(ids) == BATCH:
        _next({**run, "after": ids[-1], "done": run["done"] + len(ids)})


def _compute(
    ticket_ids: Sequence[int], now: datetime, kind: str, reason: str, actor_name: str
) -> int:
    """Compute those of these tickets anew that have not ended; how many there were.

    A dozen statements for all of them. Their instances are locked first, as every action does.
    """
    keys = select(TicketClock.business_key).where(TicketClock.ticket_id.in_(ticket_ids))
    runner.hold(*session().scalars(keys))
    locked = {clock.row.ticket_id: clock for clock in clocks.running(ticket_ids)}
    for row in held.of_rounds([clock.row for clock in locked.values()]):
        locked[row.ticket_id].rows.append(row)
    for clock in locked.values():
        policy = _policy(clock, kind)
        for row, found in clocks.plans(clock, policy):
            row.policy = policy.version
            clocks.move(clock, row, found, now, "recomputed", reason, actor_name)
        clock.row.policy, clock.policy = policy.version, policy
    clocks.write(*locked.values())
    return len(locked)


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
