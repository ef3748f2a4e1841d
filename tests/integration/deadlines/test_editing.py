"""Editing calendars and policies: judged first, logged, and open deadlines brought up to them."""

import json
from datetime import date

import pytest

from app.core.db import transact
from app.core.errors import Invalid
from app.deadlines import calendar_file, calendars, policies, queries, recompute, services
from app.deadlines.calendar_file import hours_of
from app.deadlines.errors import PolicyChanged
from app.deadlines.published import Day, years
from app.workqueue import services as workqueue
from tests.integration.deadlines.conftest import ADMIN, Room, at

pytestmark = pytest.mark.usefixtures("context", "edited")

NOW = at("2026-12-24 10:00")
GUIZHOU, XINJIANG = "520000000000", "650000000000"


def table_2027() -> list[Day]:
    """A table as the State Council might publish it: eight days off, two of them made up for."""
    days = list(years()[2027].days)
    days += [Day(date(2027, 1, 2), False, "元旦"), Day(date(2027, 1, 3), False, "元旦")]
    days += [Day(date(2027, 1, 4), False, "元旦"), Day(date(2027, 1, 9), True, "元旦")]
    return [day if day.name != "农历除夕" else Day(day.day, False, "春节") for day in days]


def import_2027() -> None:
    transact(
        lambda: calendars.import_year(
            2027, table_2027(), source="国办发明电", reason="公布", actor=ADMIN, now=NOW
        )
    )


def drain() -> int:
    rounds = 0
    while transact(lambda: workqueue.process_database_lane("recompute", now=NOW)):
        rounds += 1
    return rounds


def test_a_provisional_date_is_computed_anew_when_the_table_comes(room: Room) -> None:
    """Scenario 13: intake on 2026-12-24, due in 2027."""
    total = room.open("2026-12-24 10:00")
    assert (total.provisional, total.due_at) == (True, at("2027-01-15 18:00"))
    assert "2027 年的节假日安排尚未导入，涉及的时限均为暂定" in queries.alarms(NOW)
    assert queries.provisional_count() >= 1

    import_2027()
    transact(lambda: recompute.begin("calendar", NOW, reason="2027 年安排", actor_name="管理员"))
    drain()

    total = room.row("total")
    assert (total.provisional, total.due_at) == (False, at("2027-01-15 18:00"))
    assert not any("尚未导入" in each for each in queries.alarms(NOW))


def test_a_table_that_moves_a_date_leaves_a_line_in_its_log(room: Room) -> None:
    room.open("2026-12-28 10:00", kind="consultation", delegated=True)
    before = room.due()

    import_2027()
    transact(lambda: recompute.begin("calendar", NOW, reason="2027 年安排", actor_name="管理员"))
    drain()

    assert (before, room.due()) == (at("2027-01-05 18:00"), at("2027-01-06 18:00"))
    (event,) = queries.events(room.row("total").id)
    assert (event.event, event.reason, event.actor_name) == ("recomputed", "2027 年安排", "管理员")
    assert (event.old_due_at, event.due_at) == (before, room.due())


def test_nothing_is_recomputed_twice_and_closed_results_stay(room: Room, rooms: type[Room]) -> None:
    closed = rooms()
    closed.open("2026-12-28 10:00")
    closed.do(services.close_ticket, at("2026-12-29 10:00"))
    frozen = closed.due()
    room.open("2026-12-28 10:00")
    import_2027()

    first = transact(
        lambda: recompute.begin("calendar", NOW, reason="2027 年安排", actor_name="管理员")
    )
    drain()
    again = transact(
        lambda: recompute.begin("calendar", NOW, reason="2027 年安排", actor_name="管理员")
    )

    assert first >= 1
    assert again == 0
    assert closed.due() == frozen


def test_many_tickets_are_recomputed_in_a_chain_that_shows_how_far_it_is(
    rooms: type[Room],
) -> None:
    tickets = [rooms() for _ in range(recompute.BATCH + 1)]
    for each in tickets:
        each.open("2026-12-28 10:00")
    import_2027()
    total = transact(lambda: recompute.begin("calendar", NOW, reason="安排", actor_name="管理员"))

    transact(lambda: workqueue.process_database_lane("recompute", now=NOW))
    (progress,) = recompute.running()

    assert (progress.done, progress.total, progress.reason) == (recompute.BATCH, total, "安排")
    drain()
    assert recompute.running() == []
    assert {each.row("total").provisional for each in tickets} == {False}


@pytest.mark.parametrize("missing", ["春节", "国庆节"])
def test_an_incomplete_table_is_refused_and_the_old_one_stays(missing: str) -> None:
    days = [day for day in table_2027() if missing not in day.name]

    with pytest.raises(Invalid) as refused:
        transact(
            lambda: calendars.import_year(2027, days, source="", reason="", actor=ADMIN, now=NOW)
        )

    assert (missing, "gap") in {(each.field, each.rule) for each in refused.value.errors}
    assert calendars.years()[2027].status == "estimated"


def test_an_import_is_shown_before_it_is_made_and_kept_in_the_history() -> None:
    shown = transact(lambda: calendars.preview_year(2027, table_2027()))

    assert shown["added"] == [
        *("2027-01-02 放假 元旦", "2027-01-03 放假 元旦", "2027-01-04 放假 元旦"),
        "2027-01-09 上班 元旦",
    ]
    assert shown["changed"][0] == "状态 预估 → 已公布"
    assert calendars.years()[2027].status == "estimated"

    import_2027()

    assert calendars.years()[2027].source == "国办发明电"
    (change,) = calendars.changes()
    assert (change.scope, change.reason, change.difference) == ("2027", "公布", shown)


