"""However a ticket of 12345 ends, 12345 hears of its end exactly once (FLW-02).

Results of several rounds are one kind of last word, of which the last one counts.
"""

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


WHY = "来电人要求撤回。"
BACK = {"return_reason_code": 1, "return_reason": "不属于乡村振兴业务，建议转水务部门。"}


def _heard(world: World, number: str) -> list[str]:
    world.deliver()
    return [
        m.body.get("event", m.operation)
        for m in world.received()
        if m.body["acceptance_no"] == number
    ]


def _in_a_later_round(world: World, people: Chain) -> str:
    """A complaint that the province hands to the city after two results."""
    number = world.submit()
    world.conclude(number, people)
    world.call_back(number, 3)
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()
    world.call_back(number, 3)
    world.complete(people.province, number, decision="dispatch", opinion="改由遵义市重新核实。")
    return number


def test_a_ticket_that_is_handled_anew_is_not_withdrawn(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.conclude(number, people)
    world.call_back(number, 3)

    refused = world.partner.withdraw(number, WHY)

    assert (refused.status, refused.envelope["code"]) == (409, "RESULT_SENT")
    assert "结果已反馈" in refused.envelope["message"]
    by_hand = world.act(people.province, number, "withdraw", 409, reason="来电人来电要求撤回本件。")
    assert by_hand["code"] == "RESULT_SENT"
    assert world.status(number) == "reworking"
    assert _heard(world, number) == ["results/complaints"]


def test_a_ticket_that_is_handled_anew_is_neither_returned_nor_transferred(world: World) -> None:
    people = world.chain()
    number = _in_a_later_round(world, people)
    world.delegate(number, people.province, people.city)
    world.complete(
        people.city,
        number,
        city_route="back",
        return_reason="不属于本单位职责，建议由省水务局办理。",
    )
    (task,) = world.tasks(people.province, number)

    refused = world.complete_task(people.province, task, {"decision": "p12345", **BACK}, 422)

    assert [e["rule"] for e in refused.json()["errors"]] == ["result_sent"]
    world.complete(people.province, number, decision="agree")
    (task,) = world.tasks(people.province, number)
    other = {
        "route": "transfer",
        "transfer_org": "省纪委监委",
        "transfer_reason": "反映村干部侵占补贴，属纪检监察机关管辖。",
    }
    refused = world.complete_task(people.province, task, other, 422)
    assert [e["rule"] for e in refused.json()["errors"]] == ["result_sent"]
    assert _heard(world, number) == ["results/complaints"] * 2


def test_a_withdrawal_that_the_result_overtakes_is_refused_with_the_reason(world: World) -> None:
    people, number = world.chain(), world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.partner.withdraw(number, WHY)
    (task,) = [
        t for t in world.tasks(people.province, number) if t["element_id"] == "handle_by_province"
    ]
    report = world.report_for(people.province, task["id"])
    world.complete_task(people.province, task, report, 200)
    (audit,) = [
        t
        for t in world.tasks(people.province_auditor, number)
        if t["element_id"] == "audit_by_province"
    ]
    world.complete_task(people.province_auditor, audit, {"decision": "approve"}, 200)

    assert _heard(world, number) == ["withdrawal_refused", "results/complaints"]
    assert "结果已先行反馈" in world.received()[0].body["reason"]
    assert "confirm_withdrawal" not in [
        t["element_id"] for t in world.tasks(people.province, number)
    ]
    world.call_back(number, 3)
    assert world.status(number) == "reworking"
    assert _heard(world, number) == ["withdrawal_refused", "results/complaints"]
