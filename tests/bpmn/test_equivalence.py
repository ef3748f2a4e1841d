"""Ours behaves as stock SpiffWorkflow, step by step, except where stock is known to be wrong."""

import random
from typing import TYPE_CHECKING, Any

from tests.bpmn.walking import Tally, Walk, parsed

if TYPE_CHECKING:
    from tests.conftest import MovableClock

TICKET_START: dict[str, Any] = {
    "ticket_id": 1,
    "handling_unit": 7,
    "review_result": "",
    "approved": False,
    "route": "",
    "handled": "",
    "audit_result": "",
    "satisfied": True,
}


SHIPPED_START: dict[str, Any] = {
    "ticket_id": 1,
    "province_unit_id": 7,
    "city_unit_id": 0,
    "county_unit_id": 0,
    "review": "",
    "route": "",
    "city_route": "",
    "handled_by": "",
    "audit": "",
    "audit_needed": True,
    "return_approved": 0,
    "return_remind_at": "2026-11-25T18:00:00+08:00",
    "transfer_approved": False,
}


def shipped_answers(dice: random.Random, name: str) -> dict[str, Any]:
    """What the product's forms could answer at each task of ticket_transfer."""
    if name == "review":
        return {"review": dice.choice(["accept", "accept", "return", "transfer"])}
    if name == "approve_transfer":
        return {"transfer_approved": dice.random() < 0.5}
    if name == "decide.return":
        return {"return_approved": dice.choice([1, 2])}
    if name == "dispatch":
        route = dice.choice(["province", "city", "county"])
        city = 70 if route == "city" else 0
        return {"route": route, "city_unit_id": city, "handled_by": route}
    if name == "city_decide":
        route = dice.choice(["self", "county"])
        return {"city_route": route, "handled_by": "city" if route == "self" else "county"}
    if name == "handle_by_province":
        return {"audit_needed": dice.random() < 0.8}
    if name.startswith("audit_"):
        return {"audit": dice.choice(["approve", "approve", "reject"])}
    return {}


# Stock often crashes in 2 and 6, the multi-instance calls, which would end most walks early.
STRESS_CHOICES = [1, 1, 1, 2, 3, 4, 4, 5, 5, 5, 6, 7, 7, 8, 8, 8, 9]


def ticket_answers(dice: random.Random, name: str) -> dict[str, Any]:
    return {
        "review_result": dice.choice(["accept", "accept", "return"]),
        "approved": dice.random() < 0.1,
        "route": dice.choice(["down", "down", "self", "back"]),
        "audit_result": dice.choice(["reject", "pass"]),
        "satisfied": dice.random() < 0.2,
        f"said_{name.replace('.', '_')}": dice.randrange(99),
        "opinion": "意见" * dice.randrange(3),
    }


def stress_answers(dice: random.Random, name: str) -> dict[str, Any]:
    return {
        "k": dice.choice(STRESS_CHOICES),
        "n": dice.random(),
        f"said_{name.split(' ')[0]}": dice.randrange(99),
    }


def test_ticket_walks_are_identical_to_stock(clock: "MovableClock") -> None:
    tally, start = Tally(), clock.moment

    for seed in range(300):
        clock.moment = start
        walk = Walk("ticket_like", seed, TICKET_START, clock, tolerant=False, tally=tally)
        walk.run(60, ticket_answers)

    assert tally.steps > 5_000
    assert tally.completed > 50
    assert min(tally.timers, tally.messages) > 200
    assert tally.most_tasks < 120
    assert tally.largest_state < 4_000


def test_walks_of_the_shipped_ticket_diagram_are_identical_to_stock(clock: "MovableClock") -> None:
    tally, passed, start = Tally(), set(), clock.moment

    for seed in range(300):
        clock.moment = start
        walk = Walk("ticket_transfer", seed, SHIPPED_START, clock, tolerant=False, tally=tally)
        walk.run(80, shipped_answers)
        passed |= walk.seen

    assert tally.completed == 300
    assert tally.most_tasks < 60
    everything = set(parsed("ticket_transfer").spec.task_specs)
    assert {name for name in everything if name.islower()} - passed <= {"start"}


def test_stress_walks_differ_from_stock_only_where_stock_is_wrong(clock: "MovableClock") -> None:
    tally, start = Tally(), clock.moment

    for seed in range(300):
        clock.moment = start
        variables = {"k": 0, "n": 0.5, "rounds": 0}
        walk = Walk("stress", seed, variables, clock, tolerant=True, tally=tally)
        walk.run(50, stress_answers)

    assert tally.steps > 5_000
    assert tally.completed > 50
    assert tally.early_joins > 0
    assert tally.stock_crashed > 0
    assert set(tally.crashes) == {"TaskNotFoundException"}
    assert tally.most_tasks < 120
