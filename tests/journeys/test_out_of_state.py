"""What is done too late (EX-17): 409 says where the ticket is and who brought it there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.tickets.actions import ACTIONS
from app.tickets.rules import STATES
from tests.support.journey import Chain, World
from tests.support.pages import Browser
from tests.support.people import GUIZHOU, Person

REASON = "承办单位长期未签收，改由其他单位办理。"
VALUES: dict[str, dict[str, Any]] = {
    "urge": {"text": "请尽快办理。"},
    "supervise": {"reason_code": 1, "text": "逾期未办结，请说明原因并限期办结。"},
    "supplement": {"text": "补充一份材料。"},
    "withdraw": {"reason": "来电人表示问题已解决，要求撤回。"},
    "suspend": {
        "reason_code": 1,
        "reason": "等待第三方鉴定结论后方可继续办理。",
        "until": (datetime.now(UTC) + timedelta(days=20)).date().isoformat(),
    },
    "resume": {},
    "extend": {
        "extension_reason": "需要等待县财政局提供补助发放明细。",
        "extension_days": 10,
        "informed_note": "已电话告知来电人延期理由，来电人理解。",
    },
    "permit": {"permit": "accused", "permit_reason": "该县无其他单位可以承办本件。"},
    "recall": {"reason": REASON},
    "give_back": {"return_reason": "反映事项属于县水务局职责，不归本局办理。"},
}
EVER = {"link"}
"""Possible in every state."""
ALL = ("province_operator", "province_agent", "province_leader", "supervisor")


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


def name(person: Person) -> str:
    """As a refusal calls somebody."""
    return person.principal.display_name


def test_every_action_that_a_state_can_forbid_is_tried_here() -> None:
    assert set(VALUES) == set(ACTIONS) - EVER


@pytest.mark.parametrize("key", VALUES)
def test_an_action_on_an_ended_ticket_says_its_state_and_who_ended_it(
    world: World, key: str
) -> None:
    operator, latecomer = world.employ(GUIZHOU), world.employ(GUIZHOU, *ALL)
    number = world.submit()
    assert world.partner.withdraw(number, REASON).status == 201
    (task,) = [t for t in world.tasks(operator, number) if t["element_id"] == "confirm_withdrawal"]
    world.complete_task(operator, task, {"decision": "approve"}, 200)

    refused = world.act(latecomer, number, key, 409, **VALUES[key])

    assert (refused["code"], refused["current_state"]) == ("STATE_CONFLICT", "withdrawn")
    assert refused["acted_by"] == name(operator)
    assert name(operator) in refused["message"]
    assert STATES["withdrawn"] in refused["message"]


@pytest.mark.parametrize("deed", ["complete", "claim", "unclaim"])
def test_a_task_taken_away_says_who_took_it_and_where_the_ticket_is(
    world: World, people: Chain, deed: str
) -> None:
    number = world.submit()
    world.down(number, people)
    (task,) = world.tasks(people.county, number)
    world.act(people.province, number, "recall", reason=REASON)

    url = f"/api/v1/tasks/{task['id']}/{deed}"
    answer = world.http.post(url, json={"variables": {}}, headers=people.county.headers)

    refused = answer.json()
    assert (answer.status_code, refused["code"]) == (409, "TASK_ALREADY_DONE")
    assert (refused["current_state"], refused["acted_by"]) == ("dispatching", name(people.province))
    told = f"已由{name(people.province)}终止，工单当前为“{STATES['dispatching']}”"
    assert refused["message"] == told
    page = Browser(world.app, people.county).post(f"/tasks/{task['id']}/{deed}", htmx=True)
    assert page.status_code == 409
    assert told in page.text


def test_a_task_done_by_a_colleague_says_where_the_ticket_went(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    asked = {"review": "supplement", "supplement_request": "请补充补助发放的年度和金额。"}
    (review,) = world.tasks(people.province, number)
    world.complete_task(people.province, review, asked, 200)

    refused = world.complete_task(people.province_auditor, review, {"review": "accept"}, 409).json()

    assert refused["acted_by"] == name(people.province)
    assert refused["current_state"] == "supplement_pending"


def test_what_waits_already_says_who_asked(world: World, people: Chain) -> None:
    number = world.submit()
    world.down(number, people)
    for key, code in (("extend", "EXTENSION_OPEN"), ("suspend", "MATTER_OPEN")):
        world.act(people.county, number, key, **VALUES[key])

        again = world.act(people.county, number, key, 409, **VALUES[key])

        assert (again["code"], again["acted_by"]) == (code, name(people.county))
        assert again["current_state"] == "handling"
    withdrawal = VALUES["withdraw"]
    world.act(people.province, number, "withdraw", **withdrawal)
    by_staff = world.act(people.province_auditor, number, "withdraw", 409, **withdrawal)
    assert by_staff["acted_by"] == name(people.province)
    by_12345 = world.partner.withdraw(number, REASON).envelope
    assert by_12345["code"] == "MATTER_OPEN"
    assert "acted_by" not in by_12345


def test_a_second_decision_says_who_decided_first(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    why = "反映事项为城市供水收费，不属于乡村振兴业务范围。"
    world.complete(
        people.province, number, review="return", return_reason_code=1, return_reason=why
    )
    decision = {"approved": 2, "opinion": "请解释答复。", "decided_by": "省12345值班长"}
    url = f"/tickets/{number}/return-decision"
    assert world.partner.post(url, decision).status == 200

    refused = world.partner.post(url, {**decision, "approved": 1})

    assert (refused.status, refused.envelope["code"]) == (409, "REQUEST_NOT_OPEN")
    assert refused.envelope["acted_by"] == "省12345值班长"
    assert refused.envelope["current_state"] == "dispatching"
