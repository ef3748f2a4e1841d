"""Why we do not run SpiffWorkflow as it comes: each fault shown on 3.2.0, and ours beside it.

When one of these fails after an upgrade, the fault is repaired and our repair can go.
"""

import json
import random
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.exceptions import TaskNotFoundException
from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
from SpiffWorkflow.util.task import TaskState

from app.engine import workflow
from app.engine.parser import parse
from tests.bpmn.test_equivalence import TICKET_START
from tests.bpmn.walking import (
    DIAGRAMS,
    live,
    people,
    predicting,
    settle_stock,
    snapshot,
    sources,
    stock,
    stored,
)
from tests.unit.engine.flows import bundle, flow_of
from tests.unit.engine.test_workflow import do

if TYPE_CHECKING:
    from tests.conftest import MovableClock


def act(flow: BpmnWorkflow, *elements: str, **values: Any) -> None:
    """Complete these user tasks of a stock workflow."""
    for element in elements:
        task = next(t for t in people(flow) if t.task_spec.name == element)
        task.data.update(values)
        task.run()
        settle_stock(flow)


def at_county() -> BpmnWorkflow:
    flow = stock("ticket_like", TICKET_START)
    act(flow, "sign", "review", "dispatch", "city_sign", "county_sign", route="down")
    return flow


def test_the_faults_below_are_those_of_the_pinned_version() -> None:
    assert version("SpiffWorkflow") == "3.2.0"


@pytest.fixture
def deep_stack() -> Iterator[None]:
    """Without it stock dies of a RecursionError first; with it, it stalls."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("deep_stack")
def test_stock_stalls_silently_when_the_tree_is_a_thousand_deep() -> None:
    flow = at_county()
    rejections = 0
    while rejections < 250:
        task = flow.get_next_task(state=TaskState.READY, manual=True)
        if task is None:
            break
        task.data["audit_result"] = "reject"
        task.run()
        flow.do_engine_steps()
        rejections += task.task_spec.name == "county_audit"

    assert 100 < rejections < 200
    assert flow.get_tasks(state=TaskState.READY) == []
    assert not flow.is_completed()


def test_stock_state_read_with_reordered_keys_loses_data() -> None:
    flow = at_county()
    act(flow, "investigate", "report", opinion="属实")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(_config()))
    document = json.loads(serializer.serialize_json(flow))

    again = serializer.deserialize_json(json.dumps(_as_jsonb(document)))

    task = next(t for t in people(again) if t.task_spec.name == "county_audit")
    original = next(t for t in people(flow) if t.task_spec.name == "county_audit")
    assert original.data["opinion"] == "属实"
    assert task.data != original.data


def _config() -> dict[Any, Any]:
    from SpiffWorkflow.spiff.serializer.task_spec import ServiceTaskConverter

    from app.engine.parser import HandlerTask

    return {**SPIFF_CONFIG, HandlerTask: ServiceTaskConverter}


def _as_jsonb(value: Any) -> Any:
    """PostgreSQL's JSONB orders keys by length and then by bytes."""
    if isinstance(value, list):
        return [_as_jsonb(item) for item in value]
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: _as_jsonb(value[key]) for key in keys}
    return value


@pytest.mark.parametrize(("choice", "element"), [(2, "many"), (6, "several")])
def test_stock_crashes_when_a_multi_instance_call_is_interrupted(
    clock: "MovableClock", choice: int, element: str
) -> None:
    variables = {"k": 0, "n": 0.5, "rounds": 0}
    theirs, ours = stock("stress", variables), live("stress", variables)
    act(theirs, "choose", k=choice)
    do(ours, "choose", k=choice)
    ours = stored(ours, "stress")

    with pytest.raises(TaskNotFoundException):
        _interrupt_stock(theirs, clock, element)
    if element == "several":
        wait = next(w for w in ours.waiting_messages() if w.name == "m3")
        workflow.deliver(ours, wait.task_id, "m3", {})
    else:
        workflow.advance(ours)

    assert [t.element_id for t in ours.open_user_tasks()] == ["decide"]
    assert ours.subprocesses == {} or all(s.completed for s in ours.subprocesses.values())


