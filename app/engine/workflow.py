"""A running instance (流程实例) in memory: five verbs over SpiffWorkflow, with its faults repaired.

Every verb leaves the instance quiet: whatever can run without a person has run. After any
exception the object is spoilt (a task stands in ERROR): drop it together with the transaction.
"""

import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.multiple import MultipleEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.util.task import TaskState

from app.core import clock
from app.core.errors import Conflict
from app.engine import timers, trail
from app.engine.expressions import SafeEnvironment, ScriptEngine, mark
from app.engine.parser import ParsedDefinition
from app.engine.scalars import Scalar, flat
from app.engine.trail import Passed

# SpiffWorkflow copies task data, citizens' among them, into its log records below WARNING.
for _name in ("spiff", "spiff.task", "spiff.workflow"):
    logging.getLogger(_name).setLevel(logging.WARNING)

MAX_STEPS = 500
"""Automatic elements one action may run; more is an endless loop in the diagram."""
MAX_DEPTH = 20
"""Processes calling one another; more is a process that calls itself without asking anybody."""
_OPEN = TaskState.WAITING | TaskState.READY | TaskState.STARTED


class TaskNotReady(Conflict):
    """The user task is no longer open: somebody completed it, or the flow moved on."""

    def __init__(self) -> None:
        super().__init__("该待办已办理或已撤销，请刷新后重试", "TASK_NOT_READY")


class NotWaiting(Conflict):
    """The element does not wait for this message (any more)."""

    def __init__(self, name: str) -> None:
        super().__init__("流程当前没有在等待这条消息", "NOT_WAITING", message_name=name)


class EndlessLoop(RuntimeError):
    """The diagram runs in a circle without anybody being asked."""


@dataclass(frozen=True)
class OpenTask:
    """A user task (待办) that waits for a person; `data` is a copy."""

    task_id: uuid.UUID
    process: str
    element_id: str
    name: str
    lane: str | None
    properties: dict[str, str]
    data: dict[str, Any]


@dataclass(frozen=True)
class WaitingMessage:
    """An element that waits for a message; behind an event gateway, the catch event's id."""

    task_id: uuid.UUID
    element_id: str
    name: str


class LiveSubWorkflow(BpmnSubWorkflow):  # type: ignore[misc]
    """A called process or embedded subprocess that tells its instance what it passed."""

    def cancel(self, success: bool = False) -> Any:
        """Cancelled by the task that owns it, which SpiffWorkflow announces nowhere else."""
        owner = self.top_workflow.find(self.parent_task_id)
        if owner is not None:
            self.top_workflow.note_cancelled(owner)
        return super().cancel(success)

    def _task_completed_notify(self, task: Any) -> None:
        self.top_workflow.note_completed(task)
        super()._task_completed_notify(task)

    def _task_removed_notify(self, task: Any) -> None:
        super()._task_removed_notify(task)
        self.top_workflow.forget(task)


