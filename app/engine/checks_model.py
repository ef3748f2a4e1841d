"""What the publish gate looks at: the XML as nodes and flows, and how it speaks of a problem."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.engine.diagram import MODEL, tag_of

GATEWAYS = frozenset(
    {"exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway"}
)
EVENTS = frozenset(
    {
        "startEvent",
        "endEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
    }
)
ACTIVITIES = frozenset(
    {
        "userTask",
        "serviceTask",
        "scriptTask",
        "receiveTask",
        "callActivity",
        "subProcess",
    }
)
REFUSED_NODES = frozenset(
    {
        "task",
        "manualTask",
        "businessRuleTask",
        "sendTask",
        "transaction",
        "adHocSubProcess",
        "complexGateway",
    }
)
NODES = GATEWAYS | EVENTS | ACTIVITIES | REFUSED_NODES

_INSIDE = (
    "Definition",
    "Characteristics",
    "Expression",
    "Specification",
    "Condition",
    "definitions",
)
"""Ends of the tags of what lies inside an element."""


@dataclass(frozen=True)
class Problem:
    """One thing that must change before the diagram can be published; `message` is Chinese."""

    element_id: str
    element_name: str
    code: str
    message: str


@dataclass(frozen=True)
class Vocabulary:
    """What a diagram may name; None lets anything pass."""

    handlers: frozenset[str] | None = None
    forms: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    deadline_keys: frozenset[str] | None = None
    clock_keys: frozenset[str] | None = None
    """Time limits that no task has: only an overdue event may name them."""
    statuses: frozenset[str] | None = None
    """States that an element may mean while it waits …"""
    ends: frozenset[str] | None = None
    """… and those that an end may."""
    units: frozenset[str] | None = None


class Sheet:
    """One file of the bundle."""

    def __init__(self, name: str, root: Any) -> None:
        self.name = name
        self.root = root

    def all(self, tag: str) -> Iterator[Any]:
        """Every BPMN element with this local name."""
        yield from self.root.iter(MODEL + tag)

    @cached_property
    def processes(self) -> list[Any]:
        """The processes of the file."""
        return list(self.root.iterfind(f"{MODEL}process"))

    @cached_property
    def scopes(self) -> list[Any]:
        """Processes and embedded subprocesses: what has a start and an end of its own."""
        return [*self.processes, *self.all("subProcess")]

    @cached_property
    def nodes(self) -> list[Any]:
        """The flow nodes of all scopes."""
        return [e for e in self.root.iter(f"{MODEL}*") if tag_of(e) in NODES]

    @cached_property
    def by_id(self) -> dict[str, Any]:
        """The flow nodes by id."""
        return {node.get("id", ""): node for node in self.nodes}

    @cached_property
    def flows(self) -> list[Any]:
        """The sequence flows of all scopes."""
        return list(self.all("sequenceFlow"))

    @cached_property
    def outgoing(self) -> dict[str, list[Any]]:
        """Flows by the node they leave."""
        found: dict[str, list[Any]] = defaultdict(list)
        for flow in self.flows:
            found[flow.get("sourceRef", "")].append(flow)
        return found

    @cached_property
    def incoming(self) -> dict[str, list[Any]]:
        """Flows by the node they reach."""
        found: dict[str, list[Any]] = defaultdict(list)
        for flow in self.flows:
            found[flow.get("targetRef", "")].append(flow)
        return found

    @cached_property
    def messages(self) -> dict[str, str]:
        """Names of the declared messages by id."""
        return {m.get("id", ""): m.get("name") or "" for m in self.all("message")}

    @cached_property
    def _errors(self) -> dict[str, str | None]:
        return {e.get("id", ""): e.get("errorCode") for e in self.all("error")}

    def error_code(self, definition: Any) -> str | None:
        """The code an error event names; None is any."""
        return self._errors.get(definition.get("errorRef") or "")

    def caught_errors(self) -> set[str | None]:
        """Codes that a boundary event of this file catches."""
        return {
            self.error_code(definition)
            for boundary in self.all("boundaryEvent")
            for definition in self.definitions(boundary, "errorEventDefinition")
        }

    @staticmethod
    def definitions(event: Any, tag: str = "") -> list[Any]:
        """The event definitions directly in an event, of one kind or of all."""
        found = [c for c in event if tag_of(c).endswith("EventDefinition")]
        return [d for d in found if not tag or tag_of(d) == tag]

    @staticmethod
    def nodes_in(scope: Any) -> list[Any]:
        """The flow nodes directly in one scope."""
        return [child for child in scope if tag_of(child) in NODES]

    @staticmethod
    def problem(element: Any, code: str, text: str) -> Problem:
        """A problem of this element, or of the nearest one around it that is on the canvas."""
        while element is not None and not _is_drawn(element):
            element = element.getparent()
        element_id = "" if element is None else element.get("id")
        name = "" if element is None else (element.get("name") or "")
        where = f"“{name or element_id}”" if element_id else "流程图"
        return Problem(element_id, name, code, f"{where}：{text}")


def _is_drawn(element: Any) -> bool:
    """Whether the analyst can point at it; event definitions have ids and cannot be selected."""
    tag = tag_of(element)
    return bool(tag and element.get("id")) and not tag.endswith(_INSIDE)
