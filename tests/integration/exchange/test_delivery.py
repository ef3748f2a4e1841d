"""Outgoing messages over real HTTP to the simulated platform: once, in order, whatever happens."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.core.db import session, transact
from app.exchange import circuit, outbox, partners, queries, registry, retention
from app.exchange.courier import Couriers, new_owner
from app.exchange.delivery import to_partners
from app.exchange.errors import UnknownMessage
from app.exchange.models import Circuit, OutboundAttempt, OutboundMessage
from app.exchange.post import client
from app.workqueue.errors import NotDead
from app.workqueue.models import DEAD, DONE, READY, WorkItem
from tests.integration.exchange.conftest import Platform

NOW = datetime.now(UTC)
ROOT = Path(__file__).resolve().parents[3]
RESULT = {
    "acceptance_no": "TS5200002026112300042S",
    "external_ticket_no": "GZ12345-20261123-000981",
    "petitioner_feedback": "已电话告知李某某",
    "investigators": [{"name": "张三", "position": "科员", "phone": "13800001234"}],
}


def ticket_key() -> str:
    return f"T-{uuid.uuid4().hex[:12]}"


def send(platform: Platform, ticket: str, operation: str = "results/complaints") -> int:
    return transact(lambda: outbox.send(platform.partner, ticket, operation, RESULT, NOW).id)


def message(message_id: int) -> OutboundMessage:
    session().rollback()
    session().expire_all()
    return session().get_one(OutboundMessage, message_id)


def item(message_id: int) -> WorkItem:
    key = f"outbound:{message(message_id).idempotency_key}"
    return session().scalars(select(WorkItem).where(WorkItem.dedup_key == key)).one()


def deliver(platform: Platform) -> int:
    return to_partners.deliver_destination(platform.app_id)


def hurry(platform: Platform, **values: object) -> None:
    """Let an hour of waiting pass for what this partner is owed."""
    values = values or {"due_at": func.now()}
    transact(
        lambda: session().execute(
            update(WorkItem).where(WorkItem.dest == platform.app_id).values(values)
        )
    )


def test_a_message_is_delivered_signed_with_its_receipt(platform: Platform) -> None:
    sent = send(platform, ticket_key())

    assert deliver(platform) == 1

    [received] = platform.journal.received
    stored = message(sent)
    assert (stored.state, stored.receipt_no) == ("delivered", received.receipt_no)
    assert stored.acknowledged_at is not None
    assert received.operation == "results/complaints"
    assert received.key == stored.idempotency_key
    assert received.body == {**RESULT, "event_id": str(stored.event_id), "event_seq": 1}
    assert item(sent).state == DONE
    assert deliver(platform) == 0


def test_a_message_of_a_rolled_back_transaction_is_never_sent(platform: Platform) -> None:
    def change_then_fail() -> None:
        outbox.send(platform.partner, ticket_key(), "status-events", RESULT, NOW)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        transact(change_then_fail)

    assert deliver(platform) == 0


def test_the_same_word_is_sent_once_and_leaves_no_gap(platform: Platform) -> None:
    ticket, once = ticket_key(), uuid.uuid4().hex

    def twice() -> list[int]:
        sent = [
            outbox.send(platform.partner, ticket, "ticket-copies", RESULT, NOW, once=once).id
            for _ in range(2)
        ]
        return [*sent, outbox.send(platform.partner, ticket, "status-events", RESULT, NOW).id]

    first, second, third = transact(twice)

    assert first == second
    assert [message(first).event_seq, message(third).event_seq] == [1, 2]
    assert message(first).idempotency_key == once


def test_sm3_is_used_when_it_is_the_partners_first_method(platform: Platform) -> None:
    transact(lambda: partners.update(platform.partner_id, {"sign_methods": ["HMAC-SM3"]}))
    sent = send(platform, ticket_key())

    deliver(platform)

    assert message(sent).state == "delivered"


def test_paths_and_names_follow_the_partners_profile(platform: Platform) -> None:
    transact(
        lambda: partners.update(
            platform.partner_id,
            {
                "paths": {"results/complaints": "/status-events"},
                "field_names": {"acceptance_no": "slbh"},
            },
        )
    )
    send(platform, ticket_key())

    deliver(platform)

    [received] = platform.journal.received
    assert received.operation == "status-events"
    assert received.body["slbh"] == RESULT["acceptance_no"]
    assert "acceptance_no" not in received.body


def test_messages_of_a_ticket_arrive_in_order_also_across_a_failure(platform: Platform) -> None:
    ticket = ticket_key()
    platform.behave("fail", times=1)
    for operation in ("status-events", "return-requests", "results/complaints"):
        send(platform, ticket, operation)
    other = send(platform, ticket_key(), "status-events")

    deliver(platform)
    assert [each.body["event_seq"] for each in platform.journal.received] == [1]
    assert message(other).state == "delivered"
    hurry(platform)
    deliver(platform)

    mine = [
        each for each in platform.journal.received if each.key != message(other).idempotency_key
    ]
    assert [each.operation for each in mine] == [
        "status-events",
        "return-requests",
        "results/complaints",
    ]
    assert [each.body["event_seq"] for each in mine] == [1, 2, 3]


def test_a_platform_that_times_out_after_applying_applies_once(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.exchange import post

    monkeypatch.setattr(post, "TIMEOUT", post.httpx.Timeout(0.3))
    platform.behave("timeout", seconds=5, times=1)
    sent = send(platform, ticket_key())

    deliver(platform)
    assert message(sent).state == "pending"
    assert item(sent).last_error == "TIMEOUT"
    hurry(platform)
    deliver(platform)

    [received] = platform.journal.received
    assert received.deliveries == 2
    assert (message(sent).state, message(sent).receipt_no) == ("delivered", received.receipt_no)


KILLED = """
import os, signal, sys
from pathlib import Path
from app.core.db import transact
from app.exchange.courier import new_owner
from app.exchange.delivery import to_partners
from app.exchange.post import client, post
from app.factory import create_app
from tests.conftest import make_settings

