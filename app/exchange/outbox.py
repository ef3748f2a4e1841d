"""Outgoing messages: written with the state change, delivered later, looked after by persons."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from app.core.db import session
from app.exchange import lateness, registry, rules
from app.exchange.errors import UnknownMessage
from app.exchange.models import (
    DEAD,
    PENDING,
    SETTLED_OFFLINE,
    OutboundMessage,
    OutboundSequence,
    Partner,
)
from app.workqueue import queries as workqueue_queries
from app.workqueue import rules as workqueue_rules
from app.workqueue import services as workqueue
from app.workqueue.errors import UnknownItem

LANE = "outbound"


def send(
    partner: Partner,
    business_key: str,
    operation: str,
    body: Mapping[str, Any],
    now: datetime,
    *,
    once: str | None = None,
    due_at: datetime | None = None,
    alarm_at: datetime | None = None,
) -> OutboundMessage:
    """Write a message and its work item into the caller's transaction; nothing is sent here.

    Messages of one `business_key` leave in the order of these calls, numbered without gaps by
    `event_seq`. With `once`, a second call with the same word returns the first message. One that
    has not arrived by `due_at` is shown as late; at `alarm_at` whoever registered is told.
    """
    last = _lock_sequence(business_key)
    event_id = uuid.uuid4()
    idempotency_key = once or str(event_id)
    if once is not None:
        earlier = session().scalar(
            select(OutboundMessage).where(OutboundMessage.idempotency_key == once)
        )
        if earlier is not None:
            return earlier
    session().execute(
        update(OutboundSequence)
        .where(OutboundSequence.business_key == business_key)
        .values(last=last + 1)
        .execution_options(synchronize_session=False)
    )
    message = OutboundMessage(
        partner_id=partner.id,
        business_key=business_key,
        event_id=event_id,
        event_seq=last + 1,
        operation=operation,
        body={**body, "event_id": str(event_id), "event_seq": last + 1},
        idempotency_key=idempotency_key,
        due_at=due_at,
        alarm_at=alarm_at,
        created_at=now,
    )
    session().add(message)
    session().flush()
    workqueue.enqueue(
        LANE,
        _dedup_key(idempotency_key),
        payload={"message_id": message.id},
        business_key=business_key,
        dest=partner.app_id,
        yields=operation in rules.YIELDING,
        max_attempts=len(pauses_of(partner)) + 1,
    )
    if alarm_at is not None:
        lateness.watch(message, alarm_at)
    return message


def resend(message_id: int, *, actor: str) -> None:
    """Try a dead message again (手工重发), with the same idempotency key. Only dead ones."""
    message = _locked(message_id)
    workqueue.replay(item_id(message), actor=actor)
    message.state = PENDING
    session().flush()


def settle_offline(message_id: int, reason: str, *, actor: str, now: datetime) -> None:
    """The platform was told by other means (标记已线下反馈); the ticket goes on as if it answered.

    Only dead messages; who did it and why is kept with the work item.
    """
    message = _locked(message_id)
    workqueue.settle_offline(item_id(message), reason, actor=actor)
    message.state = SETTLED_OFFLINE
    message.acknowledged_at = now
    session().flush()
    registry.tell_acknowledged(message, now)


def repeat(message_id: int, reason: str, *, actor: str) -> None:
    """Send a message again that was delivered before, with the same idempotency key.

    For a platform that has lost it; one that has not answers it as a duplicate.
    """
    message = _locked(message_id)
    if message.state == DEAD:
        resend(message_id, actor=actor)
        return
    if message.state == PENDING:
        return  # it is on its way
    workqueue.reopen(item_id(message), actor=actor, reason=reason)
    message.state = PENDING
    session().flush()


def pauses_of(partner: Partner) -> Sequence[timedelta]:
    """How long to wait after each failed try: the platform's own wish, or ours."""
    if not partner.retry_minutes:
        return workqueue_rules.BACK_OFF
    return [timedelta(minutes=minutes) for minutes in partner.retry_minutes]


def give_up(message: OutboundMessage, now: datetime) -> None:
    """Nobody could deliver it, or it was refused for good (死信): a person is told, and decides."""
    message.state = DEAD
    session().flush()
    registry.tell_given_up(message, now)


def _lock_sequence(business_key: str) -> int:
    session().execute(
        insert(OutboundSequence).values(business_key=business_key, last=0).on_conflict_do_nothing()
    )
    return (
        session()
        .scalars(
            select(OutboundSequence.last)
            .where(OutboundSequence.business_key == business_key)
            .with_for_update()
        )
        .one()
    )


def _dedup_key(idempotency_key: str) -> str:
    return f"{LANE}:{idempotency_key}"


def item_id(message: OutboundMessage) -> int:
    """The work item of a message."""
    found = workqueue_queries.item_id_of(_dedup_key(message.idempotency_key))
    if found is None:
        raise UnknownItem
    return found


def _locked(message_id: int) -> OutboundMessage:
    message = session().scalar(
        select(OutboundMessage)
        .where(OutboundMessage.id == message_id)
        .options(joinedload(OutboundMessage.partner))
        .with_for_update(of=OutboundMessage)
    )
    if message is None:
        raise UnknownMessage
    return message