class LiveWorkflow(BpmnWorkflow):  # type: ignore[misc]
    """BpmnWorkflow that forgets dropped tasks completely, settles to quiet and keeps a trail.

    3.2.0 drops the instances of an interrupted multi-instance activity and leaves their
    subprocesses active and their events subscribed: the next engine step then crashes.
    """

    def __init__(self, spec: Any, subprocess_specs: Any, **kwargs: Any) -> None:
        self._trail: list[Passed] = []
        self._last_data: dict[str, Any] | None = None
        self._steps = 0
        super().__init__(spec, subprocess_specs, **kwargs)

    # ------------------------------------------------------------ what is there

    def workflows(self) -> tuple[Any, ...]:
        """The instance itself and its subprocess instances."""
        return (self, *self.subprocesses.values())

    def all_tasks(self) -> Iterator[Any]:
        """Every SpiffWorkflow task of the instance."""
        for workflow in self.workflows():
            yield from workflow.tasks.values()

    def find(self, task_id: uuid.UUID | None) -> Any | None:
        """The SpiffWorkflow task with this id, if it is still there."""
        for workflow in self.workflows():
            if task_id in workflow.tasks:
                return workflow.tasks[task_id]
        return None

    def open_user_tasks(self) -> list[OpenTask]:
        """The user tasks that wait for a person."""
        return [
            OpenTask(
                task.id,
                task.workflow.spec.name,
                task.task_spec.bpmn_id,
                task.task_spec.bpmn_name or task.task_spec.bpmn_id,
                task.task_spec.lane,
                dict(task.task_spec.extensions.get("properties", {})),
                dict(task.data),
            )
            for task in self.all_tasks()
            if task.state == TaskState.READY and task.task_spec.manual
        ]

    def waiting_messages(self) -> list[WaitingMessage]:
        """The elements that wait for a message, longest waiting first."""
        return [
            WaitingMessage(task.id, element_id, definition.name)
            for task in self.event_manager.tasks.values()
            if task.state == TaskState.WAITING
            for element_id, definition in _message_definitions(task.task_spec)
        ]

    def standing(self) -> list[str]:
        """The state that each waiting element means (property `status`), the newest last."""
        return trail.standing(self.all_tasks())

    def last_data(self) -> dict[str, Any]:
        """Variables of the element completed last; of the whole instance when none was yet."""
        return dict(self.data if self._last_data is None else self._last_data)

    def passed(self) -> list[Passed]:
        """The elements passed since the last call, in order; each is handed out once."""
        trail, self._trail = self._trail, []
        return trail

    # ------------------------------------------------------------ what moves it

    def settle(self) -> None:
        """Fire due timers first, then run everything automatic until only people are asked.

        `do_engine_steps` refreshes timers last and leaves what fired unrun: hence the loop.
        """
        self._steps = 0
        try:
            self.refresh_timers()
            self.do_engine_steps(will_complete_task=self._before)
            while self._is_restless():
                self._count_step(None)
                self.do_engine_steps(will_complete_task=self._before)
        except WorkflowException as error:
            _mark_by_spec(error)
            raise
        self._stamp()
        self.bpmn_events.clear()  # events nobody inside could catch go nowhere

    def create_subprocess(self, my_task: Any, spec_name: str) -> LiveSubWorkflow:
        """As SpiffWorkflow's, with our class and a bottom."""
        subprocess = LiveSubWorkflow(self.subprocess_specs[spec_name], my_task.id, self)
        if subprocess.depth > MAX_DEPTH:
            error = EndlessLoop(f"more than {MAX_DEPTH} processes deep")
            mark(error, my_task)
            raise error
        self.subprocesses[my_task.id] = subprocess
        return subprocess

    def _is_restless(self) -> bool:
        return any(
            task.state == TaskState.READY and not task.task_spec.manual for task in self.all_tasks()
        )

    def _before(self, task: Any) -> None:
        predict(task)
        self._count_step(task)

    def _count_step(self, task: Any) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            error = EndlessLoop(f"more than {MAX_STEPS} automatic steps in one action")
            if task is not None:
                mark(error, task)
            raise error

    def _stamp(self) -> None:
        now = clock.now().timestamp()
        for task in self.all_tasks():
            if task.state & _OPEN:
                trail.stamp(task, now)

    # ------------------------------------------------------------ the trail

    def note_completed(self, task: Any) -> None:
        """A task of this instance or one of its subprocesses has completed."""
        spec = task.task_spec
        if spec.bpmn_id is not None:
            self._last_data = task.data
            if not isinstance(spec, LoopTask):
                self._trail.append(trail.passed(task, "completed"))

    def note_cancelled(self, task: Any) -> None:
        """A task was cancelled or dropped; only activities that really were open are history."""
        if trail.was_open_activity(task):
            self._trail.append(trail.passed(task, "cancelled"))

    def forget(self, task: Any) -> None:
        """A task was dropped from the tree: its subscription and its subprocess go with it."""
        self.event_manager.remove_task(task)
        if not task.has_state(TaskState.FINISHED_MASK):
            self.note_cancelled(task)
        self.discard_subprocess(task.id)

    def discard_subprocess(self, owner_id: uuid.UUID) -> None:
        """Remove the subprocess of a task that is no more, and what hangs below it."""
        subprocess = self.subprocesses.pop(owner_id, None)
        if subprocess is not None:
            for task in list(subprocess.tasks.values()):
                self.forget(task)

    def _task_completed_notify(self, task: Any) -> None:
        self.note_completed(task)
        super()._task_completed_notify(task)

    def _task_removed_notify(self, task: Any) -> None:
        super()._task_removed_notify(task)
        self.forget(task)


