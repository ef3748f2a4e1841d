"""State as bytes: exact, small, versioned."""

import random
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from app.engine import codec, pruning, workflow
from app.engine.codec import UnknownFormat
from tests.bpmn.test_equivalence import TICKET_START
from tests.bpmn.walking import live, parsed, snapshot
from tests.unit.engine.flows import environment, open_ids
from tests.unit.engine.test_workflow import THREE, do


def reloaded(raw: bytes, name: str) -> workflow.LiveWorkflow:
    return codec.loads(raw, lambda _: parsed(name), environment())[0]


def test_instance_comes_back_as_it_was() -> None:
    flow = live("ticket_like", TICKET_START)
    do(flow, "sign", "review", "dispatch", "city_sign", "county_sign", route="down")

    raw = codec.dumps(flow, 42)
    again, definition_id = codec.loads(raw, lambda _: parsed("ticket_like"), environment())

    assert definition_id == 42
    assert snapshot(again) == snapshot(flow)
    assert codec.dumps(again, 42) == raw
    assert again.waiting_messages() == flow.waiting_messages()


def test_definition_is_asked_for_by_its_id_and_readable_without_unpacking() -> None:
    asked: list[int] = []
    raw = codec.dumps(live("three_tasks", THREE), 9_000_000_000)

    def definition_of(definition_id: int) -> Any:
        asked.append(definition_id)
        return parsed("three_tasks")

    codec.loads(raw, definition_of, environment())

    assert asked == [codec.definition_id_of(raw)] == [9_000_000_000]


def test_completed_instance_comes_back_completed() -> None:
    flow = live("three_tasks", THREE)
    do(flow, "accept", "handle", "audit", audit_result="pass")
    pruning.prune(flow)

    again = reloaded(codec.dumps(flow, 1), "three_tasks")

    assert again.is_completed()
    assert again.data == flow.data
    assert len(list(again.all_tasks())) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, True), (True, 1), (0, False), (1, 1.0), ("", None), (None, 0), (5, 5), (2**62, "文")],
)
def test_type_of_a_changed_variable_survives(before: Any, after: Any) -> None:
    flow = live("three_tasks", {**THREE, "x": before})
    do(flow, "accept", x=after)

    (task,) = reloaded(codec.dumps(flow, 1), "three_tasks").open_user_tasks()

    assert task.data["x"] == after
    assert type(task.data["x"]) is type(after)


def test_order_of_json_keys_does_not_matter() -> None:
    """PostgreSQL's JSONB reorders keys; ours keeps order in arrays only."""
    flow = live("ticket_like", TICKET_START)
    do(flow, "sign", "review", "dispatch", "city_sign", route="down")
    raw = codec.dumps(flow, 1)
    document = orjson.loads(zstandard.decompress(raw[9:]))

    shuffled = orjson.dumps(_shuffled(document, random.Random(1)))
    again = reloaded(raw[:9] + zstandard.compress(shuffled), "ticket_like")

    assert snapshot(again) == snapshot(flow)


def _shuffled(value: Any, dice: random.Random) -> Any:
    if isinstance(value, list):
        return [_shuffled(item, dice) for item in value]
    if isinstance(value, dict):
        items = [(key, _shuffled(item, dice)) for key, item in value.items()]
        dice.shuffle(items)
        return dict(items)
    return value


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\x09" + bytes(30), b"{}" + bytes(30)])
def test_foreign_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(UnknownFormat):
        reloaded(raw, "three_tasks")


def test_older_format_is_upgraded_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def from_zero(document: codec.Document) -> codec.Document:
        return {"top": document["main"], "subs": document["called"]}

    flow = live("three_tasks", THREE)
    raw = codec.dumps(flow, 5)
    document = orjson.loads(zstandard.decompress(raw[9:]))
    old = {"main": document["top"], "called": document["subs"]}
    old_raw = b"\x00" + raw[1:9] + zstandard.compress(orjson.dumps(old))
    monkeypatch.setitem(codec.UPGRADES, 0, from_zero)

    assert snapshot(reloaded(old_raw, "three_tasks")) == snapshot(flow)


def test_state_written_by_format_one_can_be_read_for_ever() -> None:
    raw = (Path(__file__).parent / "states" / "three_tasks.format_1.bin").read_bytes()

    flow = reloaded(raw, "three_tasks")

    (task,) = flow.open_user_tasks()
    assert (task.element_id, task.data["opinion"]) == ("audit", "属实")
    do(flow, "audit", audit_result="pass")
    assert flow.is_completed()


def test_state_carries_neither_the_diagram_nor_history() -> None:
    flow = live("ticket_like", TICKET_START)
    do(flow, "sign", "review", "dispatch", "city_sign", "county_sign", route="down")
    pruning.prune(flow)

    raw = codec.dumps(flow, 1)

    assert len(raw) < 1_500
    assert b"county_audit" not in zstandard.decompress(raw[9:])


def test_loop_goes_on_in_a_process_that_never_saw_it_start() -> None:
    """SpiffWorkflow connects a loop to its body when the loop starts, in memory only."""
    flow = live("stress", {"k": 0, "n": 0.5, "rounds": 0})
    do(flow, "choose", k=9)
    raw = codec.dumps(flow, 1)
    parsed.cache_clear()

    for left in (2, 1, 0):
        flow = reloaded(raw, "stress")
        assert open_ids(flow) == ["loop"]
        do(flow, "loop", left=left)
        pruning.prune(flow)
        raw = codec.dumps(flow, 1)

    assert open_ids(reloaded(raw, "stress")) == ["decide"]
