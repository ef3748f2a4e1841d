"""What an instance has passed (办理轨迹): collected while it runs, for the append-only history."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.util.task import TaskState

from app.core import clock

_WAITING = TaskState.WAITING | TaskState.READY
_SINCE = "since"
"""Key in a task's internal data: the moment it began to wait, as a POSIX timestamp."""

_KINDS: dict[str, str] = {
    "UserTask": "user",
    "HandlerTask": "service",
    "ScriptTask": "script",
    "CallActivity": "call",
    "SubWorkflowTask": "subprocess",
    "StartEvent": "start",
    "EndEvent": "end",
    "ExclusiveGateway": "gateway",
    "ParallelGateway": "gateway",
    "InclusiveGateway": "gateway",
    "EventBasedGateway": "gateway",
}
_ACTIVITIES = frozenset({"user", "call", "subprocess"})
"""Kinds whose cancellation is history; a timer that was not needed any more is not."""


@dataclass(frozen=True)
class Passed:
    """An element the instance has left; `started_at` is None when it never had to wait."""

    element_id: str
    name: str
    kind: str
    task_id: uuid.UUID
    started_at: datetime | None
    ended_at: datetime
    state: str
    process: str = ""
    status: str = ""
    """The state of the matter that the element means, where it names one."""


def stamp(task: Any, now: float) -> None:
    """Note since when an open task waits, unless it is noted already."""
    task.internal_data.setdefault(_SINCE, now)


def was_open_activity(task: Any) -> bool:
    """Whether people or a called process were at it: only then its cancellation is history."""
    return _SINCE in task.internal_data and kind_of(task.task_spec) in _ACTIVITIES


def passed(task: Any, state: str) -> Passed:
    """The task as an element passed now; takes its stamp off, so that it is noted only once."""
    spec = task.task_spec
    since = task.internal_data.pop(_SINCE, None)
    return Passed(
        element_id=spec.bpmn_id,
        name=spec.bpmn_name or spec.bpmn_id,
        kind=kind_of(spec),
        task_id=task.id,
        started_at=None if since is None else datetime.fromtimestamp(since, UTC),
        ended_at=clock.now().astimezone(UTC),
        state=state,
        process=task.workflow.spec.name,
        status=status_of(spec),
    )


def standing(tasks: Iterable[Any]) -> list[str]:
    """The state that each element means at which these wait, the newest last."""
    waiting = [t for t in tasks if t.state & _WAITING and status_of(t.task_spec)]
    waiting.sort(key=lambda task: task.internal_data.get(_SINCE, 0))
    return [status_of(task.task_spec) for task in waiting]


def status_of(spec: Any) -> str:
    """The property `status` of an element: what state the matter is in while it waits here."""
    extensions: dict[str, Any] = getattr(spec, "extensions", {})  # joins of the engine have none
    return str(extensions.get("properties", {}).get("status", ""))


def kind_of(spec: Any) -> str:
    """The kind of an element in the history."""
    known = _KINDS.get(type(spec).__name__)
    return known or ("event" if isinstance(spec, CatchingEvent) else "other")
