"""Everything that does not come from 12345: registered by staff, to its own end of the chain."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.clock import BEIJING
from app.deadlines.published import calendar
from tests.support.journey import World, reply
from tests.support.people import GUIYANG, GUIZHOU, MEITAN, ZUNYI, Person
from tests.support.timelimits import deadlines

CITY = ("city_decide", "handle_by_city", "audit_by_city")
NATION = "000000000000"


def letter(**changed: Any) -> dict[str, Any]:
    """A named complaint by letter from 湄潭县."""
    written = datetime.now(BEIJING) - timedelta(days=3)
    return {
        "called_at": written.isoformat(timespec="seconds"),
        "is_anonymous": False,
        "caller_name": "李某某",
        "contact_phone": "13800001234",
        "division_code": MEITAN,
        "detail_address": "三组",
        "content": "来信反映村级公益岗位补助发放不及时。",
        "problem_category": 6,
        **changed,
    }


def register(
    world: World, person: Person, source: str, status: int = 201, **changed: Any
) -> dict[str, Any]:
    """Register a complaint through the staff interface."""
    answer = world.http.post(
        "/api/v1/tickets",
        json={"source": source, "table": "complaint", "values": letter(**changed)},
        headers=person.headers,
    )
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def where(world: World, person: Person, number: str) -> list[str]:
    """Steps of the ticket that wait for this person."""
    return [task["element_id"] for task in world.tasks(person, number)]


def page(world: World, person: Person, number: str) -> str:
    """The ticket's page as this person sees it."""
    from tests.support.pages import Browser

    answer = Browser(world.app, person).get(f"/tickets/{number}")
    assert answer.status_code == 200
    return answer.text


def rests_and_is_filed(world: World, person: Person, number: str) -> None:
    """Nobody calls back: 已办结 for five working days."""
    assert "已办结" in page(world, person, number)
    world.pass_days(number, 3)
    assert "已办结" in page(world, person, number)
    world.pass_days(number, 14)
    assert "已归档" in page(world, person, number)


@pytest.mark.parametrize("source", ["letter", "visit", "email"])
def test_the_province_dispatches_what_it_registered_and_tells_nobody_else(
    world: World, source: str
) -> None:
    people = world.chain()
    number = register(world, people.province, source)["acceptance_no"]
    assert number.startswith("TS520000")
    assert where(world, people.province, number) == ["dispatch"]

    world.delegate(number, people.province, people.city)
    world.complete(
        people.city, number, city_route="county", target_unit_id=people.county.principal.unit_id
    )
    world.complete(people.county, number)
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")
    world.complete(people.province_auditor, number, decision="approve")

    rests_and_is_filed(world, people.province, number)
    assert world.deliver() == 0
    assert world.received() == []


def test_what_rests_can_be_added_to_and_reviewed(world: World) -> None:
    people = world.chain()
    number, again = (register(world, people.province, "letter")["acceptance_no"] for _ in range(2))
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")

    world.act(people.province, number, "supplement", text="来信人补寄了收据。")
    world.complete(people.province, number)
    world.act(people.province, again, "link", other_no=number, relation="review")

    assert f"申请复查：{number}" in page(world, people.province, again)
    rests_and_is_filed(world, people.province, number)


def test_a_letter_to_the_city_ends_with_the_citys_audit_while_the_province_looks_on(
    world: World,
) -> None:
    people = world.chain()
    receipt = register(world, people.city, "letter")
    number = receipt["acceptance_no"]
    assert number.startswith("TS520300")
    due = datetime.fromisoformat(receipt["due_at"]).astimezone(BEIJING)
    assert due == calendar().add_calendar_days(datetime.now(BEIJING), 60).at

    world.complete(people.city, number, city_route="self")
    assert where(world, people.province, number) == []
    world.hand_in(people.city, number)
    assert where(world, people.city, number) == ["audit_by_city"]
    world.complete(people.city_auditor, number, decision="approve")

    assert "来信" in page(world, people.province, number)
    rests_and_is_filed(world, people.province, number)
    assert world.received() == []


