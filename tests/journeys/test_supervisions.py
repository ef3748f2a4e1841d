"""督办 that the system asks for: late, urged, decided by the supervisor, issued and answered."""

import re
from datetime import datetime, timedelta

import pytest

from app.deadlines.published import calendar
from tests.journeys.test_lower_returns import steps
from tests.support.extensions import due
from tests.support.journey import Chain, World
from tests.support.pages import Browser
from tests.support.people import GUIZHOU, Person
from tests.support.timelimits import deadlines, hour, let_pass, matters

ISSUE = {
    "decision": "issue",
    "reason_code": 1,
    "text": "办理超过时限且未说明原因，请限期答复并办结。",
}
DECLINE = {"decision": "decline", "decline_reason": "承办单位已电话说明，三日内办结。"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


@pytest.fixture
def supervisor(world: World) -> Person:
    """The province's supervisor."""
    return world.employ(GUIZHOU, "supervisor")


@pytest.fixture
def number(world: World, people: Chain) -> str:
    """A complaint that the county handles."""
    made = world.submit()
    world.down(made, people)
    return made


def day_late(world: World, number: str) -> datetime:
    """Let the total pass, and a working day after it; when that is."""
    late = due(world, number)
    let_pass(world, late + MINUTE, number)
    later = calendar().add_working_days(late, 1).at + MINUTE
    let_pass(world, later, number)
    return later


def question(world: World, supervisor: Person, number: str) -> dict[str, object]:
    """The supervisor's task."""
    (task,) = world.tasks(supervisor, number)
    assert (task["element_id"], task["name"]) == ("consider_supervision", "是否发督办单")
    return task


def test_a_late_ticket_is_urged_then_supervised_and_answered(
    world: World, people: Chain, supervisor: Person, number: str
) -> None:
    now = day_late(world, number)
    assert len(matters(world, number, "urge")) == 1
    task = question(world, supervisor, number)
    asked = deadlines(world, number)["consider_supervision"]
    assert asked.due_at == calendar().add_working_days(asked.start_at, 1).at
    page = Browser(world.app, supervisor).get(f"/tickets/{number}").text
    assert "请决定是否发督办单" in page
    assert "办理超时" in page
    assert "overdue." not in page

    with hour(now + MINUTE):
        world.complete_task(supervisor, task, ISSUE, 200)

    (order,) = matters(world, number, "supervise")
    assert re.fullmatch(r"DB-520000-\d{4}-\d{4}", order.number or "")
    assert (order.raised_by, order.text) == (supervisor.principal.user_id, ISSUE["text"])
    assert order.reason_code == 1
    assert order.unit_id == people.county.principal.unit_id
    assert order.due_at == calendar().add_working_days(now + MINUTE, 3).at
    (asked_for,) = matters(world, number, "consider_supervision")
    assert (asked_for.state, asked_for.answer) == ("agreed", order.number)
    (reply,) = [t for t in world.tasks(people.county, number) if t["name"] == "答复督办单"]
    assert (
        order.number
        in Browser(world.app, people.county).get(f"/tickets/{number}?task={reply['id']}").text
    )

    world.complete_task(people.county, reply, {"answer": "已约谈经办人，两日内报结。"}, 200)

    (order,) = matters(world, number, "supervise")
    assert (order.state, order.answer) == ("done", "已约谈经办人，两日内报结。")
    assert "answer_supervision" not in steps(world, people.county, number)


def test_a_supervisor_may_decline_with_a_reason(
    world: World, supervisor: Person, number: str
) -> None:
    day_late(world, number)

    world.complete(supervisor, number, **DECLINE)

    assert matters(world, number, "supervise") == []
    (asked,) = matters(world, number, "consider_supervision")
    assert (asked.state, asked.answer) == ("refused", DECLINE["decline_reason"])
    assert (
        DECLINE["decline_reason"] in Browser(world.app, supervisor).get(f"/tickets/{number}").text
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "decision"),
        ({"decision": "later"}, "decision"),
        ({"decision": "issue", "reason_code": 1}, "text"),
        ({"decision": "issue", "reason_code": 1, "text": "太短"}, "text"),
        ({"decision": "issue", "text": ISSUE["text"]}, "reason_code"),
        ({**ISSUE, "reason_code": 5}, "reason_code"),
        ({"decision": "decline"}, "decline_reason"),
        ({"decision": "decline", "decline_reason": "不必了"}, "decline_reason"),
    ],
)
def test_each_decision_is_explained(
    world: World, supervisor: Person, number: str, given: dict[str, object], field: str
) -> None:
    day_late(world, number)
    task = question(world, supervisor, number)

    refused = world.complete_task(supervisor, task, given, 422).json()

    assert [error["field"] for error in refused["errors"]] == [field]


def test_a_ticket_that_came_back_up_is_not_supervised_from_its_own_level(
    world: World, people: Chain, supervisor: Person, number: str
) -> None:
    day_late(world, number)
    world.act(people.province, number, "recall", reason="改由省级直接核实，收回重新分派。")
    task = question(world, supervisor, number)

    refused = world.complete_task(supervisor, task, ISSUE, 409).json()

    assert refused["code"] == "SUPERVISION_NOT_BELOW"
    world.complete_task(supervisor, task, DECLINE, 200)


def test_nobody_is_asked_while_a_supervision_waits_for_its_answer(
    world: World, supervisor: Person, number: str
) -> None:
    world.act(supervisor, number, "supervise", reason_code=3, text=ISSUE["text"])

    day_late(world, number)

    assert world.tasks(supervisor, number) == []
    assert matters(world, number, "consider_supervision") == []


def test_of_what_the_province_holds_itself_its_leader_hears(
    world: World, people: Chain, supervisor: Person
) -> None:
    leader = world.employ(GUIZHOU, "province_leader")
    number = world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")

    day_late(world, number)

    assert world.tasks(supervisor, number) == []
    assert steps(world, leader, number) == ["read_notice"]
    (notice,) = matters(world, number, "notice")
    assert "请督促办结" in notice.text


def test_the_task_is_the_supervisors_alone(
    world: World, people: Chain, supervisor: Person, number: str
) -> None:
    day_late(world, number)
    task = question(world, supervisor, number)

    assert world.complete_task(people.province, task, DECLINE, 403).json()["code"] == (
        "ROLE_REQUIRED"
    )
    assert world.complete_task(people.city, task, DECLINE, 404).status_code == 404


def test_the_result_ends_what_nobody_wants_any_more(
    world: World, people: Chain, supervisor: Person, number: str
) -> None:
    helper = world.employ("520100000000")
    world.act(supervisor, number, "supervise", reason_code=3, text=ISSUE["text"])
    world.act(people.city, number, "urge", text="请尽快办理。")
    world.act(people.city, number, "urge", text="请再尽快办理。")
    world.act(people.province, number, "supplement", text="来电人补充了付款凭证。")
    (task,) = [t for t in world.tasks(people.county, number) if t["name"] == "县级办理"]
    report = world.report_for(people.county, task["id"])
    world.complete_task(people.county, task, report, 200)
    for auditor in (people.city_auditor, people.province_auditor):
        (audit,) = world.tasks(auditor, number)
        world.complete_task(auditor, audit, {"decision": "approve"}, 200)

    left = ["answer_supervision", "read_supplement"]
    assert sorted(steps(world, people.county, number)) == left
    assert {matter.state for matter in matters(world, number, "urge")} == {"lapsed"}
    assert deadlines(world, number)["urge_reply"].state == "cancelled"
    assert steps(world, helper, number) == []
