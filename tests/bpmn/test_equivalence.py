"""Ours behaves as stock SpiffWorkflow, step by step, except where stock is known to be wrong."""

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.bpmn import shipped
from tests.bpmn.walking import Tally, Walk

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
    assert tally.most_tasks < 150
    assert tally.largest_state < 4_000


@pytest.mark.parametrize(("name", "walks"), [("ticket_transfer", 300), ("call_transfer", 400)])
def test_walks_of_the_shipped_diagrams_are_identical_to_stock(
    name: str, walks: int, clock: "MovableClock"
) -> None:
    tally, start = Tally(), clock.moment
    starts = shipped.STARTS[name]

    for seed in range(walks):
        clock.moment = start
        begun = shipped.start_of(name, starts[seed % len(starts)])
        walk = Walk(name, seed, begun, clock, tolerant=False, tally=tally)
        walk.run(60, shipped.answers)

    assert tally.steps > 4_000
    assert tally.completed > 250
    assert min(tally.timers, tally.messages) > 80
    assert tally.most_tasks < 200


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
    assert tally.most_tasks < 150