def test_a_national_matter_is_handled_at_the_province_and_its_result_returns(
    world: World,
) -> None:
    people = world.chain()
    nation = world.employ(NATION, "national")
    unit = people.province.principal.unit_id
    receipt = register(world, nation, "national", province_unit_id=unit)
    number = receipt["acceptance_no"]

    world.complete(people.province, number)
    world.complete(people.province, number, review="accept", opinion="受理")
    world.complete(people.province, number, route="province", instruction="本厅办理")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    assert where(world, nation, number) == ["national_receives"]
    assert "待反馈" in page(world, nation, number)
    world.complete(nation, number, opinion="已阅")

    rests_and_is_filed(world, nation, number)
    assert world.received() == []


@pytest.mark.parametrize("way", ["transfer", "merge"])
def test_the_nation_receives_how_its_ticket_ended_without_a_result(world: World, way: str) -> None:
    people, nation = world.chain(), world.employ(NATION, "national")
    leader, unit = world.employ(GUIZHOU, "province_leader"), people.province.principal.unit_id
    number = register(world, nation, "national", province_unit_id=unit)["acceptance_no"]
    kept = world.submit()
    world.complete(people.province, number)
    world.act(people.province, number, "withdraw", reason="信访人来电要求撤回，请国家确认。")
    if way == "merge":
        world.complete(people.province, number, review="merge", merged_into=kept)
    else:
        to = {"transfer_org": "省纪委监委", "transfer_reason": "反映村干部侵占补贴，属其管辖。"}
        world.complete(people.province, number, review="transfer", **to)
        world.complete(leader, number, decision="approve")
    world.settle()

    assert where(world, nation, number) == ["national_informed"]
    total = deadlines(world, number)["total"]
    assert (total.state, total.on_time) == ("done", True)
    seen = page(world, nation, number)
    assert "待反馈" in seen
    assert (kept if way == "merge" else "省纪委监委") in seen
    refused = world.act(people.province, number, "withdraw", 409, reason="信访人要求撤回本件。")
    assert refused["current_state"] == "result_pending"

    world.complete(nation, number, opinion="已阅")

    assert ("已并单" if way == "merge" else "已移送") in page(world, nation, number)
    assert where(world, nation, number) == []


def test_the_nation_confirms_that_its_own_ticket_is_withdrawn(world: World) -> None:
    people, nation = world.chain(), world.employ(NATION, "national")
    unit = people.province.principal.unit_id
    number = register(world, nation, "national", province_unit_id=unit)["acceptance_no"]
    world.complete(people.province, number)

    world.act(people.province, number, "withdraw", reason="信访人来电表示问题已解决，要求撤回。")

    assert where(world, people.province, number) == ["review"]
    assert where(world, nation, number) == ["national_confirms_withdrawal"]
    assert "要求撤回" in page(world, nation, number)
    world.complete(nation, number, decision="refuse", opinion="请继续核实。")
    assert "初审" in page(world, nation, number)

    world.act(people.province, number, "withdraw", reason="信访人再次来电，要求撤回本件。")
    world.complete(nation, number, decision="approve")

    assert "已撤回" in page(world, nation, number)
    assert where(world, people.province, number) == []


def test_a_call_to_01012317_is_recorded_by_the_nation_with_its_number(world: World) -> None:
    people = world.chain()
    nation = world.employ(NATION, "national")

    receipt = register(
        world,
        nation,
        "phone_010",
        province_unit_id=people.province.principal.unit_id,
        caller_number="１３８００００１２３４",
    )

    number = receipt["acceptance_no"]
    assert where(world, people.province, number) == ["sign_in"]
    seen = page(world, people.province, number)
    assert "01012317 来电" in seen
    assert "138****1234" in seen


