"""Waiting tasks in hand: taken (认领), put back, handed to another unit."""

from collections.abc import Callable, Collection
from uuid import UUID

from sqlalchemy import select, update

from app.core.db import session
from app.engine.errors import TaskAlreadyDone, TaskClaimed, UnknownTask
from app.engine.models import ProcessInstance, UserTask
from app.engine.registry import Actor

Authorise = Callable[[UserTask], None]


def claim(task_id: UUID, *, actor: Actor, authorise: Authorise) -> UserTask:
    """Take an open task into one's own hands; the slower of two gets TaskClaimed."""
    task = session().get(UserTask, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise UnknownTask
    authorise(task)
    if task.state != "open":
        raise TaskAlreadyDone(task)
    if task.assignee_id == actor.id:
        return task
    if task.assignee_id is not None:
        raise TaskClaimed(task.assignee_name)
    task.assignee_id, task.assignee_name = actor.id, actor.name
    task.version += 1
    session().flush()
    return task


def unclaim(task_id: UUID, *, actor: Actor, authorise: Authorise) -> UserTask:
    """Put a task back for the unit; only the one who holds it may."""
    task = session().get(UserTask, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise UnknownTask
    authorise(task)
    if task.state != "open":
        raise TaskAlreadyDone(task)
    if task.assignee_id != actor.id:
        raise TaskClaimed(task.assignee_name)
    task.assignee_id = task.assignee_name = None
    task.version += 1
    session().flush()
    return task


def hand_over(
    business_key: str, *, elements: Collection[str], from_units: Collection[int], to_unit: int
) -> None:
    """Give what units have open of some elements of an instance to another unit, unclaimed.

    The caller holds the instance, and knows that the other unit's staff have the tasks' role.
    """
    instance = select(ProcessInstance.id).where(
        ProcessInstance.business_key == business_key, ProcessInstance.status == "open"
    )
    session().execute(
        update(UserTask)
        .where(
            UserTask.instance_id.in_(instance),
            UserTask.state == "open",
            UserTask.element_id.in_(elements),
            UserTask.unit_id.in_(from_units),
        )
        .values(
            unit_id=to_unit,
            assignee_id=None,
            assignee_name=None,
            version=UserTask.version + 1,
        )
        .execution_options(synchronize_session="fetch")
    )
