"""Taking a waiting task into one's own hands (认领) and putting it back."""

from collections.abc import Callable
from uuid import UUID

from app.core.db import session
from app.engine.errors import TaskAlreadyDone, TaskClaimed, UnknownTask
from app.engine.models import UserTask
from app.engine.registry import Actor

Authorise = Callable[[UserTask], None]


def claim(task_id: UUID, *, actor: Actor, authorise: Authorise) -> UserTask:
    """Take an open task into one's own hands; the slower of two gets TaskClaimed."""
    task = session().get(UserTask, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise UnknownTask
    authorise(task)
    if task.state != "open":
        raise TaskAlreadyDone(task.closed_by_name, task.state)
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
        raise TaskAlreadyDone(task.closed_by_name, task.state)
    if task.assignee_id != actor.id:
        raise TaskClaimed(task.assignee_name)
    task.assignee_id = task.assignee_name = None
    task.version += 1
    session().flush()
    return task
