"""Turns lights and escalates: each step once, in the transaction that finishes its work item.

A batch is done by a handful of statements, since a night's downtime leaves thousands. When
something in it fails, its items are done one by one: the bad one is put off and the rest go on.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from app.core.db import session
from app.core.logs import logger
from app.deadlines import clocks, held, ladder, registry
from app.deadlines.clocks import LANE, Clock
from app.deadlines.held import DeadlineRow
from app.deadlines.models import RUNNING
from app.deadlines.registry import Climb
from app.workqueue import services as workqueue
from app.workqueue.registry import Item, Lane

BATCH = 200
_RETRY_WHOLE_TRANSACTION = {"40001", "40P01"}


def enforce_due(now: datetime, limit: int = BATCH) -> int:
    """Take the steps that are due in the caller's transaction; returns how many items it found."""
    items = workqueue.claim(LANE, limit)
    try:
        with session().begin_nested():
            _enforce(items, now)
    except Exception as error:
        state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
        if state in _RETRY_WHOLE_TRANSACTION:
            raise
        logger().warning("deadlines_one_by_one", items=len(items), reason=type(error).__name__)
        return workqueue.process_database_lane(_ONE_BY_ONE, limit, now=now)
    workqueue.mark_done(items)
    return len(items)


def _enforce(items: Sequence[Item], now: datetime) -> None:
    """A step is skipped when its deadline has ended, stands still or has moved since.

    The database's clock called the item, so its moment has come even if this node's clock is slow.
    """
    if not items:
        return
    locked = {
        clock.row.ticket_id: clock
        for clock in clocks.running({item.payload["ticket"] for item in items})
    }
    rows = {row.id: row for row in held.deadlines({item.payload["deadline"] for item in items})}
    climbs = []
    for item in items:
        row, clock = rows.get(item.payload["deadline"]), locked.get(item.payload["ticket"])
        if clock is None or row is None or row.state != RUNNING:
            continue
        if row.generation == item.payload["generation"]:
            clock.rows.append(row)
            climbs += _climb(clock, row, now, max(now, item.due_at))
    clocks.write(*locked.values())
    registry.tell_together(climbs, now)


def _climb(clock: Clock, row: DeadlineRow, now: datetime, moment: datetime) -> list[Climb]:
    waits = clock.row.extension_asked_at is not None
    steps = ladder.climb(
        row.light, clocks.marks(row), moment, clock.policy, clock.calendar, held=waits
    )
    for step in steps:
        row.light = step
        clocks.log(clock, row, step, "", "系统", now)
        registry.tell(row, clock.row, step, now)
    return [Climb(row, step) for step in steps]


_ONE_BY_ONE = Lane(LANE, lambda item, now: _enforce([item], now), BATCH)
