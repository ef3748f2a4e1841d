"""Time passes in the stories: the hour is another, lights turn, what was posted is taken up."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from app.core import clock
from app.core.clock import BEIJING
from app.core.db import db, session, transact
from app.deadlines import queries, recompute
from app.deadlines.enforcement import enforce_due
from app.deadlines.models import (
    CalendarChange,
    CalendarDivision,
    CalendarYear,
    Deadline,
    PolicyVersion,
)
from app.engine import runner
from app.matters.models import Matter
from app.tickets import registration
from app.tickets.access import actor_of
from app.tickets.services import ticket_numbered
from app.workqueue.models import READY, WorkItem
from app.workqueue.services import process_database_lane
from tests.support.journey import World
from tests.support.people import MEITAN, Person


def forget_edits() -> None:
    """Take edited calendars and policies back, and what would be recomputed for them: other tests
    count with those of the package.
    """

    def forget() -> None:
        for table in (CalendarYear, CalendarDivision, CalendarChange, PolicyVersion):
            session().execute(delete(table))
        waiting = (WorkItem.lane == recompute.LANE) & (WorkItem.state == READY)
        session().execute(delete(WorkItem).where(waiting))

    transact(forget)


@contextmanager
def hour(moment: datetime) -> Iterator[None]:
    """The platform believes that it is this moment."""
    clock.set_source(lambda: moment)
    try:
        yield
    finally:
        clock.set_source(None)


def let_pass(world: World, moment: datetime, *numbers: str) -> None:
    """The scheduler comes by at this moment, for the first time since now."""
    turn_lights(world, moment, *numbers)
    follow_up(world, moment)


def turn_lights(world: World, moment: datetime, *numbers: str) -> None:
    """Only the lights turn; what follows in the diagrams has still to come."""
    with hour(moment), world.app.app_context():
        while call_early(world, moment, *numbers):
            transact(lambda: enforce_due(moment, 500))
        db.session.remove()


def call_early(world: World, moment: datetime, *numbers: str) -> int:
    """The steps that are due by then are due now, as the database's clock calls them."""
    due = (WorkItem.lane == "deadlines") & (WorkItem.state == READY) & (WorkItem.due_at <= moment)
    waiting = update(WorkItem).where(due, WorkItem.business_key.in_(numbers))
    early = waiting.values(due_at=func.least(WorkItem.due_at, func.now()))
    with world.app.app_context():
        called = transact(lambda: session().execute(early.returning(WorkItem.id)).all())
        db.session.remove()
    return len(called)


def follow_up(world: World, moment: datetime) -> None:
    """What the lights have brought about reaches the diagrams."""
    with hour(moment), world.app.app_context():
        while transact(lambda: process_database_lane("overdue", now=moment)):
            pass
        while transact(lambda: runner.deliver_waiting_inbox(now=moment)):
            pass
        db.session.remove()


def deadlines(world: World, number: str) -> dict[str, Deadline]:
    """The last deadline of each stage."""
    with world.app.app_context():
        found = queries.overview(ticket_numbered(number).id)
        assert found is not None
        rows = {row.stage: row for row in sorted(found.deadlines, key=lambda row: row.id)}
        session().expunge_all()
        session().rollback()
    return rows


def matters(world: World, number: str, kind: str) -> list[Matter]:
    """The matters of a kind, in order."""
    with world.app.app_context():
        of = Matter.ticket_id == ticket_numbered(number).id
        query = select(Matter).where(of, Matter.kind == kind).order_by(Matter.id)
        rows = list(session().scalars(query))
        session().expunge_all()
        session().rollback()
    return rows


def question_by_letter(world: World, person: Person, now: datetime, **changed: Any) -> str:
    """A question that came in the post at this moment."""
    values = {
        "called_at": now.astimezone(BEIJING).isoformat(),
        "division_code": MEITAN,
        "caller_category": 2,
        "service_type": 1,
        "problem_category": 9,
        "content_summary": "咨询脱贫人口小额信贷的申请条件和办理地点。",
        **changed,
    }

    def work() -> str:
        principal = person.principal
        row = registration.source_for(principal, "letter")
        taken = registration.read(row, "consultation", values, principal, now)
        actor = actor_of(principal)
        return registration.register(row, taken, principal, actor, now).acceptance_no

    with world.app.app_context():
        number = transact(work)
        db.session.remove()
    return number
