"""Overdue events (超时) as the diagrams draw them: who is urged, how often, and when nobody is."""

from datetime import timedelta
from threading import Thread

import pytest

from app.core.db import db, transact
from app.deadlines import services as limits
from app.deadlines.enforcement import enforce_due
from app.engine import queries as engine
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World
from tests.support.timelimits import (
    call_early,
    deadlines,
    follow_up,
    let_pass,
    matters,
    turn_lights,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


def passed(world: World, number: str, element_id: str) -> int:
    """How often the diagram has come by an element."""
    with world.app.app_context():
        instance = engine.instance_of(number, ["ticket_transfer"])
        assert instance is not None
        events = engine.instance_view(instance.id)["events"]
        db.session.remove()
    return sum(1 for event in events if event["element_id"] == element_id)


def test_a_ticket_that_nobody_signs_in_urges_the_province_once(world: World, people: Chain) -> None:
    number = world.submit()
    late = deadlines(world, number)["sign_in"].due_at + MINUTE

    let_pass(world, late, number)
    let_pass(world, late + MINUTE, number)

    (urge,) = matters(world, number, "urge")
    assert urge.unit_id == people.province.principal.unit_id
    assert "省级签收已超过时限" in urge.text
    assert passed(world, number, "urge_sign_in") == 1
    waiting = [task["element_id"] for task in world.tasks(people.province, number)]
    assert sorted(waiting) == ["answer_urge", "sign_in"]


def test_each_handling_that_is_late_urges_its_own_unit(world: World, people: Chain) -> None:
    number = world.submit()
    world.down(number, people)
    let_pass(world, deadlines(world, number)["handle"].due_at + MINUTE, number)
    (task,) = [t for t in world.tasks(people.county, number) if t["form"].startswith("ticket.")]
    world.complete_task(people.county, task, world.report_for(people.county, task["id"]), 200)
    assert (passed(world, number, "urge_county"), passed(world, number, "urge_city")) == (1, 0)
    rejected = {"decision": "reject", "opinion": "补充会计凭证并核实。"}
    world.complete(people.city_auditor, number, **rejected)

    let_pass(world, deadlines(world, number)["handle"].due_at + MINUTE, number)

    assert passed(world, number, "urge_county") == 2
    units = {urge.unit_id for urge in matters(world, number, "urge")}
    assert units == {people.county.principal.unit_id}


def test_a_task_done_before_its_overdue_event_comes_urges_nobody_and_nothing_is_kept(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.down(number, people)
    late = deadlines(world, number)["handle"].due_at + MINUTE
    turn_lights(world, late, number)
    world.hand_in(people.county, number)

    world.complete(
        people.city_auditor, number, decision="reject", opinion="补充会计凭证并核实。"
    )  # the same task once more, with a time limit of its own
    follow_up(world, late)

    assert matters(world, number, "urge") == []
    assert passed(world, number, "county_overdue") == 0


def test_a_due_date_that_moves_before_its_overdue_event_comes_is_overdue_later_once(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.down(number, people)
    late = deadlines(world, number)["handle"].due_at + MINUTE
    turn_lights(world, late, number)
    with world.app.app_context():
        ticket_id = ticket_numbered(number).id
        transact(lambda: limits.grant(ticket_id, 10, late) and None)
        db.session.remove()

    follow_up(world, late)
    assert matters(world, number, "urge") == []

    let_pass(world, deadlines(world, number)["handle"].due_at + MINUTE, number)
    assert passed(world, number, "urge_county") == 1
    assert len(matters(world, number, "urge")) == 1


def test_a_limit_that_no_diagram_draws_urges_all_the_same(world: World, people: Chain) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)

    let_pass(world, deadlines(world, number)["city_forward"].due_at + MINUTE, number)

    (urge,) = matters(world, number, "urge")
    assert urge.unit_id == people.city.principal.unit_id
    assert "市级签收转办已超过时限" in urge.text


def test_a_stage_and_the_total_that_two_schedulers_find_over_at_once_urge_once(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.down(number, people)
    turn_lights(world, deadlines(world, number)["handle"].due_at + MINUTE, number)
    night = deadlines(world, number)["total"].due_at + MINUTE
    call_early(world, night, number)
    other = Thread(target=follow_up, args=(world, night))

    def turn_the_total() -> None:
        enforce_due(night)
        other.start()
        other.join(1)  # it wants to urge for the stage before this is committed

    with world.app.app_context():
        transact(turn_the_total)
        db.session.remove()
    other.join()
    follow_up(world, night)

    assert len(matters(world, number, "urge")) == 1
