"""Small diagrams as text, each with a process key of its own, and the handlers they name."""

import itertools
import uuid
from collections.abc import Callable

import pytest
from marshmallow import Schema, fields
from marshmallow.validate import Range

from app.core.errors import Conflict
from app.engine import registry
from app.engine.registry import Form, Step, Submission, Variables

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" '
    'id="definitions" targetNamespace="https://zhuanban.example/bpmn">'
)


def new_key(prefix: str = "p") -> str:
    """A process or business key that no other test has."""
    return f"{prefix}_{uuid.uuid4().hex[:12]}"


def user(name: str, title: str = "", **properties: str) -> str:
    """A user task; every task needs a role."""
    words = {"role": "province_operator", **properties}
    inner = "".join(
        f'<spiffworkflow:property name="{key}" value="{value}" />' for key, value in words.items()
    )
    return (
        f'<bpmn:userTask id="{name}" name="{title or name}"><bpmn:extensionElements>'
        f"<spiffworkflow:properties>{inner}</spiffworkflow:properties>"
        "</bpmn:extensionElements></bpmn:userTask>"
    )


def service(name: str, operator: str, **parameters: str) -> str:
    """A service task with a handler; parameters are expressions."""
    inner = "".join(
        f'<spiffworkflow:parameter id="{key}" value="{value}" />'
        for key, value in parameters.items()
    )
    return (
        f'<bpmn:serviceTask id="{name}" name="{name}"><bpmn:extensionElements>'
        f'<spiffworkflow:serviceTaskOperator id="{operator}"><spiffworkflow:parameters>{inner}'
        "</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
        "</bpmn:extensionElements></bpmn:serviceTask>"
    )


def catch(name: str, message_name: str) -> str:
    """An event that waits for a message."""
    return (
        f'<bpmn:intermediateCatchEvent id="{name}" name="{name}">'
        f'<bpmn:messageEventDefinition id="{name}_m" messageRef="message_{message_name}" />'
        "</bpmn:intermediateCatchEvent>"
    )


def timer(name: str, duration: str) -> str:
    """An event that waits for a time."""
    return (
        f'<bpmn:intermediateCatchEvent id="{name}" name="{name}">'
        f'<bpmn:timerEventDefinition id="{name}_t"><bpmn:timeDuration>"{duration}"'
        "</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    )


def boundary(name: str, host: str, inner: str, *, interrupting: bool = True) -> str:
    """A boundary event; `inner` is its definition."""
    cancel = "true" if interrupting else "false"
    return (
        f'<bpmn:boundaryEvent id="{name}" name="{name}" attachedToRef="{host}" '
        f'cancelActivity="{cancel}">{inner}</bpmn:boundaryEvent>'
    )


def on_message(name: str) -> str:
    """Definition of a boundary event that takes a message."""
    return f'<bpmn:messageEventDefinition messageRef="message_{name}" />'


def after(duration: str) -> str:
    """Definition of a boundary event that takes a time."""
    return (
        f'<bpmn:timerEventDefinition><bpmn:timeDuration>"{duration}"</bpmn:timeDuration>'
        "</bpmn:timerEventDefinition>"
    )


def call(name: str, called: str) -> str:
    """A call of another diagram."""
    return f'<bpmn:callActivity id="{name}" name="{name}" calledElement="{called}" />'


def choice(name: str, default: str) -> str:
    """An exclusive gateway with its default flow `a>b`."""
    return f'<bpmn:exclusiveGateway id="{name}" default="{default.replace(">", "_")}" />'


def fork(name: str) -> str:
    """A parallel gateway."""
    return f'<bpmn:parallelGateway id="{name}" />'


def diagram(
    key: str, nodes: list[str], flows: list[str], *, messages: tuple[str, ...] = (), title: str = ""
) -> bytes:
    """A file with one process. Flows are texts like `a>b` or `a>b if n == 1`."""
    declared = "".join(f'<bpmn:message id="message_{m}" name="{m}" />' for m in messages)
    drawn = []
    for flow in flows:
        ends, _, condition = flow.partition(" if ")
        source, _, target = ends.partition(">")
        inner = (
            f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
        )
        drawn.append(
            f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" '
            f'targetRef="{target}">{inner}</bpmn:sequenceFlow>'
        )
    body = '<bpmn:startEvent id="begin" />' + "".join(nodes) + '<bpmn:endEvent id="done" />'
    return (
        f'{HEAD}{declared}<bpmn:process id="{key}" name="{title or key}" isExecutable="true">'
        f"{body}{''.join(drawn)}</bpmn:process></bpmn:definitions>"
    ).encode()


def line(key: str, *nodes: str, messages: tuple[str, ...] = (), title: str = "") -> bytes:
    """A diagram whose nodes follow each other."""
    names = ["begin", *(node.split('id="', 1)[1].split('"', 1)[0] for node in nodes), "done"]
    flows = [f"{one}>{two}" for one, two in itertools.pairwise(names)]
    return diagram(key, list(nodes), flows, messages=messages, title=title)


CAUSES: dict[str, Callable[[], None]] = {}
"""Business key → what happens inside `tests.fragile`; empty when the cause is gone."""
SEEN: dict[str, list[str]] = {}
"""Business key → what the handlers did, in order, whether it was committed or not."""


def fragile(step: Step) -> Variables:
    """Does what the test says for this business key, then writes a variable."""
    SEEN.setdefault(step.business_key, []).append(step.operation)
    CAUSES.get(step.business_key, lambda: None)()
    return {"handled": True}


def note(step: Step) -> Variables:
    """Gives its parameters back as variables."""
    SEEN.setdefault(step.business_key, []).append(step.operation)
    return dict(step.params)


def nested(step: Step) -> Variables:
    """Returns what no variable may be."""
    return {"people": [{"name": "李某某"}]}  # type: ignore[dict-item]


class AmountForm(Schema):
    """A form with a rule."""

    amount = fields.Integer(
        required=True,
        error_messages={"required": "必填"},
        validate=Range(1, 9, error="应为1–9"),
    )


def amount(submission: Submission) -> Variables:
    """Refuses 4, breaks at 5, and otherwise becomes a variable."""
    if submission.values["amount"] == 4:
        raise Conflict("四不可用", "FOUR")
    if submission.values["amount"] == 5:
        raise RuntimeError("李某某 13800001234")
    return {"amount": submission.values["amount"], "unit_id": submission.actor.unit_id}


def raising(error: Exception) -> Callable[[], None]:
    """A cause that raises."""

    def cause() -> None:
        raise error

    return cause


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let diagrams name these during one test; the lists of the documents are the product's."""
    for name, function in (
        ("tests.fragile", fragile),
        ("tests.note", note),
        ("tests.nested", nested),
    ):
        monkeypatch.setitem(registry._handlers, name, function)
    known = Form("tests.amount", AmountForm(), amount)
    monkeypatch.setitem(registry._forms, known.key, known)
    monkeypatch.setitem(registry._messages, "tests.fact", frozenset({"fact"}))
    for name in ("tests.raised", "tests.over"):
        monkeypatch.setitem(registry._messages, name, frozenset({"matter_unit_id"}))
    monkeypatch.setitem(registry._about, "tests.over", "matter_unit_id")
