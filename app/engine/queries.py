"""Reading tasks and instances. Lists are keyset-paged and never open an engine state."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, tuple_, union_all

from app.core.db import session
from app.core.errors import FieldError, Invalid, NotFound
from app.engine.errors import UnknownTask
from app.engine.models import (
    InboxMessage,
    ProcessDefinition,
    ProcessEvent,
    ProcessInstance,
    UserTask,
    WaitingMessage,
)


@dataclass(frozen=True)
class TaskQuery:
    """Which open tasks: the unit's and role's own, narrowed by what is set."""

    unit_id: int
    roles: frozenset[str]
    assignee_id: int | None = None
    process_key: str | None = None
    element_id: str | None = None
    business_key: str | None = None


def open_tasks(
    wanted: TaskQuery, after: str | None, limit: int
) -> tuple[Sequence[UserTask], str | None]:
    """A page of open tasks by due date, and the cursor of the next page or None.

    The unit's own and nobody's own are read apart, each from its place in the index: one condition
    over both would sort every open task of the unit for each page.
    """
    place = read_cursor(after) if after else None
    own = _first(wanted, UserTask.unit_id == wanted.unit_id, place, limit + 1)
    anybodys = _first(wanted, UserTask.unit_id.is_(None), place, limit + 1)
    query = select(UserTask).where(UserTask.id.in_(union_all(own, anybodys)))
    rows = session().scalars(query.order_by(UserTask.sort_at, UserTask.id).limit(limit + 1)).all()
    page = rows[:limit]
    return page, cursor(page[-1].sort_at, page[-1].id) if len(rows) > limit else None


def _first(
    wanted: TaskQuery,
    whose: ColumnElement[bool],
    place: tuple[datetime, UUID] | None,
    limit: int,
) -> Select[UUID]:
    query = select(UserTask.id).where(
        UserTask.state == "open",
        whose,
        or_(UserTask.role.in_(sorted(wanted.roles)), UserTask.role.is_(None)),
    )
    for name in ("assignee_id", "process_key", "element_id", "business_key"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(UserTask, name) == value)
    if place is not None:
        query = query.where(tuple_(UserTask.sort_at, UserTask.id) > place)
    return query.order_by(UserTask.sort_at, UserTask.id).limit(limit)


def task(task_id: UUID) -> UserTask:
    """One task; UnknownTask when there is none."""
    row = session().get(UserTask, task_id)
    if row is None:
        raise UnknownTask
    return row


def processes_of(business_key: str) -> list[str]:
    """The processes that have an instance of this business key."""
    return list(
        session().scalars(
            select(ProcessInstance.process_key).where(ProcessInstance.business_key == business_key)
        )
    )


def instance_view(instance_id: int) -> dict[str, Any]:
    """An instance with its open tasks and its history."""
    row = (
        session()
        .execute(
            select(ProcessInstance, ProcessDefinition.version)
            .join(ProcessDefinition, ProcessDefinition.id == ProcessInstance.definition_id)
            .where(ProcessInstance.id == instance_id)
        )
        .one_or_none()
    )
    if row is None:
        raise NotFound("没有这个流程实例", "INSTANCE_NOT_FOUND")
    found, version = row
    tasks = session().scalars(
        select(UserTask)
        .where(UserTask.instance_id == instance_id, UserTask.state == "open")
        .order_by(UserTask.opened_at)
    )
    events = session().scalars(
        select(ProcessEvent)
        .where(ProcessEvent.instance_id == instance_id)
        .order_by(ProcessEvent.seq)
    )
    return {
        "id": found.id,
        "process_key": found.process_key,
        "business_key": found.business_key,
        "definition_version": version,
        "status": found.status,
        "version": found.version,
        "next_due": found.next_due,
        "started_at": found.started_at,
        "ended_at": found.ended_at,
        "open_tasks": [
            {"id": str(t.id), "element_id": t.element_id, "name": t.name, "unit_id": t.unit_id}
            for t in tasks
        ],
        "events": [
            {
                "seq": e.seq,
                "at": e.at,
                "kind": e.kind,
                "element_id": e.element_id,
                "name": e.element_name,
                "actor": e.actor_name,
                "decision": e.decision,
                "duration_s": e.duration_s,
            }
            for e in events
        ],
    }


def cursor(moment: datetime, row_id: UUID) -> str:
    """An opaque place in a list ordered by moment and id."""
    return base64.urlsafe_b64encode(f"{moment.isoformat()}|{row_id}".encode()).decode()


def read_cursor(text: str) -> tuple[datetime, UUID]:
    """The place a cursor names; Invalid for anything else."""
    try:
        moment, _, row_id = base64.urlsafe_b64decode(text.encode()).decode().partition("|")
        return datetime.fromisoformat(moment), UUID(row_id)
    except ValueError:
        raise Invalid([FieldError("after", "cursor", "翻页游标无效")]) from None


def open_tasks_of(instance_id: int) -> list[UserTask]:
    """Rows of the tasks that wait in one instance."""
    return list(
        session().scalars(
            select(UserTask).where(UserTask.instance_id == instance_id, UserTask.state == "open")
        )
    )


def message_is_known(message_id: str) -> bool:
    """Whether a message of this id has been taken in."""
    return session().get(InboxMessage, message_id) is not None


def instance_of(business_key: str, processes: Sequence[str]) -> ProcessInstance | None:
    """The instance of a key that runs one of these processes."""
    return session().scalar(
        select(ProcessInstance).where(
            ProcessInstance.business_key == business_key,
            ProcessInstance.process_key.in_(processes),
        )
    )


def awaited(instance_id: int) -> list[tuple[str, str]]:
    """(element id, message name) of what an instance waits for from outside."""
    query = select(WaitingMessage.element_id, WaitingMessage.name)
    rows = session().execute(query.where(WaitingMessage.instance_id == instance_id))
    return [(element_id, name) for element_id, name in rows]


def is_awaited(business_key: str, name: str) -> bool:
    """Whether something of this key waits for the message."""
    query = select(WaitingMessage.task_id).where(
        WaitingMessage.business_key == business_key, WaitingMessage.name == name
    )
    return session().scalar(query.limit(1)) is not None


def last_actor(business_key: str) -> str | None:
    """Who acted last on the instance of a key; None when only the system did."""
    return session().scalar(
        select(ProcessEvent.actor_name)
        .join(ProcessInstance, ProcessInstance.id == ProcessEvent.instance_id)
        .where(ProcessInstance.business_key == business_key, ProcessEvent.actor_id.is_not(None))
        .order_by(ProcessEvent.instance_id.desc(), ProcessEvent.seq.desc())
        .limit(1)
    )
