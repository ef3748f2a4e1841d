"""The drawings of a version (流程图), for pages that show where an instance stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select

from app.core.db import session
from app.engine import diagram
from app.engine.checks_model import NODES, Sheet
from app.engine.diagram import tag_of
from app.engine.errors import UnknownDefinition
from app.engine.models import ProcessDefinition


@dataclass(frozen=True)
class Drawing:
    """One process of a version. `calls` maps its call activities to the process they call."""

    process: str
    title: str
    xml: str
    elements: frozenset[str]
    calls: Mapping[str, str]


def drawings(definition_id: int) -> Mapping[str, Drawing]:
    """The drawings of a version by process, the main one first; a version never changes.

    Raises UnknownDefinition.
    """
    row = (
        session()
        .execute(
            select(
                ProcessDefinition.process_key, ProcessDefinition.digest, ProcessDefinition.sources
            ).where(ProcessDefinition.id == definition_id)
        )
        .one_or_none()
    )
    if row is None:
        raise UnknownDefinition(str(definition_id))
    found = [_drawing(xml) for xml in row.sources.values()]
    return {each.process: each for each in sorted(found, key=lambda d: d.process != row[0])}


def places(found: Mapping[str, Drawing], current: Iterable[str]) -> dict[str, set[str]]:
    """Where these elements are, by process: a called one also lights up the calls that lead to it.

    What calls what has no circle here: a process that calls itself is lit once.
    """
    lit: dict[str, set[str]] = {}
    waiting = [(process, element) for element in current for process in found]
    while waiting:
        process, element = waiting.pop()
        if element not in found[process].elements or element in lit.setdefault(process, set()):
            continue
        lit[process].add(element)
        waiting += [
            (each.process, call)
            for each in found.values()
            for call, called in each.calls.items()
            if called == process
        ]
    return {process: elements for process, elements in lit.items() if elements}


@lru_cache(maxsize=128)
def _drawing(xml: str) -> Drawing:
    sheet = Sheet("", diagram.read(xml.encode()))
    process = sheet.processes[0]
    nodes = [node for node in sheet.nodes if tag_of(node) in NODES]
    return Drawing(
        process.get("id", ""),
        process.get("name") or process.get("id", ""),
        xml,
        frozenset(node.get("id", "") for node in nodes),
        {
            node.get("id", ""): node.get("calledElement") or ""
            for node in nodes
            if tag_of(node) == "callActivity"
        },
    )
