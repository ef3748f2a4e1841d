"""However a ticket of 12345 ends, 12345 hears of its end exactly once (FLW-02)."""

from collections.abc import Callable

import pytest

from tests.support.journey import Chain, World
from tests.support.people import GUIZHOU

ENDS = frozenset({"withdrawn", "merged", "transferred_out"})
End = Callable[[World, Chain, str], None]


def _result(world: World, people: Chain, number: str) -> None:
    world.down(number, people)
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()
    world.call_back(number, 1)


def _result_without_callback(world: World, people: Chain, number: str) -> None:
    world.conclude(number, people)
    world.pass_days(number, 30)


def _returned(world: World, people: Chain, number: str) -> None:
    world.complete(people.province, number)
    world.complete(
        people.province,
        number,
        review="return",
        return_reason_code=1,
        return_reason="反映的是城市供水问题，建议转水务部门。",
    )
    world.deliver()
    world.partner.decide_return(number, approved=True, opinion="同意退回。")


def _transferred(world: World, people: Chain, number: str) -> None:
    leader = world.employ(GUIZHOU, "province_leader")
    world.complete(people.province, number)
    world.complete(
        people.province,
        number,
        review="transfer",
        transfer_org="省纪委监委信访室",
        transfer_reason="反映村干部侵占补贴，属纪检监察机关管辖。",
    )
    world.complete(leader, number, decision="approve")


def _merged(world: World, people: Chain, number: str) -> None:
    kept = world.submit()
    world.complete(people.province, number)
    world.complete(people.province, number, review="merge", merged_into=kept)


def _withdrawn(world: World, people: Chain, number: str) -> None:
    world.down(number, people)
    world.partner.withdraw(number, "来电人要求撤回。")
    world.complete(people.province, number, decision="approve")


def _withdrawn_at_once(world: World, people: Chain, number: str) -> None:
    world.complete(people.province, number)
    world.act(people.province, number, "withdraw", reason="来电人当场来电要求撤回本件。")
    (task,) = [
        t for t in world.tasks(people.province, number) if t["element_id"] == "confirm_withdrawal"
    ]
    world.complete_task(people.province, task, {"decision": "approve"}, 200)


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        (_result, "archived", "results/complaints"),
        (_result_without_callback, "archived", "results/complaints"),
        (_returned, "returned", "return-requests"),
        (_transferred, "transferred_out", "transferred_out"),
        (_merged, "merged", "merged"),
        (_withdrawn, "withdrawn", "withdrawn"),
        (_withdrawn_at_once, "withdrawn", "withdrawn"),
    ],
)
def test_12345_hears_of_the_end_once(world: World, end: End, status: str, message: str) -> None:
    people, number = world.chain(), world.submit()

    end(world, people, number)
    for _ in range(3):
        world.deliver()
        world.hurry()

    assert world.status(number) == status
    heard = [
        m.body.get("event", m.operation)
        for m in world.received()
        if m.body["acceptance_no"] == number
    ]
    final = [
        word
        for word in heard
        if word in ENDS or word == "return-requests" or word.startswith("results/")
    ]
    assert final == [message]
    for person in (people.province, people.city, people.county):
        assert world.tasks(person, number) == []