def test_a_division_has_its_own_hours_and_holidays_and_so_has_what_lies_below(room: Room) -> None:
    hours = hours_of([{"periods": [["10:00", "14:00"], ["16:00", "20:00"]]}])
    local = [Day(date(2026, 11, 26), False, "肉孜节")]

    transact(
        lambda: calendars.set_division(
            XINJIANG, local, hours, reason="自治区规定", actor=ADMIN, now=NOW
        )
    )
    room.open("2026-11-24 19:30", kind="consultation", division="650102000000")

    assert room.due() == at("2026-11-27 20:00")  # 18:30 elsewhere would count as tomorrow
    assert calendars.of(GUIZHOU).is_working_day(date(2026, 11, 26))
    with pytest.raises(Invalid):
        transact(
            lambda: calendars.set_division(
                "990000000000", [], hours, reason="", actor=ADMIN, now=NOW
            )
        )


def test_a_new_policy_is_for_new_tickets_and_open_ones_only_when_asked(
    room: Room, rooms: type[Room]
) -> None:
    room.open("2026-11-24 09:30", kind="suggestion")
    lines = {"limits": {"total": {"suggestion": "12wd"}}}

    shown = transact(lambda: policies.preview(GUIZHOU, lines))
    transact(
        lambda: policies.save(GUIZHOU, lines, follows=0, reason="省里规定", actor=ADMIN, now=NOW)
    )
    newer, elsewhere = rooms(), rooms()
    newer.open("2026-11-24 09:30", kind="suggestion")
    elsewhere.open("2026-11-24 09:30", kind="suggestion", division="500101000000")

    assert shown == ["limits.total.suggestion：10wd → 12wd"]
    assert room.due() == elsewhere.due() == at("2026-12-08 18:00")
    assert newer.due() == at("2026-12-10 18:00")
    assert newer.row("total").policy.startswith("1+")

    moves = transact(lambda: recompute.preview(room.ticket_id))
    assert [(m.stage, m.old_due_at, m.due_at) for m in moves] == [
        ("total", at("2026-12-08 18:00"), at("2026-12-10 18:00"))
    ]
    assert room.due() == at("2026-12-08 18:00")

    transact(lambda: recompute.begin("policy", NOW, reason="省里规定", actor_name="管理员"))
    drain()
    assert (room.due(), room.row("total").policy) == (newer.due(), newer.row("total").policy)
    assert elsewhere.due() == at("2026-12-08 18:00")


def test_glpi_15605_a_pause_survives_a_change_of_policy(room: Room) -> None:
    """GLPI 15605 once more: recomputed under another policy, the pause is still there."""
    room.open("2026-11-24 09:30", kind="suggestion")
    room.do(services.pause, "suspension", at("2026-11-25 08:30"))
    room.do(services.resume, "suspension", at("2026-11-27 08:30"))
    lines = {"limits": {"total": {"suggestion": "12wd"}}}
    transact(lambda: policies.save(GUIZHOU, lines, follows=0, reason="", actor=ADMIN, now=NOW))

    transact(
        lambda: recompute.recompute(room.ticket_id, NOW, reason="重新计算", actor_name="管理员")
    )

    assert room.due() == at("2026-12-14 18:00")


def test_a_national_change_must_fit_every_province_and_the_old_policy_stays() -> None:
    lines = {"limits": {"handle": {"complaint": "9wd", "declaration": "14wd"}}}
    own = {"limits": {"handle": {"suggestion": "5wd"}, "total": {"suggestion": "11wd"}}}
    transact(lambda: policies.save(GUIZHOU, own, follows=0, reason="", actor=ADMIN, now=NOW))
    tight = {"limits": {"audit_city": {"suggestion": "3wd"}, "total": {"suggestion": "12wd"}}}

    with pytest.raises(Invalid):
        transact(
            lambda: policies.save(
                policies.NATIONAL, tight, follows=0, reason="", actor=ADMIN, now=NOW
            )
        )

    assert transact(lambda: policies.preview(policies.NATIONAL, lines)) == []
    assert transact(lambda: policies.current("500000000000")).version == "1"


def test_two_editors_cannot_both_follow_the_same_version() -> None:
    lines = {"limits": {"read": {"any": "2wd"}}}
    first = transact(
        lambda: policies.save(GUIZHOU, lines, follows=0, reason="", actor=ADMIN, now=NOW).id
    )

    with pytest.raises(PolicyChanged):
        transact(lambda: policies.save(GUIZHOU, lines, follows=0, reason="", actor=ADMIN, now=NOW))

    transact(lambda: policies.save(GUIZHOU, {}, follows=first, reason="撤回", actor=ADMIN, now=NOW))
    assert [row.reason for row in transact(lambda: policies.history(GUIZHOU))] == ["撤回", ""]


def test_an_edit_that_is_rolled_back_leaves_nothing_behind() -> None:
    def work() -> None:
        calendars.import_year(2027, table_2027(), source="", reason="", actor=ADMIN, now=NOW)
        assert calendars.years()[2027].status == "official"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        transact(work)

    assert calendars.years()[2027].status == "estimated"


def test_a_file_becomes_a_table() -> None:
    rows = [
        {"date": str(day.day), "kind": "work" if day.works else "off", "name": day.name}
        for day in table_2027()
    ]

    sheet = calendar_file.read(json.dumps({"days": rows}))

    assert sheet.days == tuple(sorted(table_2027(), key=lambda day: day.day))
