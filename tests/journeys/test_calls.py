"""Transferred calls: answered, recorded, lost on the way, and the ticket they become."""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.calls.models import Call, CallAttempt
from app.core import clock
from app.core.clock import BEIJING
from app.core.db import db, session, transact
from app.deadlines.models import Deadline
from app.deadlines.published import calendar
from app.engine import runner
from app.engine.models import ProcessInstance
from app.tickets.models import Ticket
from tests.support.journey import World
from tests.support.pages import Browser
from tests.support.people import GUIZHOU, MEITAN, Person

NUMBER = "13900005678"


def announce(world: World, status: int = 201, **changed: Any) -> dict[str, Any]:
    """12345 puts a call through."""
    body = {
        "call_id": f"C-{uuid.uuid4().hex[:12]}",
        "caller_number": NUMBER,
        "from_operator": "GZ12345-0231",
        **changed,
    }
    answer = world.partner.post("/calls", body)
    assert answer.status == status, answer.envelope
    return dict(answer.envelope)


def ring(world: World, **changed: Any) -> str:
    """An announced call; the number of its draft."""
    return str(announce(world, **changed)["data"]["acceptance_no"])


def complaint(**changed: Any) -> dict[str, Any]:
    """What an agent enters while somebody complains."""
    return {
        "is_anonymous": False,
        "caller_name": "赵某某",
        "contact_phone": NUMBER,
        "division_code": MEITAN,
        "content": "来电反映危房改造补助资金未按标准发放。",
        "problem_category": 3,
        **changed,
    }


def declaration() -> dict[str, Any]:
    """What an agent enters while a household asks to be looked at."""
    return {
        "caller_name": "赵某某",
        "contact_phone": NUMBER,
        "id_card_no": "11010519491231002X",
        "division_code": MEITAN,
        "content": "户主住院自付费用较高，申请纳入监测。",
        "poverty_risk": [1],
    }


def ticket_of(world: World, number: str) -> Ticket:
    """The row, detached."""
    with world.app.app_context():
        found = session().scalars(select(Ticket).where(Ticket.acceptance_no == number)).one()
        session().expunge(found)
        db.session.remove()
    return found


def call_of(world: World, number: str) -> tuple[Call, list[CallAttempt]]:
    """The call of a ticket and its tries to call back."""
    with world.app.app_context():
        query = select(Call).join(Ticket, Ticket.id == Call.ticket_id)
        call = session().scalars(query.where(Ticket.acceptance_no == number)).one()
        tries = select(CallAttempt).where(CallAttempt.call_row_id == call.id)
        found = list(session().scalars(tries.order_by(CallAttempt.id)))
        session().expunge_all()
        db.session.remove()
    return call, found


def pass_time(world: World, number: str) -> datetime:
    """Let the moment of the next try come, and tell it in Beijing's time."""
    with world.app.app_context():
        query = select(ProcessInstance).where(ProcessInstance.business_key == number)
        instance = session().scalars(query).one()
        due, instance_id = instance.next_due, instance.id
        assert due is not None
        clock.set_source(lambda: due)
        transact(lambda: runner.fire_due(instance_id, now=due))
        db.session.remove()
    return due.astimezone(BEIJING)


@pytest.fixture
def morning() -> Iterator[Callable[[], datetime]]:
    """Half past nine on the next working day, when asked for; the clock then stands."""

    def begin() -> datetime:
        day = datetime.now(BEIJING).date() + timedelta(days=1)
        while not calendar().is_working_day(day):
            day += timedelta(days=1)
        moment = datetime.combine(day, time(9, 30), BEIJING)
        clock.set_source(lambda: moment)
        return moment

    yield begin
    clock.set_source(None)


def steps(world: World, person: Person, number: str) -> list[str]:
    """What waits for this person."""
    return [task["element_id"] for task in world.tasks(person, number)]


def agent_of(world: World) -> Person:
    """A seat of 贵州."""
    return world.employ(GUIZHOU, "province_agent")


