"""The clock of a ticket through its life: opened, paused, prolonged, closed, begun again."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from app.core.db import session, transact
from app.deadlines import queries, registry, services
from app.deadlines.errors import ExtensionTooLate, NoClock
from app.deadlines.held import ClockRow, DeadlineRow
from app.deadlines.published import calendar
from app.engine.registry import NewTask
from tests.integration.deadlines.conftest import Room, at

pytestmark = pytest.mark.usefixtures("context")


def test_a_received_ticket_has_its_total_and_the_notice_of_acceptance(room: Room) -> None:
    total = room.open()

    overview = queries.overview(room.ticket_id)

    assert overview is not None
    assert {row.stage: row.due_at for row in overview.deadlines} == {
        "total": at("2026-12-15 18:00"),
        "notify_acceptance": at("2026-12-09 18:00"),
    }
    assert (total.limit, total.policy, total.round, total.light) == ("15wd", "1", 1, "green")


def test_opening_twice_changes_nothing(room: Room) -> None:
    first = room.open().id

    assert room.open().id == first


def test_stages_get_their_own_limits_and_first_contact_comes_with_handling(room: Room) -> None:
    room.open()
    room.stage("sign_in", "2026-11-24 09:30")
    review = room.stage("review", "2026-11-24 15:30")
    handle = room.stage("handle", "2026-11-26 09:00", delegated=True)

    assert room.due("sign_in") == at("2026-11-24 16:00")
    assert review.start_at == at("2026-11-24 09:30")  # with the sign-in, which it includes
    assert review.due_at == at("2026-11-25 18:00")
    assert handle.due_at == at("2026-12-09 18:00")
    assert room.due("first_contact") == at("2026-11-27 18:00")


def test_a_second_review_begins_when_it_begins(room: Room) -> None:
    room.open()
    room.stage("sign_in", "2026-11-24 09:30")
    room.stage("review", "2026-11-24 15:30")

    again = room.stage("review", "2026-11-27 10:00")

    assert again.start_at == at("2026-11-27 10:00")


def test_handling_again_after_a_rejection_has_three_days(room: Room) -> None:
    room.open()
    room.stage("handle", "2026-11-26 09:00")

    assert room.stage("handle", "2026-12-03 09:00", rejected=True).due_at == at("2026-12-08 18:00")


def test_a_task_without_a_limit_is_due_with_its_ticket(room: Room) -> None:
    room.open(kind="consultation")

    assert room.stage("audit_city", "2026-11-25 09:00").due_at == at("2026-11-26 18:00")
    assert (
        transact(
            lambda: services.start(room.ticket_id, "notify_acceptance", at("2026-11-25 09:00"))
        )
        is None
    )


@pytest.mark.parametrize(
    ("kind", "limit", "until"),
    [("complaint", "1wd", "2026-11-30 18:00"), ("consultation", "4wh", "2026-11-30 10:30")],
)
def test_how_long_something_is_allowed_is_the_policys(
    room: Room, kind: str, limit: str, until: str
) -> None:
    room.open(kind=kind)

    window = queries.window(room.ticket_id, "return_window", at("2026-11-27 16:00"))

    assert window is not None
    assert (str(window.limit), window.ends_at) == (limit, at(until))


def test_a_stage_done_in_time_is_frozen_as_in_time(room: Room) -> None:
    room.open()
    row = room.stage("dispatch", "2026-11-24 09:30")

    transact(lambda: services.close_stage(row.task_id, row.due_at))  # type: ignore[arg-type]
    transact(lambda: services.close_stage(row.task_id, at("2027-01-01 09:00")))  # type: ignore[arg-type]

    done = room.row("dispatch")
    assert (done.state, done.on_time, done.closed_at) == ("done", True, row.due_at)


def test_a_moment_after_the_due_date_is_late(room: Room) -> None:
    room.open()
    row = room.stage("dispatch", "2026-11-24 09:30")

    transact(
        lambda: services.close_stage(row.task_id, row.due_at + timedelta(microseconds=1))  # type: ignore[arg-type]
    )

    assert room.row("dispatch").on_time is False


def test_a_cancelled_task_has_no_result(room: Room) -> None:
    room.open()
    row = room.stage("dispatch", "2026-11-24 09:30")

    transact(lambda: services.close_stage(row.task_id, row.due_at, cancelled=True))  # type: ignore[arg-type]

    assert (room.row("dispatch").state, room.row("dispatch").on_time) == ("cancelled", None)


def test_a_pause_gives_its_working_time_back_to_everything_but_the_notice(room: Room) -> None:
    """The wish of osTicket 3034, and never the law's fifteen days."""
    room.open()
    room.stage("review", "2026-11-24 09:30")
    room.do(services.pause, "return", at("2026-11-24 11:00"))
    decision = room.stage("return_decision", "2026-11-24 11:00")

    assert decision.state == "running"
    assert room.row("total").state == room.row("review").state == "paused"

    room.do(services.resume, "return", at("2026-11-26 15:00"))

    gone = calendar().working_time(at("2026-11-24 11:00"), at("2026-11-26 15:00"))
    assert gone == timedelta(hours=1 + 3.5 + 7 + 3.5 + 0.5)
    assert room.row("total").paused == gone
    assert room.due() == calendar().add_working_time(at("2026-12-15 18:00"), gone).at
    assert room.due("review") == calendar().add_working_time(at("2026-11-25 18:00"), gone).at
    assert room.due("notify_acceptance") == at("2026-12-09 18:00")
    assert room.due("return_decision") == at("2026-11-25 18:00")
    assert room.events() == ["resumed"]


