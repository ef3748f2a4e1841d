"""When an instance has something to do without anybody (定时器), and whose clock its timers read.

Legal deadlines are rows of `deadlines`; timers in diagrams are technical waits only.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from SpiffWorkflow.bpmn.specs.event_definitions import timer as spiff_timer
from SpiffWorkflow.bpmn.specs.event_definitions.multiple import MultipleEventDefinition
from SpiffWorkflow.util.task import TaskState

from app.core import clock


class _ProductClock(datetime):
    """`datetime` whose present is `core.clock`'s."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "_ProductClock":
        """The product's present moment."""
        moment = clock.now().astimezone(tz or UTC)
        return cls.combine(moment.date(), moment.timetz())


# The one place where SpiffWorkflow is given our clock. Its timer module asks `datetime.now` and has
# no parameter for it; everything else in it (parsing, arithmetic) works on the subclass unchanged.
spiff_timer.datetime = _ProductClock

_TICK = timedelta(microseconds=1)
"""SpiffWorkflow fires a timer strictly after its moment."""


def next_due(workflow: Any) -> datetime | None:
    """The first moment (UTC) at which `advance` would do something; None when no timer runs."""
    moments = [
        moment
        for task in workflow.event_manager.tasks.values()
        if task.state == TaskState.WAITING
        for moment in _moments(task)
    ]
    return min(moments, default=None)


def anything_due(workflow: Any) -> bool:
    """Whether a timer should have fired by now."""
    due = next_due(workflow)
    return due is not None and due <= clock.now()


def _moments(task: Any) -> Iterator[datetime]:
    definition = task.task_spec.event_definition
    several = isinstance(definition, MultipleEventDefinition)
    value = task.internal_data.get("event_value")
    for each in definition.event_definitions if several else (definition,):
        if not isinstance(each, spiff_timer.TimerEventDefinition):
            continue
        if value is None:
            yield clock.now().astimezone(UTC)
        elif isinstance(each, spiff_timer.CycleTimerEventDefinition):
            if value["cycles"] != 0:
                yield datetime.fromisoformat(value["next"]).astimezone(UTC) + _TICK
        else:
            moment = spiff_timer.TimerEventDefinition.parse_time_or_duration(value)
            yield datetime.fromisoformat(moment.isoformat()).astimezone(UTC) + _TICK
