"""Pruning keeps an instance small for ever, and keeps everything it still needs."""

from typing import Any

import pytest

from app.engine import codec, pruning, workflow
from app.engine.workflow import LiveWorkflow
from tests.bpmn.shipped import start_of
from tests.bpmn.test_equivalence import TICKET_START
from tests.bpmn.walking import live, parsed, stored
from tests.unit.engine.flows import environment, open_ids
from tests.unit.engine.test_workflow import THREE, do, waiting

START = start_of("call_transfer", {})


def size(flow: LiveWorkflow) -> int:
    return len(list(flow.all_tasks()))


def at_county() -> LiveWorkflow:
    flow = live("ticket_like", TICKET_START)
    do(flow, "sign", "review", "dispatch", "city_sign", "county_sign", route="down")
    return stored(flow, "ticket_like")


def reject(flow: LiveWorkflow) -> LiveWorkflow:
    for element in ("investigate", "report", "county_audit"):
        do(flow, element, audit_result="reject")
        flow = stored(flow, "ticket_like")
    return flow


def test_a_thousand_rejections_stay_flat() -> None:
    flow = at_county()
    sizes: dict[int, tuple[int, int]] = {}
    for number in range(1, 1001):
        flow = reject(flow)
        if number in {10, 500, 1000}:
            sizes[number] = (size(flow), len(codec.dumps(flow, 1)))

    assert {tasks for tasks, _ in sizes.values()} == {sizes[10][0]}
    assert max(state for _, state in sizes.values()) - sizes[10][1] < 40
    assert open_ids(flow) == ["investigate"]


@pytest.mark.parametrize("beside", ["warning fired", "extension pending", "extension decided"])
def test_rejections_stay_flat_whatever_happened_beside_the_flow(clock: Any, beside: str) -> None:
    """A branch that ended leaves a token at the end join: it must not pin the tree."""
    flow = at_county()
    if beside == "warning fired":
        clock.move(hours=21)
        workflow.advance(flow)
    else:
        message = waiting(flow, "extension.request")
        workflow.deliver(flow, message, "extension.request", {"days": 5})
        if beside == "extension decided":
            do(flow, "decide_extension", agreed=True)
    flow = stored(flow, "ticket_like")

    for _ in range(10):
        flow = reject(flow)
    ten = size(flow)
    for _ in range(190):
        flow = reject(flow)

    assert size(flow) == ten < 90


def test_delegations_from_the_province_stay_flat() -> None:
    flow = at_county()
    sizes = set()
    for number in range(60):
        do(flow, "investigate", "report")
        do(flow, "county_audit", "city_audit", audit_result="pass")
        do(flow, "audit_province", audit_result="reject")
        do(flow, "city_sign", "county_sign", route="down")
        flow = stored(flow, "ticket_like")
        if number > 5:
            sizes.add(size(flow))

    assert len(sizes) == 1
    assert len(flow.subprocesses) == 2


def test_side_branches_in_a_loop_stay_flat_while_the_main_flow_waits() -> None:
    flow = live("stress", {"k": 0, "n": 0.5, "rounds": 0})
    do(flow, "choose", k=8)
    workflow.deliver(flow, waiting(flow, "m2"), "m2", {})
    sizes = set()
    for number in range(80):
        do(flow, "side_work", n=0.1)
        do(flow, "long_work", n=0.1)
        flow = stored(flow, "stress")
        if number > 5:
            sizes.add(size(flow))

    assert len(sizes) == 1
    assert open_ids(flow) == ["long_work", "side_work"]


def test_fork_whose_branch_ends_by_itself_stays_flat() -> None:
    flow = live("stress", {"k": 0, "n": 0.5, "rounds": 0})
    sizes = set()
    for number in range(60):
        do(flow, "choose", k=7)
        do(flow, "aside", n=number / 100)
        do(flow, "onward", "decide", n=0.1)
        flow = stored(flow, "stress")
        if number > 5:
            sizes.add(size(flow))

    assert len(sizes) == 1


def test_data_of_a_branch_that_ended_reach_the_end() -> None:
    """SpiffWorkflow merges every ended branch into the result; pruning must not lose them."""
    flow = live("stress", {"k": 0, "n": 0.5, "rounds": 0})
    for marked in (0.11, 0.22):
        do(flow, "choose", k=7)
        do(flow, "aside", n=marked)
        do(flow, "onward", "decide", n=0.1)
        flow = stored(flow, "stress")
    do(flow, "choose", k=9)
    do(flow, "loop", "loop", "loop")
    do(flow, "decide", n=0.95)

    assert flow.is_completed()
    assert flow.data["aside"] == 0.22


def test_token_parked_at_a_join_survives_a_loop_in_the_other_branch() -> None:
    flow = live("stress", {"k": 0, "n": 0.5, "rounds": 0})
    do(flow, "choose", k=1)
    do(flow, "right", "middle", from_right=1)
    for _ in range(5):
        do(flow, "left", n=0.1)
        flow = stored(flow, "stress")
    assert open_ids(flow) == ["left"]

    do(flow, "left", n=0.9)

    assert open_ids(flow) == ["decide"]
    assert flow.open_user_tasks()[0].data["from_right"] == 1


def test_pruning_twice_changes_nothing() -> None:
    flow = at_county()
    before = codec.dumps(flow, 1)

    pruning.prune(flow)

    assert codec.dumps(flow, 1) == before


def test_pruning_keeps_the_trail_for_the_history() -> None:
    flow = live("three_tasks", THREE)
    flow.passed()
    do(flow, "accept")

    pruning.prune(flow)

    assert [p.element_id for p in flow.passed()] == ["accept", "assign"]
    again = codec.loads(codec.dumps(flow, 1), lambda _: parsed("three_tasks"), environment())[0]
    assert again.passed() == []


def test_a_boundary_event_beside_its_activity_fires_as_often_as_it_is_told() -> None:
    flow = stored(live("call_transfer", START), "call_transfer")
    flow = _at_handling(flow)
    small = size(flow)

    for _ in range(200):
        flow = _told(flow, "request.extension")
        do(flow, "leader_decides", extension_approved=2)
        flow = stored(flow, "call_transfer")

    assert size(flow) - small <= 4


def test_what_a_boundary_event_began_goes_on_after_its_activity() -> None:
    flow = _at_handling(stored(live("call_transfer", START), "call_transfer"))
    flow = _told(_told(flow, "request.extension"), "request.extension")

    flow = _told(flow, "recall.ticket")

    assert sorted(open_ids(flow)) == ["dispatch", "leader_decides", "leader_decides"]


def test_a_loop_that_listens_for_ever_stays_flat() -> None:
    flow = _at_handling(stored(live("call_transfer", START), "call_transfer"))
    small = size(flow)

    for _ in range(200):
        flow = _told(flow, "raise.matter", matter="urge")
        do(flow, "answer_urge")
        flow = stored(flow, "call_transfer")

    assert size(flow) - small <= 4


def _at_handling(flow: LiveWorkflow) -> LiveWorkflow:
    do(flow, "answer_call", call="record")
    do(flow, "record_ticket", "check_ticket", review="accept")
    return stored(flow, "call_transfer")


def _told(flow: LiveWorkflow, name: str, **payload: Any) -> LiveWorkflow:
    wait = next(w for w in flow.waiting_messages() if w.name == name)
    asked = {"decider": "leader", "province_first": False, **payload}
    workflow.deliver(flow, wait.task_id, name, asked)
    return stored(flow, "call_transfer")
