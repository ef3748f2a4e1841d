"""Timers: due by the product's clock, fired once, found by any node, gone with their instance."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core import clock as core_clock
from app.core.clock import BEIJING
from app.core.db import session, transact
from app.core.errors import Conflict
from app.engine import runner
from app.engine.errors import TaskAlreadyDone, UnknownTask
from tests.integration.engine.conftest import Engine
from tests.integration.engine.flows import (
    after,
    boundary,
    diagram,
    line,
    new_key,
    timer,
    user,
)


def test_a_waiting_time_ends_by_the_clock_and_once(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, timer("pause", "P1D"), user("then")))
    engine.start(key, case)
    row = engine.instance(case)
    assert abs(row.next_due - (engine.now + timedelta(days=1))) < timedelta(seconds=1)

    engine.clock.move(hours=23, minutes=59)
    engine.fire_due(row.id)
    assert engine.waiting(case) == []
    engine.clock.move(minutes=2)
    fired = engine.fire_due(row.id)

    assert fired is not None
    assert [t["element_id"] for t in fired.opened] == ["then"]
    again = engine.fire_due(row.id)
    assert again is None or again.opened == []
    assert engine.waiting(case) == ["then"]
    assert engine.instance(case).next_due is None


def test_a_timer_on_a_task_interrupts_it_or_stands_beside_it(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = [
        user("work"),
        boundary("remind", "work", after("PT4H"), interrupting=False),
        boundary("late", "work", after("P2D")),
        user("reminder"),
        user("overdue"),
    ]
    flows = ["begin>work", "work>done", "remind>reminder", "reminder>done"]
    engine.deploy(key, diagram(key, nodes, [*flows, "late>overdue", "overdue>done"]))
    engine.start(key, case)
    instance_id = engine.instance(case).id

    engine.clock.move(hours=4, seconds=1)
    engine.fire_due(instance_id)
    assert engine.waiting(case) == ["reminder", "work"]
    engine.clock.move(days=2)
    engine.fire_due(instance_id)

    assert engine.waiting(case) == ["overdue", "reminder"]
    (closed,) = engine.tasks(case, "cancelled")
    assert closed.element_id == "work"


def test_a_task_done_in_time_takes_its_timer_along(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = [user("work"), boundary("late", "work", after("PT1H")), user("next"), user("overdue")]
    flows = ["begin>work", "work>next", "next>done", "late>overdue", "overdue>done"]
    engine.deploy(key, diagram(key, nodes, flows))
    engine.start(key, case)
    assert engine.instance(case).next_due is not None

    engine.complete(engine.task(case).id)
    assert engine.instance(case).next_due is None
    engine.clock.move(hours=2)
    engine.fire_due(engine.instance(case).id)

    assert engine.waiting(case) == ["next"]


def test_a_node_finds_what_is_due_and_leaves_what_is_not(engine: Engine) -> None:
    # The database's own clock decides what is due, so this test starts two hours ago for real.
    core_clock.set_source(lambda: datetime.now(UTC) - timedelta(hours=2))
    key, due, later = new_key(), new_key("case"), new_key("case")
    engine.deploy(key, line(key, timer("pause", "PT1H"), user("then")))
    slow = new_key()
    engine.deploy(slow, line(slow, timer("pause", "P9D"), user("then")))
    for process, case in ((key, due), (slow, later)):
        transact(
            lambda p=process, c=case: runner.start(
                p, c, {}, actor=runner.registry.SYSTEM, now=core_clock.now()
            )
        )
    core_clock.set_source(None)

    fired = []
    while (found := transact(runner.next_due_instance)) is not None:
        transact(lambda one=found: runner.fire_due(one, now=core_clock.now()))
        fired.append(found)

    assert engine.instance(due).id in fired
    assert engine.instance(later).id not in fired
    assert engine.waiting(due) == ["then"]


def test_two_nodes_do_not_take_the_same_instance(engine: Engine, in_context: object) -> None:
    core_clock.set_source(lambda: datetime.now(UTC) - timedelta(hours=2))
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, timer("pause", "PT1H"), user("then")))
    transact(
        lambda: runner.start(key, case, {}, actor=runner.registry.SYSTEM, now=core_clock.now())
    )
    core_clock.set_source(None)
    own = engine.instance(case).id
    session().rollback()

    taken = []
    while (found := runner.next_due_instance()) is not None:  # holds the locks
        taken.append(found)
        if found == own:
            break
    others = in_context(runner.next_due_instance)
    session().rollback()

    assert own in taken
    assert others != own


def test_an_ended_or_unknown_instance_fires_nothing(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    engine.deploy(key, line(key, timer("pause", "PT1H"), user("then")))
    engine.start(key, case)
    instance_id = engine.instance(case).id
    engine.cancel(instance_id)
    engine.clock.move(days=1)

    assert engine.fire_due(instance_id) is None
    assert engine.fire_due(2**40) is None


def test_a_cancelled_instance_closes_everything_that_waited(engine: Engine) -> None:
    key, case = new_key(), new_key("case")
    nodes = [user("work"), boundary("late", "work", after("PT1H")), user("overdue")]
    engine.deploy(
        key, diagram(key, nodes, ["begin>work", "work>done", "late>overdue", "overdue>done"])
    )
    engine.start(key, case)
    task_id, instance_id = engine.task(case).id, engine.instance(case).id

    outcome = engine.cancel(instance_id, "重复登记")

    assert outcome.status == "cancelled"
    row = engine.instance(case)
    assert (row.status, row.state, row.next_due) == ("cancelled", None, None)
    (closed,) = engine.tasks(case, "cancelled")
    assert closed.closed_by_name == "周明远"
    reasons = [e["decision"] for e in engine.view(case)["events"] if e["kind"] == "cancelled"]
    assert {"reason": "重复登记"} in reasons
    with pytest.raises(TaskAlreadyDone):
        engine.complete(task_id)
    with pytest.raises(Conflict) as refused:
        engine.cancel(instance_id)
    assert refused.value.payload()["current_state"] == "cancelled"
    with pytest.raises(UnknownTask):
        engine.cancel(2**40)


def test_the_clock_of_these_tests_stands_in_beijing(engine: Engine) -> None:
    assert engine.now == datetime(2026, 11, 24, 9, 30, tzinfo=BEIJING)
