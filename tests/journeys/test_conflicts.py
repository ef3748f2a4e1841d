"""A complaint is kept from those it is about, and what lower levels may read of it (FLW-07)."""

from typing import Any

import pytest
from sqlalchemy import select

from app.core.db import session
from app.engine.models import ProcessEvent, ProcessInstance
from app.tickets.services import ticket_numbered
from tests.journeys.test_anonymity import SECRETS, sealed
from tests.journeys.test_lower_returns import refusals, steps
from tests.journeys.test_sources import register
from tests.support.journey import Chain, World
from tests.support.pages import Browser
from tests.support.people import GUIYANG, MEITAN, ZUNYI, Person

SUMMARY = "反映某村补助资金发放问题，请核实处理。"
PERMITTED = {
    "permit": "accused",
    "permit_reason": "该局已更换负责人，经研究由其核实，另派员监督。",
}
CORRUPTION = {"problem_category": 8, "content": "反映村干部侵占危房改造补助资金两万元。"}
OTHER = {
    "review": "transfer",
    "transfer_org": "县纪委监委",
    "transfer_reason": "属纪检监察职责范围。",
}


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


@pytest.fixture
def leader(world: World, people: Chain) -> Person:
    """Who approves at the province."""
    return world.employ(people.province.principal.division_code, "province_leader")


def unit(person: Person) -> int:
    return person.principal.unit_id


def page(world: World, person: Person, number: str) -> str:
    return Browser(world.app, person).get(f"/tickets/{number}").text


def test_an_accused_county_cannot_be_chosen(world: World, people: Chain) -> None:
    """Scenario 8: an anonymous complaint about the county bureau."""
    targets = [{"organisation": "湄潭县某局", "name": "王某", "org_code": MEITAN}]
    number = world.submit(**sealed(is_anonymous=True), targets=targets)
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city, summary=SUMMARY)

    wanted = {"city_route": "county", "target_unit_id": unit(people.county)}
    assert refusals(world, people.city, number, **wanted) == [("target_unit_id", "accused")]
    helper = {
        "city_route": "self",
        "cohandlers": [unit(people.county)],
        "cohandle_request": "请协助",
    }
    assert refusals(world, people.city, number, **helper) == [("cohandlers", "accused")]
    drawn = page(world, people.city, number)
    assert f'<option value="{unit(people.county)}"' not in drawn
    assert f'name="cohandlers" value="{unit(people.county)}"' not in drawn
    for secret in (*SECRETS.values(), "王某", "139****5678"):
        assert secret not in drawn, secret
    world.complete(people.city, number, city_route="self")
    assert steps(world, people.city, number) == ["handle_by_city"]