def test_a_question_is_answered_and_closed_in_one_step(seats: World) -> None:
    agent, number = agent_of(seats), ring(seats)
    assert re.match(r"^HW520000\d{14}", number[:-1] + "0") or number.startswith("HW520000")
    assert steps(seats, agent, number) == ["answer_call"]

    seats.complete(
        agent,
        number,
        call="answered",
        content="咨询小额信贷的申请条件。",
        problem_category=9,
        answer="脱贫户和监测对象可申请5万元以下信贷，到乡镇便民中心办理。",
        satisfied="yes",
        article="KB-0021",
    )

    ticket, (call, _) = ticket_of(seats, number), call_of(seats, number)
    assert (ticket.status, ticket.ticket_type) == ("answered", "consultation")
    assert ticket.completed_at is not None
    assert ticket.archived_at is not None
    assert (call.outcome, call.satisfied, call.article) == ("answered", True, "KB-0021")
    assert call.from_operator == "GZ12345-0231"
    page = Browser(seats.app, agent).get(f"/tickets/{number}").text
    assert "即时答复" in page
    assert "乡镇便民中心" in page
    assert seats.received() == []


def test_a_call_put_through_by_mistake_ends_with_its_reason(seats: World) -> None:
    agent, number = agent_of(seats), ring(seats)

    seats.complete(
        agent, number, call="wrong_transfer", wrong_reason="反映城市供水收费，应由供水部门受理。"
    )

    ticket = ticket_of(seats, number)
    assert ticket.status == "wrong_transfer"
    assert ticket.title.endswith("来电（误转）")


def test_a_recorded_call_is_checked_handled_audited_and_asked_about(seats: World) -> None:
    people, agent, number = seats.chain(), agent_of(seats), ring(seats)
    seats.complete(agent, number, call="record", ticket_type="complaint")
    seats.complete(agent, number, **complaint())
    ticket = ticket_of(seats, number)
    assert (ticket.ticket_type, ticket.status) == ("complaint", "reviewing")
    assert ticket.county_code == MEITAN

    seats.complete(people.province, number, review="accept")
    seats.delegate(number, people.province, people.city)
    county = people.county.principal.unit_id
    seats.complete(people.city, number, city_route="county", target_unit_id=county)
    seats.complete(people.county, number)
    seats.hand_in(people.county, number)
    seats.complete(people.city_auditor, number, decision="approve")
    seats.complete(people.province_auditor, number, decision="approve")
    assert steps(seats, agent, number) == ["own_callback"]
    assert ticket_of(seats, number).status == "callback_pending"
    shown = Browser(seats.app, agent).get(f"/calls/{number}").text
    assert "<dt>办理结果</dt><dd>部分属实</dd>" in shown
    assert "<dt>反馈信访人情况</dt>" in shown
    seats.complete(agent, number, satisfaction=1, solved="yes")

    assert ticket_of(seats, number).status == "archived"
    assert seats.deliver() == 0
    assert seats.received() == []


def test_a_dropped_call_is_called_back_three_times_on_two_half_days(
    seats: World, morning: Callable[[], datetime]
) -> None:
    agent, number = agent_of(seats), ring(seats)
    began = morning()
    seats.complete(
        agent, number, call="dropped", ticket_type="complaint", content="反映村里的低保名单"
    )
    assert ticket_of(seats, number).status == "draft"

    moments = []
    for _ in range(2):
        assert steps(seats, agent, number) == ["call_back"]
        seats.complete(agent, number, outcome="missed")
        assert steps(seats, agent, number) == []
        assert number in Browser(seats.app, agent).get("/calls").text
        moments.append(pass_time(seats, number))
    (task,) = seats.tasks(agent, number)
    refused = seats.complete_task(agent, task, {"outcome": "missed"}, 422).json()
    assert [e["field"] for e in refused["errors"]] == ["enough"]
    seats.complete(agent, number, outcome="missed", enough="no")

    assert [f"{moment:%H:%M}" for moment in moments] == ["10:00", "14:30"]
    assert {moment.date() for moment in moments} == {began.date()}
    _, tries = call_of(seats, number)
    assert [attempt.reached for attempt in tries] == [False] * 3
    ticket = ticket_of(seats, number)
    assert ticket.status == "dropped"
    assert ticket.title.endswith("来电（中断未回）")


