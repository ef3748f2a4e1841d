"""Handing a ticket back up (下级退回, EX-02): who may, when, and what the upper level says."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.approvals.models import LowerReturn
from app.core import clock
from app.core.clock import BEIJING
from app.core.db import session
from app.tickets.services import ticket_numbered
from tests.journeys.test_sources import NATION, register
from tests.support.journey import Chain, World
from tests.support.pages import Browser
from tests.support.people import GUIYANG, MEITAN, Person

WHY = "该村已划归播州区管辖，不属于本县职责，建议改派。"
BACK = {"county_route": "back", "return_reason": WHY}
CITY_BACK = {"city_route": "back", "return_reason": WHY}
REFUSED = {"decision": "refuse", "opinion": "经核实属你单位职责，请依法办理。"}
OUT = {
    "decision": "p12345",
    "return_reason_code": 3,
    "return_reason": "反映地点在外省，请转相应省份办理。",
}

_COUNTED = re.compile(
    r'<td class="title">([^<]+)</td>\s*<td data-label="退回上级"><a [^>]*>(\d+)</a></td>\s*'
    r'<td data-label="其中上级不同意"><a [^>]*>(\d+)</a></td>'
)


@pytest.fixture
def people(world: World) -> Chain:
    """Two people in each unit of the chain."""
    return world.chain()


@pytest.fixture
def number(world: World, people: Chain) -> str:
    """A complaint that waits for the county's signature."""
    made = world.submit()
    at_the_county(world, people, made)
    return made


def at_the_county(world: World, people: Chain, number: str) -> None:
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    hand_down(world, people, number)


def hand_down(world: World, people: Chain, number: str) -> None:
    target = people.county.principal.unit_id
    world.complete(people.city, number, city_route="county", target_unit_id=target)


def steps(world: World, person: Person, number: str) -> list[str]:
    return [task["element_id"] for task in world.tasks(person, number)]


def refusals(world: World, person: Person, number: str, **values: Any) -> list[tuple[str, str]]:
    """(field, rule) of what is wrong with doing the waiting task so."""
    (task,) = world.tasks(person, number)
    answer = world.complete_task(person, task, values, 422).json()
    return [(error["field"], error["rule"]) for error in answer["errors"]]


def returns(world: World, number: str) -> list[tuple[int, int, str, str]]:
    """From, to, reason and state of the ticket's returns."""
    with world.app.app_context():
        of = LowerReturn.ticket_id == ticket_numbered(number).id
        rows = session().scalars(select(LowerReturn).where(of).order_by(LowerReturn.id))
        found = [(r.from_unit_id, r.to_unit_id, r.reason, r.state) for r in rows]
        session().rollback()
    return found


def is_gone(world: World, person: Person, number: str) -> bool:
    url = f"/api/v1/tickets/{number}/actions"
    return world.http.get(url, headers=person.headers).status_code == 404


@contextmanager
def later(days: int) -> Iterator[None]:
    moment = datetime.now(UTC) + timedelta(days=days)
    clock.set_source(lambda: moment)
    try:
        yield
    finally:
        clock.set_source(None)


def test_the_city_agrees_and_the_county_loses_the_ticket(
    world: World, people: Chain, number: str
) -> None:
    world.complete(people.county, number, **BACK)
    assert steps(world, people.city, number) == ["review_return"]
    assert (
        f"<dt>退回理由</dt><dd>{WHY}</dd>"
        in Browser(world.app, people.city).get(f"/tickets/{number}").text
    )
    world.complete(people.city, number, decision="agree", opinion="同意改派")

    assert steps(world, people.city, number) == ["city_decide"]
    assert is_gone(world, people.county, number)
    county, city = people.county.principal.unit_id, people.city.principal.unit_id
    assert returns(world, number) == [(county, city, WHY, "agreed")]
    world.complete(people.city, number, city_route="self")
    assert steps(world, people.city, number) == ["handle_by_city"]


