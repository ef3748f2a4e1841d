"""Notifications (提醒): the lights of a ticket reach those whom the escalation names, once each."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.core.clock import BEIJING
from app.core.db import db, session
from app.notifications.models import Notification
from tests.support.journey import Chain, World
from tests.support.notifications import hooked, send, sent
from tests.support.pages import Browser
from tests.support.people import CHONGQING, GUIZHOU, MEITAN, ZUNYI, Person
from tests.support.timelimits import deadlines, let_pass


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


def told(world: World, person: Person, number: str, stage: str = "") -> list[str]:
    """The kinds of what somebody is told of a ticket, or of one time limit of it, in order."""
    source = f"deadline:{deadlines(world, number)[stage].id}:" if stage else ""
    with world.app.app_context():
        found = session().scalars(
            select(Notification.kind)
            .where(Notification.user_id == person.principal.user_id)
            .where(Notification.business_key == number, Notification.source.startswith(source))
            .order_by(Notification.id)
        )
        kinds = list(found)
        db.session.remove()
    return kinds


def just_after(moment: datetime) -> datetime:
    return moment + timedelta(seconds=1)


def test_yellow_tells_who_has_the_task_and_the_unit_s_head(
    world: World, people: Chain, number: str
) -> None:
    head, neighbour = world.employ(MEITAN, "supervisor"), world.employ(CHONGQING, "supervisor")

    let_pass(world, just_after(deadlines(world, number)["handle"].yellow_at), number)

    for person in (people.county, people.county_colleague, head):
        assert told(world, person, number, "handle") == ["yellow"]
    for person in (people.city, people.province, neighbour):
        assert told(world, person, number, "handle") == []


def test_a_claimed_task_tells_its_holder_and_not_the_colleagues(
    world: World, people: Chain, number: str
) -> None:
    (task,) = world.tasks(people.county, number)
    claimed = world.http.post(f"/api/v1/tasks/{task['id']}/claim", headers=people.county.headers)
    assert claimed.status_code == 200

    let_pass(world, just_after(deadlines(world, number)["handle"].yellow_at), number)

    assert told(world, people.county, number, "handle") == ["yellow"]
    assert told(world, people.county_colleague, number, "handle") == []


def test_orange_tells_the_unit_above_and_red_every_supervisor_above(
    world: World, people: Chain, number: str
) -> None:
    city, province = world.employ(ZUNYI, "supervisor"), world.employ(GUIZHOU, "supervisor")
    everybody = (people.county, people.city, people.province, city, province)
    stage = deadlines(world, number)["handle"]

    let_pass(world, just_after(stage.orange_at), number)
    heard = [told(world, person, number, "handle") for person in everybody]
    assert heard == [["orange"], ["orange"], [], [], []]

    let_pass(world, just_after(stage.due_at), number)
    heard = [told(world, person, number, "handle") for person in everybody]
    assert heard == [["orange", "red"], ["orange", "red"], [], ["red"], ["red"]]


def test_the_total_tells_whoever_holds_the_ticket(world: World, people: Chain, number: str) -> None:
    let_pass(world, just_after(deadlines(world, number)["total"].due_at), number)

    assert told(world, people.county, number, "total") == ["red"]
    assert told(world, people.province, number, "total") == []


def test_after_a_night_without_service_one_light_is_told_once(
    world: World, people: Chain, number: str
) -> None:
    night = deadlines(world, number)["handle"].due_at + timedelta(hours=14)

    let_pass(world, night, number)
    let_pass(world, night + timedelta(minutes=1), number)

    assert told(world, people.county, number, "handle") == ["red"]


def test_a_yellow_light_reaches_the_clerk_s_page_and_as_an_sms_the_gateway(
    world: World, people: Chain, number: str
) -> None:
    moment = just_after(deadlines(world, number)["handle"].yellow_at)
    with hooked(world):
        let_pass(world, moment, number)
        send(world, moment + timedelta(minutes=1))

    due = deadlines(world, number)["handle"].due_at.astimezone(BEIJING)
    title = f"办理时限临近（{due:%m-%d %H:%M}）：{number}"
    assert title in Browser(world.app, people.county).get("/notifications").text
    by_account = {body["recipient"]["account"]: body for body in sent(world)}
    assert title in [item["title"] for item in by_account[people.county.username]["items"]]
    assert title not in str(by_account.get(people.city.username))
    assert "李某某" not in str(by_account)
    assert "13800001234" not in str(by_account)


def test_an_urgent_task_is_told_to_the_unit_at_once(world: World, people: Chain) -> None:
    number = world.submit(urgency=2)
    assert told(world, people.province, number) == ["urgent"]
    assert told(world, people.city, number) == []

    world.accept(number, people.province)
    world.delegate(number, people.province, people.city)

    assert told(world, people.city, number) == ["urgent"]
    assert told(world, people.county, number) == []


def test_the_province_is_told_of_a_message_that_nobody_could_deliver(
    world: World, people: Chain, number: str
) -> None:
    quiet = world.submit()
    world.misbehave("reject")
    world.conclude(quiet, people)

    assert told(world, people.province, quiet) == ["undelivered"]
    assert told(world, people.city, quiet) == []