def test_a_caller_who_is_reached_again_is_recorded(seats: World) -> None:
    agent, number = agent_of(seats), ring(seats)
    seats.complete(agent, number, call="dropped")
    (task,) = seats.tasks(agent, number)
    refused = seats.complete_task(agent, task, {"outcome": "reached"}, 422).json()
    assert [e["field"] for e in refused["errors"]] == ["ticket_type"]

    seats.complete(agent, number, outcome="reached", ticket_type="complaint")
    seats.complete(agent, number, **complaint())

    call, tries = call_of(seats, number)
    assert [attempt.reached for attempt in tries] == [True]
    assert call.caller_unreachable is False
    assert ticket_of(seats, number).status == "reviewing"


def test_what_was_said_before_the_line_dropped_may_be_enough(
    seats: World, morning: Callable[[], datetime]
) -> None:
    agent, number = agent_of(seats), ring(seats)
    morning()
    said = "反映通村公路塌方两个月无人修。"
    seats.complete(agent, number, call="dropped", ticket_type="complaint", content=said)
    for _ in range(2):
        seats.complete(agent, number, outcome="missed")
        pass_time(seats, number)

    seats.complete(agent, number, outcome="missed", enough="yes", ticket_type="complaint")

    page = Browser(seats.app, agent).get(f"/calls/{number}").text
    assert said in page
    assert "回拨未接通" in page
    seats.complete(agent, number, **complaint(is_anonymous=True, caller_name=None, content=said))
    assert call_of(seats, number)[0].caller_unreachable is True


def test_a_check_sends_a_record_back_to_the_seat(seats: World) -> None:
    people, agent, number = seats.chain(), agent_of(seats), ring(seats)
    seats.complete(agent, number, call="record", ticket_type="complaint")
    seats.complete(agent, number, **complaint())
    (task,) = seats.tasks(people.province, number)
    refused = seats.complete_task(people.province, task, {"review": "back"}, 422).json()
    assert [e["field"] for e in refused["errors"]] == ["opinion"]

    seats.complete(people.province, number, review="back", opinion="请补充具体村组")
    page = Browser(seats.app, agent).get(f"/calls/{number}").text
    assert "来电反映危房改造补助资金未按标准发放。" in page
    seats.complete(agent, number, **complaint(detail_address="马山镇三组"))
    seats.complete(people.province, number, review="accept")

    assert ticket_of(seats, number).detail_address == "马山镇三组"
    assert steps(seats, people.province, number) == ["dispatch"]


def test_a_check_corrects_the_type_and_what_is_sealed_stays_so(seats: World) -> None:
    people, agent, number = seats.chain(), agent_of(seats), ring(seats)
    seats.complete(agent, number, call="record", ticket_type="complaint")
    seats.complete(agent, number, **complaint(is_confidential=True))
    due = ticket_of(seats, number).due_at

    seats.complete(
        people.province,
        number,
        review="back",
        opinion="这是自主申报，请按申报表记录。",
        ticket_type="declaration",
        urgency=2,
    )
    (task,) = seats.tasks(agent, number)
    assert task["form"] == "call.record.declaration"
    seats.complete_task(agent, task, declaration(), 200)

    again = ticket_of(seats, number)
    assert (again.ticket_type, again.is_confidential) == ("declaration", True)
    assert again.due_at > due  # a declaration has five working days more
    seats.complete(people.province, number, review="accept")
    assert steps(seats, people.province, number) == ["dispatch"]


@pytest.mark.parametrize(("urgency", "limit"), [(1, "1wd"), (2, "2wh")])
def test_an_urgent_call_is_checked_within_two_working_hours(
    seats: World, urgency: int, limit: str
) -> None:
    people, agent, number = seats.chain(), agent_of(seats), ring(seats)
    seats.complete(agent, number, call="record", ticket_type="complaint")
    seats.complete(agent, number, **complaint(urgency=urgency))

    assert steps(seats, people.province, number) == ["check_ticket"]
    wanted = (Deadline.stage == "review") & (Deadline.ticket_id == ticket_of(seats, number).id)
    with seats.app.app_context():
        assert session().scalars(select(Deadline.limit).where(wanted)).all() == [limit]
        db.session.remove()