def test_two_reasons_pause_until_the_last_has_ended(room: Room) -> None:
    room.open()
    room.do(services.pause, "supplement", at("2026-11-25 09:00"))
    room.do(services.pause, "suspension", at("2026-11-26 09:00"))
    room.do(services.pause, "suspension", at("2026-11-26 10:00"))
    room.do(services.resume, "supplement", at("2026-11-27 09:00"))

    assert room.row("total").state == "paused"

    room.do(services.resume, "suspension", at("2026-11-30 09:00"))
    room.do(services.resume, "suspension", at("2026-12-04 09:00"))

    assert room.row("total").paused == timedelta(hours=21)
    overview = queries.overview(room.ticket_id)
    assert overview is not None
    assert [(p.reason, p.started_at, p.ended_at) for p in overview.pauses] == [
        ("supplement", at("2026-11-25 09:00"), at("2026-11-27 09:00")),
        ("suspension", at("2026-11-26 09:00"), at("2026-11-30 09:00")),
    ]


def test_a_changed_rule_keeps_the_pause_it_had(room: Room) -> None:
    """GLPI 15605: the new rule was counted from the opening, as if nothing had been paused."""
    room.open(kind="consultation")
    room.do(services.pause, "supplement", at("2026-11-25 08:30"))
    room.do(services.resume, "supplement", at("2026-11-27 08:30"))
    assert room.due() == at("2026-11-30 18:00")

    room.do(services.change_facts, at("2026-11-27 09:00"), reason="转办", delegated=True)

    assert room.due() == at("2026-12-03 18:00")


def test_an_extension_moves_total_and_open_stages(room: Room) -> None:
    room.open()
    room.stage("handle", "2026-11-26 09:00")
    room.do(services.ask_extension, at("2026-12-14 18:00"))

    room.do(services.grant, 10, at("2026-12-15 09:00"))

    assert room.due() == at("2026-12-25 18:00")
    assert room.due("handle") == at("2026-12-21 18:00")  # Saturday 19 moves on to Monday
    assert room.due("notify_acceptance") == at("2026-12-09 18:00")
    assert "extended" in room.events()


@pytest.mark.parametrize(
    ("decided", "due"),
    [
        ("2026-12-01 10:00", "2026-12-15 18:00"),
        ("2026-12-15 17:00", "2026-12-16 18:00"),
        ("2026-12-17 10:00", "2026-12-18 18:00"),
    ],
)
def test_a_refusal_leaves_at_least_one_working_day(room: Room, decided: str, due: str) -> None:
    room.open()
    room.do(services.ask_extension, at("2026-12-01 09:00"))

    room.do(services.refuse_extension, at(decided))
    room.do(services.refuse_extension, at("2027-03-01 09:00"))

    assert room.due() == at(due)


@pytest.mark.parametrize("asked", ["2026-12-14 18:01", "2026-12-15 17:00", "2026-12-20 09:00"])
def test_an_extension_asked_for_too_late_is_refused(room: Room, asked: str) -> None:
    room.open()

    with pytest.raises(ExtensionTooLate):
        room.do(services.ask_extension, at(asked))


def test_a_new_round_has_five_days_and_the_old_result_stays(room: Room) -> None:
    room.open()
    first = room.row("total").id
    room.do(services.conclude, None, at("2026-12-16 09:00"))
    room.do(services.close_ticket, at("2026-12-16 09:00"))

    room.do(services.new_round, at("2026-12-21 09:00"))
    room.do(services.conclude, None, at("2026-12-23 09:00"))

    assert room.due() == at("2026-12-28 18:00")
    assert (room.row("total").round, room.row("total").on_time) == (2, True)
    overview = queries.overview(room.ticket_id)
    assert overview is not None
    assert {row.id: row.on_time for row in overview.deadlines if row.stage == "total"}[
        first
    ] is False


