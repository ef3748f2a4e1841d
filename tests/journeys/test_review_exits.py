"""Exits of the review beside accepting: back to 12345 (退单), on to another authority (移送)."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.approvals.services import decide_return
from app.core import clock
from app.core.db import db, session, transact
from app.engine import runner
from app.engine.models import ProcessInstance
from app.simulator.client import Answer, PartnerClient
from app.tickets.queries import ticket_of_partner
from tests.support.journey import World
from tests.support.pages import Browser
from tests.support.people import GUIZHOU, Person

REASON = "反映事项为城市供水收费，不属于乡村振兴业务范围，建议转供水主管部门。"
BACK = {"review": "return", "return_reason_code": 1, "return_reason": REASON}
ON = {
    "review": "transfer",
    "transfer_org": "县纪委监委",
    "transfer_reason": "反映村干部侵占补助资金，属纪检监察职责。",
}


@pytest.fixture
def operator(world: World) -> Person:
    """Somebody of the province."""
    return world.hire(GUIZHOU)[0]


@pytest.fixture
def leader(world: World) -> Person:
    """Who approves at the province."""
    return world.employ(GUIZHOU, "province_leader")


def _reviewed(world: World, operator: Person, **values: object) -> str:
    number = world.submit()
    world.complete(operator, number)
    world.complete(operator, number, **values)
    return number


def _answer(world: World, number: str, approved: object, opinion: str = "请按政策办理。") -> Answer:
    return world.partner.post(
        f"/tickets/{number}/return-decision", {"approved": approved, "opinion": opinion}
    )


def test_a_return_that_12345_agrees_to_ends_the_ticket(world: World, operator: Person) -> None:
    number = _reviewed(world, operator, **BACK)

    assert world.status(number) == "return_pending"
    assert world.deliver() == 1
    (sent,) = world.received()
    assert sent.operation == "return-requests"
    assert sent.body["request_no"] == f"{number}-R1"
    assert sent.body["return_reason"] == REASON
    assert sent.body["reason_code"] == 1
    assert sent.body["external_ticket_no"]

    answer = _answer(world, number, 1, "同意退回。")
    assert answer.status == 200, answer.envelope
    assert world.status(number) == "returned"
    assert world.tasks(operator, number) == []


def test_a_refused_return_goes_on_with_12345s_opinion(world: World, operator: Person) -> None:
    number = _reviewed(world, operator, **BACK)
    world.deliver()

    answer = _answer(world, number, "不同意", "来电人户籍在脱贫村，请解释答复。")

    assert answer.status == 200, answer.envelope
    assert world.status(number) == "dispatching"
    assert [t["element_id"] for t in world.tasks(operator, number)] == ["dispatch"]


def test_the_same_decision_again_is_a_repeat_another_is_a_conflict(
    world: World, operator: Person
) -> None:
    number = _reviewed(world, operator, **BACK)

    assert _answer(world, number, 2).data["duplicate"] is False
    assert _answer(world, number, 2).data["duplicate"] is True
    refused = _answer(world, number, 1)
    assert (refused.status, refused.envelope["code"]) == (409, "REQUEST_NOT_OPEN")


def test_a_decision_nobody_asked_for_is_refused(world: World, operator: Person) -> None:
    number = world.submit()

    refused = _answer(world, number, 1)

    assert (refused.status, refused.envelope["code"]) == (409, "REQUEST_NOT_OPEN")
    assert refused.envelope["current_state"] == "submitted"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"approved", "opinion"}),
        ({"approved": 3, "opinion": "好"}, {"approved"}),
        ({"approved": 1, "opinion": "  "}, {"opinion"}),
        (
            {"approved": 1, "opinion": "同意", "decided_at": "2099-01-01T00:00:00+08:00"},
            {"decided_at"},
        ),
    ],
)
def test_a_decision_names_its_wrong_fields(
    world: World, operator: Person, body: dict[str, object], fields: set[str]
) -> None:
    number = _reviewed(world, operator, **BACK)

    refused = world.partner.post(f"/tickets/{number}/return-decision", body)

    assert refused.status == 422
    assert {error["field"] for error in refused.envelope["errors"]} == fields
    assert world.status(number) == "return_pending"


def test_another_platform_cannot_decide(world: World, operator: Person) -> None:
    number = _reviewed(world, operator, **BACK)

    with PartnerClient(world.address, "gz-other", world.secret) as stranger:
        assert stranger.decide_return(number, approved=True, opinion="同意").status == 401
    unknown = _answer(world, "TS5200002026112300042S", 1)

    assert unknown.status == 404
    assert world.status(number) == "return_pending"


def test_silence_reminds_12345_and_never_agrees(world: World, operator: Person) -> None:
    number = _reviewed(world, operator, **BACK)
    world.deliver()

    _let_days_pass(world, number, 30)

    assert world.status(number) == "return_pending"
    world.deliver()
    kinds = [(m.operation, m.body.get("event")) for m in world.received()]
    assert kinds == [("return-requests", None), ("status-events", "return_reminded")]
    assert _answer(world, number, 1).status == 200
    assert world.status(number) == "returned"


def test_silence_after_a_second_reminder_is_the_leaders_to_break_once_at_a_time(
    world: World, operator: Person, leader: Person
) -> None:
    number = _reviewed(world, operator, **BACK)
    told = []
    for days in (10, 20, 30):
        _let_days_pass(world, number, days)
        told.append([task["element_id"] for task in world.tasks(leader, number)])

    assert told == [[], ["read_notice"], ["read_notice"]]
    assert world.status(number) == "return_pending"
    notice = Browser(world.app, leader).get(f"/tickets/{number}").text
    assert "12345逾期未批复退单申请，已催促2次" in notice
    world.complete(leader, number)
    _let_days_pass(world, number, 40)
    assert [task["element_id"] for task in world.tasks(leader, number)] == ["read_notice"]
    assert world.status(number) == "return_pending"
    assert _answer(world, number, 1).status == 200
    assert world.status(number) == "returned"


def test_a_decision_that_comes_when_a_reminder_is_due_counts(
    world: World, operator: Person
) -> None:
    number = _reviewed(world, operator, **BACK)
    later = datetime.now(UTC) + timedelta(days=14)

    def decide() -> bool:
        ticket = ticket_of_partner(world.partner_id, number)
        return decide_return(ticket, {"approved": 1, "opinion": "同意"}, later)

    clock.set_source(lambda: later)
    try:
        with world.app.app_context():
            repeats = [transact(decide), transact(decide)]
            db.session.remove()
    finally:
        clock.set_source(None)

    assert repeats == [False, True]
    assert world.status(number) == "returned"


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"review": "return"}, {"return_reason_code", "return_reason"}),
        ({**BACK, "return_reason": "太短了"}, {"return_reason"}),
        ({"review": "transfer"}, {"transfer_org", "transfer_reason"}),
    ],
)
def test_a_review_without_its_reasons_changes_nothing(
    world: World, operator: Person, values: dict[str, object], fields: set[str]
) -> None:
    number = world.submit()
    world.complete(operator, number)
    (task,) = world.tasks(operator, number)

    refused = world.complete_task(operator, task, values, 422).json()

    assert {error["field"] for error in refused["errors"]} == fields
    assert world.status(number) == "reviewing"


def test_a_transfer_that_the_leader_approves_is_told_to_12345(
    world: World, operator: Person, leader: Person
) -> None:
    number = _reviewed(world, operator, **ON)

    assert world.tasks(operator, number) == []
    world.complete(leader, number, decision="approve")

    assert world.status(number) == "transferred_out"
    assert world.deliver() == 1
    (told,) = world.received()
    assert told.operation == "status-events"
    assert told.body["event"] == "transferred_out"
    assert told.body["transfer_out_org"] == ON["transfer_org"]
    assert told.body["reason"] == ON["transfer_reason"]


def test_a_transfer_that_the_leader_refuses_is_reviewed_again(
    world: World, operator: Person, leader: Person
) -> None:
    number = _reviewed(world, operator, **ON)
    (task,) = world.tasks(leader, number)

    refused = world.complete_task(leader, task, {"decision": "refuse"}, 422).json()
    assert [error["field"] for error in refused["errors"]] == ["opinion"]
    world.complete(leader, number, decision="refuse", opinion="先核实再议。")

    assert world.status(number) == "reviewing"
    world.complete(operator, number, review="accept")
    assert world.status(number) == "dispatching"


def _let_days_pass(world: World, number: str, days: int) -> None:
    """Run the ticket's timers as if so many days had gone."""
    later = datetime.now(UTC) + timedelta(days=days)
    clock.set_source(lambda: later)
    try:
        with world.app.app_context():
            transact(lambda: runner.fire_due(_instance(number), now=later))
            db.session.remove()
    finally:
        clock.set_source(None)


def _instance(number: str) -> int:
    return (
        session()
        .scalars(select(ProcessInstance.id).where(ProcessInstance.business_key == number))
        .one()
    )


def test_an_urgent_ticket_is_shown_to_the_leader_at_once(world: World) -> None:
    leader = world.employ("520000000000", "province_leader")
    people, urgent, other = world.chain(), world.submit(urgency=2), world.submit()

    assert [task["element_id"] for task in world.tasks(leader, urgent)] == ["read_notice"]
    assert world.tasks(leader, other) == []
    world.complete(people.province, other)
    world.complete(people.province, other, review="accept", urgency=2)
    world.settle()

    assert [task["element_id"] for task in world.tasks(leader, other)] == ["read_notice"]
    world.complete(leader, urgent, opinion="已电话通知。")
    assert world.status(urgent) == "submitted"
