"""From a row to the gateway: signed, once, bundled, held by quiet hours, retried, given up."""

import threading
from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.core.clock import BEIJING
from app.core.db import db, session, transact
from app.exchange.models import Circuit
from app.notifications import hooks, messages, preferences, queries, services
from app.notifications.models import DEAD, LANE, NotificationMessage
from app.notifications.rules import NIGHT, Quiet
from app.workqueue.models import WorkItem
from tests.integration.notifications.conftest import (
    SECRET,
    Gateway,
    hurry,
    province,
    rows_of,
    send,
    tell,
)
from tests.support.people import Person

NOON = datetime(2026, 11, 24, 12, tzinfo=BEIJING)
EVENING = NOON.replace(hour=22)
MINUTE = timedelta(minutes=1)


def test_the_gateway_gets_a_signed_message_that_says_who_and_what(
    gateway: Gateway, clerk: Person
) -> None:
    tell(clerk, NOON, title="办理时限临近（11-25 18:00）：TS1")

    assert send(NOON + MINUTE) == 1
    assert send(NOON + 2 * MINUTE) == 0

    (body,) = gateway.bodies
    assert body["text"] == "【黄灯】办理时限临近（11-25 18:00）：TS1"
    principal = clerk.principal
    assert body["recipient"] == {
        "account": clerk.username,
        "name": principal.display_name,
        "phone": principal.phone,
        "unit": principal.unit_name,
    }
    assert (body["total"], body["counts"], body["urgent"]) == (1, {"yellow": 1}, False)
    (item,) = body["items"]
    assert (item["kind"], item["kind_label"]) == ("yellow", "黄灯")
    assert rows_of(clerk)[0].message_id is not None


def test_a_wrong_secret_is_refused_by_the_gateway_and_kept_for_later(
    gateway: Gateway, clerk: Person
) -> None:
    transact(lambda: hooks.set_up(province(), gateway.url, app_id="sms", secret="another"))
    tell(clerk, NOON)
    send(NOON + MINUTE)

    assert gateway.bodies == []
    assert [each.status for each in gateway.refused] == [401]


def test_quiet_hours_hold_warnings_and_let_red_and_urgent_through(
    gateway: Gateway, clerk: Person
) -> None:
    for kind in ("yellow", "red", "urgent"):
        tell(clerk, EVENING, kind)

    send(EVENING)
    send(EVENING + MINUTE)
    assert [body["counts"] for body in gateway.bodies] == [{"red": 1, "urgent": 1}]

    send(EVENING + timedelta(hours=10))
    assert gateway.bodies[-1]["counts"] == {"yellow": 1}


def test_own_quiet_hours_replace_the_province_s(gateway: Gateway, clerk: Person) -> None:
    nap = Quiet(time(11, 30), time(14))
    transact(lambda: preferences.save(clerk.principal, daily_digest=False, quiet=nap))
    tell(clerk, NOON)
    tell(clerk, EVENING)

    send(NOON + MINUTE)
    assert gateway.bodies == []
    send(NOON + timedelta(hours=2))
    assert len(gateway.bodies) == 1
    send(EVENING + MINUTE)
    assert len(gateway.bodies) == 2


def test_a_daily_digest_gathers_the_warnings_of_a_day(gateway: Gateway, clerk: Person) -> None:
    transact(lambda: preferences.save(clerk.principal, daily_digest=True, quiet=None))
    for hour in range(9, 15):
        tell(clerk, NOON.replace(hour=hour), "yellow" if hour % 2 else "orange")
    tell(clerk, NOON, "red")

    send(NOON + timedelta(hours=3))
    assert [body["counts"] for body in gateway.bodies] == [{"red": 1}]

    send(NOON.replace(day=25, hour=8, minute=30))
    assert gateway.bodies[-1]["counts"] == {"yellow": 3, "orange": 3}
    assert "您有 6 条提醒" in gateway.bodies[-1]["text"]


def test_after_a_downtime_comes_one_message_and_not_hundreds(
    gateway: Gateway, clerk: Person
) -> None:
    for _ in range(150):
        tell(clerk, NOON, "red")
    for days in range(3):
        tell(clerk, NOON - timedelta(days=days))

    send(NOON + timedelta(days=1))

    (body,) = gateway.bodies
    assert (body["total"], body["counts"]) == (153, {"red": 150, "yellow": 3})
    assert len(body["items"]) == 20


def test_what_was_read_meanwhile_is_not_sent(gateway: Gateway, clerk: Person) -> None:
    tell(clerk, EVENING)
    tell(clerk, EVENING)
    (first, _) = rows_of(clerk)
    transact(lambda: services.mark_read(clerk.principal, first.id, EVENING))

    send(EVENING + timedelta(hours=10))

    (body,) = gateway.bodies
    assert body["total"] == 1
    assert rows_of(clerk)[0].send_at is None


def test_nothing_is_sent_of_a_ticket_that_the_unit_has_lost(
    gateway: Gateway, clerk: Person
) -> None:
    tell(clerk, NOON, business_key="TS-of-another-unit")

    send(NOON + MINUTE)

    assert gateway.bodies == []
    assert rows_of(clerk)[0].send_at is None


