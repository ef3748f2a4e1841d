"""Rows of the deadlines room: calendars and policies as they were edited, and the running clocks.

What nobody has edited is not here: the product's own tables are in `published`, its policy in
`data/`.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Model

RUNNING, PAUSED, DONE, CANCELLED = "running", "paused", "done", "cancelled"
OPEN_STATES = (RUNNING, PAUSED)


class CalendarYear(Model):
    """A year's holiday table that was imported; it replaces the product's own for that year."""

    __tablename__ = "calendar_years"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    status: Mapped[str]
    """`official`, or `estimated` while the State Council has not published it."""
    source: Mapped[str]
    days: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class CalendarDivision(Model):
    """What differs in a division (and below it): local holidays, working hours."""

    __tablename__ = "calendar_divisions"

    division_code: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    hours: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Empty: as the division above."""


class CalendarChange(Model):
    """Who changed a calendar and what (日历变更记录). The last id is the calendars' edition."""

    __tablename__ = "calendar_changes"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    scope: Mapped[str]
    """A year, or a division's code."""
    difference: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str]
    actor_id: Mapped[int | None]
    actor_name: Mapped[str]
    at: Mapped[datetime]


class PolicyVersion(Model):
    """An edited policy (时限政策版本): the lines that differ from what it is laid over."""

    __tablename__ = "deadline_policies"
    __table_args__ = (UniqueConstraint("scope", "follows"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    scope: Mapped[str]
    """`national`, or a province's code of twelve digits."""
    follows: Mapped[int]
    """The version it was edited from, 0 for the first: two editors cannot both be next."""
    values: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str]
    actor_id: Mapped[int | None]
    actor_name: Mapped[str]
    at: Mapped[datetime]


class TicketClock(Model):
    """The clock of a ticket (时钟): its facts and policy version. Its row lock guards the rest."""

    __tablename__ = "ticket_clocks"
    __table_args__ = ({"postgresql_with": {"fillfactor": 85}},)

    ticket_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    business_key: Mapped[str]
    division_code: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    policy: Mapped[str]
    round: Mapped[int] = mapped_column(SmallInteger)
    extension_asked_at: Mapped[datetime | None]
    """An extension was asked for in time: meanwhile nothing turns red (EX-03)."""
    closed_at: Mapped[datetime | None]


class Deadline(Model):
    """A due date (时限) of a ticket, with the rule it comes from and what has happened to it."""

    __tablename__ = "deadlines"
    __table_args__ = (
        Index("ix_deadlines_ticket_id", "ticket_id", "id"),
        Index("ix_deadlines_task_id", "task_id", postgresql_where=text("task_id is not null")),
        Index(
            "ix_deadlines_provisional",
            "id",
            postgresql_where=text("provisional and state in ('running', 'paused')"),
        ),
        Index(
            "ix_deadlines_lit",
            *("due_at", "id"),
            postgresql_where=text("light <> 'green' and state in ('running', 'paused')"),
        ),
        Index(
            "ix_deadlines_results",
            *("unit_id", "due_at", "id"),
            postgresql_where=text("stage = 'total' and state = 'done'"),
        ),
        {"postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket_clocks.ticket_id"))
    round: Mapped[int] = mapped_column(SmallInteger)
    stage: Mapped[str]
    task_id: Mapped[UUID | None]
    unit_id: Mapped[int | None]
    """Of a stage, whose task it is; of a total with a result, whose result."""
    state: Mapped[str]
    limit: Mapped[str | None]
    basis: Mapped[str]
    law: Mapped[str]
    policy: Mapped[str]
    calendar: Mapped[int]
    """Version of the calendar it was computed with."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    start_at: Mapped[datetime]
    due_at: Mapped[datetime]
    yellow_at: Mapped[datetime]
    orange_at: Mapped[datetime]
    provisional: Mapped[bool]
    squeezed: Mapped[bool]
    granted: Mapped[list[str]] = mapped_column(JSONB)
    not_before: Mapped[datetime | None]
    paused: Mapped[timedelta]
    """Working time of the pauses that are over."""
    paused_at: Mapped[datetime | None]
    light: Mapped[str]
    """The last light or step of escalation it has reached."""
    generation: Mapped[int]
    """Grows when the due date moves; work items of an older one do nothing."""
    closed_at: Mapped[datetime | None]
    on_time: Mapped[bool | None]
    """The frozen result of the round."""

    clock: Mapped[TicketClock] = relationship(lazy="raise")


class Pause(Model):
    """An interval in which the clock of a ticket stands still (暂停)."""

    __tablename__ = "deadline_pauses"
    __table_args__ = (
        Index("ix_deadline_pauses_ticket_id", "ticket_id", "id"),
        Index(
            "ix_deadline_pauses_open",
            *("ticket_id", "reason"),
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket_clocks.ticket_id"))
    reason: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class DeadlineEvent(Model):
    """What happened to a deadline (时限记录): lights, moved dates, results. Never changed."""

    __tablename__ = "deadline_events"
    __table_args__ = (
        Index("ix_deadline_events_deadline_id", "deadline_id", "id"),
        Index(
            "ix_deadline_events_once",
            *("deadline_id", "generation", "event"),
            unique=True,
            postgresql_where=text(
                "event in ('yellow', 'orange', 'red', 'supervise', 'leaders', 'notice')"
            ),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    deadline_id: Mapped[int] = mapped_column(ForeignKey("deadlines.id"))
    generation: Mapped[int]
    event: Mapped[str]
    old_due_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    reason: Mapped[str]
    actor_name: Mapped[str]
    at: Mapped[datetime]
