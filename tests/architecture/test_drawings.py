"""The drawings read like a flowchart on a wall: nothing overlaps, no line crosses a label."""

from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.support.database import ROOT

DIAGRAMS = sorted((ROOT / "bpmn").glob("*.bpmn"))
_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_DC = "{http://www.omg.org/spec/DD/20100524/DC}"
_WAY = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
_MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


@dataclass(frozen=True)
class Box:
    """A rectangle of the drawing, in its own units."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def shrunk(self, by: float) -> "Box":
        return Box(self.name, self.left + by, self.top + by, self.right - by, self.bottom - by)


@dataclass
class Sheet:
    """What one file draws."""

    nodes: dict[str, Box] = field(default_factory=dict)
    lanes: dict[str, Box] = field(default_factory=dict)
    labels: list[Box] = field(default_factory=list)
    lines: list[tuple[str, list[tuple[float, float]]]] = field(default_factory=list)
    hosts: dict[str, str] = field(default_factory=dict)
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    lane_of: dict[str, str] = field(default_factory=dict)


def read(file: Path) -> Sheet:
    """The drawing of a file. A gateway is a diamond: its corners are empty."""
    root, sheet = etree.fromstring(file.read_bytes()), Sheet()
    kinds = {e.get("id"): etree.QName(e).localname for e in root.iter(f"{_MODEL}*")}
    for lane in root.iter(f"{_MODEL}lane"):
        for node in lane.iterfind(f"{_MODEL}flowNodeRef"):
            sheet.lane_of[node.text] = lane.get("id")
    for event in root.iter(f"{_MODEL}boundaryEvent"):
        sheet.hosts[event.get("id")] = event.get("attachedToRef")
    for flow in root.iter(f"{_MODEL}sequenceFlow"):
        sheet.ends[flow.get("id")] = flow.get("sourceRef"), flow.get("targetRef")
    for shape in root.iter(f"{_DI}BPMNShape"):
        name = shape.get("bpmnElement")
        box = _box(name, shape.find(f"{_DC}Bounds"))
        kind = kinds[name]
        if kind == "lane":
            sheet.lanes[name] = box
        elif kind != "participant":
            sheet.nodes[name] = box.shrunk(12) if kind.endswith("Gateway") else box
        _label(sheet, name, shape)
    for edge in root.iter(f"{_DI}BPMNEdge"):
        points = [(float(p.get("x")), float(p.get("y"))) for p in edge.iterfind(_WAY)]
        sheet.lines.append((edge.get("bpmnElement"), points))
        _label(sheet, edge.get("bpmnElement"), edge)
    return sheet


def _label(sheet: Sheet, name: str, drawn: Any) -> None:
    bounds = drawn.find(f"{_DI}BPMNLabel/{_DC}Bounds")
    if bounds is not None:
        sheet.labels.append(_box(name, bounds))


def _box(name: str, bounds: Any) -> Box:
    x, y, width, height = (float(bounds.get(k)) for k in ("x", "y", "width", "height"))
    return Box(name, x, y, x + width, y + height)


def _segments(sheet: Sheet) -> list[tuple[str, Box]]:
    return [
        (name, Box(name, min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])))
        for name, points in sheet.lines
        for a, b in pairwise(points)
    ]


@pytest.mark.parametrize("file", DIAGRAMS, ids=lambda file: file.stem)
def test_no_two_elements_overlap(file: Path) -> None:
    sheet = read(file)

    found = [
        (a.name, b.name)
        for a, b in combinations(sheet.nodes.values(), 2)
        if a.meets(b)
        and a.name not in {sheet.hosts.get(b.name)}
        and b.name not in {sheet.hosts.get(a.name)}
    ]

    assert not found


@pytest.mark.parametrize("file", DIAGRAMS, ids=lambda file: file.stem)
def test_every_line_is_straight_and_runs_around_the_elements(file: Path) -> None:
    sheet = read(file)
    ends = sheet.ends

    slanted = [s.name for _, s in _segments(sheet) if s.left != s.right and s.top != s.bottom]
    through = [
        (name, node.name)
        for name, segment in _segments(sheet)
        for node in sheet.nodes.values()
        if node.name not in ends[name]
        and node.name != sheet.hosts.get(ends[name][0])
        and segment.meets(node.shrunk(1))
    ]

    assert not slanted
    assert not through


@pytest.mark.parametrize("file", DIAGRAMS, ids=lambda file: file.stem)
def test_no_line_and_no_element_covers_a_label(file: Path) -> None:
    sheet = read(file)

    crossed = [
        (name, label.name)
        for name, segment in _segments(sheet)
        for label in sheet.labels
        if segment.meets(label.shrunk(1))
    ]
    covered = [
        (node.name, label.name)
        for node in sheet.nodes.values()
        for label in sheet.labels
        if node.meets(label.shrunk(1))
    ]
    doubled = [(a.name, b.name) for a, b in combinations(sheet.labels, 2) if a.meets(b)]

    assert not crossed
    assert not covered
    assert not doubled


@pytest.mark.parametrize("file", DIAGRAMS, ids=lambda file: file.stem)
def test_every_element_lies_in_its_lane(file: Path) -> None:
    sheet = read(file)

    for name, lane in sheet.lane_of.items():
        box, around = sheet.nodes[name], sheet.lanes[lane]
        assert around.left <= box.left, name
        assert box.right <= around.right, name
        assert around.top <= box.top, name
        assert box.bottom <= around.bottom, name
