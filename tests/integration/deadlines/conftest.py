"""Tickets' clocks without tickets: the deadlines room knows only their ids."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from app.core.clock import BEIJING
from app.core.db import session, transact
from app.deadlines import services, turns
from app.deadlines.enforcement import enforce_due
from app.deadlines.models import (
    Deadline,
    DeadlineEvent,
)
from app.deadlines.plan import Facts
from app.deadlines.turns import Standing
from app.engine.registry import Actor
from app.workqueue.models import READY, WorkItem
from tests.support.timelimits import forget_edits

ADMIN = Actor(1, "管理员")
COUNTY = "520328000000"
_ids = itertools.count(time.time_ns() % 10**15)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


class Room:
    """One ticket's clock, driven as the tickets room drives it, each call its own transaction."""

    def __init__(self) -> None:
        self.ticket_id = next(_ids)

    def open(
        self,
        received: str = "2026-11-24 09:30",
        kind: str = "complaint",
        division: str = COUNTY,
        **more: object,
    ) -> Deadline:
        source = str(more.pop("source", "p12345_api"))
        facts = Facts(kind, source, at(received), **more)  # type: ignore[arg-type]
        transact(
            lambda: services.open_ticket(
                self.ticket_id, f"K{self.ticket_id}", facts, at(received), division_code=division
            )
        )
        return self.row("total")

    def stage(self, stage: str, now: str, **facts: object) -> Deadline:
        task_id = uuid4()
        transact(lambda: services.open_stage(self.ticket_id, stage, task_id, 7, facts, at(now)))
        return self.row(stage)

    def do(self, verb: Callable[..., object], *args: object, **more: object) -> None:
        transact(lambda: verb(self.ticket_id, *args, **more))

    def follow(self, *turn: Any, standing: dict[str, Any] | None = None, **more: Any) -> datetime:
        """A turn of the ticket's diagram; `standing` is what differs from a complaint's."""
        facts = Facts("complaint", "p12345_api", at("2026-11-24 09:30"))
        ticket = Standing(self.ticket_id, f"K{self.ticket_id}", COUNTY, facts)
        changed = replace(ticket, **standing or {})
        return transact(lambda: turns.follow(changed, *turn, **more))

    def row(self, stage: str) -> Deadline:
        session().expire_all()
        return (
            session()
            .scalars(
                select(Deadline)
                .where(Deadline.ticket_id == self.ticket_id, Deadline.stage == stage)
                .order_by(Deadline.id.desc())
            )
            .first()
        )  # type: ignore[return-value]

    def due(self, stage: str = "total") -> datetime:
        return self.row(stage).due_at.astimezone(BEIJING)

    def events(self, stage: str = "total") -> list[str]:
        return list(
            session().scalars(
                select(DeadlineEvent.event)
                .where(DeadlineEvent.deadline_id == self.row(stage).id)
                .order_by(DeadlineEvent.id)
            )
        )

    def run_until(self, now: str) -> None:
        """What the scheduler does until then, as after a downtime: all that is due by that time."""
        moment = at(now)
        while True:
            changed = transact(lambda: self.make_due(moment))
            if not changed:
                return
            transact(lambda: enforce_due(moment, 500))

    def make_due(self, moment: datetime) -> int:
        """Items of this ticket due by then become due by the database's clock too."""
        return len(
            session()
            .execute(
                update(WorkItem)
                .where(WorkItem.lane == "deadlines", WorkItem.state == READY)
                .where(WorkItem.business_key == f"K{self.ticket_id}", WorkItem.due_at <= moment)
                .values(due_at=func.least(WorkItem.due_at, func.now()))
                .returning(WorkItem.id)
            )
            .all()
        )


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def rooms() -> Callable[[], Room]:
    return Room


@pytest.fixture
def edited() -> Iterator[None]:
    """Takes edits of calendars and policies back, which other tests would count with."""
    yield
    session().rollback()
    forget_edits()