def test_a_ticket_that_ends_without_a_result_was_neither_in_time_nor_late(room: Room) -> None:
    room.open()

    room.do(services.close_ticket, at("2026-12-30 09:00"))

    assert (room.row("total").state, room.row("total").on_time) == ("cancelled", None)


def test_an_ended_clock_takes_nothing_more(room: Room) -> None:
    room.open()
    room.do(services.conclude, 7, at("2026-11-30 09:00"))
    room.do(services.close_ticket, at("2026-12-01 09:00"))
    room.do(services.conclude, 8, at("2026-12-30 09:00"))
    room.do(services.close_ticket, at("2026-12-30 09:00"))

    assert (room.row("total").on_time, room.row("total").unit_id) == (True, 7)
    assert room.row("notify_acceptance").state == "cancelled"
    for verb, args in (
        (services.pause, ("return",)),
        (services.ask_extension, ()),
        (services.grant, (5,)),
    ):
        with pytest.raises(NoClock):
            room.do(verb, *args, at("2026-12-01 09:00"))
    with pytest.raises(NoClock):
        transact(lambda: services.pause(-1, "return", at("2026-12-01 09:00")))


def test_a_requested_date_is_the_total_and_says_so(room: Room, rooms: type[Room]) -> None:
    kept = room.open(requested=date(2026, 12, 1))
    other = rooms().open(requested=date(2026, 11, 1))

    assert (kept.due_at, kept.basis) == (at("2026-12-01 18:00"), "来件要求的办结日期")
    assert (other.due_at, other.limit) == (at("2026-12-15 18:00"), "15wd")


def test_what_is_rolled_back_never_happened(room: Room) -> None:
    room.open()

    with pytest.raises(RuntimeError):
        transact(lambda: _pause_and_fail(room))

    assert room.row("total").state == "running"


def _pause_and_fail(room: Room) -> None:
    services.pause(room.ticket_id, "return", at("2026-11-25 09:00"))
    session().flush()
    raise RuntimeError


def task(key: str | None) -> NewTask:
    """A task as an observer gets it: about to be written."""
    now = at("2026-11-24 09:00")
    return NewTask(
        id=uuid4(),
        instance_id=1,
        process_key="ticket_transfer",
        business_key="",
        element_id=key or "plain",
        name="",
        lane=None,
        role=None,
        form=None,
        deadline_key=key,
        unit_id=7,
        opened_at=now,
        due_at=None,
        sort_at=now,
        yellow_at=now,
        orange_at=now,
    )


def test_a_turn_of_the_diagram_closes_what_ended_and_dates_what_began(room: Room) -> None:
    room.open()
    sign_in, left, plain = task("sign_in"), task("cohandle"), task(None)
    room.follow([sign_in, left, plain], [], [], at("2026-11-24 09:30"))

    assert (sign_in.due_at, sign_in.sort_at) == (at("2026-11-24 16:00"), at("2026-11-24 16:00"))
    assert left.due_at == at("2026-12-01 18:00")
    assert plain.due_at == at("2026-12-15 18:00")

    handle = task("handle")
    room.follow(
        [handle],
        {sign_in.id},
        {left.id},
        at("2026-11-24 10:00"),
        differing=lambda each: {"rejected": True},
    )

    assert room.row("sign_in").on_time is True
    assert room.row("cohandle").state == "cancelled"
    assert handle.due_at == at("2026-11-27 18:00")

    room.do(services.close_ticket, at("2026-11-25 10:00"))
    room.follow([task("handle")], [], [], at("2026-11-25 10:00"))
    assert room.row("handle").state == "cancelled"


def test_whoever_shows_a_due_date_hears_when_it_moves(room: Room) -> None:
    heard: list[tuple[str, datetime]] = []

    @registry.moved
    def listen(moved: Sequence[tuple[DeadlineRow, ClockRow]]) -> None:
        heard.extend((row.stage, row.due_at) for row, _ in moved if row.ticket_id == room.ticket_id)

    try:
        room.open()
        room.stage("handle", "2026-11-26 09:00")
        room.do(services.grant, 10, at("2026-12-01 09:00"))
    finally:
        registry._movers.remove(listen)

    assert heard == [("total", at("2026-12-25 18:00")), ("handle", at("2026-12-21 18:00"))]