def _interrupt_stock(flow: BpmnWorkflow, clock: "MovableClock", element: str) -> None:
    if element == "many":
        clock.move(hours=6)
    else:
        waiting = next(
            t for t in flow.event_manager.tasks.values() if t.task_spec.name == "several_stopped"
        )
        waiting.internal_data["event_fired"] = True
        waiting.task_spec._update(waiting)
    settle_stock(flow)
    act(flow, "decide", n=0.1)


def test_stock_leaves_a_due_timer_unrun_after_one_engine_step(clock: "MovableClock") -> None:
    theirs, ours = at_county(), live("ticket_like", TICKET_START)
    do(ours, "sign", "review", "dispatch", "city_sign", "county_sign", route="down")
    clock.move(hours=73)

    theirs.do_engine_steps()
    workflow.advance(ours)

    assert [t.task_spec.name for t in people(theirs)] == ["investigate"]
    assert [t.element_id for t in ours.open_user_tasks()] == ["explain_overdue"]


def test_stock_runs_a_completed_task_again_without_a_word() -> None:
    flow = stock("three_tasks", {})
    task = people(flow)[0]
    act(flow, "accept")

    task.run()

    assert task.state == TaskState.COMPLETED


def test_stock_join_in_a_loop_fires_after_one_branch() -> None:
    variables = {"k": 0, "n": 0.5, "rounds": 0}
    theirs, ours = stock("stress", variables), live("stress", variables)
    for order in (("left", "middle", "right"), ("right",)):
        act(theirs, "choose", k=1)
        do(ours, "choose", k=1)
        for element in order:
            act(theirs, element, n=0.7)
            do(ours, element, n=0.7)
            ours = stored(ours, "stress")
        if len(order) == 3:
            act(theirs, "decide", n=0.1)
            do(ours, "decide", n=0.1)
            ours = stored(ours, "stress")

    assert "decide" in [t.task_spec.name for t in people(theirs)]
    assert [t.element_id for t in ours.open_user_tasks()] == ["left", "middle"]


@pytest.mark.parametrize(
    "script",
    [
        "import os; leaked = os.getcwd()",
        "leaked = ().__class__.__base__.__name__",
        "leaked = open('/dev/null').read()",
    ],
)
def test_stock_scripts_reach_the_machine(script: str) -> None:
    xml = bundle(
        f'<bpmn:startEvent id="s"/><bpmn:scriptTask id="t"><bpmn:script>{script}</bpmn:script>'
        '</bpmn:scriptTask><bpmn:endEvent id="e"/>' + flow_of("s>t", "t>e")
    )
    flow = BpmnWorkflow(
        predicting(parse({"main": xml}, "main")).spec, script_engine=PythonScriptEngine()
    )

    flow.do_engine_steps()

    assert flow.is_completed()
    assert "leaked" in flow.data


def test_running_instances_never_change_the_shared_diagram() -> None:
    name = "ticket_like"
    definition = parse(sources(DIAGRAMS[0], name), name)

    def shape() -> list[Any]:
        specs = (definition.spec, *definition.subprocess_specs.values())
        return [
            (s.name, t.name, list(t._inputs), list(t._outputs), t.completed_event.n_subscribers())
            for s in specs
            for t in s.task_specs.values()
        ]

    before, dice = shape(), random.Random(3)
    flow = workflow.new_workflow(
        definition, TICKET_START, live(name, TICKET_START).script_engine.environment
    )
    for _ in range(30):
        todo = flow.open_user_tasks()
        if not todo:
            break
        values = {"route": "down", "audit_result": dice.choice(["reject", "pass"])}
        workflow.complete(flow, dice.choice(todo).task_id, values)

    assert shape() == before
    assert snapshot(flow)
    assert all(isinstance(task.task_id, UUID) for task in flow.open_user_tasks())