# ---------------------------------------------------------------- the five verbs


def new_workflow(
    parsed: ParsedDefinition, variables: Mapping[str, Scalar], environment: SafeEnvironment
) -> LiveWorkflow:
    """Start an instance and run it to its first waits. NotFlat for nested variables."""
    workflow = LiveWorkflow(
        parsed.spec, parsed.subprocess_specs, script_engine=ScriptEngine(environment)
    )
    workflow.task_tree.data.update(flat(variables))
    workflow.settle()
    return workflow


def complete(workflow: LiveWorkflow, task_id: uuid.UUID, variables: Mapping[str, Scalar]) -> None:
    """Complete one user task and run to the next waits.

    A timer that is already due fires first, even if that takes the task away. TaskNotReady when
    the task is not open: SpiffWorkflow itself would run a completed task again without a word.
    """
    values = flat(variables)
    if timers.anything_due(workflow):
        workflow.settle()
    task = workflow.find(task_id)
    if task is None or task.state != TaskState.READY or not task.task_spec.manual:
        raise TaskNotReady
    task.data.update(values)
    _run(task)
    workflow.settle()


def deliver(
    workflow: LiveWorkflow, task_id: uuid.UUID, name: str, payload: Mapping[str, Scalar]
) -> None:
    """Hand a message to exactly that waiting element; its payload is merged into the task data.

    SpiffWorkflow's own `send_event` hits every element that waits for the name. NotWaiting when
    this one does not.
    """
    values = flat(payload)
    if timers.anything_due(workflow):
        workflow.settle()
    task = workflow.find(task_id)
    waits = () if task is None else _message_definitions(task.task_spec)
    definition = next((each for _, each in waits if each.name == name), None)
    if task is None or definition is None or task.state != TaskState.WAITING:
        raise NotWaiting(name)
    task.task_spec.catch(task, BpmnEvent(definition, {}))
    task.task_spec._update(task)
    task.internal_data.pop(name, None)
    task.data.update(values)
    rearm(task)
    workflow.settle()


def rearm(fired: Any) -> None:
    """Let a non-interrupting boundary event catch its message again, as often as it comes.

    SpiffWorkflow's catches once and is deaf afterwards; BPMN has it listen while the activity runs.
    """
    spec = fired.task_spec
    if isinstance(spec, BoundaryEvent) and not spec.cancel_activity:
        again = fired.parent._add_child(spec, TaskState.WAITING)
        spec._update(again)
        predict(again)


def advance(workflow: LiveWorkflow) -> None:
    """Fire what is due. A cycle timer fires once: call again while `next_due` lies in the past."""
    workflow.settle()


def cancel(workflow: LiveWorkflow) -> None:
    """Cancel everything open; the instance is completed without success."""
    workflow.cancel()
    workflow.event_manager.tasks.clear()
    workflow.bpmn_events.clear()


def predict(task: Any) -> None:
    """Give an open task the future tasks it will hand over to; loaded tasks come without.

    A cycle timer owns real children and predicts none; a loop has both kinds.
    """
    if not task._children or isinstance(task.task_spec, LoopTask):
        task.task_spec._predict(task, mask=TaskState.NOT_FINISHED_MASK)


def _run(task: Any) -> None:
    predict(task)
    try:
        task.run()
    except WorkflowException as error:
        _mark_by_spec(error)
        raise


def _mark_by_spec(error: WorkflowException) -> None:
    spec = getattr(error, "task_spec", None)
    if spec is not None:
        error.__dict__.setdefault("bpmn_element", getattr(spec, "bpmn_id", None) or spec.name)


def _message_definitions(spec: Any) -> list[tuple[str, Any]]:
    """(element id, definition) of each message this element catches."""
    if not isinstance(spec, CatchingEvent):
        return []
    definition = spec.event_definition
    if isinstance(definition, MessageEventDefinition):
        return [(spec.bpmn_id, definition)]
    if isinstance(definition, MultipleEventDefinition):
        elements = [output.bpmn_id for output in spec.outputs] or [spec.bpmn_id]
        return [
            (element_id, each)
            for element_id, each in zip(elements, definition.event_definitions, strict=False)
            if isinstance(each, MessageEventDefinition)
        ]
    return []
