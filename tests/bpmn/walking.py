"""Walks a diagram twice at once: stock SpiffWorkflow in memory, ours stored at every step."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.inclusive_gateway import InclusiveGateway
from SpiffWorkflow.bpmn.specs.mixins.parallel_gateway import ParallelGateway
from SpiffWorkflow.util.task import TaskState

from app.engine import codec, parser, pruning, timers, workflow
from app.engine.expressions import SafeEnvironment, ScriptEngine
from app.engine.parser import ParsedDefinition
from tests.bpmn import shipped

if TYPE_CHECKING:
    from tests.conftest import MovableClock

ROOT = Path(__file__).resolve().parents[2]
DIAGRAMS = (ROOT / "tests" / "support" / "diagrams", ROOT / "bpmn")
OPEN = TaskState.WAITING | TaskState.READY | TaskState.STARTED
Answers = Callable[[random.Random, str], dict[str, Any]]


@cache
def parsed(name: str) -> ParsedDefinition:
    """The diagram `name`.bpmn of the tests or the product; its main process has the same id."""
    folder = next(f for f in DIAGRAMS if (f / f"{name}.bpmn").exists())
    return parser.parse(sources(folder, name), name)


@cache
def parsed_for_stock(name: str) -> ParsedDefinition:
    """The same for stock."""
    folder = next(f for f in DIAGRAMS if (f / f"{name}.bpmn").exists())
    return predicting(parser.parse(sources(folder, name), name))


def predicting(definition: ParsedDefinition) -> ParsedDefinition:
    """A definition that predicts as far ahead as stock needs: ours does so while it runs."""
    for spec in (definition.spec, *definition.subprocess_specs.values()):
        for task_spec in spec.task_specs.values():
            vars(task_spec).pop("_predict", None)
    return definition


def sources(folder: Path, name: str) -> dict[str, bytes]:
    """A diagram and the files of those it calls, unless they stand in the same file."""
    found: dict[str, bytes] = {}
    waiting = [name]
    while waiting:
        file = folder / f"{waiting.pop()}.bpmn"
        if file.stem not in found and file.exists():
            found[file.stem] = file.read_bytes()
            waiting += parser.called_elements(found[file.stem])
    return found


def handler(name: str, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """The only handler of these walks: leaves a trace of what it was asked, sets the next timer."""
    asked = {f"asked_{key}": value for key, value in params.items()}
    return {**shipped.step(name, data), "handler": name, **asked}


def environment() -> SafeEnvironment:
    return SafeEnvironment(handler)


def stock(name: str, variables: Mapping[str, Any]) -> BpmnWorkflow:
    """A stock workflow over the same diagram, settled as well as stock can."""
    definition = parsed_for_stock(name)
    flow = BpmnWorkflow(
        definition.spec, definition.subprocess_specs, script_engine=ScriptEngine(environment())
    )
    flow.task_tree.data.update(variables)
    settle_stock(flow)
    return flow


def live(name: str, variables: Mapping[str, Any]) -> workflow.LiveWorkflow:
    return workflow.new_workflow(parsed(name), variables, environment())


def stored(flow: workflow.LiveWorkflow, name: str) -> workflow.LiveWorkflow:
    """The instance after pruning, saving and loading."""
    pruning.prune(flow)
    return codec.loads(codec.dumps(flow, 1), lambda _: parsed(name), environment())[0]


def tasks_of(flow: Any) -> list[Any]:
    return [t for w in (flow, *flow.subprocesses.values()) for t in w.tasks.values()]


def settle_stock(flow: BpmnWorkflow) -> None:
    flow.refresh_timers()
    for _ in range(50):
        flow.do_engine_steps()
        ready = [t for t in tasks_of(flow) if t.state == TaskState.READY]
        if all(t.task_spec.manual for t in ready):
            return
    raise AssertionError("stock does not come to rest")


def _key(task: Any) -> tuple[Any, ...]:
    event = task.internal_data.get("event_value")
    return (
        task.workflow.spec.name,
        task.task_spec.name,
        task.state,
        repr(sorted(task.data.items())),
        repr(event),
    )


def snapshot(flow: Any) -> list[tuple[Any, ...]]:
    """Every open task with its state, data and timer.

    Without the copies of a join that hang below boundary events which fired beside their activity:
    the join fires in the activity's own branch, and we prune them.
    """
    return sorted(
        _key(task) for task in tasks_of(flow) if task.state & OPEN and not _is_spare_join(task)
    )


def _is_spare_join(task: Any) -> bool:
    above = None if task.parent is None else task.parent.task_spec
    return (
        isinstance(task.task_spec, BoundaryEventJoin)
        and isinstance(above, BoundaryEvent)
        and not above.cancel_activity
    )


def people(flow: Any) -> list[Any]:
    found = [t for t in tasks_of(flow) if t.state == TaskState.READY and t.task_spec.manual]
    return sorted(found, key=_key)


def waits(flow: Any) -> list[tuple[tuple[Any, ...], Any, str, Any]]:
    """Waiting (key, task, message name, definition)."""
    found = [
        (_key(task), task, definition.name, definition)
        for task in flow.event_manager.tasks.values()
        if task.state == TaskState.WAITING
        for _, definition in workflow._message_definitions(task.task_spec)
    ]
    return sorted(found, key=lambda each: (each[0], each[2]))


@dataclass
class Tally:
    """What the walks of one test did."""

    steps: int = 0
    completed: int = 0
    timers: int = 0
    messages: int = 0
    stock_crashed: int = 0
    early_joins: int = 0
    largest_state: int = 0
    most_tasks: int = 0
    crashes: list[str] = field(default_factory=list)


class Walk:
    """One random walk; `tolerant` admits stock's two known faults and ends the walk there."""

    def __init__(
        self,
        name: str,
        seed: int,
        variables: dict[str, Any],
        clock: "MovableClock",
        *,
        tolerant: bool,
        tally: Tally,
    ) -> None:
        self.name, self.clock, self.tolerant, self.tally = name, clock, tolerant, tally
        self.random = random.Random(seed)
        self.seen: set[str] = set()
        self.stock = stock(name, variables)
        self.live = stored(live(name, variables), name)

    def run(self, steps: int, answers: Answers) -> None:
        for _ in range(steps):
            if not self._same():
                return
            if self.stock.is_completed():
                assert self.live.is_completed()
                assert self.stock.data == self.live.data
                self.tally.completed += 1
                return
            try:
                if not self._step(answers):
                    return
            finally:
                self.tally.steps += 1
            raw = self._store()
            self.tally.largest_state = max(self.tally.largest_state, raw)
            self.tally.most_tasks = max(self.tally.most_tasks, len(tasks_of(self.live)))
            self.seen |= {
                task.task_spec.name
                for task in tasks_of(self.stock)
                if task.state == TaskState.COMPLETED
            }

    def _store(self) -> int:
        pruning.prune(self.live)
        raw = codec.dumps(self.live, 1)
        self.live, _ = codec.loads(raw, lambda _: parsed(self.name), environment())
        return len(raw)

    def _same(self) -> bool:
        theirs, ours = snapshot(self.stock), snapshot(self.live)
        if theirs == ours:
            assert timers.next_due(self.stock) == timers.next_due(self.live)
            assert [w[0] for w in waits(self.stock)] == [w[0] for w in waits(self.live)]
            return True
        assert self.tolerant, (self.name, _only(theirs, ours), _only(ours, theirs))
        early = early_joins(self.stock, self.live)
        assert early, ("not a join", _only(theirs, ours), _only(ours, theirs))
        self.tally.early_joins += 1
        return False

    def _step(self, answers: Answers) -> bool:
        """One random action on both; False when stock crashed (and ours did not)."""
        dice = self.random.random()
        todo, messages, due = people(self.live), waits(self.live), timers.next_due(self.live)
        if todo and (dice < 0.72 or not (messages or due)):
            at = self.random.randrange(len(todo))
            values = answers(self.random, todo[at].task_spec.name)
            workflow.complete(self.live, todo[at].id, values)
            return self._stock(lambda: self._complete_stock(at, values))
        if messages and (dice < 0.86 or not due):
            at = self.random.randrange(len(messages))
            payload = answers(self.random, messages[at][2])
            self.tally.messages += 1
            workflow.deliver(self.live, messages[at][1].id, messages[at][2], payload)
            return self._stock(lambda: self._deliver_stock(at, payload))
        if due is not None:
            self.tally.timers += 1
            self.clock.moment = max(self.clock.moment, due)
            workflow.advance(self.live)
            return self._stock(lambda: None)
        return True

    def _stock(self, action: Callable[[], None]) -> bool:
        try:
            action()
            settle_stock(self.stock)
        except Exception as error:
            if not self.tolerant:
                raise
            self.tally.stock_crashed += 1
            self.tally.crashes.append(type(error).__name__)
            return False
        return True

    def _complete_stock(self, at: int, values: dict[str, Any]) -> None:
        task = people(self.stock)[at]
        task.data.update(values)
        task.run()

    def _deliver_stock(self, at: int, payload: dict[str, Any]) -> None:
        _, task, name, definition = waits(self.stock)[at]
        task.task_spec.catch(task, BpmnEvent(definition, {}))
        task.task_spec._update(task)
        task.internal_data.pop(name, None)
        task.data.update(payload)
        workflow.rearm(task)


def _only(left: list[Any], right: list[Any]) -> list[Any]:
    return [item for item in left if item not in right]


def early_joins(theirs: Any, ours: Any) -> list[str]:
    """Joins that stock has passed and ours still waits at, with a branch open upstream of them."""
    found = []
    for task in tasks_of(ours):
        spec = task.task_spec
        if task.state != TaskState.WAITING or not isinstance(
            spec, ParallelGateway | InclusiveGateway
        ):
            continue
        stock_waits = any(
            t.task_spec is spec and t.state == TaskState.WAITING for t in tasks_of(theirs)
        )
        upstream = any(
            other.state & OPEN and other.id != task.id and _leads_to(other.task_spec, spec)
            for other in task.workflow.tasks.values()
        )
        if upstream and not stock_waits:
            found.append(spec.name)
    return found


def _leads_to(start: Any, target: Any) -> bool:
    seen, queue = set(), [start]
    while queue:
        spec = queue.pop()
        if spec.name in seen:
            continue
        seen.add(spec.name)
        for output in spec.outputs:
            if output is target:
                return True
            queue.append(output)
    return False