def test_an_appointed_county_has_no_way_back_again(
    world: World, people: Chain, number: str
) -> None:
    world.complete(people.county, number, **BACK)
    world.complete(people.city, number, **REFUSED)

    assert steps(world, people.county, number) == ["handle_by_county"]
    assert "give_back" not in world.offered(people.county, number)
    answer = world.act(people.county, number, "give_back", 403, return_reason=WHY)
    assert answer["code"] == "ACTION_NOT_YOURS"
    world.hand_in(people.county, number)
    assert steps(world, people.city, number) == ["audit_by_city"]


def test_an_appointed_city_decides_again_and_cannot_return_again(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    page = Browser(world.app, people.city).get(f"/tickets/{number}").text
    assert 'value="back"' in page
    world.complete(people.city, number, **CITY_BACK)
    world.complete(people.province, number, **REFUSED)

    assert refusals(world, people.city, number, **CITY_BACK) == [("city_route", "appointed")]
    page = Browser(world.app, people.city).get(f"/tickets/{number}").text
    assert 'value="back"' not in page
    assert 'name="return_reason"' not in page
    assert "经核实属你单位职责" in page
    hand_down(world, people, number)
    assert steps(world, people.county, number) == ["county_sign_in"]


def test_the_province_agrees_and_hands_it_to_another_city_that_may_return_it(
    world: World, people: Chain
) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    world.complete(people.city, number, **CITY_BACK)
    world.complete(people.province, number, decision="agree")

    assert steps(world, people.province, number) == ["dispatch"]
    assert is_gone(world, people.city, number)
    guiyang = world.employ(GUIYANG)
    world.delegate(number, people.province, guiyang)
    world.complete(guiyang, number, **CITY_BACK)
    assert steps(world, people.province, number) == ["review_return"]
    assert [state for *_, state in returns(world, number)] == ["agreed", "open"]


def test_it_is_handed_back_while_it_is_handled(world: World, people: Chain, number: str) -> None:
    world.complete(people.county, number)
    assert "give_back" in world.offered(people.county, number)
    assert "give_back" not in world.offered(people.city, number)

    world.act(people.county, number, "give_back", return_reason=WHY)

    assert steps(world, people.county, number) == []
    assert steps(world, people.city, number) == ["review_return"]
    page = Browser(world.app, people.city).get(f"/tickets/{number}").text
    assert "退回上级" in page
    assert WHY in page
    again = world.act(people.county, number, "give_back", 409, return_reason=WHY)
    assert again["code"] == "STATE_CONFLICT"
    assert again["acted_by"] in again["message"]
    world.complete(people.city, number, decision="agree")
    assert steps(world, people.city, number) == ["city_decide"]


def test_a_city_hands_it_back_while_it_handles_it_itself(world: World, people: Chain) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    world.complete(people.city, number, city_route="self")

    world.act(people.city, number, "give_back", return_reason=WHY)
    world.complete(people.province, number, **REFUSED)

    assert steps(world, people.city, number) == ["city_decide"]
    world.complete(people.city, number, city_route="self")
    assert "give_back" not in world.offered(people.city, number)


def test_after_the_first_working_day_it_is_too_late(
    world: World, people: Chain, number: str
) -> None:
    with later(days=6):
        assert refusals(world, people.county, number, **BACK) == [("county_route", "late")]
        world.complete(people.county, number)
        answer = world.act(people.county, number, "give_back", 409, return_reason=WHY)

    assert answer["code"] == "RETURN_LATE"
    assert answer["current_state"] == "handling"
    assert returns(world, number) == []


@pytest.mark.parametrize("reason", [None, "", "不归我管"])
def test_a_return_says_why_in_ten_characters(
    world: World, people: Chain, number: str, reason: str | None
) -> None:
    values = {"county_route": "back", **({} if reason is None else {"return_reason": reason})}

    assert [f for f, _ in refusals(world, people.county, number, **values)] == ["return_reason"]

    world.complete(people.county, number)
    given = {} if reason is None else {"return_reason": reason}
    answer = world.act(people.county, number, "give_back", 422, **given)
    assert [error["field"] for error in answer["errors"]] == ["return_reason"]
    assert returns(world, number) == []


def test_a_refusal_says_why(world: World, people: Chain, number: str) -> None:
    world.complete(people.county, number, **BACK)

    assert refusals(world, people.city, number, decision="refuse") == [("opinion", "invalid")]


def test_a_neighbour_cannot_hand_it_back(world: World, people: Chain, number: str) -> None:
    world.complete(people.county, number)
    neighbour = world.employ("520329000000")

    world.act(neighbour, number, "give_back", 404, return_reason=WHY)


def test_only_the_province_sends_it_back_to_12345(world: World, people: Chain, number: str) -> None:
    world.complete(people.county, number, **BACK)

    assert refusals(world, people.city, number, **OUT) == [("decision", "level")]
    page = Browser(world.app, people.city).get(f"/tickets/{number}").text
    assert 'value="p12345"' not in page


def test_what_the_province_agrees_to_may_go_back_to_12345(world: World, people: Chain) -> None:
    number = world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    world.complete(people.city, number, **CITY_BACK)
    asked = refusals(world, people.province, number, decision="p12345")
    assert [field for field, _ in asked] == ["return_reason_code", "return_reason"]
    world.complete(people.province, number, **OUT)

    assert world.status(number) == "return_pending"
    assert is_gone(world, people.city, number)
    world.deliver()
    (sent,) = [m for m in world.received() if m.operation == "return-requests"]
    assert (sent.body["reason_code"], sent.body["return_reason"]) == (3, OUT["return_reason"])
    assert world.partner.decide_return(number, approved=True, opinion="同意退回。").status == 200
    assert world.status(number) == "returned"


def test_a_second_return_to_12345_takes_a_new_reason_and_the_leader(
    world: World, people: Chain
) -> None:
    leader = world.employ(people.province.principal.division_code, "province_leader")
    number = world.submit()
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    world.complete(people.city, number, **CITY_BACK)
    world.complete(people.province, number, **OUT)
    world.partner.decide_return(number, approved=False, opinion="请继续办理。")
    assert steps(world, people.province, number) == ["dispatch"]
    world.delegate(number, people.province, people.city)
    world.complete(people.city, number, **CITY_BACK)

    assert refusals(world, people.province, number, **OUT) == [
        ("decision", "leader"),
        ("return_reason", "repeated"),
    ]
    permitted = {"permit": "second_return", "permit_reason": "新查明当事人户籍在外省，须退回。"}
    world.act(people.province, number, "permit", 403, **permitted)
    world.act(leader, number, "permit", **permitted)
    assert refusals(world, people.province, number, **OUT) == [("return_reason", "repeated")]
    other = {**OUT, "return_reason": "新查明当事人户籍在四川省，请转四川办理。"}
    world.complete(people.province, number, **other)
    assert world.status(number) == "return_pending"

    late = world.partner.decide_return(number, approved=False, opinion="请继续办理。")
    assert late.status == 422  # the network may have repeated the first answer
    assert [e["field"] for e in late.envelope["errors"]] == ["request_no"]
    first = {"approved": False, "opinion": "请继续办理。", "request_no": f"{number}-R1"}
    repeated = world.partner.decide_return(number, **first)
    assert (repeated.status, repeated.data["duplicate"]) == (200, True)
    changed = world.partner.decide_return(number, **{**first, "approved": True})
    assert (changed.status, changed.envelope["code"]) == (409, "REQUEST_NOT_OPEN")
    assert world.status(number) == "return_pending"
    second = world.partner.decide_return(number, **{**first, "request_no": f"{number}-R2"})
    assert (second.status, second.data["duplicate"]) == (200, False)
    assert steps(world, people.province, number) == ["dispatch"]
    assert world.partner.decide_return(number, approved=False, opinion="请继续办理。").status == 200


def test_a_national_ticket_goes_back_to_the_nation(world: World, people: Chain) -> None:
    nation = world.employ(NATION, "national")
    unit = people.province.principal.unit_id
    number = register(world, nation, "national", province_unit_id=unit)["acceptance_no"]
    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)
    world.complete(people.city, number, **CITY_BACK)
    world.complete(people.province, number, **OUT)
    assert steps(world, nation, number) == ["national_decides_return"]
    world.complete(nation, number, decision="approve", opinion="同意，另行交办。")

    assert world.received() == []
    with world.app.app_context():
        row = ticket_numbered(number)
        assert row.status == "returned"
        session().rollback()


