"""Time that passes faster than it does: what is due by a moment becomes due now.

The rows know what is due and the database's clock decides, so that clock is helped over a
connection of the test's own, which no kill counts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg

from app.deadlines import policy, published
from app.deadlines.ladder import Marks

_NOTICED = timedelta(seconds=1)
_DUE = """
    update work_items set due_at = least(due_at, now())
     where lane = 'deadlines' and state = 'ready' and business_key = any(%(numbers)s)
       and due_at <= %(moment)s
"""
_TIMERS = """
    update process_instances set next_due = least(next_due, now())
     where business_key = any(%(numbers)s) and next_due <= %(moment)s
"""


@contextmanager
def outside(uri: str) -> Iterator[psycopg.Connection]:
    """A connection that is no part of the node; leaving it by `close` passes no commit."""
    connection = psycopg.connect(uri, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


def moment_of(connection: psycopg.Connection, number: str, until: str) -> datetime:
    """When a ticket's next timer is due, or a step of one of its time limits is reached."""
    if until == "timer":
        query = "select next_due from process_instances where business_key = %s"
        ((timer,),) = connection.execute(query, (number,)).fetchall()
        return timer + _NOTICED
    stage, step = until.split()
    (marks,) = connection.execute(
        """select yellow_at, orange_at, due_at from deadlines d
             join ticket_clocks c on c.ticket_id = d.ticket_id
            where c.business_key = %s and d.stage = %s order by d.id desc limit 1""",
        (number, stage),
    ).fetchall()
    reached = Marks(*marks).moment(step, policy.default(), published.calendar())
    return reached + _NOTICED


def make_due(connection: psycopg.Connection, numbers: Sequence[str], moment: datetime) -> int:
    """What these tickets have to happen by then is due now; returns how much that is."""
    values = {"numbers": list(numbers), "moment": moment}
    return sum(connection.execute(query, values).rowcount for query in (_DUE, _TIMERS))
