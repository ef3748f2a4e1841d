"""Small diagrams written as text, for tests of the engine and of the publish gate."""

from typing import Any

from app.engine import codec, parser, pruning, workflow
from app.engine.expressions import SafeEnvironment, ServiceCall
from app.engine.parser import ParsedDefinition
from tests.bpmn.walking import DIAGRAMS as FOLDERS
from tests.bpmn.walking import parsed

__all__ = [
    "DIAGRAMS",
    "bundle",
    "environment",
    "flow_of",
    "open_ids",
    "parsed",
    "started",
    "stored",
]

DIAGRAMS = FOLDERS[0]
"""The diagrams of the tests; the product's own are walked in `tests/bpmn`."""

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" '
    'id="definitions" targetNamespace="https://zhuanban.example/bpmn">'
)


def flow_of(*pairs: str) -> str:
    """Sequence flows out of texts like `a>b` or `a>b if n == 1`, with ids like `a_b`."""
    made = []
    for pair in pairs:
        ends, _, condition = pair.partition(" if ")
        source, _, target = ends.partition(">")
        inner = (
            f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
        )
        made.append(
            f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" '
            f'targetRef="{target}">{inner}</bpmn:sequenceFlow>'
        )
    return "".join(made)


def bundle(body: str, *, before: str = "", attributes: str = 'isExecutable="true"') -> bytes:
    """A file with the process `main` of this content."""
    process = f'<bpmn:process id="main" {attributes}>{body}</bpmn:process>'
    return f"{HEAD}{before}{process}</bpmn:definitions>".encode()


def environment(call: ServiceCall | None = None) -> SafeEnvironment:
    return SafeEnvironment(call or (lambda name, params, data: {}))


def started(
    xml: bytes, variables: dict[str, Any] | None = None, call: ServiceCall | None = None
) -> workflow.LiveWorkflow:
    """A new instance of the process `main` in this file."""
    definition = parser.parse({"main": xml}, "main")
    return workflow.new_workflow(definition, variables or {}, environment(call))


def stored(flow: workflow.LiveWorkflow, definition: ParsedDefinition) -> workflow.LiveWorkflow:
    """The instance after pruning, saving and loading."""
    pruning.prune(flow)
    return codec.loads(codec.dumps(flow, 7), lambda _: definition, environment())[0]


def open_ids(flow: workflow.LiveWorkflow) -> list[str]:
    return sorted(task.element_id for task in flow.open_user_tasks())
