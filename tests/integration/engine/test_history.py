"""The history of an instance: without gaps; who, what was decided, how long it took."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core.db import session
from app.engine.failures import ActionFailed
from app.engine.models import ProcessEvent
from tests.integration.engine.conftest import SOMEBODY, SOMEBODY_ELSE, Engine
from tests.integration.engine.flows import (
    CAUSES,
    catch,
    choice,
    diagram,
    line,
    new_key,
    raising,
    service,
    user,
)


def history(engine: Engine, case: str) -> list[ProcessEvent]:
    """The events in order."""
    return list(
        session().scalars(
            select(ProcessEvent)
            .where(ProcessEvent.instance_id == engine.instance(case).id)
            .order_by(ProcessEvent.seq)
        )
    )


def run_through(engine: Engine, **entered: Any) -> str:
    """One case from start to end, a quarter of an hour for each person."""
    key, case = new_key(), new_key("case")
    nodes = [
        user("decide", "决定"),
        service("note", "tests.note", seen="decision"),
        choice("way", "way>wait"),
        catch("wait", "tests.fact"),
        user("finish", "收尾"),
    ]
    flows = ["begin>decide", "decide>note", "note>way", "way>wait", "wait>finish", "finish>done"]
    flows.append('way>done if decision == "stop"')
    engine.deploy(key, diagram(key, nodes, flows, messages=("tests.fact",)))
    engine.start(key, case, ticket_id=7)
    engine.clock.move(minutes=15)
    engine.complete(engine.task(case).id, SOMEBODY, decision="go", **entered)
    engine.send(case, "tests.fact", fact="回执", secret="不要")
    engine.clock.move(minutes=15)
    engine.complete(engine.task(case).id, SOMEBODY_ELSE)
    return case


def test_every_step_is_there_once_in_order_and_without_a_gap(engine: Engine) -> None:
    events = history(engine, run_through(engine))

    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert [e.at for e in events] == sorted(e.at for e in events)
    kinds = [(e.kind, e.element_id) for e in events if e.kind not in {"started", "ended"}]
    assert [k for k in kinds if k[0] in {"user", "service", "message"}] == [
        ("user", "decide"),
        ("service", "note"),
        ("message", "wait"),
        ("user", "finish"),
    ]
    assert ("gateway", "way") in kinds
    assert (events[0].kind, events[-1].kind) == ("started", "ended")


def test_people_are_named_with_what_they_decided_and_how_long_it_took(engine: Engine) -> None:
    by_id = {(e.kind, e.element_id): e for e in history(engine, run_through(engine, amount=3))}

    decide, finish = by_id["user", "decide"], by_id["user", "finish"]
    note, wait = by_id["service", "note"], by_id["message", "wait"]
    assert (decide.actor_id, decide.actor_name, decide.unit_id) == (101, "周明远", 7)
    assert decide.decision == {"decision": "go", "amount": 3}
    assert decide.duration_s == timedelta(minutes=15).total_seconds()
    assert decide.task_id is not None
    assert (note.actor_id, note.actor_name) == (None, "系统")
    assert finish.actor_name == "吴阿依"
    assert finish.duration_s == timedelta(minutes=15).total_seconds()
    assert wait.decision == {"fact": "回执"}


def test_an_action_that_was_rolled_back_leaves_no_gap(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, user("one"), service("break", "tests.fragile"), user("two")))
    engine.start(key, case)
    CAUSES[case] = raising(RuntimeError())
    with pytest.raises(ActionFailed):
        engine.complete(engine.task(case).id)
    del CAUSES[case]

    engine.complete(engine.task(case).id)

    events = history(engine, case)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert engine.instance(case).event_seq == len(events)