def test_a_checked_call_is_transferred_or_merged(seats: World) -> None:
    people, agent = seats.chain(), agent_of(seats)
    leader = seats.employ(GUIZHOU, "province_leader")
    first, second, third = ring(seats), ring(seats), ring(seats)
    for number in (first, second, third):
        seats.complete(agent, number, call="record", ticket_type="complaint")
        seats.complete(agent, number, **complaint())

    seats.complete(
        people.province,
        first,
        review="transfer",
        transfer_org="省纪委监委",
        transfer_reason="反映公职人员涉嫌侵占资金，属纪检监察职责。",
    )
    seats.complete(leader, first, decision="approve")
    seats.complete(people.province, second, review="merge", merged_into=third)

    assert ticket_of(seats, first).status == "transferred_out"
    assert ticket_of(seats, second).status == "merged"
    assert ticket_of(seats, third).status == "reviewing"


def test_a_call_about_corruption_is_not_handled_here_nor_by_the_accused(seats: World) -> None:
    people, agent = seats.chain(), agent_of(seats)
    number = ring(seats)
    seats.complete(agent, number, call="record", ticket_type="complaint")
    seats.complete(agent, number, **complaint(problem_category=8))
    accused = people.city.principal.unit_id

    (task,) = seats.tasks(people.province, number)
    refused = seats.complete_task(people.province, task, {"review": "accept"}, 422).json()
    assert [(e["field"], e["rule"]) for e in refused["errors"]] == [("review", "corruption")]

    other = ring(seats)
    seats.complete(agent, other, call="record", ticket_type="complaint")
    seats.complete(agent, other, **complaint())
    seats.complete(people.province, other, review="accept", accused_unit_id=accused)
    (task,) = seats.tasks(people.province, other)
    values = {"route": "down", "target_unit_id": accused}
    refused = seats.complete_task(people.province, task, values, 422).json()
    assert [(e["field"], e["rule"]) for e in refused["errors"]] == [("target_unit_id", "accused")]


def test_every_mistake_of_a_record_is_named_at_once(seats: World) -> None:
    agent, number = agent_of(seats), ring(seats)
    seats.complete(agent, number, call="record", ticket_type="declaration")
    (task,) = seats.tasks(agent, number)

    refused = seats.complete_task(agent, task, {"caller_name": "罗", "poverty_risk": [9]}, 422)

    assert {e["field"] for e in refused.json()["errors"]} == {
        "caller_name",
        "contact_phone",
        "id_card_no",
        "content",
        "poverty_risk_note",
        "division_code",
    }


@pytest.mark.parametrize(("code", "rule"), [("450000000000", "outside"), (GUIZHOU, "wide")])
def test_a_record_says_where_in_the_province(seats: World, code: str, rule: str) -> None:
    agent, number = agent_of(seats), ring(seats)
    seats.complete(agent, number, call="record", ticket_type="complaint")
    (task,) = seats.tasks(agent, number)

    answer = seats.complete_task(agent, task, complaint(division_code=code), 422).json()

    assert [(e["field"], e["rule"]) for e in answer["errors"]] == [("division_code", rule)]


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"call": "record"}, {"ticket_type"}),
        ({"call": "answered"}, {"content", "problem_category", "answer"}),
        ({"call": "answered", "answer": "太短"}, {"content", "problem_category", "answer"}),
        ({"call": "wrong_transfer"}, {"wrong_reason"}),
        ({}, {"call"}),
    ],
)
def test_each_outcome_wants_its_own_fields(
    seats: World, values: dict[str, Any], fields: set[str]
) -> None:
    agent, number = agent_of(seats), ring(seats)
    (task,) = seats.tasks(agent, number)

    refused = seats.complete_task(agent, task, values, 422).json()

    assert {e["field"] for e in refused["errors"]} == fields


def test_an_announced_call_is_one_call_however_often_it_is_announced(seats: World) -> None:
    number = f"C-{uuid.uuid4().hex[:12]}"
    first = announce(seats, call_id=number)["data"]
    again = announce(seats, 200, call_id=number)["data"]
    other = announce(seats, 409, call_id=number, caller_number="13900000000")

    assert first["acceptance_no"] == again["acceptance_no"]
    assert again["duplicate"] is True
    assert other["code"] == "IDEMPOTENCY_CONFLICT"


def test_full_width_digits_and_hidden_numbers_are_understood(seats: World) -> None:
    wide, hidden = (
        ring(seats, caller_number="０２１－１２３１７"),
        ring(seats, caller_number="未知"),
    )

    assert ticket_of(seats, wide).caller_number == "021-12317"
    assert ticket_of(seats, hidden).caller_number_unknown is True
    wrong = announce(seats, 422, caller_number="abc", from_operator="", call_id=None)
    assert {e["field"] for e in wrong["errors"]} == {"caller_number", "from_operator", "call_id"}