with create_app(make_settings(sys.argv[1], Path("."))).app_context():
    call = transact(lambda: to_partners.take(sys.argv[2], new_owner()))
    with client() as http:
        answer = post(call.request, http, timestamp=int(sys.argv[3]))
    assert answer.status == 200, answer
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_between_post_and_outcome_delivers_again_and_applies_once(
    platform: Platform, server: object, database: str
) -> None:
    sent = send(platform, ticket_key(), "return-requests")
    victim = subprocess.run(
        [
            *(sys.executable, "-c", KILLED),
            *(server.url(database), platform.app_id, str(round(time.time() * 1000))),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    assert item(sent).state == "leased"
    assert platform.app_id not in to_partners.due_destinations()

    hurry(platform, lease_until=func.now() - timedelta(seconds=1))
    assert platform.app_id in to_partners.due_destinations()
    deliver(platform)

    [received] = platform.journal.received
    assert received.deliveries == 2
    assert message(sent).state == "delivered"
    assert item(sent).attempts == 2


def test_a_late_owner_cannot_write_its_outcome(platform: Platform) -> None:
    sent = send(platform, ticket_key())
    late = transact(lambda: to_partners.take(platform.app_id, new_owner()))
    hurry(platform, lease_until=func.now() - timedelta(seconds=1))
    to_partners.due_destinations()
    deliver(platform)

    with client() as http:
        verdict = to_partners.deliver(late, http)

    assert verdict.reason == "LEASE_LOST"
    assert message(sent).state == "delivered"
    assert [each.attempt for each in queries.attempts_of(sent)] == [2]
    assert platform.journal.received[0].deliveries == 2


def test_a_rejected_message_is_dead_at_once_and_holds_its_ticket_only(platform: Platform) -> None:
    ticket = ticket_key()
    platform.behave("reject", times=1)
    rejected, later = send(platform, ticket), send(platform, ticket, "status-events")
    other = send(platform, ticket_key())

    deliver(platform)

    assert [message(each).state for each in (rejected, later, other)] == [
        "dead",
        "pending",
        "delivered",
    ]
    assert item(rejected).state == DEAD
    assert item(rejected).last_error == "HTTP_422"
    [dead] = queries.dead_messages(partner_id=platform.partner_id)
    assert (dead.message_id, dead.title, dead.last_error) == (rejected, "投诉办理结果", "HTTP_422")

    transact(lambda: outbox.resend(rejected, actor="u1"))
    deliver(platform)

    assert [message(each).state for each in (rejected, later)] == ["delivered", "delivered"]
    assert [attempt.error for attempt in queries.attempts_of(rejected)] == ["HTTP_422", None]


def test_settling_offline_lets_the_ticket_go_on(platform: Platform) -> None:
    ticket, operation = ticket_key(), f"op-{uuid.uuid4().hex[:8]}"
    heard: list[tuple[int, str]] = []
    registry.acknowledged(operation)(lambda m, now: heard.append((m.id, m.state)))
    sent, later = send(platform, ticket, operation), send(platform, ticket, "status-events")
    deliver(platform)
    assert message(sent).state == "dead"

    transact(lambda: outbox.settle_offline(sent, "已电话反馈", actor="u1", now=NOW))
    deliver(platform)

    assert heard == [(sent, "settled_offline")]
    assert message(later).state == "delivered"
    with pytest.raises(NotDead):
        transact(lambda: outbox.settle_offline(sent, "再次", actor="u1", now=NOW))
    with pytest.raises(UnknownMessage):
        transact(lambda: outbox.resend(-1, actor="u1"))


def test_the_ticket_side_hears_of_a_delivery_in_the_same_transaction(platform: Platform) -> None:
    operation = "supplement-requests"
    heard: list[tuple[int, str | None]] = []

    def first_fails(sent: OutboundMessage, now: datetime) -> None:
        heard.append((sent.id, sent.receipt_no))
        outbox.send(platform.partner, sent.business_key, "status-events", RESULT, now)
        if len(heard) == 1:
            raise RuntimeError("the engine was not ready")

    registry.acknowledged(operation)(first_fails)
    sent = send(platform, ticket_key(), operation)
    deliver(platform)
    assert message(sent).state == "pending"
    assert item(sent).last_error == "OUTCOME_RuntimeError"
    hurry(platform)
    deliver(platform)

    receipt = platform.journal.received[0].receipt_no
    assert heard == [(sent, receipt), (sent, receipt)]
    assert message(sent).state == "delivered"
    assert [each.operation for each in platform.journal.received] == [operation, "status-events"]
    assert platform.journal.received[0].deliveries == 2


def test_a_body_is_completed_when_it_leaves_and_a_broken_one_holds_nobody_up(
    platform: Platform,
) -> None:
    @registry.prepared("results/complaints")
    def complete(body: dict[str, object]) -> dict[str, object]:
        if body["event_seq"] == 1:
            raise LookupError("the file is gone")
        return {**body, "report_files": ["fresh"]}

    ticket = ticket_key()
    broken, behind = send(platform, ticket), send(platform, ticket)
    other = send(platform, ticket_key(), "status-events")

    deliver(platform)

    assert item(broken).last_error == "PREPARE_LookupError"
    assert [message(each).state for each in (broken, behind, other)] == [
        "pending",
        "pending",
        "delivered",
    ]

    registry._preparations["results/complaints"] = lambda body: {**body, "url": "fresh"}
    hurry(platform)
    deliver(platform)
    assert [each.body.get("url") for each in platform.journal.received] == [None, "fresh", "fresh"]


def test_a_dead_platform_rests_and_others_are_served(
    platform: Platform, other_platform: Platform
) -> None:
    platform.behave("fail")
    failing = [send(platform, ticket_key()) for _ in range(circuit.THRESHOLD + 3)]
    fine = [send(other_platform, ticket_key()) for _ in range(3)]

    assert deliver(platform) == circuit.THRESHOLD
    due = to_partners.due_destinations()
    assert platform.app_id not in due
    assert other_platform.app_id in due
    deliver(other_platform)

    assert [message(each).state for each in fine] == ["delivered"] * 3
    untouched = [item(each).attempts for each in failing[circuit.THRESHOLD :]]
    assert untouched == [0, 0, 0]
    [health] = [h for h in queries.partner_health(datetime.now(UTC)) if h.app_id == platform.app_id]
    assert (health.waiting, health.failures_in_a_row) == (8, 5)
    assert health.resting_until is not None

    platform.behave("normal")
    transact(
        lambda: session().execute(
            update(Circuit).where(Circuit.dest == platform.app_id).values(open_until=func.now())
        )
    )
    hurry(platform)
    deliver(platform)

    assert {message(each).state for each in failing} == {"delivered"}
    assert session().get(Circuit, platform.app_id) is None


def test_a_failed_probe_makes_the_next_rest_longer(platform: Platform) -> None:
    rests = []
    for _ in range(circuit.THRESHOLD + 6):
        transact(lambda: circuit.failed(platform.app_id, "TIMEOUT"))
        session().expire_all()
        row = session().get_one(Circuit, platform.app_id)
        if row.open_until is not None:
            rests.append(round((row.open_until - datetime.now(UTC)).total_seconds() / 60))

    assert rests == [1, 2, 4, 8, 10, 10, 10]


def test_a_slow_platform_keeps_only_its_own_courier(
    app: Flask, platform: Platform, other_platform: Platform
) -> None:
    platform.behave("delay", seconds=20)
    slow = send(platform, ticket_key())
    couriers = Couriers(app, to_partners, threads=4)
    try:
        couriers.tick()
        deadline = time.monotonic() + 10
        while item(slow).state == READY and time.monotonic() < deadline:
            time.sleep(0.02)
        quick = send(other_platform, ticket_key())
        for courier in couriers.tick():
            courier.result(timeout=10)

        assert message(quick).state == "delivered"
        assert item(slow).state == "leased"
    finally:
        platform.released.set()
        couriers.stop()

    assert message(slow).state == "delivered"


def test_couriers_on_two_nodes_apply_every_message_once_in_order(
    app: Flask, platform: Platform
) -> None:
    tickets = [ticket_key() for _ in range(5)]
    for _ in range(4):
        for ticket in tickets:
            send(platform, ticket, "status-events")

    def node() -> None:
        with app.app_context():
            for _ in range(40):
                to_partners.deliver_destination(platform.app_id, limit=50)

    nodes = [threading.Thread(target=node) for _ in range(2)]
    for each in nodes:
        each.start()
    for each in nodes:
        each.join()

    received = platform.journal.received
    assert len(received) == 20
    assert {each.deliveries for each in received} == {1}
    by_event = dict(
        session()
        .execute(
            select(OutboundMessage.idempotency_key, OutboundMessage.business_key).where(
                OutboundMessage.business_key.in_(tickets)
            )
        )
        .all()
    )
    for ticket in tickets:
        order = [e.body["event_seq"] for e in received if by_event[e.key] == ticket]
        assert order == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("callback", "private", "reason"),
    [
        ("http://127.0.0.1:1/api", True, "CONNECT_FAILED"),
        ("http://127.0.0.1:1/api", False, "CALLBACK_HOST_PRIVATE"),
        ("http://nowhere.invalid/api", True, "CALLBACK_HOST_UNKNOWN"),
    ],
)
def test_an_unusable_callback_address_is_a_retried_failure(
    app: Flask,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    callback: str,
    private: bool,
    reason: str,
) -> None:
    from dataclasses import replace

    settings = replace(app.config["SETTINGS"], allow_private_callbacks=private)
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    transact(lambda: partners.update(platform.partner_id, {"callback_base": callback}))
    sent = send(platform, ticket_key())

    deliver(platform)

    assert (item(sent).state, item(sent).last_error) == (READY, reason)


def test_a_disabled_partner_is_not_called_and_loses_nothing(platform: Platform) -> None:
    sent = send(platform, ticket_key())
    transact(lambda: partners.update(platform.partner_id, {"enabled": False}))
    assert platform.app_id not in to_partners.due_destinations()

    transact(lambda: partners.update(platform.partner_id, {"enabled": True}))
    assert platform.app_id in to_partners.due_destinations()
    deliver(platform)

    assert message(sent).state == "delivered"


def test_a_message_counts_as_sent_while_it_is_on_its_way_and_for_a_while_after_each_try(
    platform: Platform,
) -> None:
    sent = send(platform, ticket_key())
    event_id = message(sent).event_id
    before = datetime.now(UTC) - timedelta(minutes=15)
    assert not queries.was_sent_since(event_id, before)

    call = transact(lambda: to_partners.take(platform.app_id, new_owner()))
    assert queries.was_sent_since(event_id, before)

    with client() as http:
        to_partners.deliver(call, http)
    assert queries.was_sent_since(event_id, before)
    assert not queries.was_sent_since(event_id, datetime.now(UTC) + timedelta(minutes=1))
    assert not queries.was_sent_since(uuid.uuid4(), before)


def test_attempts_are_kept_masked_and_forgotten_after_half_a_year(platform: Platform) -> None:
    sent = send(platform, ticket_key())
    deliver(platform)

    [attempt] = queries.attempts_of(sent)
    assert (attempt.status, attempt.error, attempt.attempt) == (200, None, 1)
    text = f"{attempt.request_masked}{attempt.response_masked}"
    assert RESULT["acceptance_no"] in text
    assert message(sent).receipt_no in text
    for personal in ("李某某", "张三", "13800001234"):
        assert personal not in text
    assert transact(lambda: retention.forget_old_attempts(attempt.attempted_at)) == 0

    later = attempt.attempted_at + timedelta(days=181)
    while transact(lambda: retention.forget_old_attempts(later)):
        pass
    kept = select(OutboundAttempt.id).where(OutboundAttempt.message_id == sent)
    assert session().scalars(kept).all() == []


def test_bodies_are_sealed_in_the_database(platform: Platform) -> None:
    sent = send(platform, ticket_key())
    raw = (
        session()
        .connection()
        .exec_driver_sql("select body from outbound_messages where id = %s", (sent,))
    )

    assert "李某某".encode() not in bytes(raw.scalar_one())
    assert item(sent).payload == {"message_id": sent}


def test_the_ticket_page_sees_its_deliveries_in_order(platform: Platform) -> None:
    ticket = ticket_key()
    platform.behave("fail", times=1)
    send(platform, ticket, "return-requests")
    send(platform, ticket, "status-events")
    deliver(platform)

    first, second = queries.deliveries_of(ticket)

    assert (first.title, first.event_seq, first.state) == ("退单申请", 1, "pending")
    assert (first.attempts, first.last_error) == (1, "HTTP_500")
    assert (second.title, second.event_seq, second.attempts) == ("状态通知", 2, 0)
