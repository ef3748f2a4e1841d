"""The verbs of a running instance."""

import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.errors import Conflict
from app.engine import workflow
from app.engine.expressions import NotFlat, element_of
from app.engine.workflow import EndlessLoop, NotWaiting, TaskNotReady
from tests.bpmn.walking import live
from tests.unit.engine.flows import bundle, flow_of, open_ids, started

THREE: dict[str, Any] = {"handling_unit": 7, "audit_result": ""}
TICKET: dict[str, Any] = {
    "handling_unit": 7,
    "review_result": "accept",
    "approved": False,
    "route": "down",
    "handled": "",
    "audit_result": "",
    "satisfied": True,
}


def do(flow: workflow.LiveWorkflow, *elements: str, **values: Any) -> None:
    """Complete these user tasks one after the other."""
    for element in elements:
        task = next(t for t in flow.open_user_tasks() if t.element_id == element)
        workflow.complete(flow, task.task_id, values)


def waiting(flow: workflow.LiveWorkflow, name: str) -> uuid.UUID:
    return next(w.task_id for w in flow.waiting_messages() if w.name == name)


def test_start_runs_to_the_first_person() -> None:
    flow = live("three_tasks", THREE)

    (task,) = flow.open_user_tasks()

    assert (task.process, task.element_id, task.name) == ("three_tasks", "accept", "受理")
    assert task.lane == "province"
    assert task.properties["role"] == "operator"
    assert task.data == THREE


def test_handler_answer_is_merged_flat() -> None:
    flow = live("three_tasks", THREE)

    do(flow, "accept", note="好")

    (task,) = flow.open_user_tasks()
    assert task.element_id == "handle"
    assert task.data == {
        **THREE,
        "note": "好",
        "handler": "delegation.assign_unit",
        "asked_level": "county",
    }
    assert flow.last_data() == task.data


def test_whole_flow_with_a_rejection_ends_completed() -> None:
    flow = live("three_tasks", THREE)

    do(flow, "accept", "handle")
    do(flow, "audit", audit_result="reject")
    assert open_ids(flow) == ["handle"]
    do(flow, "handle")
    do(flow, "audit", audit_result="pass")

    assert flow.is_completed()
    assert flow.open_user_tasks() == []
    assert flow.data["audit_result"] == "pass"


def test_trail_tells_what_was_passed_in_order_and_only_once(clock: Any) -> None:
    flow = live("three_tasks", THREE)
    flow.passed()
    opened = clock.moment
    clock.move(hours=2)

    do(flow, "accept")

    first, second = flow.passed()
    assert (first.element_id, first.kind, first.state) == ("accept", "user", "completed")
    assert first.started_at == opened.astimezone(UTC)
    assert first.ended_at - first.started_at == timedelta(hours=2)
    assert (second.element_id, second.kind, second.started_at) == ("assign", "service", None)
    assert flow.passed() == []


def test_completed_task_cannot_be_completed_again() -> None:
    flow = live("three_tasks", THREE)
    task_id = flow.open_user_tasks()[0].task_id
    workflow.complete(flow, task_id, {})

    with pytest.raises(TaskNotReady) as refusal:
        workflow.complete(flow, task_id, {"audit_result": "pass"})

    assert isinstance(refusal.value, Conflict)
    assert open_ids(flow) == ["handle"]
    assert flow.open_user_tasks()[0].data["audit_result"] == ""


def test_unknown_task_is_not_ready() -> None:
    with pytest.raises(TaskNotReady):
        workflow.complete(live("three_tasks", THREE), uuid.uuid4(), {})


def test_nested_variables_are_refused_at_every_entry() -> None:
    nested = {"form": {"phone": "1"}}
    flow = live("three_tasks", THREE)
    task_id = flow.open_user_tasks()[0].task_id

    with pytest.raises(NotFlat):
        live("three_tasks", nested)
    with pytest.raises(NotFlat):
        workflow.complete(flow, task_id, nested)
    with pytest.raises(NotFlat):
        workflow.deliver(flow, task_id, "x", nested)

    assert open_ids(flow) == ["accept"]


SERVICE = (
    '<bpmn:startEvent id="s"/><bpmn:serviceTask id="work" name="分派"><bpmn:extensionElements>'
    '<spiffworkflow:serviceTaskOperator id="a.b"/></bpmn:extensionElements></bpmn:serviceTask>'
    '<bpmn:endEvent id="e"/>' + flow_of("s>work", "work>e")
)


class NoUnit(Conflict):
    """A refusal of some handler."""


