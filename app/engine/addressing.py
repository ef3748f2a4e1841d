"""Whom a message is for (收件), among the elements of one instance that wait for its name."""

from uuid import UUID

from app.engine.scalars import Scalar
from app.engine.workflow import LiveWorkflow, WaitingMessage


def catcher(flow: LiveWorkflow, name: str, task_id: UUID | None) -> WaitingMessage | None:
    """The element that catches a message: the one that has waited longest.

    What concerns a task is caught by a boundary event of that task or, when it has none, of the
    nearest activity around it; by nobody else's.
    """
    waits = [wait for wait in flow.waiting_messages() if wait.name == name]
    if task_id is None:
        return waits[0] if waits else None
    on_border = {
        event.parent.id: wait
        for wait in reversed(waits)
        if (event := flow.find(wait.task_id)) is not None
    }
    inner = flow.find(task_id)
    while inner is not None:
        if inner.parent is not None and inner.parent.id in on_border:
            return on_border[inner.parent.id]
        inner = flow.find(getattr(inner.workflow, "parent_task_id", None))
    return None


def concerned(
    flow: LiveWorkflow, name: str, variable: str, value: Scalar | None
) -> WaitingMessage | None:
    """The element that waits for a message about this value of a variable."""
    for wait in flow.waiting_messages():
        task = flow.find(wait.task_id) if wait.name == name else None
        if task is not None and task.data.get(variable) == value:
            return wait
    return None
