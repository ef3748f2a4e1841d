"""Every sequence flow of every shipped diagram is taken by a named walk, stored at each step."""

import random
from itertools import groupby
from pathlib import Path as File
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from app.engine import timers, workflow
from tests.bpmn import shipped
from tests.bpmn.path import Path
from tests.bpmn.reduction import BPMN
from tests.bpmn.walking import ROOT, live, parsed, people, stored, waits
from tests.bpmn.walks import WALKS

if TYPE_CHECKING:
    from tests.conftest import MovableClock

STATES_OF = {
    "province, city, county, both audits, result, callback": (
        "submitted reviewing dispatching delegated handling auditing result_pending "
        "callback_pending archived"
    ),
    "12345 supplements once and lets it pass once": (
        "submitted reviewing supplement_pending reviewing supplement_pending reviewing merged"
    ),
    "12345 is silent, is reminded, refuses, and it goes on": (
        "submitted reviewing return_pending dispatching handling result_pending "
        "callback_pending archived"
    ),
    "the nation takes its ticket back": "submitted reviewing return_pending returned",
    "the nation gets the result of what it dispatched": (
        "submitted reviewing return_pending dispatching handling auditing result_pending "
        "completed archived"
    ),
    "the city's own letter ends with the city's audit": (
        "delegated handling auditing handling auditing completed archived"
    ),
    "a question is answered at the review without an audit": (
        "submitted reviewing handling result_pending archived"
    ),
    "everything that may come up at any time comes up": (
        "submitted reviewing dispatching delegated handling suspended handling suspended handling "
        "auditing result_pending callback_pending archived"
    ),
    "the nation receives where its ticket was transferred": (
        "submitted reviewing result_pending transferred_out"
    ),
    "withdrawn in the middle, with matters open": (
        "submitted reviewing dispatching delegated handling withdrawn"
    ),
    "a dropped caller is never reached": "draft dropped",
    "a question is answered on the telephone": "draft answered",
}
"""Walk → the states that it brings its ticket into, in order."""
SHIPPED = sorted((ROOT / "bpmn").glob("*.bpmn"))


@pytest.mark.parametrize("title", WALKS)
def test_a_named_walk_ends_where_its_story_ends(title: str, clock: "MovableClock") -> None:
    main, begun, end, story = WALKS[title]
    path = Path(main, begun, clock)

    story(path)

    assert path.is_over, path.waiting
    assert path.ends[-1] == end
    assert path.states[-1] == end


@pytest.mark.parametrize(("title", "states"), STATES_OF.items())
def test_a_ticket_is_called_by_where_its_diagram_stands(
    title: str, states: str, clock: "MovableClock"
) -> None:
    main, begun, _, story = WALKS[title]
    path = Path(main, begun, clock)

    story(path)

    assert [state for state, _ in groupby(path.states)] == states.split()


def test_every_sequence_flow_is_taken_by_a_named_walk(clock: "MovableClock") -> None:
    taken: set[tuple[str, str, str]] = set()
    start = clock.moment

    for main, begun, _, story in WALKS.values():
        clock.moment = start
        path = Path(main, begun, clock)
        story(path)
        taken |= {(main, *flow) for flow in path.flows}

    for file in SHIPPED:
        mains = [m for m in shipped.MAINS if file.stem in {m, *parsed(m).subprocess_specs}]
        missed = [
            flow for flow in _flows(file) if not any((main, *flow) in taken for main in mains)
        ]
        assert not missed, (file.stem, missed)


@pytest.mark.parametrize("name", shipped.MAINS)
def test_random_walks_end_properly_and_never_stand_still(name: str, clock: "MovableClock") -> None:
    """600 walks of each; whoever has walked long enough is led to the end by the shortest way."""
    start, ends = clock.moment, set()

    for seed in range(600):
        clock.moment = start
        dice = random.Random(seed)
        begun = shipped.STARTS[name][seed % len(shipped.STARTS[name])]
        flow = live(name, shipped.start_of(name, begun))
        for _ in range(400):
            if flow.is_completed():
                break
            assert _moves(flow, dice, clock), (seed, "nothing waits and nothing is due")
            if not flow.is_completed():
                assert len(set(flow.standing()) - {"suspended"}) == 1, (seed, flow.standing())
            ends |= {passed.element_id for passed in flow.passed()}
            flow = stored(flow, name)
        assert flow.is_completed(), (seed, [task.task_spec.name for task in people(flow)])

    assert ends >= set(_ends(ROOT / "bpmn" / f"{name}.bpmn"))


def _moves(flow: workflow.LiveWorkflow, dice: random.Random, clock: "MovableClock") -> bool:
    todo, messages, due = people(flow), waits(flow), timers.next_due(flow)
    needed = [each for each in messages if each[2] not in {"raise.matter", "recall.ticket"}]
    chance = dice.random()
    if todo and (chance < 0.9 or not messages):
        task = dice.choice(todo)
        workflow.complete(flow, task.id, shipped.answers(dice, task.task_spec.name))
    elif messages and (chance > 0.95 or needed):
        _, task, message, _ = dice.choice(needed or messages)
        workflow.deliver(flow, task.id, message, shipped.answers(dice, message))
    elif due is not None:
        clock.moment = max(clock.moment, due)
        workflow.advance(flow)
    else:
        return bool(todo or needed)
    return True


def _flows(file: File) -> list[tuple[str, str]]:
    root = etree.fromstring(file.read_bytes())
    return [(f.get("sourceRef"), f.get("targetRef")) for f in root.iter(f"{{{BPMN}}}sequenceFlow")]


def _ends(file: File) -> list[str]:
    return [e.get("id") for e in etree.fromstring(file.read_bytes()).iter(f"{{{BPMN}}}endEvent")]