@pytest.mark.parametrize("error", [NoUnit("没有承办单位"), ValueError("x"), KeyError("y")])
def test_handler_exception_comes_out_as_it_is_with_its_element(error: Exception) -> None:
    def handler(name: str, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        raise error

    with pytest.raises(type(error)) as caught:
        started(bundle(SERVICE), call=handler)

    assert caught.value is error
    assert element_of(caught.value) == "work"


def test_handler_may_not_answer_with_nested_values() -> None:
    with pytest.raises(NotFlat) as caught:
        started(bundle(SERVICE), call=lambda name, params, data: {"unit": {"id": 1}})
    assert element_of(caught.value) == "work"


def test_gateway_that_cannot_decide_names_itself() -> None:
    gateway = (
        '<bpmn:startEvent id="s"/><bpmn:exclusiveGateway id="g"/>'
        '<bpmn:endEvent id="e"/><bpmn:endEvent id="f"/>'
        + flow_of("s>g", "g>e if n == 1", "g>f if n == 2")
    )
    with pytest.raises(Exception, match="No conditions") as caught:
        started(bundle(gateway), {"n": 3})
    assert element_of(caught.value) == "g"

    with pytest.raises(NameError) as unknown:
        started(bundle(gateway))
    assert element_of(unknown.value) == "g"


def test_circle_without_people_is_stopped() -> None:
    circle = (
        '<bpmn:startEvent id="s"/><bpmn:exclusiveGateway id="g" default="g_t"/>'
        '<bpmn:scriptTask id="t"><bpmn:script>n = n + 1</bpmn:script></bpmn:scriptTask>'
        '<bpmn:endEvent id="e"/>' + flow_of("s>g", "g>t", "t>g", "g>e if n &lt; 0")
    )
    with pytest.raises(EndlessLoop):
        started(bundle(circle), {"n": 0})


def test_process_that_calls_itself_without_people_is_stopped() -> None:
    itself = (
        '<bpmn:startEvent id="s"/><bpmn:callActivity id="c" calledElement="main"/>'
        '<bpmn:endEvent id="e"/>' + flow_of("s>c", "c>e")
    )
    with pytest.raises(EndlessLoop):
        started(bundle(itself))


def test_message_goes_to_one_element_only_and_its_payload_is_merged() -> None:
    two = (
        '<bpmn:startEvent id="s"/><bpmn:parallelGateway id="f"/>'
        '<bpmn:intermediateCatchEvent id="a"><bpmn:messageEventDefinition messageRef="m"/>'
        '</bpmn:intermediateCatchEvent><bpmn:receiveTask id="b" messageRef="m"/>'
        '<bpmn:userTask id="ua"/><bpmn:userTask id="ub"/><bpmn:endEvent id="e"/>'
        + flow_of("s>f", "f>a", "f>b", "a>ua", "b>ub", "ua>e", "ub>e")
    )
    flow = started(bundle(two, before='<bpmn:message id="m" name="decide.it"/>'))
    waits = {w.element_id: w for w in flow.waiting_messages()}
    assert {w.name for w in waits.values()} == {"decide.it"}

    workflow.deliver(flow, waits["b"].task_id, "decide.it", {"approved": True})

    assert open_ids(flow) == ["ub"]
    assert flow.open_user_tasks()[0].data == {"approved": True}
    assert [w.element_id for w in flow.waiting_messages()] == ["a"]
    for task_id, name in ((waits["b"].task_id, "decide.it"), (waits["a"].task_id, "other")):
        with pytest.raises(NotWaiting):
            workflow.deliver(flow, task_id, name, {})
    with pytest.raises(NotWaiting):
        workflow.deliver(flow, uuid.uuid4(), "decide.it", {})


def test_interrupting_message_takes_everything_below_away() -> None:
    flow = live("ticket_like", TICKET)
    do(flow, "sign", "review", "dispatch", "city_sign", "county_sign")
    assert open_ids(flow) == ["investigate"]
    flow.passed()

    workflow.deliver(flow, waiting(flow, "ticket.withdraw"), "ticket.withdraw", {"reason": "x"})

    assert flow.is_completed()
    cancelled = [p.element_id for p in flow.passed() if p.state == "cancelled"]
    assert sorted(cancelled) == ["city", "county", "investigate"]
    assert flow.waiting_messages() == []
    assert flow.event_manager.tasks == {}


def test_message_beside_the_flow_does_not_disturb_it() -> None:
    flow = live("ticket_like", TICKET)
    do(flow, "sign", "review", "dispatch", "city_sign")

    workflow.deliver(flow, waiting(flow, "extension.request"), "extension.request", {"days": 5})

    assert open_ids(flow) == ["county_sign", "decide_extension"]
    do(flow, "decide_extension", agreed=True)
    do(flow, "county_sign", "investigate", "report")
    do(flow, "county_audit", "city_audit", audit_result="pass")
    do(flow, "audit_province", audit_result="pass")
    (event, _) = (w for w in flow.waiting_messages() for _ in range(2))
    assert (event.element_id, event.name) == ("called_back", "callback.result")
    workflow.deliver(flow, event.task_id, event.name, {"satisfied": True})
    assert flow.is_completed()
    assert flow.data["agreed"] is True


def test_cancelled_instance_has_nothing_open(clock: Any) -> None:
    flow = live("ticket_like", TICKET)
    do(flow, "sign", "review", "dispatch", "city_sign")
    flow.passed()

    workflow.cancel(flow)

    assert flow.is_completed()
    assert flow.open_user_tasks() == []
    assert flow.waiting_messages() == []
    states = {(p.element_id, p.state) for p in flow.passed()}
    assert states == {(e, "cancelled") for e in ("city", "county", "county_sign")}
    assert flow.last_data()["route"] == "down"


def test_due_timer_fires_before_the_person_who_came_later(clock: Any) -> None:
    flow = live("ticket_like", TICKET)
    do(flow, "sign", "review", "dispatch", "city_sign", "county_sign")
    task_id = flow.open_user_tasks()[0].task_id

    clock.move(hours=73)
    with pytest.raises(TaskNotReady):
        workflow.complete(flow, task_id, {})

    assert open_ids(flow) == ["explain_overdue"]


def test_citizens_data_never_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="app"):
        do(live("three_tasks", {**THREE, "phone": "13800000000"}), "accept")

    assert not [r for r in caplog.records if "13800000000" in str(r.__dict__)]
    assert not logging.getLogger("spiff.task").isEnabledFor(logging.INFO)


def test_passed_moments_are_aware_utc() -> None:
    flow = live("three_tasks", THREE)
    assert all(p.ended_at.tzinfo == UTC and p.ended_at <= datetime.now(UTC) for p in flow.passed())