def test_a_citys_own_letter_cannot_be_handed_up(world: World, people: Chain) -> None:
    number = register(world, people.city, "letter", division_code=MEITAN)["acceptance_no"]

    assert refusals(world, people.city, number, **CITY_BACK) == [("city_route", "own")]
    page = Browser(world.app, people.city).get(f"/tickets/{number}").text
    assert 'value="back"' not in page
    world.complete(people.city, number, city_route="self")
    assert "give_back" not in world.offered(people.city, number)


def test_what_the_county_had_still_to_answer_the_city_answers(
    world: World, people: Chain, number: str
) -> None:
    world.partner.urge(number, "来电人询问办理进展。")
    (mine,) = [t for t in world.tasks(people.county, number) if t["element_id"] != "answer_urge"]
    world.complete_task(people.county, mine, BACK, 200)
    (review,) = world.tasks(people.city, number)

    world.complete_task(people.city, review, {"decision": "agree"}, 200)

    assert is_gone(world, people.county, number)
    assert sorted(steps(world, people.city, number)) == ["answer_urge", "city_decide"]


def test_each_unit_s_returns_are_counted_by_month_refused_ones_apart(
    world: World, people: Chain
) -> None:
    supervisor = world.employ(people.province.principal.division_code, "supervisor")
    outsider = world.employ(GUIYANG, "supervisor")
    month = f"{datetime.now(BEIJING):%Y-%m}"

    def count(person: Person, unit: str) -> tuple[int, int]:
        page = Browser(world.app, person).get("/statistics", month=month).text
        lines = {label: (int(asked), int(no)) for label, asked, no in _COUNTED.findall(page)}
        return lines.get(unit, (0, 0))

    city, county = people.city.principal.unit_name, people.county.principal.unit_name
    before = {
        (person.username, unit): count(person, unit)
        for person, unit in ((supervisor, "合计"), (supervisor, city), (people.city, county))
    }
    agreed, refused = world.submit(), world.submit()
    for made, decision in ((agreed, {"decision": "agree"}), (refused, REFUSED)):
        at_the_county(world, people, made)
        world.complete(people.county, made, **BACK)
        world.complete(people.city, made, **decision)
    for (name, unit), (asked, denied) in before.items():
        person = supervisor if name == supervisor.username else people.city
        assert count(person, unit) == (asked + 2, denied + 1), unit
    assert count(outsider, county) == (0, 0)

    listed = Browser(world.app, supervisor)
    query = {"month": month, "unit": people.city.principal.unit_id}
    every = listed.get("/statistics/returns", **query).text
    denied_only = listed.get("/statistics/returns", **query, result="refused").text
    assert (agreed in every, refused in every) == (True, True)
    assert (agreed in denied_only, refused in denied_only) == (False, True)
    assert county in every
    elsewhere = Browser(world.app, outsider).get("/statistics/returns", month=month).text
    assert agreed not in elsewhere
    earlier = listed.get("/statistics/returns", month="2026-01").text
    assert "本月没有退回上级的工单" in earlier
