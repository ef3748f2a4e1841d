"""The review asks 12345 for more (T04b) and goes on when it has it, or when the time is over."""

import pytest

from app.core.db import session
from app.matters import queries
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World

ASK = {"review": "supplement", "supplement_request": "请补充来电人所在村组和补贴发放年份。"}


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


@pytest.fixture
def number(world: World, people: Chain) -> str:
    """A complaint for which 12345 is asked to supply more."""
    made = world.submit()
    world.complete(people.province, made)
    world.complete(people.province, made, **ASK)
    return made


def states(world: World, number: str) -> list[tuple[str, str]]:
    with world.app.app_context():
        found = [(m.kind, m.state) for m in queries.of_ticket(ticket_numbered(number).id)]
        session().rollback()
    return found


def test_12345_is_asked_and_its_answer_brings_the_ticket_back_to_review(
    world: World, people: Chain, number: str
) -> None:
    assert world.status(number) == "supplement_pending"
    assert world.tasks(people.province, number) == []
    world.deliver()
    (asked,) = world.received()
    assert asked.operation == "supplement-requests"
    assert asked.body["request_no"] == f"{number}-S1"
    assert asked.body["content"] == ASK["supplement_request"]
    assert asked.body["external_ticket_no"]
    assert asked.body["reply_by"] > asked.body["requested_at"]

    answer = world.partner.supplement(number, "马山镇三组，2025年补贴。")

    assert answer.status == 201, answer.envelope
    assert answer.data["status"] == "reviewing"
    assert [t["element_id"] for t in world.tasks(people.province, number)] == ["review"]
    assert states(world, number) == [("request", "done"), ("supplement", "done")]
    world.complete(people.province, number, review="accept")
    assert world.status(number) == "dispatching"


def test_silence_brings_it_back_too_and_a_late_answer_is_a_supplement(
    world: World, people: Chain, number: str
) -> None:
    world.pass_days(number, 14)

    assert world.status(number) == "reviewing"
    assert states(world, number) == [("request", "lapsed")]
    assert world.partner.supplement(number, "马山镇三组。").status == 201
    waiting = sorted(t["element_id"] for t in world.tasks(people.province, number))
    assert waiting == ["read_supplement", "review"]


def test_it_may_be_asked_again(world: World, people: Chain, number: str) -> None:
    world.partner.supplement(number, "马山镇三组。")

    world.complete(people.province, number, **ASK)

    assert world.status(number) == "supplement_pending"
    world.deliver()
    numbers = [message.body["request_no"] for message in world.received()]
    assert numbers == [f"{number}-S1", f"{number}-S2"]


def test_the_same_answer_twice_is_one(world: World, people: Chain, number: str) -> None:
    first = world.partner.supplement(number, "马山镇三组。")
    again = world.partner.supplement(number, "马山镇三组。")

    assert (first.status, again.status) == (201, 200)
    assert [t["element_id"] for t in world.tasks(people.province, number)] == ["review"]


def test_what_is_asked_has_to_be_said(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    (task,) = world.tasks(people.province, number)

    for values in ({"review": "supplement"}, {**ASK, "supplement_request": "太短"}):
        refused = world.complete_task(people.province, task, values, 422).json()
        assert {e["field"] for e in refused["errors"]} == {"supplement_request"}
    assert world.status(number) == "reviewing"
