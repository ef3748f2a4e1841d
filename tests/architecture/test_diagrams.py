"""Diagrams and code name each other: nothing unknown in `bpmn/`, nothing registered in vain."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine import checks, definitions, diagram, registry
from app.engine.diagram import MODEL, SPIFF
from app.engine.registry import OVERDUE
from app.tickets.rules import CLOSED, STATES
from app.tickets.types import TICKET_TYPES
from tests.support import source
from tests.support.database import ROOT
from tests.support.openapi import offline_app

DIAGRAMS = sorted((ROOT / "bpmn").glob("*.bpmn"))


@pytest.fixture(autouse=True, scope="module")
def product() -> None:
    """Making the application registers handlers, forms, messages and the vocabulary."""
    offline_app()


def operators(file: Path) -> Iterator[str]:
    """Handlers that the service tasks of a file name."""
    for task in diagram.read(file.read_bytes()).iter(f"{MODEL}serviceTask"):
        path = f"{MODEL}extensionElements/{SPIFF}serviceTaskOperator"
        yield task.find(path).get("id")


def user_tasks(file: Path) -> Iterator[dict[str, str]]:
    """Properties of the user tasks of a file."""
    for task in diagram.read(file.read_bytes()).iter(f"{MODEL}userTask"):
        yield {"id": task.get("id"), "name": task.get("name"), **diagram.properties_of(task)}


def test_there_are_diagrams() -> None:
    assert ROOT / "bpmn" / "ticket_transfer.bpmn" in DIAGRAMS


@pytest.mark.parametrize("file", DIAGRAMS, ids=lambda f: f.name)
def test_a_diagram_passes_the_publish_gate(file: Path) -> None:
    sources = {f.name: f.read_bytes() for f in DIAGRAMS}

    for key in diagram.process_ids(file.read_bytes()):
        bundle = {file.name: sources[file.name]}
        if diagram.called_elements(sources[file.name]):
            bundle = sources
        assert checks.check(bundle, key, definitions.vocabulary()) == []


def test_every_operator_is_a_handler_and_every_handler_is_used() -> None:
    assert {name for file in DIAGRAMS for name in operators(file)} == registry.handler_names()


def test_a_handler_is_named_after_its_module_and_function() -> None:
    for name in registry.handler_names():
        function = registry.handler_named(name)
        module = function.__module__.rpartition(".")[2]
        assert name == f"{module}.{function.__name__}"
        assert function.__doc__


@pytest.mark.parametrize("file", DIAGRAMS, ids=lambda f: f.name)
def test_a_user_task_names_form_role_unit_deadline_and_status(file: Path) -> None:
    """What runs beside the flow has no say in the ticket's state."""
    beside = file.stem in {"matters", "extension_request"}
    wanted = {"form", "role", "unit", "deadline"} | (set() if beside else {"status"})
    for task in user_tasks(file):
        assert wanted <= set(task), task["id"]
        assert any("\u4e00" <= c <= "\u9fff" for c in task["name"]), task["id"]


def test_every_state_is_a_place_in_a_diagram() -> None:
    """Only 重办中 is not: it is what handling is called after a callback."""
    named = {
        diagram.properties_of(element).get("status")
        for file in DIAGRAMS
        for element in diagram.read(file.read_bytes()).iter(f"{MODEL}*")
    }

    assert named - {None} == set(STATES) - {"reworking"}


@pytest.mark.parametrize("name", ["ticket_transfer", "call_transfer"])
def test_a_flowchart_ends_in_a_closing_state(name: str) -> None:
    root = diagram.read((ROOT / "bpmn" / f"{name}.bpmn").read_bytes())
    ends = {
        end.get("id"): diagram.properties_of(end).get("status")
        for end in root.iter(f"{MODEL}endEvent")
        if end.find(f"{MODEL}terminateEventDefinition") is not None
    }

    assert set(ends.values()) <= CLOSED
    assert all(end == state for end, state in ends.items())


def test_only_one_function_changes_the_state_of_a_ticket() -> None:
    assert source.state_changes() == ["tickets.services.follow"]


def test_every_form_is_used() -> None:
    tasks = [task for file in DIAGRAMS for task in user_tasks(file)]
    used = {task["form"] for task in tasks if "variant" not in task}
    families = tuple(f"{task['form']}." for task in tasks if "variant" in task)

    assert used | {f for f in registry.form_keys() if f.startswith(families)} == (
        registry.form_keys()
    )


def test_the_handling_tasks_have_a_form_for_every_type() -> None:
    wanted = {f"ticket.investigate.{code}" for code in TICKET_TYPES}

    assert wanted == {f for f in registry.form_keys() if f.startswith("ticket.investigate")}


def test_every_message_of_a_diagram_is_declared_with_its_keys() -> None:
    waited_for = {
        message.get("name")
        for file in DIAGRAMS
        for message in diagram.read(file.read_bytes()).iter(f"{MODEL}message")
    }

    overdue = {name for name in waited_for if name.startswith(OVERDUE)}
    assert registry.message_names() == waited_for - overdue


@pytest.mark.parametrize("file", DIAGRAMS, ids=lambda f: f.name)
def test_ids_are_snake_case_and_every_node_stands_in_one_lane(file: Path) -> None:
    root = diagram.read(file.read_bytes())
    nodes = {n.get("id") for n in root.iter() if n.find(f"{MODEL}incoming") is not None} | {
        n.get("id") for n in root.iter(f"{MODEL}startEvent")
    }
    lanes = [ref.text for ref in root.iter(f"{MODEL}flowNodeRef")]

    assert all(i == i.lower() and i.isidentifier() for i in nodes)
    assert sorted(lanes) == sorted(set(lanes))
    assert nodes <= set(lanes)
