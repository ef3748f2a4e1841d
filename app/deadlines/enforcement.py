"""The lane that turns lights and escalates: each step once, in the transaction of its item."""

from datetime import datetime

from app.core.db import session
from app.deadlines import clocks, ladder, registry
from app.deadlines.errors import NoClock
from app.deadlines.ladder import LATE
from app.deadlines.models import RUNNING, Deadline
from app.workqueue.registry import Item, lane


@lane(clocks.LANE, batch=100)
def enforce(item: Item, now: datetime) -> None:
    """Take the steps that are due, unless the deadline has ended, stands still or has moved since.

    The database's clock called the item, so its moment has come even if this node's clock is slow.
    While a timely extension is open nothing turns red: its decision schedules the deadline anew.
    """
    try:
        clock = clocks.lock(item.payload["ticket"])
    except NoClock:
        return
    row = session().get(Deadline, item.payload["deadline"], populate_existing=True)
    if row is None or row.state != RUNNING or row.generation != item.payload["generation"]:
        return
    moment = max(now, item.due_at)
    held = clock.row.extension_asked_at is not None
    for step in ladder.climb(
        row.light, clocks.marks(row), moment, clock.policy, clock.calendar, held=held
    ):
        row.light = step
        clocks.log(row, step, "", "系统", now)
        session().flush()
        registry.tell(row, clock.row, step, now)
    if not (held and ladder.following(row.light) in LATE):
        clocks.schedule(clock, row)
