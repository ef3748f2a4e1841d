"""More time (延期, EX-03): who is asked, who decides, and what becomes of the time limit."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.deadlines.published import calendar
from tests.support.extensions import (
    AGREE,
    REASON,
    REFUSE,
    answer,
    answer_at,
    ask,
    asked_12345,
    deliver_all,
    due,
    let_timers_run,
    moment,
    prolonged,
    registered,
    request_of,
    state,
    steps,
    task_due,
    task_due_at,
    task_times,
    waiting_elements,
)
from tests.support.journey import Chain, World
from tests.support.people import CHONGQING, GUIZHOU, WANZHOU

NATION = "000000000000"


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


def test_an_extension_goes_up_level_by_level_and_12345_grants_it(
    world: World, people: Chain, number: str
) -> None:
    before = due(world, number)
    assert ask(world, people.county, number).status_code == 200

    assert steps(world, people.city, number) == ["city_opinion"]
    assert steps(world, people.province, number) == []
    assert state(world, number)["extension_pending"] is True
    wanted = prolonged(before, 10)
    # the time limit is as it was, yet nothing turns red before the date that was asked for
    handling = task_due_at(world, people.county, number)
    assert task_times(world, people.county, number) == (handling, wanted)
    world.complete(people.city, number, **AGREE)
    assert steps(world, people.province, number) == ["province_opinion"]
    world.complete(people.province, number, **AGREE)
    world.deliver()
    (sent,) = world.received()
    assert sent.operation == "extension-requests"
    assert sent.body["request_no"] == f"{number}-E1"
    assert sent.body["extension_reason"] == REASON
    assert sent.body["extension_days"] == 10
    assert moment(sent.body["current_due_at"]) == before
    assert moment(sent.body["proposed_due_at"]) == wanted
    assert sent.body["external_ticket_no"]

    answer = world.partner.decide_extension(number, approved=True, opinion="同意延期。")

    assert answer.status == 200, answer.envelope
    assert due(world, number) == wanted
    assert handling < task_due(world, people.county, number) < wanted
    assert state(world, number)["extension_pending"] is False
    assert world.status(number) == "handling"
    world.deliver()
    told = world.received()[-1]
    assert (told.operation, told.body["event"]) == ("status-events", "extended")
    assert moment(told.body["due_at"]) == wanted


def test_12345_may_grant_fewer_days(world: World, people: Chain, number: str) -> None:
    before = due(world, number)
    asked_12345(world, people, number)

    answer = world.partner.decide_extension(
        number, approved=True, opinion="同意五天。", approved_days=5
    )

    assert moment(answer.data["due_at"]) == prolonged(before, 5) == due(world, number)


@pytest.mark.parametrize("level", ["city", "province", "p12345"])
def test_a_refusal_at_any_level_leaves_the_time_limit(
    world: World, people: Chain, number: str, level: str
) -> None:
    before = due(world, number)
    ask(world, people.county, number)
    if level == "city":
        world.complete(people.city, number, **REFUSE)
    else:
        world.complete(people.city, number, **AGREE)
        world.complete(people.province, number, **(REFUSE if level == "province" else AGREE))
    if level == "p12345":
        answer = world.partner.decide_extension(number, approved=False, opinion="请按期办结。")
        assert answer.status == 200

    assert due(world, number) == before
    assert state(world, number)["extension_pending"] is False
    assert request_of(world, number).state == "refused"
    assert steps(world, people.county, number) == ["handle_by_county"]
    world.deliver()
    told = [(m.operation, m.body.get("event")) for m in world.received()]
    assert told == ([("extension-requests", None)] if level == "p12345" else [])


def test_a_refusal_has_a_reason(world: World, people: Chain, number: str) -> None:
    ask(world, people.county, number)
    (task,) = world.tasks(people.city, number)

    refused = world.complete_task(people.city, task, {"decision": "refuse"}, 422).json()

    assert [error["field"] for error in refused["errors"]] == ["opinion"]
    assert state(world, number)["extension_pending"] is True


def test_a_late_refusal_still_leaves_a_working_day(
    world: World, people: Chain, number: str
) -> None:
    asked_12345(world, people, number)
    late = due(world, number) + timedelta(days=2)

    answer_at(world, number, {"approved": 2, "opinion": "不同意延期。"}, late)

    assert due(world, number) == calendar().add_working_days(late, 1).at > late
    assert late < task_due(world, people.county, number) <= due(world, number)


def test_a_late_agreement_counts(world: World, people: Chain, number: str) -> None:
    asked_12345(world, people, number)
    before = due(world, number)

    answer_at(world, number, {"approved": 1, "opinion": "同意延期。"}, before + timedelta(days=2))

    assert due(world, number) == prolonged(before, 10)


def test_the_same_answer_again_is_a_repeat_another_is_a_conflict(
    world: World, people: Chain, number: str
) -> None:
    asked_12345(world, people, number)

    assert answer(world, number, approved=1).data["duplicate"] is False
    assert answer(world, number, approved=1).data["duplicate"] is True
    assert answer(world, number, approved=1, request_no=f"{number}-E1").data["duplicate"] is True
    for other in ({"approved": 2}, {"approved": 1, "opinion": "改为五天"}, {"approved_days": 5}):
        refused = answer(world, number, **{"approved": 1, **other})
        assert (refused.status, refused.envelope["code"]) == (409, "REQUEST_NOT_OPEN")


def test_12345_cannot_answer_before_it_was_asked(world: World, people: Chain, number: str) -> None:
    nothing = answer(world, number)
    ask(world, people.county, number)
    early = answer(world, number)

    for refused in (nothing, early):
        assert (refused.status, refused.envelope["code"]) == (409, "REQUEST_NOT_OPEN")
        assert refused.envelope["current_state"] == "handling"
    assert state(world, number)["extension_pending"] is True


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"approved": None, "opinion": None}, {"approved", "opinion"}),
        ({"approved_days": 31}, {"approved_days"}),
        ({"approved_days": "十天"}, {"approved_days"}),
        ({"approved_days": 11}, {"approved_days"}),
        ({"approved": 2, "approved_days": 5}, {"approved_days"}),
        (
            {"approved_days": 11, "decided_at": "2099-01-01T00:00:00+08:00"},
            {"approved_days", "decided_at"},
        ),
        ({"approved": 3, "opinion": " "}, {"approved", "opinion"}),
    ],
)
def test_an_answer_names_its_wrong_fields(
    world: World, people: Chain, number: str, body: dict[str, Any], fields: set[str]
) -> None:
    asked_12345(world, people, number)

    refused = answer(world, number, **body)

    assert refused.status == 422
    assert {error["field"] for error in refused.envelope["errors"]} == fields
    assert state(world, number)["extension_pending"] is True


def test_silence_reminds_12345_and_never_agrees(world: World, people: Chain, number: str) -> None:
    asked_12345(world, people, number)
    before = due(world, number)

    let_timers_run(world, number, datetime.now(UTC) + timedelta(days=12))

    world.deliver()
    kinds = [(m.operation, m.body.get("event")) for m in world.received()]
    assert kinds == [("extension-requests", None), ("status-events", "extension_reminded")]
    assert due(world, number) == before
    assert answer(world, number).ok
    assert due(world, number) == prolonged(before, 10)


def test_a_request_lapses_with_the_result_and_12345_need_not_answer(
    world: World, people: Chain, number: str
) -> None:
    asked_12345(world, people, number)
    before = due(world, number)
    world.hand_in(people.county, number)
    assert state(world, number)["extension_pending"] is True
    assert task_times(world, people.city_auditor, number)[1] == prolonged(before, 10)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")

    assert request_of(world, number).state == "lapsed"
    assert state(world, number)["extension_pending"] is False
    deliver_all(world)
    operations = [m.operation for m in world.received()]
    assert operations == ["extension-requests", "results/complaints", "request-cancellations"]
    assert world.received()[-1].body["request_no"] == f"{number}-E1"
    refused = answer(world, number)
    assert (refused.status, refused.envelope["code"]) == (409, "REQUEST_NOT_OPEN")
    assert due(world, number) == before
    world.settle()
    assert waiting_elements(world, number).isdisjoint({"extension_decided"})


def test_a_request_that_lapsed_before_12345_was_asked_is_nobodys_news(
    world: World, people: Chain, number: str
) -> None:
    ask(world, people.county, number)
    world.hand_in(people.county, number)
    (task,) = [t for t in world.tasks(people.city_auditor, number) if "audit" in t["element_id"]]
    world.complete_task(people.city_auditor, task, {"decision": "approve"}, 200)
    world.complete(people.province_auditor, number, decision="approve")

    assert request_of(world, number).state == "lapsed"
    world.settle()
    assert steps(world, people.city, number) == []
    assert steps(world, people.province, number) == []
    deliver_all(world)
    assert [m.operation for m in world.received()] == ["results/complaints"]


def test_a_request_lapses_when_the_caller_takes_the_matter_back(
    world: World, people: Chain, number: str
) -> None:
    asked_12345(world, people, number)
    world.partner.withdraw(number, "来电人表示问题已经解决。")
    (task,) = world.tasks(people.province, number)
    world.complete_task(people.province, task, {"decision": "approve"}, 200)

    assert world.status(number) == "withdrawn"
    assert request_of(world, number).state == "lapsed"
    deliver_all(world)
    told = {(m.operation, m.body.get("event")) for m in world.received()[1:]}
    assert told == {("status-events", "withdrawn"), ("request-cancellations", None)}


def test_a_request_lapses_when_the_unit_that_asked_loses_the_ticket(
    world: World, people: Chain, number: str
) -> None:
    asked_12345(world, people, number)

    world.act(people.city, number, "recall", reason="改由市级直接办理，以便协调各部门。")

    assert request_of(world, number).state == "lapsed"
    assert state(world, number)["extension_pending"] is False
    assert task_due(world, people.city, number) <= due(world, number)
    deliver_all(world)
    assert "request-cancellations" in [m.operation for m in world.received()]
    world.complete(people.city, number, city_route="self")
    assert ask(world, people.city, number).status_code == 200


def test_the_province_asks_12345_straight_away(world: World, people: Chain) -> None:
    made = world.submit()
    world.accept(made, people.province)
    world.complete(people.province, made, route="province")

    ask(world, people.province, made)

    assert steps(world, people.province, made) == ["handle_by_province"]
    world.deliver()
    assert [m.operation for m in world.received()] == ["extension-requests"]
    assert answer(world, made).ok


def test_a_county_below_a_province_without_cities_asks_the_province(
    world_of: Callable[[str], World],
) -> None:
    world = world_of("500000")
    operator, county = world.hire(CHONGQING)[0], world.hire(WANZHOU)[0]
    made = world.submit(division_code=WANZHOU)
    world.accept(made, operator)
    world.delegate(made, operator, county)
    world.complete(county, made)

    ask(world, county, made)

    assert steps(world, operator, made) == ["province_opinion"]


def test_about_a_letter_of_our_own_the_leader_decides(world: World, people: Chain) -> None:
    leader = world.employ(GUIZHOU, "province_leader")
    made = registered(world, people.province, "letter")
    world.delegate(made, people.province, people.city)
    world.complete(people.city, made, city_route="self")
    before = due(world, made)

    ask(world, people.city, made)
    world.complete(people.province, made, **AGREE)
    (task,) = world.tasks(leader, made)
    silent = world.complete_task(leader, task, {"decision": "agree"}, 422).json()
    assert [error["field"] for error in silent["errors"]] == ["opinion"]
    world.complete(leader, made, **AGREE)

    assert due(world, made) == prolonged(before, 10)
    assert task_due(world, people.city, made) <= due(world, made)
    request = request_of(world, made)
    assert (request.state, request.opinion) == ("agreed", AGREE["opinion"])
    assert request.decided_by == leader.principal.display_name
    world.deliver()
    assert world.received() == []


@pytest.mark.parametrize("decision", ["agree", "refuse"])
def test_about_a_national_ticket_the_nation_decides(
    world: World, people: Chain, decision: str
) -> None:
    nation = world.employ(NATION, "national")
    made = registered(world, nation, "national", province_unit_id=people.province.principal.unit_id)
    world.accept(made, people.province)
    world.complete(people.province, made, route="province")
    before = due(world, made)

    ask(world, people.province, made)
    assert steps(world, people.province, made) == ["handle_by_province"]
    world.complete(nation, made, decision=decision, opinion="请于月底前办结。")

    agreed = decision == "agree"
    assert due(world, made) == (prolonged(before, 10) if agreed else before)
    assert request_of(world, made).state == ("agreed" if agreed else "refused")


def test_a_citys_own_letter_goes_to_the_leader_without_the_province_operators(
    world: World, people: Chain
) -> None:
    leader = world.employ(GUIZHOU, "province_leader")
    made = registered(world, people.city, "letter")
    world.complete(
        people.city, made, city_route="county", target_unit_id=people.county.principal.unit_id
    )
    world.complete(people.county, made)

    ask(world, people.county, made)
    world.complete(people.city, made, **AGREE)

    assert steps(world, people.province, made) == []
    assert steps(world, leader, made) == ["leader_decides"]
