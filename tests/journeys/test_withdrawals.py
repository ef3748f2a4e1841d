"""Taking a matter back (撤回, EX-07): asked for by 12345 or an agent, confirmed by the province."""

import pytest

from app.core.db import session
from app.matters import queries
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World
from tests.support.people import GUIZHOU, Person

WHY = "来电人表示问题已解决，要求撤回。"


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


def events(world: World) -> list[str]:
    """What 12345 was told."""
    world.deliver()
    return [message.body.get("event", message.operation) for message in world.received()]


def decide(world: World, person: Person, number: str, status: int = 200, **values: str) -> object:
    (task,) = [t for t in world.tasks(person, number) if t["element_id"] == "confirm_withdrawal"]
    return world.complete_task(person, task, values, status).json()


def state_of(world: World, number: str) -> str:
    with world.app.app_context():
        (matter,) = queries.of_ticket(ticket_numbered(number).id)
        state = matter.state
        session().rollback()
    return state


def test_before_it_is_handled_the_operator_confirms(world: World, people: Chain) -> None:
    number = world.submit()

    answer = world.partner.withdraw(number, WHY)

    assert answer.status == 201, answer.envelope
    assert world.status(number) == "submitted"
    decide(world, people.province, number, decision="approve")
    assert world.status(number) == "withdrawn"
    assert world.tasks(people.province, number) == []
    assert events(world) == ["withdrawn"]
    assert state_of(world, number) == "agreed"


def test_while_it_is_handled_the_province_confirms_and_the_work_below_ends(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.down(number, people)

    assert world.partner.withdraw(number, WHY).status == 201
    assert [t["element_id"] for t in world.tasks(people.county, number)] == ["handle_by_county"]
    decide(world, people.province, number, decision="approve", opinion="已与来电人核实。")

    assert world.status(number) == "withdrawn"
    assert world.tasks(people.county, number) == []
    assert events(world) == ["withdrawn"]


def test_a_matter_of_public_interest_goes_on_and_12345_is_told_why(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.down(number, people)
    world.partner.withdraw(number, WHY)

    refused = decide(world, people.province, number, 422, decision="refuse")
    assert [e["field"] for e in refused["errors"]] == ["opinion"]
    decide(world, people.province, number, decision="refuse", opinion="涉及公共利益，依职权办理。")

    assert world.status(number) == "handling"
    assert [t["element_id"] for t in world.tasks(people.county, number)] == ["handle_by_county"]
    assert events(world) == ["withdrawal_refused"]
    assert state_of(world, number) == "refused"
    # it may be asked for once more
    assert world.partner.withdraw(number, "来电人再次要求撤回。").status == 201


def test_one_request_waits_at_a_time_and_a_repeat_changes_nothing(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.partner.withdraw(number, WHY)

    again = world.partner.withdraw(number, WHY)
    other = world.partner.withdraw(number, "来电人改变主意。")

    assert (again.status, again.data["duplicate"]) == (200, True)
    assert (other.status, other.envelope["code"]) == (409, "MATTER_OPEN")
    decide(world, people.province, number, decision="approve")
    later = world.partner.withdraw(number, "来电人改变主意。")
    assert (later.status, later.envelope["current_state"]) == (409, "withdrawn")
    assert world.partner.withdraw(number, WHY).status == 200


def test_an_agent_may_pass_on_what_the_caller_said(world: World, people: Chain) -> None:
    agent = world.employ(GUIZHOU, "province_agent")
    number = world.submit()

    refused = world.act(agent, number, "withdraw", 422, reason="太短")
    assert [e["field"] for e in refused["errors"]] == ["reason"]
    world.act(agent, number, "withdraw", reason=WHY)
    decide(world, people.province, number, decision="approve")

    assert world.status(number) == "withdrawn"


def test_lower_levels_take_nothing_back(world: World, people: Chain) -> None:
    number = world.submit()
    world.down(number, people)

    assert "withdraw" not in world.offered(people.county, number)
    assert world.act(people.city, number, "withdraw", 403, reason=WHY)["code"] == "SCOPE_DENIED"


def test_while_12345_decides_on_a_return_nothing_is_taken_back(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    world.partner.withdraw(number, WHY)
    (review,) = [t for t in world.tasks(people.province, number) if t["element_id"] == "review"]
    back = {
        "review": "return",
        "return_reason_code": 1,
        "return_reason": "来电人反映的是城市供水问题，建议转水务部门。",
    }
    world.complete_task(people.province, review, back, 200)

    refused = decide(world, people.province, number, 409, decision="approve")

    assert refused["current_state"] == "return_pending"
    assert world.partner.withdraw(number, "请立即撤回。").status == 409


def test_a_ticket_that_goes_on_for_others_is_not_withdrawn(world: World, people: Chain) -> None:
    kept, merged = world.submit(), world.submit()
    world.accept(kept, people.province)
    world.complete(people.province, merged)
    world.complete(people.province, merged, review="merge", merged_into=kept)
    world.partner.withdraw(kept, WHY)

    refused = decide(world, people.province, kept, 409, decision="approve")

    assert refused["code"] == "MERGED_TICKETS"
    assert world.status(kept) == "dispatching"