def test_without_a_hook_nothing_waits_to_be_sent(context: None, clerk: Person) -> None:
    tell(clerk, NOON)

    assert rows_of(clerk)[0].send_at is None


def test_a_hook_that_is_off_sends_nothing_and_nothing_later(
    gateway: Gateway, clerk: Person
) -> None:
    tell(clerk, NOON)
    transact(lambda: hooks.switch(province().id, enabled=False))
    send(NOON + MINUTE)
    transact(lambda: hooks.switch(province().id, enabled=True))
    send(NOON + timedelta(hours=1))

    assert gateway.bodies == []


def test_a_message_that_fails_goes_again_under_its_id_and_is_taken_once(
    gateway: Gateway, clerk: Person
) -> None:
    gateway.misbehave("timeout", times=1)
    tell(clerk, NOON)
    send(NOON + MINUTE)
    gateway.misbehave("fail", times=1)
    hurry()
    assert send(NOON + MINUTE) <= 1
    hurry()
    send(NOON + MINUTE)

    assert len(gateway.bodies) == 1
    assert states() == ["delivered"]


def test_a_refused_message_is_dead_and_can_be_sent_again_or_dropped(
    gateway: Gateway, clerk: Person
) -> None:
    gateway.misbehave("reject", times=2)
    for _ in range(2):
        tell(clerk, NOON)
        send(NOON + MINUTE)
    assert states() == [DEAD, DEAD]
    (line,) = queries.hook_health()
    assert (line.dead, line.waiting, line.reason) == (2, 0, "HTTP_422")

    unit_id = province().id
    assert transact(lambda: messages.resend_dead(unit_id, actor="某人", limit=1)) == 1
    send(NOON + MINUTE)
    assert transact(lambda: messages.drop_dead(unit_id, "已过时", actor="某人")) == 1

    assert sorted(states()) == ["delivered", "dropped"]
    (line,) = queries.hook_health()
    assert (line.dead, line.waiting) == (0, 0)


def test_a_gateway_in_trouble_rests(gateway: Gateway, clerk: Person) -> None:
    gateway.misbehave("fail")
    for _ in range(6):
        tell(clerk, NOON)
        send(NOON + MINUTE)
        hurry()

    trouble = session().get_one(Circuit, f"hook:{province().id}")
    assert trouble.open_until is not None
    assert send(NOON + MINUTE) == 0


def test_two_schedulers_make_one_message_of_what_one_person_is_told(
    app: Flask, gateway: Gateway, staff: Callable[..., Person]
) -> None:
    people = [staff() for _ in range(12)]
    for person in people:
        for _ in range(5):
            tell(person, NOON)

    def tick() -> None:
        with app.app_context():
            for _ in range(20):
                transact(lambda: messages.gather(NOON + MINUTE, 3))
            db.session.remove()

    racing = [threading.Thread(target=tick) for _ in range(3)]
    for thread in racing:
        thread.start()
    for thread in racing:
        thread.join()
    send(NOON + MINUTE)

    assert sorted(body["recipient"]["account"] for body in gateway.bodies) == sorted(
        person.username for person in people
    )
    assert {body["total"] for body in gateway.bodies} == {5}


def test_the_same_source_tells_a_person_once(gateway: Gateway, clerk: Person) -> None:
    to = (services.To(clerk.principal.unit_id, person_id=clerk.principal.user_id),) * 2
    notice = services.Notice("same", "yellow", "一次", to)

    for _ in range(2):
        transact(lambda: services.notify([notice, notice], NOON))

    assert len(rows_of(clerk)) == 1


def test_a_lost_lease_goes_to_another_node(gateway: Gateway, clerk: Person) -> None:
    tell(clerk, NOON)
    transact(lambda: messages.gather(NOON + MINUTE))
    dead = update(WorkItem).where(WorkItem.lane == LANE)
    transact(
        lambda: session().execute(
            dead.values(state="leased", owner="gone", attempts=1, lease_until=NOON)
        )
    )

    send(NOON + MINUTE)

    assert len(gateway.bodies) == 1


@pytest.mark.parametrize(
    ("text", "quiet"),
    [("21:00-08:00", NIGHT), ("12:30-14:00", Quiet(time(12, 30), time(14)))],
)
def test_quiet_hours_are_written_as_two_times(text: str, quiet: Quiet) -> None:
    assert hooks.parse_quiet(text) == quiet


def test_a_secret_is_rotated_while_the_old_one_signs(gateway: Gateway, clerk: Person) -> None:
    unit_id = province().id
    fresh = transact(lambda: hooks.rotate_secret(unit_id))
    tell(clerk, NOON)
    send(NOON + MINUTE)
    assert len(gateway.bodies) == 1  # signed with the old one

    transact(lambda: hooks.retire_old_secret(unit_id))
    tell(clerk, NOON)
    send(NOON + MINUTE)

    assert fresh != SECRET
    assert [each.status for each in gateway.refused] == [401]


def states() -> list[str]:
    session().expire_all()
    query = select(NotificationMessage.state).order_by(NotificationMessage.created_at)
    return list(session().scalars(query))