def test_each_level_registers_only_its_own_sources(world: World) -> None:
    people = world.chain()
    nation = world.employ(NATION, "national")
    unit = people.province.principal.unit_id

    for person, source in (
        (nation, "letter"),
        (people.province, "national"),
        (people.city, "phone_010"),
    ):
        refused = register(world, person, source, 403, province_unit_id=unit)
        assert refused["code"] == "SOURCE_NOT_YOURS"
    register(world, people.county, "letter", 403)
    unknown = register(world, people.province, "p12345_api", 422)
    assert [e["field"] for e in unknown["errors"]] == ["source"]


def test_every_mistake_is_named_at_once(world: World) -> None:
    people = world.chain()
    nation = world.employ(NATION, "national")

    refused = register(
        world,
        nation,
        "national",
        422,
        province_unit_id=people.city.principal.unit_id,
        division_code="999999",
        caller_name=None,
        problem_category=99,
        called_at="昨天",
        attachments=["att_none"],
    )

    assert {e["field"] for e in refused["errors"]} == {
        "province_unit_id",
        "division_code",
        "caller_name",
        "problem_category",
        "called_at",
        "attachments[0]",
    }


@pytest.mark.parametrize("code", [GUIYANG, "450000000000"])
def test_a_city_registers_only_its_own_places(world: World, code: str) -> None:
    people = world.chain()

    refused = register(world, people.city, "letter", 422, division_code=code)

    assert [(e["field"], e["rule"]) for e in refused["errors"]] == [("division_code", "outside")]
    assert people.city.principal.division_code == ZUNYI


def test_a_question_by_letter_is_answered_by_calling_back(world: World) -> None:
    people = world.chain()
    question = {
        "called_at": datetime.now(BEIJING).isoformat(timespec="seconds"),
        "caller_category": 2,
        "service_type": 1,
        "problem_category": 9,
        "content_summary": "来信咨询小额信贷的申请条件。",
        "callback_phone": "13800001240",
        "division_code": MEITAN,
    }
    answer = world.http.post(
        "/api/v1/tickets",
        json={"source": "letter", "table": "consultation", "values": question},
        headers=people.province.headers,
    )
    number = answer.json()["acceptance_no"]
    world.complete(people.province, number, route="province")
    assert "由其转告" not in page(world, people.province, number)
    (task,) = world.tasks(people.province, number)
    refused = world.complete_task(people.province, task, reply(), 422).json()
    assert [(e["field"], e["rule"]) for e in refused["errors"]] == [("answer_mode", "source")]

    told = datetime.now(BEIJING).isoformat()
    telling = {"inform_status": 1, "informed_at": told, "inform_method": 1}
    world.complete(people.province, number, **reply(answer_mode="callback", **telling))

    assert "已归档" in page(world, people.province, number)


def test_a_place_is_more_than_the_whole_province(world: World) -> None:
    people = world.chain()

    for person in (people.province, people.city):
        refused = register(
            world, person, "letter", 422, division_code=person.principal.division_code
        )
        assert [(e["field"], e["rule"]) for e in refused["errors"]] == [("division_code", "wide")]


def test_a_registration_sent_twice_makes_one_ticket(world: World) -> None:
    people = world.chain()
    body = {"source": "letter", "table": "complaint", "values": letter()}
    headers = {**people.province.headers, "Idempotency-Key": f"k-{people.province.username}"}

    first = world.http.post("/api/v1/tickets", json=body, headers=headers)
    again = world.http.post("/api/v1/tickets", json=body, headers=headers)
    body["values"] = letter(content="另一封信，内容与前一封不同。")
    other = world.http.post("/api/v1/tickets", json=body, headers=headers)

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["acceptance_no"] == again.json()["acceptance_no"]
    assert again.json()["duplicate"] is True
    assert other.json()["code"] == "IDEMPOTENCY_CONFLICT"


def test_another_city_sees_nothing_of_a_citys_letter(world: World) -> None:
    people = world.chain()
    outsider = world.employ(GUIYANG, "city_operator")
    number = register(world, people.city, "letter")["acceptance_no"]

    from tests.support.pages import Browser

    assert Browser(world.app, outsider).get(f"/tickets/{number}").status_code == 404
    assert where(world, people.city, number) == [CITY[0]]
