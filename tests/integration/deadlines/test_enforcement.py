"""Lights and escalation: each step once, none after its time, none missing after a downtime."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.core.db import db, session, transact
from app.deadlines import registry, services
from app.deadlines.enforcement import enforce_due
from app.deadlines.models import Deadline, DeadlineEvent, TicketClock
from app.workqueue.models import WorkItem
from tests.integration.deadlines.conftest import Room, at

pytestmark = pytest.mark.usefixtures("context")

STEPS = ["yellow", "orange", "red", "supervise", "leaders", "notice"]


@pytest.fixture
def told() -> Iterator[list[tuple[int, str, str]]]:
    """(ticket, stage, step) of everything that listeners heard."""
    heard: list[tuple[int, str, str]] = []

    def listen(row: Deadline, clock: TicketClock, step: str, now: datetime) -> None:
        heard.append((clock.ticket_id, row.stage, step))

    registry.reached(*STEPS)(listen)
    yield heard
    for listeners in registry._listeners.values():
        if listen in listeners:
            listeners.remove(listen)


def test_a_ticket_that_nobody_touches_climbs_every_step_at_its_time(
    room: Room, told: list[tuple[int, str, str]]
) -> None:
    total = room.open()
    seen = []
    for moment in (
        *("2026-12-09 12:00", "2026-12-14 18:00", "2026-12-15 18:00", "2026-12-15 18:01"),
        *("2026-12-16 18:01", "2026-12-18 18:01", "2026-12-22 18:01", "2027-02-01 09:00"),
    ):
        room.run_until(moment)
        seen.append(room.row("total").light)

    assert total.yellow_at < at("2026-12-09 12:00")
    assert seen == ["yellow", "orange", "orange", *STEPS[2:], "notice"]
    assert [step for t, stage, step in told if stage == "total"] == STEPS
    assert room.events() == STEPS


def test_a_night_of_downtime_skips_overtaken_warnings_and_nothing_else(
    room: Room, told: list[tuple[int, str, str]]
) -> None:
    room.open()

    room.run_until("2026-12-19 09:00")
    room.run_until("2026-12-19 09:00")

    assert room.events() == ["red", "supervise", "leaders"]
    assert [step for _, stage, step in told if stage == "total"] == ["red", "supervise", "leaders"]


def test_a_done_stage_turns_no_light(room: Room, told: list[tuple[int, str, str]]) -> None:
    room.open()
    row = room.stage("dispatch", "2026-11-24 09:30")
    transact(lambda: services.close_stage(row.task_id, at("2026-11-24 10:00")))  # type: ignore[arg-type]

    room.run_until("2026-11-27 09:00")

    assert room.row("dispatch").light == "green"
    assert [each for each in told if each[1] == "dispatch"] == []


def test_a_pause_holds_the_lights_and_resuming_does_not_repeat_them(room: Room) -> None:
    room.open()
    room.run_until("2026-12-09 12:00")
    room.do(services.pause, "suspension", at("2026-12-10 09:00"))
    room.run_until("2026-12-20 09:00")

    assert room.events() == ["yellow"]

    room.do(services.resume, "suspension", at("2026-12-21 09:00"))
    room.run_until("2026-12-21 10:00")
    assert room.events() == ["yellow", "resumed"]

    room.run_until("2026-12-23 18:00")
    room.run_until("2026-12-24 18:00:01")
    assert room.events() == ["yellow", "resumed", "orange", "red"]


def test_a_pending_extension_does_not_turn_red_and_a_refusal_lets_it(room: Room) -> None:
    room.open()
    room.do(services.ask_extension, at("2026-12-14 09:00"))
    room.run_until("2026-12-16 12:00")

    assert room.row("total").light == "orange"

    room.do(services.refuse_extension, at("2026-12-16 15:00"))
    room.run_until("2026-12-17 18:00")
    assert room.row("total").light == "orange"

    room.run_until("2026-12-17 18:01")
    assert room.row("total").light == "red"


def test_granted_days_turn_the_light_green_and_it_may_turn_again(room: Room) -> None:
    room.open()
    room.run_until("2026-12-14 18:00")
    room.do(services.ask_extension, at("2026-12-14 18:00"))

    room.do(services.grant, 30, at("2026-12-15 09:00"))
    assert room.row("total").light == "green"

    room.run_until("2027-02-01 09:00")
    assert room.events() == ["orange", "extended", *STEPS[2:]]


def test_thousands_that_turned_red_overnight_are_each_urged_once_by_racing_schedulers(
    app: Flask, rooms: Callable[[], Room], told: list[tuple[int, str, str]]
) -> None:
    """Scenario 15, with four schedulers at once."""
    tickets = [rooms() for _ in range(60)]
    for each in tickets:
        each.open()
    ids = [each.ticket_id for each in tickets]
    keys = [f"K{number}" for number in ids]
    moment = at("2026-12-15 19:00")
    transact(
        lambda: session().execute(
            update(WorkItem)
            .where(WorkItem.business_key.in_(keys), WorkItem.due_at <= moment)
            .values(due_at=func.now())
        )
    )

    def tick() -> None:
        with app.app_context():
            while transact(lambda: enforce_due(moment, 7)):
                pass
            db.session.remove()

    racing = [threading.Thread(target=tick) for _ in range(4)]
    for thread in racing:
        thread.start()
    for thread in racing:
        thread.join()

    counts = session().execute(
        select(Deadline.ticket_id, func.count())
        .join(DeadlineEvent, DeadlineEvent.deadline_id == Deadline.id)
        .where(Deadline.ticket_id.in_(ids), Deadline.stage == "total", DeadlineEvent.event == "red")
        .group_by(Deadline.ticket_id)
    )
    assert dict(counts.all()) == dict.fromkeys(ids, 1)
    assert sorted(t for t, stage, step in told if (stage, step) == ("total", "red")) == sorted(ids)


def test_a_listener_that_fails_holds_up_its_own_ticket_only_until_the_next_try(
    room: Room, rooms: type[Room]
) -> None:
    other = rooms()
    room.open()
    other.open()
    failing = True

    def listen(row: Deadline, clock: TicketClock, step: str, now: datetime) -> None:
        if failing and clock.ticket_id == room.ticket_id:
            raise RuntimeError("notification room is down")

    registry.reached("yellow")(listen)
    try:
        for each in (room, other):
            transact(lambda each=each: each.make_due(at("2026-12-09 12:00")))
        transact(lambda: enforce_due(at("2026-12-09 12:00"), 500))
        assert room.row("total").light == "green"
        assert other.row("total").light == "yellow"

        failing = False
        transact(
            lambda: session().execute(
                update(WorkItem)
                .where(WorkItem.business_key == f"K{room.ticket_id}", WorkItem.attempts == 1)
                .values(due_at=func.now())
            )
        )
        transact(lambda: enforce_due(at("2026-12-09 12:00"), 500))
        assert room.row("total").light == "yellow"
    finally:
        registry._listeners["yellow"].remove(listen)