def test_a_province_joined_by_tickets_has_no_seats(world: World) -> None:
    refused = announce(world, 409)
    assert (refused["code"], refused["mode"]) == ("MODE", "ticket")

    agent = agent_of(world)
    browser = Browser(world.app, agent)
    page = browser.get("/calls").text
    assert "工单转接模式" in page
    assert "来电登记" not in page
    taken = browser.post("/calls", {"caller_number": NUMBER, "token": str(uuid.uuid4())})
    assert taken.status_code == 409
    number = world.submit()
    assert world.tasks(agent, number) == []


def test_a_call_taken_down_by_hand_is_the_agents_at_once_and_only_once(seats: World) -> None:
    agent = agent_of(seats)
    browser, token = Browser(seats.app, agent), str(uuid.uuid4())
    browser.get("/calls")

    first = browser.post("/calls", {"caller_number": "139 0000 5679", "token": token})
    second = browser.post("/calls", {"caller_number": "139 0000 5679", "token": token})

    assert (first.status_code, first.location) == (302, second.location)
    number = first.location.rpartition("/")[2]
    (task,) = seats.tasks(agent, number)
    assert task["assignee_id"] == agent.principal.user_id
    call, _ = call_of(seats, number)
    assert (call.source, call.from_operator) == ("manual", None)
    page = browser.get(first.location).text
    assert "13900005679" in page
    assert "首次来电" in page


def test_the_number_s_history_pops_up_and_another_matter_shares_the_call(seats: World) -> None:
    agent, number = agent_of(seats), ring(seats, caller_number="13900005680")
    seats.complete(agent, number, call="record", ticket_type="complaint")
    seats.complete(agent, number, **complaint(contact_phone="13900005680"))
    browser = Browser(seats.app, agent)

    told = browser.get(f"/calls/{number}").text
    ticket = ticket_of(seats, number)
    for shown in (number, ticket.query_code, "请告知来电人", "再登记一件"):
        assert shown in told, shown
    again = browser.post(f"/calls/{number}/another", {"token": str(uuid.uuid4())})
    another = again.location.rpartition("/")[2]

    page = browser.get(again.location).text
    assert number in page
    assert "危房改造补助资金" in page
    assert another != number
    assert call_of(seats, another)[0].call_id == call_of(seats, number)[0].call_id


def test_only_seats_see_calls_and_no_number_stands_in_an_address(seats: World) -> None:
    people, number = seats.chain(), ring(seats)
    outsider = seats.employ("450000000000", "province_agent")

    assert Browser(seats.app, people.province).get("/calls").status_code == 403
    assert Browser(seats.app, outsider).get(f"/calls/{number}").status_code == 404
    page = Browser(seats.app, people.province).get(f"/tickets/{number}").text
    assert NUMBER not in page
    assert "139****5678" in page


def test_seats_fill_the_record_on_the_page(seats: World) -> None:
    agent, number = agent_of(seats), ring(seats)
    browser = Browser(seats.app, agent)
    page = browser.get(f"/calls/{number}").text
    url = re.search(r'action="(/tasks/[^"]+/complete)"', page)
    assert url
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version

    done = browser.post(url[1], version=version[1], call="record", ticket_type="complaint")
    assert done.location.endswith(f"/calls/{number}")
    record = browser.get(done.location).text
    assert f'value="{NUMBER}"' in record
    url = re.search(r'action="(/tasks/[^"]+/complete)"', record)
    assert url
    wrong = browser.post(url[1], version="1", is_anonymous="false")
    assert wrong.status_code == 422
    assert "实名投诉须填写姓名" in wrong.text
    right = {**complaint(is_anonymous="false"), "version": "1", "is_confidential": "false"}
    told = browser.post(url[1], **right)
    assert told.location.endswith(f"/calls/{number}")

    assert ticket_of(seats, number).submitted_at <= datetime.now(UTC)
    assert "请告知来电人" in browser.get(told.location).text


def test_an_agent_begins_at_the_telephone(seats: World) -> None:
    agent = agent_of(seats)

    assert Browser(seats.app, agent).get("/").location == "/calls"
