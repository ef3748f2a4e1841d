"""A platform that cannot be called fetches its messages and confirms them (I17), and asks (I8)."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from app.approvals import messages as told
from app.core import clock
from app.core.db import db, session, transact
from app.exchange.queries import attempts_of, deliveries_of
from app.notifications.models import Notification
from app.simulator.pulling import pull
from app.tickets.services import ticket_numbered
from tests.support.journey import Chain, World


@pytest.fixture
def silent(world: World) -> World:
    """A platform that fetches."""
    world.settings(delivery="pull")
    return world


def concluded(world: World, people: Chain) -> str:
    """A ticket whose result waits."""
    number = world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    return number


def waiting(world: World, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """What the platform is told to fetch."""
    return list(world.partner.outbox(after, limit).data["messages"])


def confirm(world: World, *messages: dict[str, Any], **more: Any) -> list[str]:
    """The codes that receipts for these messages get."""
    receipts = [{"event_id": m["event_id"], "receipt_no": "HZ-1", **more} for m in messages]
    answer = world.partner.acknowledge(receipts)
    assert answer.status == 200, answer.envelope
    return [each["code"] for each in answer.data["results"]]


def test_a_result_that_was_fetched_and_confirmed_ends_the_wait(silent: World) -> None:
    number = concluded(silent, silent.chain())
    assert silent.deliver() == 0
    (message,) = waiting(silent)
    assert (message["operation"], message["acceptance_no"]) == ("results/complaints", number)
    assert message["body"]["event_id"] == message["event_id"]
    assert silent.status(number) == "result_pending"

    assert confirm(silent, message) == ["0"]

    assert silent.status(number) == "callback_pending"
    assert waiting(silent) == []
    with silent.app.app_context():
        (sent,) = deliveries_of(number)
        assert (sent.state, sent.receipt_no, sent.attempts) == ("delivered", "HZ-1", 1)
        (attempt,) = attempts_of(sent.message_id)
        assert attempt.request_masked["petitioner_feedback"] == "***"
        session().rollback()


def test_a_receipt_that_comes_twice_changes_nothing(silent: World) -> None:
    concluded(silent, silent.chain())
    (message,) = waiting(silent)
    confirm(silent, message)

    again = silent.partner.acknowledge([{"event_id": message["event_id"], "receipt_no": "HZ-2"}])

    assert again.data["results"][0]["duplicate"] is True
    with silent.app.app_context():
        assert deliveries_of(message["acceptance_no"])[0].receipt_no == "HZ-1"
        session().rollback()


def test_a_file_can_be_fetched_after_each_page(silent: World) -> None:
    concluded(silent, silent.chain())

    for _ in range(2):
        (message,) = waiting(silent)
        link = message["body"]["report_files"][0]["url"].removeprefix("http://127.0.0.1")
        assert silent.http.get(link).status_code == 200


def test_messages_of_a_ticket_are_confirmed_in_order(silent: World) -> None:
    number = asked_back(silent)
    first, second = waiting(silent)

    assert confirm(silent, second) == ["OUT_OF_ORDER"]
    assert confirm(silent, first, second) == ["0", "0"]
    assert [m["event_seq"] for m in (first, second)] == [1, 2]
    assert silent.status(number) == "dispatching"


def asked_back(world: World) -> str:
    """A ticket with two messages: a request to take it back, and a status event."""
    people = world.chain()
    number = world.submit()
    world.complete(people.province, number)
    world.complete(
        people.province,
        number,
        review="return",
        return_reason_code=1,
        return_reason="反映事项为城市供水收费，不属于乡村振兴业务范围。",
        opinion="建议转供水主管部门",
    )
    world.partner.decide_return(number, approved=False, opinion="请按政策解释答复。")
    with world.app.app_context():
        transact(
            lambda: told.tell(
                ticket_numbered(number), "noted", {}, clock.now(), once=uuid.uuid4().hex
            )
        )
        db.session.remove()
    return number


def test_a_refused_status_event_holds_nothing_up_and_a_refused_request_does(silent: World) -> None:
    asked_back(silent)
    request, event = waiting(silent)

    assert confirm(silent, request, code="VALIDATION_FAILED") == ["0"]
    assert confirm(silent, event) == ["OUT_OF_ORDER"]
    assert [m["event_id"] for m in waiting(silent)] == [request["event_id"], event["event_id"]]
    assert confirm(silent, request) == ["0"]
    assert confirm(silent, event) == ["0"]


def test_the_province_is_told_once_of_a_message_that_the_platform_refused(silent: World) -> None:
    people = silent.chain()
    number = concluded(silent, people)
    (message,) = waiting(silent)

    assert [confirm(silent, message, code="VALIDATION_FAILED") for _ in range(2)] == [["0"]] * 2

    with silent.app.app_context():
        mine = Notification.user_id == people.province.principal.user_id
        told = session().scalars(
            select(Notification.kind).where(mine, Notification.business_key == number)
        )
        assert list(told) == ["undelivered"]
        (sent,) = deliveries_of(number)
        assert (sent.state, len(attempts_of(sent.message_id))) == ("dead", 1)
        session().rollback()


def test_pages_follow_one_another_without_gap_or_repeat(silent: World) -> None:
    asked_back(silent)
    asked_back(silent)
    whole = [m["cursor"] for m in waiting(silent)]

    pages: list[int] = []
    after: int | None = 0
    while after is not None:
        answer = silent.partner.outbox(after, 1).data
        pages += [m["cursor"] for m in answer["messages"]]
        after = answer["next"]

    assert (pages, len(whole)) == (whole, 4)


def test_only_ones_own_messages_are_there(silent: World) -> None:
    concluded(silent, silent.chain())

    assert {m["body"]["external_ticket_no"][:3] for m in waiting(silent)} == {"GZ-"}
    assert confirm(silent, {"event_id": str(uuid.uuid4())}) == ["MESSAGE_NOT_FOUND"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "receipts"),
        ({"receipts": []}, "receipts"),
        ({"receipts": [{"event_id": "x"}]}, "receipts"),
        ({"receipts": [{"event_id": str(uuid.uuid4())}] * 101}, "receipts"),
    ],
)
def test_wrong_receipts_are_named(world: World, body: dict[str, Any], field: str) -> None:
    answer = world.partner.post("/outbox/ack", body)

    assert answer.status == 422
    assert {error["field"].partition(".")[0] for error in answer.envelope["errors"]} == {field}


@pytest.mark.parametrize("query", [{"after": "x"}, {"limit": "0"}, {"limit": "501"}])
def test_a_wrong_page_is_named(world: World, query: dict[str, str]) -> None:
    answer = world.partner.get("/outbox", query)

    assert (answer.status, answer.envelope["errors"][0]["field"]) == (422, next(iter(query)))


def test_a_platform_that_was_down_fetches_what_it_missed(world: World) -> None:
    number = concluded(world, world.chain())

    (message,) = waiting(world)
    assert confirm(world, message) == ["0"]

    assert world.deliver() == 0
    assert world.received() == []
    assert world.status(number) == "callback_pending"


def test_the_simulator_fetches_and_confirms(silent: World) -> None:
    number = concluded(silent, silent.chain())

    assert pull(silent.partner, silent.simulator.extensions["journal"]) == 1
    assert pull(silent.partner, silent.simulator.extensions["journal"]) == 0

    assert [m.operation for m in silent.received()] == ["results/complaints"]
    assert silent.status(number) == "callback_pending"
    assert silent.simulator.test_client().post("/pull").status_code == 303


def test_the_steps_of_a_ticket_are_told_with_their_units_and_nothing_else(world: World) -> None:
    people = world.chain()
    number = world.submit()
    world.down(number, people)
    world.act(people.province, number, "urge", text="请尽快办理，来电人再次询问。")

    data = world.partner.events(number).data

    steps = [(event["step"], bool(event["unit"])) for event in data["events"]]
    assert steps == [
        ("受理", False),
        *((name, True) for name in ("签收", "初审", "分派", "市级签收转办", "县级签收")),
    ]
    assert {"seq", "at", "step", "unit"} == set(data["events"][0])
    assert data["status"] == "handling"
    text = str(data)
    assert "受理" in text
    assert "请核实" not in text
    assert "催办" not in text
    for person in (people.province, people.city, people.county):
        assert person.principal.display_name not in text


def test_the_steps_of_another_platforms_ticket_do_not_exist(world: World) -> None:
    assert world.partner.events("TS5200002026112300042S").status == 404
