"""Timers follow the product's clock, and next_due names the first moment something happens."""

from datetime import UTC, timedelta
from typing import Any

import pytest

from app.engine import parser, timers, workflow
from tests.unit.engine.flows import bundle, environment, flow_of, open_ids, started, stored


def task_with_timer(kind: str, text: str, *, interrupting: bool = True) -> bytes:
    return bundle(
        '<bpmn:startEvent id="s"/><bpmn:userTask id="work"/><bpmn:boundaryEvent id="t" '
        f'attachedToRef="work" cancelActivity="{str(interrupting).lower()}">'
        f"<bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}>"
        '</bpmn:timerEventDefinition></bpmn:boundaryEvent><bpmn:userTask id="late"/>'
        '<bpmn:endEvent id="e"/>' + flow_of("s>work", "work>e", "t>late", "late>e")
    )


@pytest.mark.parametrize(
    ("kind", "text", "variables", "delay"),
    [
        ("timeDuration", '"PT90M"', {}, timedelta(minutes=90)),
        ("timeDuration", '"P1DT12H"', {}, timedelta(hours=36)),
        ("timeDuration", '"P2W"', {}, timedelta(weeks=2)),
        ("timeDuration", '"PT" + str(hours) + "H"', {"hours": 4}, timedelta(hours=4)),
        ("timeDate", "due_at", {"due_at": "2026-11-25T09:30:00+08:00"}, timedelta(days=1)),
        ("timeDate", '"2026-11-24T02:30:00+00:00"', {}, timedelta(hours=1)),
    ],
)
def test_timer_is_due_a_moment_after_its_time(
    clock: Any, kind: str, text: str, variables: dict[str, Any], delay: timedelta
) -> None:
    flow = started(task_with_timer(kind, text), variables)
    moment = (clock.moment + delay).astimezone(UTC)

    due = timers.next_due(flow)

    assert due == moment + timedelta(microseconds=1)
    clock.moment = moment
    assert not timers.anything_due(flow)
    workflow.advance(flow)
    assert open_ids(flow) == ["work"]
    clock.moment = due
    assert timers.anything_due(flow)
    workflow.advance(flow)
    assert open_ids(flow) == ["late"]
    assert timers.next_due(flow) is None


@pytest.mark.parametrize("text", ['"R3/PT1H"', '"R3/2026-11-24T02:30:00+00:00/PT1H"'])
def test_cycle_fires_its_number_of_times_also_after_a_long_sleep(clock: Any, text: str) -> None:
    xml = task_with_timer("timeCycle", text, interrupting=False)
    definition = parser.parse({"main": xml}, "main")
    flow = workflow.new_workflow(definition, {}, environment())
    clock.move(days=30)

    while timers.anything_due(flow):
        workflow.advance(flow)
        flow = stored(flow, definition)

    assert open_ids(flow).count("late") == 3
    assert timers.next_due(flow) is None


def test_warning_timer_leaves_the_task_open(clock: Any) -> None:
    flow = started(task_with_timer("timeDuration", '"PT1H"', interrupting=False))
    assert flow.open_user_tasks()[0].data == {}
    clock.move(hours=2)

    workflow.advance(flow)

    assert open_ids(flow) == ["late", "work"]
    assert timers.next_due(flow) is None
