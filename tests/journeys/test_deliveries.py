"""The result reaches 12345 once, whatever 12345 does meanwhile."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, update

from app.core.db import db, session, transact
from app.exchange import post
from app.exchange.queries import deliveries_of
from app.workqueue.models import WorkItem
from app.workqueue.services import process_database_lane
from tests.support.journey import Chain, World, serving
from tests.support.pages import Browser
from tests.support.people import Person
from tests.support.timelimits import hour


def concluded(world: World, people: Chain) -> str:
    """A ticket whose result is on its way."""
    number = world.submit()
    world.accept(number, people.province)
    world.complete(people.province, number, route="province")
    world.hand_in(people.province, number)
    world.complete(people.province_auditor, number, decision="approve")
    assert world.status(number) == "result_pending"
    return number


def test_a_platform_that_was_down_gets_the_result_once_it_is_up(world: World) -> None:
    people = world.chain()
    with serving(world.simulator) as address:
        gone = address  # nobody listens there from here on
    world.point_callback(gone)
    number = concluded(world, people)

    assert world.deliver() == 1
    assert world.status(number) == "result_pending"
    assert world.received() == []
    assert world.deliver() == 0  # it waits before it tries again
    with serving(world.simulator) as address:
        world.point_callback(address)
        world.hurry()
        assert world.deliver() == 1
        world.hurry()
        assert world.deliver() == 0

    assert world.status(number) == "callback_pending"
    (message,) = world.received()
    assert message.deliveries == 1
    with world.app.app_context():
        (sent,) = deliveries_of(number)
        assert (sent.state, sent.attempts) == ("delivered", 2)
        session().rollback()


def test_a_push_that_times_out_after_it_was_applied_is_applied_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "TIMEOUT", httpx.Timeout(0.5))
    number = concluded(world, world.chain())
    world.misbehave("timeout", seconds=5, times=1)

    world.deliver()
    assert world.status(number) == "result_pending"
    assert len(world.received()) == 1
    world.hurry()
    world.deliver()

    assert world.status(number) == "callback_pending"
    (message,) = world.received()
    assert message.deliveries == 2
    with world.app.app_context():
        (sent,) = deliveries_of(number)
        assert sent.receipt_no == message.receipt_no
        session().rollback()


@pytest.mark.parametrize(
    ("mode", "tries_again"), [("fail", True), ("reject", False), ("duplicate", False)]
)
def test_only_the_platforms_own_word_ends_the_wait(
    world: World, mode: str, tries_again: bool
) -> None:
    number = concluded(world, world.chain())
    world.misbehave(mode, times=1)

    world.deliver()

    if mode == "duplicate":  # 12345 has it already: that is its receipt
        assert world.status(number) == "callback_pending"
        return
    assert world.status(number) == "result_pending"
    world.hurry()
    assert world.deliver() == (1 if tries_again else 0)
    assert world.status(number) == ("callback_pending" if tries_again else "result_pending")


def test_being_in_time_is_judged_by_the_audit_and_not_by_the_push(world: World) -> None:
    number = concluded(world, world.chain())
    before = world.partner.ticket(number).data["completed_at"]
    world.misbehave("fail", times=1)
    world.deliver()
    world.hurry()
    world.deliver()

    assert world.partner.ticket(number).data["completed_at"] == before is not None


def told(world: World, person: Person) -> list[str]:
    """What somebody was told of late results."""
    answer = world.http.get("/api/v1/notifications", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()["notifications"] if each["kind"] == "late_push"]


def alarm(world: World, number: str, moment: datetime) -> None:
    """The scheduler comes by at this moment, when the alarm of the ticket's result is due."""
    due = (WorkItem.lane == "late_push") & (WorkItem.business_key == number)
    with hour(moment), world.app.app_context():
        transact(lambda: session().execute(update(WorkItem).where(due).values(due_at=func.now())))
        while transact(lambda: process_database_lane("late_push", now=moment)):
            pass
        db.session.remove()


@pytest.mark.parametrize("arrives", [False, True])
def test_a_result_that_has_not_arrived_after_an_hour_is_told_to_the_province_once(
    world: World, arrives: bool
) -> None:
    people = world.chain()
    number = concluded(world, people)
    with world.app.app_context():
        (sent,) = deliveries_of(number)
        session().rollback()
    assert sent.due_at == sent.created_at + timedelta(minutes=5)
    assert sent.alarm_at == sent.created_at + timedelta(hours=1)
    if arrives:
        world.deliver()

    for minutes in (60, 70):
        alarm(world, number, sent.created_at + timedelta(minutes=minutes))

    wanted = [] if arrives else [f"投诉办理结果超时未送达12345，系统继续发送：{number}"]
    assert told(world, people.province) == wanted


@pytest.mark.parametrize(
    ("minutes", "tone"), [(4, None), (6, "orange"), (61, "red")], ids=["soon", "late", "alarm"]
)
def test_a_late_result_stands_on_the_monitor_until_it_arrives(
    world: World, minutes: int, tone: str | None
) -> None:
    people = world.chain()
    number = concluded(world, people)

    with hour(datetime.now(UTC) + timedelta(minutes=minutes)):
        page = Browser(world.app, people.province).get("/operations").text
        row = page[page.index(number) :].split("</tr>")[0] if number in page else ""
        assert (number in page) is (tone is not None)
        assert tone is None or f'tag {tone}"' in row
    world.deliver()
    with hour(datetime.now(UTC) + timedelta(minutes=minutes)):
        assert number not in Browser(world.app, people.province).get("/operations").text
