"""Taking a ticket back from below (收回、改派, EX-12)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.core.clock import BEIJING
from app.core.db import session
from app.engine.models import ProcessEvent, ProcessInstance, UserTask
from app.matters import queries
from app.tickets.services import ticket_numbered
from tests.journeys.test_sources import register
from tests.support.journey import Chain, World
from tests.support.pages import Browser
from tests.support.people import GUIYANG, GUIZHOU, Person

RENHUAI = "520382000000"
WHY = {"reason": "承办单位长期未签收，改由其他单位办理。"}


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


@pytest.fixture
def number(world: World, people: Chain) -> str:
    """A complaint that the county handles."""
    made = world.submit()
    world.down(made, people)
    return made


def steps(world: World, person: Person, number: str) -> list[str]:
    return sorted(task["element_id"] for task in world.tasks(person, number))


def gone(world: World, person: Person, number: str) -> bool:
    """Whether the ticket does not exist for somebody."""
    url = f"/api/v1/tickets/{number}/actions"
    return world.http.get(url, headers=person.headers).status_code == 404


def test_the_province_takes_it_back_and_hands_it_on_anew(
    world: World, people: Chain, number: str
) -> None:
    world.act(people.province, number, "recall", **WHY)

    assert world.status(number) == "dispatching"
    assert steps(world, people.province, number) == ["dispatch"]
    assert gone(world, people.county, number)
    assert gone(world, people.city, number)
    guiyang = world.employ(GUIYANG)
    world.delegate(number, people.province, guiyang)
    assert steps(world, guiyang, number) == ["city_decide"]


def test_the_city_takes_it_back_from_its_county(world: World, people: Chain, number: str) -> None:
    world.act(people.city, number, "recall", **WHY)

    assert world.status(number) == "delegated"
    assert steps(world, people.city, number) == ["city_decide"]
    assert gone(world, people.county, number)
    world.complete(people.city, number, city_route="self")
    world.hand_in(people.city, number)
    world.complete(people.province_auditor, number, decision="approve")
    assert world.status(number) == "result_pending"


def test_the_history_says_who_took_it_back_and_the_tasks_below_are_cancelled(
    world: World, people: Chain, number: str
) -> None:
    (below,) = world.tasks(people.county, number)

    world.act(people.province, number, "recall", **WHY)

    refused = world.complete_task(people.county, below, {}, 409).json()
    assert refused["current_state"] == "dispatching"
    with world.app.app_context():
        (task,) = session().scalars(
            select(UserTask).where(
                UserTask.business_key == number, UserTask.element_id == "handle_by_county"
            )
        )
        assert (task.state, task.closed_by) == ("cancelled", people.province.principal.user_id)
        told = session().scalars(
            select(ProcessEvent)
            .join(ProcessInstance, ProcessInstance.id == ProcessEvent.instance_id)
            .where(ProcessInstance.business_key == number, ProcessEvent.kind == "message")
        )
        assert [(e.element_name, e.actor_id) for e in told] == [
            ("recall.ticket", people.province.principal.user_id)
        ]
        (kept,) = queries.of_ticket(ticket_numbered(number).id)
        assert (kept.kind, kept.text, kept.state) == ("recall", WHY["reason"], "done")
        assert kept.unit_id == people.county.principal.unit_id
        session().rollback()


def _unsigned(world: World, people: Chain) -> str:
    number = world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    return number


def _at_the_citys_audit(world: World, people: Chain) -> str:
    number = world.submit()
    world.down(number, people)
    world.hand_in(people.county, number)
    return number


def _handled_again(world: World, people: Chain) -> str:
    number = _at_the_citys_audit(world, people)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()
    world.call_back(number, 3)
    return number


def _handed_back_to_the_city(world: World, people: Chain) -> str:
    number = world.submit()
    world.down(number, people)
    reason = "不属于本单位职责，建议由县水务局办理。"
    world.act(people.county, number, "give_back", return_reason=reason)
    return number


def _suspended(world: World, people: Chain) -> str:
    number = world.submit()
    world.down(number, people)
    until = datetime.now(BEIJING).date() + timedelta(days=10)
    why = {"reason_code": 1, "reason": "等待房屋鉴定结论后再行处理。"}
    world.act(people.county, number, "suspend", **why, until=until.isoformat())
    world.complete(world.employ(GUIZHOU, "province_leader"), number, decision="approve")
    return number


@pytest.mark.parametrize(
    "stage",
    [_unsigned, _at_the_citys_audit, _handled_again, _handed_back_to_the_city, _suspended],
)
def test_it_is_taken_back_at_any_stage_below(
    world: World, people: Chain, stage: Callable[[World, Chain], str]
) -> None:
    number = stage(world, people)

    world.act(people.province, number, "recall", **WHY)

    assert world.status(number) == "dispatching"
    assert steps(world, people.province, number) == ["dispatch"]
    assert gone(world, people.city, number)
    assert gone(world, people.county, number)


def test_an_audit_of_the_report_that_was_taken_back_counts_no_more(
    world: World, people: Chain
) -> None:
    number = _at_the_citys_audit(world, people)
    world.act(people.province, number, "recall", **WHY)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    world.deliver()

    (result,) = world.received()
    names = [auditor["name"] for auditor in result.body["auditors"]]
    assert names == [people.province_auditor.principal.display_name]


def test_what_the_lower_unit_had_to_answer_the_upper_one_answers(
    world: World, people: Chain, number: str
) -> None:
    world.partner.urge(number, "来电人询问办理进展。")

    world.act(people.province, number, "recall", **WHY)

    assert steps(world, people.province, number) == ["answer_urge", "dispatch"]
    assert gone(world, people.county, number)


def test_only_an_upper_unit_that_handed_it_down_takes_it_back(
    world: World, people: Chain, number: str
) -> None:
    assert "recall" not in world.offered(people.county, number)
    assert world.act(people.county, number, "recall", 403, **WHY)["code"] == "SCOPE_DENIED"
    world.act(world.employ(GUIYANG), number, "recall", 404, **WHY)
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")

    # it is at the province now: there is nothing below to take
    refused = world.act(people.province, number, "recall", 403, **WHY)
    assert refused["code"] == "ACTION_NOT_YOURS"
    assert world.act(people.city, number, "recall", 403, **WHY)["code"] == "ACTION_NOT_YOURS"


def test_without_a_reason_nothing_is_taken(world: World, people: Chain, number: str) -> None:
    refused = world.act(people.province, number, "recall", 422, reason="太慢")

    assert [e["field"] for e in refused["errors"]] == ["reason"]
    assert steps(world, people.county, number) == ["handle_by_county"]


def test_before_it_is_handed_down_there_is_nothing_to_take_back(
    world: World, people: Chain
) -> None:
    number = world.submit()

    refused = world.act(people.province, number, "recall", 409, **WHY)

    assert refused["current_state"] == "submitted"


def test_who_helped_below_has_no_more_to_say(world: World, people: Chain) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    helper = people.county.principal.unit_id
    asked = {"cohandlers": [helper], "cohandle_request": "请协助核实补助发放情况。"}
    world.complete(people.city, number, city_route="self", **asked)
    world.settle()
    (task,) = world.tasks(people.county, number)

    world.act(people.province, number, "recall", **WHY)

    assert gone(world, people.county, number)
    late = world.complete_task(people.county, task, {"answer": "已足额发放。"}, 409).json()
    assert late["current_state"] == "dispatching"
    with world.app.app_context():
        found = queries.of_ticket(ticket_numbered(number).id)
        assert [m.state for m in found if m.kind == "cohandle"] == ["lapsed"]
        session().rollback()
    world.act(people.county, number, "supplement", 404, text="继续补充。")
    page = Browser(world.app, people.province).get(f"/tickets/{number}")
    assert page.status_code == 200  # the history has the helper's step as cancelled


def test_help_that_the_city_asks_for_anew_after_its_recall_stays(
    world: World, people: Chain, number: str
) -> None:
    world.act(people.city, number, "recall", **WHY)
    helper = world.employ(RENHUAI)
    asked = {"cohandlers": [helper.principal.unit_id], "cohandle_request": "请协助核实。"}

    world.complete(people.city, number, city_route="self", **asked)
    world.settle()

    assert steps(world, helper, number) == ["give_opinion"]
    assert steps(world, people.city, number) == ["handle_by_city"]


def test_what_the_city_registered_the_province_does_not_take(world: World, people: Chain) -> None:
    number = register(world, people.city, "letter")["acceptance_no"]

    assert "recall" not in world.offered(people.province, number)
    assert world.act(people.province, number, "recall", 403, **WHY)["code"] == "ACTION_NOT_YOURS"

    target = people.county.principal.unit_id
    world.complete(people.city, number, city_route="county", target_unit_id=target)
    assert "recall" not in world.offered(people.province, number)
    world.act(people.city, number, "recall", **WHY)
    assert steps(world, people.city, number) == ["city_decide"]
