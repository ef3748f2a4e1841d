"""Time limits (时限) through whole stories: prolonged, rejected, paused, overnight, into 2027."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from app.approvals import services as approvals
from app.core.clock import BEIJING
from app.core.db import db, transact
from app.deadlines import calendars, queries, recompute
from app.deadlines.published import calendar
from app.engine.registry import Actor
from app.tickets.services import ticket_numbered
from app.workqueue import services as workqueue
from tests.integration.deadlines.test_editing import table_2027
from tests.support.extensions import (
    answer_at,
    ask,
    due,
    prolonged,
    registered,
    request_of,
)
from tests.support.journey import Chain, World
from tests.support.timelimits import (
    deadlines,
    forget_edits,
    hour,
    let_pass,
    matters,
    question_by_letter,
)

AGREE = {"decision": "agree", "opinion": "情况属实。"}


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


@pytest.mark.parametrize("agreed", [True, False])
def test_more_time_is_asked_for_a_day_before_and_moves_total_and_stage(
    world: World, people: Chain, number: str, agreed: bool
) -> None:
    before, stage = due(world, number), deadlines(world, number)["handle"].due_at
    last_moment = calendar().subtract_working_days(before, 1)

    with hour(last_moment):
        assert ask(world, people.county, number).status_code == 200
        world.complete(people.city, number, **AGREE)
        world.complete(people.province, number, **AGREE)
    verdict = {"approved": 1 if agreed else 2, "opinion": "请抓紧办理。"}
    answer_at(world, number, verdict, last_moment + timedelta(minutes=1))

    assert request_of(world, number).informed_note
    after = deadlines(world, number)
    if agreed:
        assert due(world, number) == after["total"].due_at == prolonged(before, 10)
        assert after["handle"].due_at > stage
    else:
        left = calendar().add_working_days(last_moment + timedelta(minutes=1), 1).at
        assert due(world, number) == after["total"].due_at == max(before, left)


def test_more_time_cannot_be_asked_for_when_it_is_over(
    world: World, people: Chain, number: str
) -> None:
    with hour(due(world, number) + timedelta(minutes=1)):
        refused = ask(world, people.county, number)

    assert (refused.status_code, refused.json()["code"]) == (422, "EXTENSION_TOO_LATE")


def test_while_more_time_is_asked_for_nothing_turns_red(
    world: World, people: Chain, number: str
) -> None:
    ask(world, people.county, number)

    let_pass(world, due(world, number) + timedelta(hours=20), number)

    assert deadlines(world, number)["total"].light == "orange"
    assert matters(world, number, "urge") == []


def test_a_rejected_report_is_handled_anew_in_three_days_within_the_total(
    world: World, people: Chain, number: str
) -> None:
    world.hand_in(people.county, number)
    world.complete(people.city_auditor, number, decision="approve")
    first = deadlines(world, number)
    assert first["handle"].on_time is True
    assert first["first_contact"].state == "done"

    rejected = {"decision": "reject", "reject_to": "handler", "opinion": "补充会计凭证并核实。"}
    world.complete(people.province_auditor, number, **rejected)

    again = deadlines(world, number)["handle"]
    assert again.due_at == calendar().add_working_days(again.start_at, 3).at
    assert again.due_at < due(world, number)


def test_a_citys_letter_has_sixty_days_and_ends_with_the_citys_audit(
    world: World, people: Chain
) -> None:
    number = registered(world, people.city, "letter")
    opened = deadlines(world, number)
    received = opened["total"].start_at
    assert opened["total"].due_at == calendar().add_calendar_days(received, 60).at
    assert opened["notify_acceptance"].due_at == calendar().add_calendar_days(received, 15).at

    world.complete(people.city, number, city_route="self")
    world.hand_in(people.city, number)
    world.complete(people.city_auditor, number, decision="approve")

    closed = deadlines(world, number)
    assert (closed["total"].on_time, closed["notify_acceptance"].on_time) == (True, True)
    assert {row.state for row in closed.values()} <= {"done", "cancelled"}


@pytest.fixture
def untouched(world: World) -> Iterator[None]:
    """Takes the imported table back, which other tests would count with."""
    yield
    with world.app.app_context():
        forget_edits()
        db.session.remove()


@pytest.mark.usefixtures("untouched")
def test_a_year_without_holidays_is_provisional_until_its_table_comes(
    world: World, people: Chain
) -> None:
    christmas = datetime(2026, 12, 24, 10, tzinfo=BEIJING)
    numbers = [question_by_letter(world, people.province, christmas) for _ in range(3)]
    before = deadlines(world, numbers[0])["total"]
    assert before.provisional
    assert before.due_at == datetime(2027, 1, 8, 18, tzinfo=BEIJING)

    with world.app.app_context():
        assert any("2027" in line for line in queries.alarms(christmas))
        admin = Actor(1, "管理员")
        transact(
            lambda: calendars.import_year(
                2027, table_2027(), source="国办发明电", reason="公布", actor=admin, now=christmas
            )
        )
        why = {"reason": "2027 年安排", "actor_name": "管理员"}
        transact(lambda: recompute.begin("calendar", christmas, **why))
        while transact(lambda: workqueue.process_database_lane("recompute", now=christmas)):
            pass
        (event,) = queries.events(before.id)
        assert (event.event, event.old_due_at) == ("recomputed", before.due_at)
        db.session.remove()

    for number in numbers:
        after = deadlines(world, number)
        assert not after["total"].provisional
        assert due(world, number) == after["total"].due_at
        assert after["total"].due_at == datetime(2027, 1, 9, 18, tzinfo=BEIJING)
        (task,) = world.tasks(people.province, number)
        (stage,) = [each for each in after.values() if str(each.task_id) == task["id"]]
        assert datetime.fromisoformat(task["due_at"]) == stage.due_at


def test_after_a_night_without_service_each_late_ticket_is_urged_once(
    world: World, people: Chain
) -> None:
    numbers = [world.submit() for _ in range(3)]
    for each in numbers:
        world.down(each, people)
    night = deadlines(world, numbers[0])["handle"].due_at + timedelta(hours=14)

    let_pass(world, night, *numbers)
    let_pass(world, night + timedelta(minutes=1), *numbers)

    for each in numbers:
        (urge,) = matters(world, each, "urge")
        assert urge.unit_id == people.county.principal.unit_id
        assert (urge.raised_by_name, urge.state) == ("系统", "open")
        assert "办理已超过时限" in urge.text
        steps = [task["element_id"] for task in world.tasks(people.county, each)]
        assert sorted(steps) == ["answer_urge", "handle_by_county"]


def test_total_and_last_stage_over_in_one_night_urge_once(
    world: World, people: Chain, number: str
) -> None:
    let_pass(world, due(world, number) + timedelta(hours=14), number)

    assert len(matters(world, number, "urge")) == 1


def test_a_late_total_urges_whoever_holds_the_ticket(
    world: World, people: Chain, number: str
) -> None:
    late = due(world, number)
    let_pass(world, late - timedelta(minutes=1), number)
    assert len(matters(world, number, "urge")) == 1  # of the handling

    let_pass(world, late + timedelta(minutes=1), number)

    first, second = matters(world, number, "urge")
    assert ("办理" in first.text, "总时限" in second.text) == (True, True)


def test_an_unanswered_urge_urges_nobody(world: World, people: Chain, number: str) -> None:
    let_pass(world, deadlines(world, number)["handle"].due_at + timedelta(minutes=1), number)
    reply = deadlines(world, number)["urge_reply"]

    let_pass(world, reply.due_at + timedelta(minutes=1), number)

    assert deadlines(world, number)["urge_reply"].light == "red"
    assert len(matters(world, number, "urge")) == 1


def test_the_clock_stands_while_12345_decides_about_a_return(world: World, people: Chain) -> None:
    number = world.submit()
    world.complete(people.province, number)
    before = due(world, number)
    world.complete(
        people.province,
        number,
        review="return",
        return_reason_code=1,
        return_reason="反映事项属于外省管辖，请退回重新分派。",
    )
    stopped = deadlines(world, number)
    assert (stopped["total"].state, stopped["return_decision"].state) == ("paused", "running")

    began = stopped["total"].paused_at
    assert began is not None
    days_later = calendar().add_working_days(began, 3).at
    refused(world, number, days_later)

    resumed = deadlines(world, number)
    given_back = calendar().working_time(began, days_later)
    assert resumed["total"].state == "running"
    assert due(world, number) == calendar().add_working_time(before, given_back).at
    assert resumed["return_decision"].state == "done"


def refused(world: World, number: str, now: datetime) -> None:
    """12345 does not take it back."""
    with hour(now), world.app.app_context():
        answer = {"approved": 2, "opinion": "请依职权办理。"}
        transact(lambda: approvals.decide_return(ticket_numbered(number), answer, now))
        db.session.remove()


def test_a_new_round_has_its_own_time_and_freezes_the_first(world: World, people: Chain) -> None:
    number = world.submit()
    world.conclude(number, people)
    first = deadlines(world, number)["total"]
    assert (first.state, first.on_time, first.round) == ("done", True, 1)

    world.call_back(number, 3)

    second = deadlines(world, number)["total"]
    assert (second.state, second.round) == ("running", 2)
    assert due(world, number) == second.due_at
    assert second.due_at == calendar().add_working_days(second.start_at, 5).at
