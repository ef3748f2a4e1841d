"""The rows that mirror an instance: waiting tasks, awaited messages. Lists read these, no state."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from app.core.db import send, session, table_of
from app.engine import registry, workflow
from app.engine.models import NO_DUE_DATE, InboxMessage, UserTask, WaitingMessage
from app.engine.registry import Actor, HeldTask, NewTask

# The writes of every turn, on the tables themselves and built once: see `turn`.
_TASKS, _WAITS = table_of(UserTask), table_of(WaitingMessage)
_ADD_TASKS, _ADD_WAITS = insert(_TASKS), insert(_WAITS)
_THESE = bindparam("ids", type_=ARRAY(Uuid))
_CLOSE_TASKS = update(_TASKS).where(_TASKS.c.id == any_(_THESE))
_END_WAITS = delete(_WAITS).where(_WAITS.c.task_id == any_(_THESE))


_SET_DUE = text(
    """
    update user_tasks t set due_at = v.due_at, yellow_at = v.yellow_at, orange_at = v.orange_at,
           sort_at = v.sort_at
      from unnest(cast(:business_key as text[]), cast(:task_id as uuid[]),
                  cast(:due_at as timestamptz[]), cast(:yellow_at as timestamptz[]),
                  cast(:orange_at as timestamptz[]), cast(:sort_at as timestamptz[]))
           as v(business_key, task_id, due_at, yellow_at, orange_at, sort_at)
      join process_instances i on i.business_key = v.business_key
     where t.instance_id = i.id and t.state = 'open'
       and (t.id = v.task_id or v.task_id is null and t.deadline_key is null)
    returning t.id, t.due_at, t.yellow_at, t.orange_at, t.sort_at
    """
)
"""By way of the instances, as tasks have no index of business keys."""


HELD_TASK = [_TASKS.c[each.name] for each in fields(HeldTask)]
"""The columns of a `HeldTask`."""


def of_task(
    task: workflow.OpenTask, instance_id: int, process_key: str, business_key: str, now: datetime
) -> NewTask:
    """The row of a task that opens, with its unit and form as the variables have them now."""
    properties = task.properties
    unit = task.data[properties["unit"]] if "unit" in properties else None
    if "unit" in properties and type(unit) is not int:
        raise TypeError("the variable of the unit is no unit's id")  # else: open to everybody
    return NewTask(
        id=task.task_id,
        instance_id=instance_id,
        process_key=process_key,
        business_key=business_key,
        element_id=task.element_id,
        name=task.name,
        lane=task.lane,
        role=properties.get("role"),
        form=registry.form_key(properties, task.data),
        deadline_key=properties.get("deadline"),
        unit_id=unit,
        opened_at=now,
        due_at=None,
        yellow_at=NO_DUE_DATE,
        orange_at=NO_DUE_DATE,
        sort_at=NO_DUE_DATE,
    )


def write_tasks(
    opened: Iterable[NewTask],
    done: Collection[UUID],
    cancelled: Collection[UUID],
    actor: Actor,
    now: datetime,
) -> None:
    """Add what opened; write down how the others ended."""
    for ids, state in ((done, "done"), (cancelled, "cancelled")):
        if ids:
            send(
                _CLOSE_TASKS,
                {
                    "ids": list(ids),
                    "state": state,
                    "closed_at": now,
                    "closed_by": actor.id,
                    "closed_by_name": actor.name,
                },
            )
    fresh = [{**vars(task), "state": "open", "version": 1} for task in opened]
    if fresh:
        send(_ADD_TASKS, fresh)


@dataclass(frozen=True)
class TaskDue:
    """What an open task shows of its deadline; without its id all of the key that have no stage."""

    business_key: str
    task_id: UUID | None
    due_at: datetime
    yellow_at: datetime
    orange_at: datetime
    sort_at: datetime


def set_due(shown: Sequence[TaskDue]) -> None:
    """Move the moments of open tasks, by one statement however many they are."""
    names = [each.name for each in fields(TaskDue)]
    columns = {name: [getattr(each, name) for each in shown] for name in names}
    for row in session().execute(_SET_DUE, columns).mappings():
        task = session().identity_map.get(identity_key(UserTask, row["id"]))
        for name in names[2:] if task is not None else ():
            set_committed_value(task, name, row[name])


def write_waits(
    waits: Mapping[UUID, workflow.WaitingMessage],
    before: Collection[UUID],
    instance_id: int,
    business_key: str,
    now: datetime,
) -> None:
    """Replace the rows of what waited before by those of what waits now."""
    gone = set(before) - set(waits)
    if gone:
        send(_END_WAITS, {"ids": list(gone)})
    fresh: list[dict[str, Any]] = [
        {
            "task_id": wait.task_id,
            "instance_id": instance_id,
            "business_key": business_key,
            "name": wait.name,
            "element_id": wait.element_id,
            "since": now,
        }
        for task_id, wait in waits.items()
        if task_id not in before
    ]
    if fresh:
        send(_ADD_WAITS, fresh)


def note_message(
    message_id: str,
    name: str,
    business_key: str,
    payload: dict[str, Any],
    state: str,
    now: datetime,
) -> bool:
    """Write a message into the inbox; False when one of this id is there already."""
    fresh = session().scalar(
        pg_insert(InboxMessage)
        .values(
            message_id=message_id,
            name=name,
            business_key=business_key,
            payload=payload,
            state=state,
            received_at=now,
        )
        .on_conflict_do_nothing()
        .returning(InboxMessage.message_id)
    )
    return fresh is not None


def message_state(message_id: str) -> str | None:
    """What became of a message; None for one that never came."""
    return session().scalar(select(InboxMessage.state).where(InboxMessage.message_id == message_id))


def mark_message(message_id: str, state: str, instance_id: int, now: datetime) -> None:
    """Note what became of a message."""
    session().execute(
        update(InboxMessage)
        .where(InboxMessage.message_id == message_id)
        .values(state=state, delivered_at=now, instance_id=instance_id)
    )
