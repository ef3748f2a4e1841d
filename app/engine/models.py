"""Rows of the engine room, which knows no tickets: an instance has a version and a business key."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    DDL,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from app.core.db import Model
from app.core.sealed import SealedJSON

NO_DUE_DATE = datetime(2999, 1, 1, tzinfo=UTC)
"""Sort key of a task without a due date, or whose clock stands: after everything that runs."""


class ProcessDefinition(Model):
    """A version of a diagram (流程定义): immutable, the called diagrams pinned in its bundle."""

    __tablename__ = "process_definitions"
    __table_args__ = (
        UniqueConstraint("process_key", "version"),
        UniqueConstraint("process_key", "digest"),
        Index(
            "ix_process_definitions_published",
            "process_key",
            unique=True,
            postgresql_where=text("status = 'published'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    process_key: Mapped[str]
    version: Mapped[int]
    digest: Mapped[str]
    """SHA-256 over the bundle: the same diagrams deployed twice are one version."""
    title: Mapped[str]
    status: Mapped[str]
    """`published` (new instances start here; one a process) or `superseded`."""
    sources: Mapped[dict[str, str]] = deferred(mapped_column(JSONB))
    """File name → BPMN XML, of the diagram and of every diagram it calls."""
    deployed_by: Mapped[str]
    deployed_at: Mapped[datetime]


class ProcessInstance(Model):
    """A running diagram (流程实例) and its engine state."""

    __tablename__ = "process_instances"
    __table_args__ = (
        UniqueConstraint("process_key", "business_key"),
        Index("ix_process_instances_business_key", "business_key"),
        Index(
            "ix_process_instances_next_due",
            "next_due",
            postgresql_where=text("status = 'open' and next_due is not null"),
        ),
        {"postgresql_with": {"fillfactor": 85}},
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    process_key: Mapped[str]
    business_key: Mapped[str]
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definitions.id"))
    status: Mapped[str]
    """`open`, `completed`, `cancelled`, or `incident` (its timers stop until a retry)."""
    version: Mapped[int]
    event_seq: Mapped[int]
    next_due: Mapped[datetime | None]
    state: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    """See `codec`; dropped when the instance ends, its history is in the events."""
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


event.listen(
    ProcessInstance.__table__,
    "after_create",
    DDL("ALTER TABLE process_instances ALTER COLUMN state SET STORAGE EXTERNAL"),  # type: ignore[no-untyped-call]
)


class UserTask(Model):
    """A task waiting for a person (待办), as a row: lists never open an engine state."""

    __tablename__ = "user_tasks"
    __table_args__ = (
        Index(
            "ix_user_tasks_unit_open",
            "unit_id",
            "sort_at",
            "id",
            # the lights are counted and sorted by without touching the rows
            postgresql_include=["role", "yellow_at", "orange_at"],
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "ix_user_tasks_assignee_open",
            "assignee_id",
            "sort_at",
            "id",
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_user_tasks_instance_id", "instance_id"),
        Index(
            "ix_user_tasks_done_by",
            "closed_by",
            text("closed_at desc"),
            "id",
            postgresql_where=text("state = 'done'"),
        ),
        {"postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instances.id"))
    process_key: Mapped[str]
    business_key: Mapped[str]
    element_id: Mapped[str]
    name: Mapped[str]
    lane: Mapped[str | None]
    role: Mapped[str | None]
    form: Mapped[str | None]
    deadline_key: Mapped[str | None]
    unit_id: Mapped[int | None]
    """The unit whose staff of `role` may do it; None: anyone with the role."""
    assignee_id: Mapped[int | None]
    assignee_name: Mapped[str | None]
    state: Mapped[str]
    """`open`, `done` or `cancelled`."""
    version: Mapped[int] = mapped_column(SmallInteger)
    """Grows with claim and unclaim; a form carries it back."""
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    yellow_at: Mapped[datetime]
    orange_at: Mapped[datetime]
    sort_at: Mapped[datetime]
    """From these moments on lists show the warnings and, after `sort_at`, that it is late."""
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None]
    closed_by_name: Mapped[str | None]


class ProcessEvent(Model):
    """Append-only history (流程轨迹): who passed which element when, with what decision."""

    __tablename__ = "process_events"

    instance_id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    """Without gaps from 1, under the instance's lock."""
    at: Mapped[datetime]
    kind: Mapped[str]
    """`started`, `user`, `service`, `gateway`, `event`, `message`, `cancelled`, `ended`."""
    element_id: Mapped[str]
    element_name: Mapped[str]
    task_id: Mapped[UUID | None]
    actor_id: Mapped[int | None]
    actor_name: Mapped[str]
    unit_id: Mapped[int | None]
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The flat variables this step set: ids and decisions, never citizen data."""
    duration_s: Mapped[int | None]
    """Seconds between the element becoming ready and being done."""


class ProcessAction(Model):
    """An action once done, by its id: a repeat gets the first answer."""

    __tablename__ = "process_actions"

    action_id: Mapped[UUID] = mapped_column(primary_key=True)
    instance_id: Mapped[int]
    kind: Mapped[str]
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class WaitingMessage(Model):
    """A message an instance waits for: correlated in SQL by business key and name."""

    __tablename__ = "waiting_messages"
    __table_args__ = (Index("ix_waiting_messages_key", "business_key", "name"),)

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instances.id"), index=True)
    business_key: Mapped[str]
    name: Mapped[str]
    element_id: Mapped[str]
    since: Mapped[datetime]


class InboxMessage(Model):
    """A message received once by its id; an early one waits as `pending`."""

    __tablename__ = "inbox_messages"
    __table_args__ = (
        Index(
            "ix_inbox_messages_pending",
            "business_key",
            "name",
            postgresql_where=text("state = 'pending'"),
        ),
    )

    message_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    business_key: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    """`pending`, `delivered`, or `unmatched` when the instance, or what it is about, was over."""
    received_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    instance_id: Mapped[int | None]


class Incident(Model):
    """A failure in an action (异常事件): rolled back, recorded, retried by an operator."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("ix_incidents_open", "id", postgresql_where=text("state = 'open'")),
        Index("ix_incidents_instance_id", "instance_id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    instance_id: Mapped[int | None]
    process_key: Mapped[str]
    business_key: Mapped[str]
    action: Mapped[str]
    element_id: Mapped[str | None]
    request: Mapped[dict[str, Any]] = mapped_column(SealedJSON("incidents.request"))
    """Everything the retry needs; sealed, since a form may hold citizen data."""
    error: Mapped[str]
    """Exception type and place in the code; never its text, which may quote data."""
    state: Mapped[str]
    """`open` or `resolved`."""
    attempts: Mapped[int]
    at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
