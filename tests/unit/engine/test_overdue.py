"""Overdue events (超时): where they may be drawn, and which of several takes one of a task."""

import pytest

from app.engine import addressing, workflow
from app.engine.checks import Vocabulary, check
from tests.unit.engine.flows import bundle, flow_of, open_ids, started
from tests.unit.engine.test_checks import PROPERTY, between, codes, user

LIMITS = Vocabulary(deadline_keys=frozenset({"sign_in", "handle"}), clock_keys=frozenset({"total"}))
SIGN_IN = user("u", PROPERTY.format("deadline", "sign_in"))


def overdue(key: str) -> str:
    """Declares the message `o`."""
    return f'<bpmn:message id="o" name="overdue.{key}"/>'


def late(host: str) -> str:
    """A boundary event `b` that waits for `o`."""
    return (
        f'<bpmn:boundaryEvent id="b" attachedToRef="{host}" cancelActivity="false">'
        '<bpmn:messageEventDefinition messageRef="o"/></bpmn:boundaryEvent>'
    )


@pytest.mark.parametrize(
    ("key", "nodes", "flows", "code"),
    [
        ("sign_in", SIGN_IN + late("u"), ["s>u", "u>e", "b>e"], None),
        ("total", SIGN_IN + late("u"), ["s>u", "u>e", "b>e"], None),
        ("handle", SIGN_IN + late("u"), ["s>u", "u>e", "b>e"], "overdue_never"),
        ("handel", SIGN_IN + late("u"), ["s>u", "u>e", "b>e"], "overdue_unknown"),
        (
            "sign_in",
            '<bpmn:intermediateCatchEvent id="b"><bpmn:messageEventDefinition messageRef="o"/>'
            "</bpmn:intermediateCatchEvent>",
            ["s>b", "b>e"],
            "overdue_place",
        ),
        ("total", '<bpmn:receiveTask id="b" messageRef="o"/>', ["s>b", "b>e"], "overdue_place"),
        (
            "sign_in",
            '<bpmn:subProcess id="p"><bpmn:startEvent id="ps"/>'
            f'{SIGN_IN}<bpmn:endEvent id="pe"/>{flow_of("ps>u", "u>pe")}</bpmn:subProcess>'
            + late("p"),
            ["s>p", "p>e", "b>e"],
            None,
        ),
    ],
)
def test_an_overdue_event_stands_on_an_activity_with_that_time_limit(
    key: str, nodes: str, flows: list[str], code: str | None
) -> None:
    xml = bundle(between(nodes, *flows), before=overdue(key))

    assert codes(xml, LIMITS) == ({("b", code)} if code else set())


@pytest.mark.parametrize(("key", "code"), [("sign_in", None), ("handle", "overdue_never")])
def test_an_overdue_event_on_a_call_is_of_a_task_of_what_is_called(
    key: str, code: str | None
) -> None:
    call = '<bpmn:callActivity id="c" calledElement="below"/>'
    above = bundle(between(call + late("c"), "s>c", "c>e", "b>e"), before=overdue(key))
    below = bundle(between(SIGN_IN, "s>u", "u>e")).replace(b'"main"', b'"below"')

    problems = check({"main": above, "below": below}, "main", LIMITS)

    assert [problem.code for problem in problems] == ([code] if code else [])


FORK = '<bpmn:parallelGateway id="f"/>'
ONE, OTHER = user("one"), user("other")


def on(host: str, name: str) -> str:
    """A boundary event beside its activity, and the task it leads to."""
    return late(host).replace('id="b"', f'id="{name}"') + user(f"after_{name}")


def parallel() -> workflow.LiveWorkflow:
    """Two open tasks beside each other, each with its overdue event."""
    nodes = FORK + ONE + OTHER + on("one", "x") + on("other", "y")
    flows = ["s>f", "f>one", "f>other", "one>e", "other>e"]
    flows += ["x>after_x", "after_x>e", "y>after_y", "after_y>e"]
    return started(bundle(between(nodes, *flows), before=overdue("sign_in")))


@pytest.mark.parametrize(("host", "drawn"), [("one", "x"), ("other", "y")])
def test_what_concerns_a_task_is_taken_on_its_own_border(host: str, drawn: str) -> None:
    flow = parallel()
    task = next(task for task in flow.open_user_tasks() if task.element_id == host)

    wait = addressing.catcher(flow, "overdue.sign_in", task.task_id)

    assert wait is not None
    assert wait.element_id == drawn
    workflow.deliver(flow, wait.task_id, "overdue.sign_in", {})
    assert open_ids(flow) == sorted(["one", "other", f"after_{drawn}"])


@pytest.mark.parametrize("inside", [True, False])
def test_else_it_is_taken_on_the_border_of_what_the_task_is_in(inside: bool) -> None:
    events = on("u", "inner") if inside else ""
    sub = (
        f'<bpmn:subProcess id="p"><bpmn:startEvent id="ps"/>{SIGN_IN}{events}'
        '<bpmn:endEvent id="pe"/>'
        + flow_of("ps>u", "u>pe", *(["inner>after_inner", "after_inner>pe"] if inside else []))
        + "</bpmn:subProcess>"
    )
    nodes = sub + on("p", "outer")
    xml = between(nodes, "s>p", "p>e", "outer>after_outer", "after_outer>e")
    flow = started(bundle(xml, before=overdue("sign_in")))
    (task,) = flow.open_user_tasks()

    wait = addressing.catcher(flow, "overdue.sign_in", task.task_id)

    assert wait is not None
    assert wait.element_id == ("inner" if inside else "outer")


def test_nobody_elses_border_takes_it() -> None:
    nodes = FORK + ONE + OTHER + on("one", "x")
    flows = ["s>f", "f>one", "f>other", "one>e", "other>e", "x>after_x", "after_x>e"]
    flow = started(bundle(between(nodes, *flows), before=overdue("sign_in")))
    other = next(task for task in flow.open_user_tasks() if task.element_id == "other")

    assert addressing.catcher(flow, "overdue.sign_in", other.task_id) is None
    assert addressing.catcher(flow, "overdue.sign_in", None) is not None
