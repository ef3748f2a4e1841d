"""Turns BPMN XML into what the engine walks. A parsed definition is shared and never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, MethodType
from typing import Any

from SpiffWorkflow.bpmn.parser.event_parsers import EventBasedGatewayParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.specs.defaults import EventBasedGateway
from SpiffWorkflow.bpmn.specs.mixins.inclusive_gateway import InclusiveGateway
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.specs.mixins.parallel_gateway import ParallelGateway
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.spiff.parser.task_spec import ServiceTaskParser, SpiffTaskParser
from SpiffWorkflow.spiff.specs.defaults import ServiceTask, UserTask
from SpiffWorkflow.util.task import TaskState

from app.engine import diagram
from app.engine.diagram import MODEL, SPIFF, BadDiagram

__all__ = ["BadDiagram", "ParsedDefinition", "called_elements", "parse", "process_ids", "title"]


@dataclass(frozen=True)
class ParsedDefinition:
    """One process with everything it calls."""

    process_key: str
    spec: Any
    subprocess_specs: Mapping[str, Any]
    user_tasks: Mapping[tuple[str, str], Mapping[str, str | None]]
    """(process id, element id) → properties, `lane` and `name`."""
    joining: frozenset[str] = frozenset()
    """Processes with gateways that join: these look at predicted tasks too."""


class HandlerTask(ServiceTask):  # type: ignore[misc]
    """A service task whose answer is merged flat into the task data, not nested in a variable."""

    def _execute(self, task: Any) -> bool:
        engine = task.workflow.script_engine
        params = {
            name: engine.evaluate(task, param["value"])
            for name, param in self.operation_params.items()
        }
        answer = engine.call_service(
            task, operation_name=self.operation_name, operation_params=params
        )
        task.data.update(answer)
        return True


class _EventGatewayParser(EventBasedGatewayParser):  # type: ignore[misc]
    """Reads the properties of an event gateway, which SpiffWorkflow's own parser passes over."""

    def parse_extensions(self, node: Any = None) -> Any:
        return SpiffTaskParser._parse_extensions(self.node if node is None else node)


class _Parser(SpiffBpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES = {
        **SpiffBpmnParser.OVERRIDE_PARSER_CLASSES,
        full_tag("serviceTask"): (ServiceTaskParser, HandlerTask),
        full_tag("eventBasedGateway"): (_EventGatewayParser, EventBasedGateway),
    }


def parse(sources: Mapping[str, bytes], process_key: str) -> ParsedDefinition:
    """Parse the process and all it calls out of `sources` (file name → XML). Raises BadDiagram."""
    parser = _Parser()
    roots = [(name, diagram.read(xml)) for name, xml in sources.items()]
    try:
        for name, root in roots:
            _complete(root)
            parser.add_bpmn_xml(root, filename=name)
        spec = parser.get_spec(process_key)
        subprocess_specs = parser.get_subprocess_specs(process_key)
    except SpiffWorkflowException as error:
        where = getattr(error, "id", "")
        raise BadDiagram(f"引擎无法解析{f' {where}' if where else ''}：{error}") from error
    except (RecursionError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadDiagram(f"引擎无法解析（{type(error).__name__}）") from error
    specs = {each.name: each for each in (spec, *subprocess_specs.values())}
    joining = frozenset(name for name, each in specs.items() if _has_join(each))
    for each in specs.values():
        _connect_loops(each)
        _connect_trail(each)
        if each.name not in joining:
            _predict_less(each)
    return ParsedDefinition(
        process_key,
        spec,
        MappingProxyType(subprocess_specs),
        MappingProxyType(_user_tasks(list(specs.values()))),
        joining,
    )


def process_ids(xml: bytes) -> list[str]:
    """Ids of the processes in one file."""
    return list(diagram.process_ids(xml))


def called_elements(xml: bytes) -> set[str]:
    """Process ids that call activities of this file name."""
    return diagram.called_elements(xml)


def title(sources: Mapping[str, bytes], process_key: str) -> str:
    """The name the analyst gave the process, or its id."""
    for xml in sources.values():
        for process in diagram.read(xml).iterfind(f"{MODEL}process"):
            if process.get("id") == process_key:
                return process.get("name") or process_key
    return process_key


def _complete(root: Any) -> None:
    """Give service parameters the `type` that SpiffWorkflow's parser insists on and we ignore."""
    for parameter in root.iter(f"{SPIFF}parameter"):
        if parameter.get("type") is None:
            parameter.set("type", "any")


def _connect_loops(spec: Any) -> None:
    """Connect each loop to its body now.

    SpiffWorkflow does it when a loop starts: an instance loaded in another process would never
    leave its loop, and the shared spec would change under other threads.
    """
    for task_spec in spec.task_specs.values():
        if isinstance(task_spec, LoopTask):
            body = spec.task_specs[task_spec.task_spec]
            if not body.completed_event.is_connected(task_spec.merge_child):
                body.completed_event.connect(task_spec.merge_child)


def _has_join(spec: Any) -> bool:
    gateways = (ParallelGateway, InclusiveGateway)
    return any(
        isinstance(task, gateways) and len(task.inputs) > 1 for task in spec.task_specs.values()
    )


def _predict_less(spec: Any) -> None:
    """Predict the next elements only, where no join looks further.

    SpiffWorkflow builds all that may follow up to the second choice, at every step anew. Loops
    have their own idea of what follows.
    """
    if not any(isinstance(task_spec, LoopTask) for task_spec in spec.task_specs.values()):
        for task_spec in spec.task_specs.values():
            task_spec._predict = MethodType(_predict_next, task_spec)


def _predict_next(
    spec: Any, task: Any, seen: Any = None, ahead: int = 0, mask: int = TaskState.PREDICTED_MASK
) -> None:
    if task.has_state(mask):
        spec._predict_hook(task)


def _connect_trail(spec: Any) -> None:
    """Let a cancelled user task reach the trail of its instance, whichever that is."""
    for task_spec in spec.task_specs.values():
        if isinstance(task_spec, UserTask):
            task_spec.cancelled_event.connect(_note_cancelled)


def _note_cancelled(workflow: Any, task: Any) -> None:
    note = getattr(workflow.top_workflow, "note_cancelled", None)
    if note is not None:
        note(task)


def _user_tasks(specs: list[Any]) -> dict[tuple[str, str], Mapping[str, str | None]]:
    return {
        (spec.name, task.bpmn_id): MappingProxyType(
            {**task.extensions.get("properties", {}), "lane": task.lane, "name": task.bpmn_name}
        )
        for spec in specs
        for task in spec.task_specs.values()
        if isinstance(task, UserTask)
    }