def test_the_review_names_the_accused_unit(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    assert f'<option value="{unit(people.county)}"' in page(world, people.province, number)
    wrong = refusals(world, people.province, number, review="accept", accused_unit_id=1)
    assert wrong == [("accused_unit_id", "not_below")]
    world.complete(people.province, number, review="accept", accused_unit_id=unit(people.city))

    down = {"route": "down", "target_unit_id": unit(people.city)}
    assert refusals(world, people.province, number, **down) == [("target_unit_id", "accused")]
    assert "被反映对象" in page(world, people.province, number)
    guiyang = world.employ(GUIYANG)
    world.delegate(number, people.province, guiyang)
    assert steps(world, guiyang, number) == ["city_decide"]


def test_a_unit_is_recognised_by_its_own_name(world: World, people: Chain) -> None:
    named = {"organisation": people.city.principal.unit_name}
    number = world.submit(targets=[named, {"name": "张某", "position": "村主任"}])
    world.accept(number, people.province)

    down = {"route": "down", "target_unit_id": unit(people.city)}
    assert refusals(world, people.province, number, **down) == [("target_unit_id", "accused")]


def told_to_the_diagram(world: World, number: str) -> tuple[str, str]:
    """Who raised what last, by the history of the ticket's diagram."""
    raised = (
        select(ProcessEvent.actor_name, ProcessEvent.decision)
        .join(ProcessInstance, ProcessInstance.id == ProcessEvent.instance_id)
        .where(ProcessInstance.business_key == number, ProcessEvent.kind == "message")
        .order_by(ProcessEvent.seq.desc())
    )
    with world.app.app_context():
        name, decision = session().execute(raised.limit(1)).one()
        session().rollback()
    return name, decision["matter"]


def test_only_the_leader_may_let_the_accused_have_it(
    world: World, people: Chain, leader: Person
) -> None:
    number = world.submit(targets=[{"org_code": ZUNYI}])
    world.accept(number, people.province)
    down = {"route": "down", "target_unit_id": unit(people.city)}
    world.act(people.province, number, "permit", 403, **PERMITTED)
    short = world.act(leader, number, "permit", 422, permit="accused", permit_reason="可以")
    assert [error["field"] for error in short["errors"]] == ["permit_reason"]
    assert refusals(world, people.province, number, **down) == [("target_unit_id", "accused")]

    world.act(leader, number, "permit", **PERMITTED)

    assert told_to_the_diagram(world, number) == (leader.principal.display_name, "permit")
    assert PERMITTED["permit_reason"] in page(world, people.province, number)
    world.complete(people.province, number, **down)
    assert steps(world, people.city, number) == ["city_decide"]


def test_a_target_says_at_least_who_or_where(world: World) -> None:
    from tests.support.journey import complaint

    for targets, field in (
        ([{}], "targets.0.name"),
        ([{"org_code": "x" * 33}], "targets.0.org_code"),
    ):
        refused = world.partner.submit_complaint(complaint(targets=targets))
        assert refused.status == 422
        assert [e["field"] for e in refused.envelope["errors"]] == [field]


def test_corruption_is_transferred_and_12345_is_told(
    world: World, people: Chain, leader: Person
) -> None:
    """Scenario 9."""
    number = world.submit(**CORRUPTION)
    world.complete(people.province, number)
    for verdict in ("accept", "answer"):
        wrong = refusals(world, people.province, number, review=verdict)
        assert wrong == [("review", "corruption")]

    world.complete(people.province, number, **OTHER)
    world.complete(leader, number, decision="approve")

    assert world.status(number) == "transferred_out"
    world.deliver()
    (told,) = [m.body for m in world.received() if m.body.get("event") == "transferred_out"]
    assert told["transfer_out_org"] == "县纪委监委"


def test_the_review_may_find_that_it_is_corruption(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)

    wrong = refusals(world, people.province, number, review="accept", problem_category=8)

    assert wrong == [("review", "corruption")]


def test_with_the_leaders_permit_corruption_goes_down_as_a_summary(
    world: World, people: Chain, leader: Person
) -> None:
    number = world.submit(**CORRUPTION, target_info="村支书赵某")
    world.complete(people.province, number)
    permitted = {"permit": "corruption", "permit_reason": "纪检监察机关已函告由我厅先行核实。"}
    world.act(leader, number, "permit", **permitted)
    world.complete(people.province, number, review="accept")
    down = {"route": "down", "target_unit_id": unit(people.city)}
    assert refusals(world, people.province, number, **down) == [("summary", "required")]
    assert CORRUPTION["content"] in page(world, people.province, number)

    world.complete(people.province, number, **down, summary=SUMMARY)

    city = Browser(world.app, people.city)
    for text in (
        city.get(f"/tickets/{number}").text,
        city.find(number).text,
        city.get("/tickets").text,
    ):
        assert "补助资金发放问题" in text
        assert "侵占" not in text
        assert "赵某" not in text
    assert number not in city.find("侵占").text
    assert world.partner.supplement(number, "来电人补充：侵占的钱由会计经手。").status == 201
    assert "会计经手" not in page(world, people.city, number)
    assert "会计经手" in page(world, people.province, number)
    assert "侵占" in page(world, people.province, number)


@pytest.mark.parametrize(
    "changed", [{"is_anonymous": True}, {"is_anonymous": False, "is_confidential": True}]
)
def test_a_sealed_ticket_goes_down_only_as_a_summary(
    world: World, people: Chain, changed: dict[str, Any]
) -> None:
    number = world.submit(**sealed(**changed), content="本人住村口第三家，举报邻居冒领补助。")
    world.accept(number, people.province)
    down = {"route": "down", "target_unit_id": unit(people.city)}
    drawn = page(world, people.province, number)
    assert "本人住村口第三家，举报邻居冒领补助。</textarea>" in drawn
    assert refusals(world, people.province, number, **down) == [("summary", "required")]

    world.complete(people.province, number, **down, summary=SUMMARY)
    wanted = {"city_route": "county", "target_unit_id": unit(people.county)}
    world.complete(people.city, number, **wanted)

    for person in (people.city, people.county):
        drawn = page(world, person, number)
        assert SUMMARY in drawn
        assert "村口" not in drawn


def test_the_operator_may_seal_a_ticket_and_never_unseal_it(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    world.complete(people.province, number, review="accept", is_confidential=True)
    other = world.submit(is_confidential=True)
    world.complete(people.province, other)
    world.complete(people.province, other, review="accept", is_confidential=False)

    with world.app.app_context():
        assert ticket_numbered(number).is_confidential is True
        assert ticket_numbered(other).is_confidential is True
        session().rollback()


def test_a_letter_about_corruption_is_transferred_by_the_province(
    world: World, people: Chain, leader: Person
) -> None:
    number = register(world, people.province, "letter", problem_category=8)["acceptance_no"]
    down = {"route": "down", "target_unit_id": unit(people.city), "summary": SUMMARY}
    for values in ({"route": "province"}, down):
        assert refusals(world, people.province, number, **values) == [("route", "corruption")]
    wrong = refusals(world, people.province, number, route="transfer", transfer_reason="短")
    assert sorted(wrong) == [("transfer_org", "invalid"), ("transfer_reason", "invalid")]

    other = {**OTHER, "route": "transfer"}
    world.complete(people.province, number, **{k: v for k, v in other.items() if k != "review"})
    world.complete(leader, number, decision="approve")

    assert "已移送" in page(world, people.province, number)
    world.deliver()
    assert world.received() == []


def test_a_refused_transfer_of_a_letter_comes_to_the_review(
    world: World, people: Chain, leader: Person
) -> None:
    number = register(world, people.province, "letter")["acceptance_no"]
    world.complete(
        people.province,
        number,
        route="transfer",
        transfer_org="省信访局",
        transfer_reason="属信访复查事项，应由复查机关办理。",
    )
    world.complete(leader, number, decision="refuse", opinion="属本厅职责，请办理。")
    assert steps(world, people.province, number) == ["review"]

    world.complete(people.province, number, review="answer")

    assert steps(world, people.province, number) == ["handle_by_province"]
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    assert "已办结" in page(world, people.province, number)


def test_a_return_that_12345_refused_does_not_open_the_way_to_handle_corruption(
    world: World, people: Chain
) -> None:
    number = world.submit(**CORRUPTION)
    world.complete(people.province, number)
    back = {
        "review": "return",
        "return_reason_code": 1,
        "return_reason": "反映的是城市供水问题，建议转水务部门。",
    }
    world.complete(people.province, number, **back)
    world.partner.decide_return(number, approved=False, opinion="请继续办理。")

    wrong = refusals(world, people.province, number, route="province")

    assert wrong == [("route", "corruption")]


@pytest.mark.parametrize("why", ["corruption", "accused"])
def test_a_letter_the_city_must_not_handle_goes_up_to_the_province(
    world: World, people: Chain, why: str
) -> None:
    itself = {"organisation": people.city.principal.unit_name, "name": "王某"}
    changed = {"problem_category": 8} if why == "corruption" else {"targets": [itself]}
    number = register(world, people.city, "letter", **changed)["acceptance_no"]
    assert refusals(world, people.city, number, city_route="self") == [("city_route", why)]

    up = {"city_route": "back", "return_reason": "不宜由本单位办理，请省级另行确定。"}
    world.complete(people.city, number, **up)

    assert steps(world, people.province, number) == ["review_return"]
    refused = refusals(
        world, people.province, number, decision="refuse", opinion="请遵义市继续办理。"
    )
    assert refused == [("decision", why)]
    world.complete(people.province, number, decision="agree")
    assert steps(world, people.province, number) == ["dispatch"]


def test_the_province_does_not_handle_what_is_about_itself(
    world: World, people: Chain, leader: Person
) -> None:
    number = world.submit(targets=[{"organisation": people.province.principal.unit_name}])
    world.complete(people.province, number)
    wrong = refusals(world, people.province, number, review="answer")
    assert wrong == [("review", "accused")]
    world.complete(people.province, number, review="accept")
    wrong = refusals(world, people.province, number, route="province")
    assert wrong == [("route", "accused")]

    world.act(leader, number, "permit", **PERMITTED)

    world.complete(people.province, number, route="province")
    assert steps(world, people.province, number) == ["handle_by_province"]
