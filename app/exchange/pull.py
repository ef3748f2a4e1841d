"""Messages a platform fetches itself (I17): the outbox by pages, and receipts for what it took.

For platforms that cannot be called, and for those that have been down. What a receipt does is what
an answer to a push does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from app.core.db import RecordedFailure, session
from app.core.logs import logger
from app.exchange import outbox, registry, rules
from app.exchange.models import DEAD, DELIVERED, PENDING, OutboundAttempt, OutboundMessage, Partner
from app.exchange.rules import Answer
from app.workqueue import services as workqueue

MOST = 500
MOST_RECEIPTS = 100


def waiting(partner: Partner, after: int, limit: int, now: datetime) -> list[dict[str, Any]]:
    """What this platform has not confirmed yet, oldest first, after a cursor.

    It says so until it is confirmed: fetching alone changes nothing but the time of the links.
    """
    found = list(
        session().scalars(
            select(OutboundMessage)
            .where(OutboundMessage.partner_id == partner.id, OutboundMessage.id > after)
            .where(OutboundMessage.state.in_([PENDING, DEAD]))
            .options(joinedload(OutboundMessage.partner))
            .order_by(OutboundMessage.id)
            .limit(limit)
        )
    )
    session().execute(
        update(OutboundMessage)
        .where(OutboundMessage.id.in_([message.id for message in found]))
        .values(pulled_at=now)
        .execution_options(synchronize_session=False)
    )
    return [
        {
            "cursor": message.id,
            "event_id": str(message.event_id),
            "event_seq": message.event_seq,
            "operation": message.operation,
            "idempotency_key": message.idempotency_key,
            "acceptance_no": message.business_key,
            "body": registry.body_to_send(message),
        }
        for message in found
    ]


def acknowledge(
    partner: Partner, receipts: Sequence[Mapping[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """Take receipts in; each is answered by itself, so that one bad one holds up no other.

    `code` "0" is delivery; any other gives the message to a person, like a refused push. A receipt
    of a message before which another of its ticket is unconfirmed comes OUT_OF_ORDER.
    """
    known = _locked(partner, [each["event_id"] for each in receipts])
    return [
        {"event_id": str(each["event_id"]), **_one(known.get(each["event_id"]), each, now)}
        for each in receipts
    ]


def _locked(partner: Partner, event_ids: Sequence[UUID]) -> dict[UUID, OutboundMessage]:
    """The messages of these events, locked in the order in which everybody locks them."""
    found = session().scalars(
        select(OutboundMessage)
        .where(OutboundMessage.event_id.in_(event_ids), OutboundMessage.partner_id == partner.id)
        .options(joinedload(OutboundMessage.partner))
        .order_by(OutboundMessage.id)
        .with_for_update(of=OutboundMessage)
    )
    return {message.event_id: message for message in found}


def _one(
    message: OutboundMessage | None, receipt: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    if message is None:
        return {"code": "MESSAGE_NOT_FOUND", "message": "未找到该消息"}
    if message.state not in (PENDING, DEAD):
        return {"code": "0", "message": "已确认过", "duplicate": True}
    if message.state == DEAD and not _is_taken(receipt):
        return {"code": "0", "message": "已记录拒收", "duplicate": True}
    if _waits(message):
        return {"code": "OUT_OF_ORDER", "message": "同一工单有更早的消息尚未确认"}
    try:
        with session().begin_nested():
            _take(message, receipt, now)
    except DBAPIError:
        raise
    except RecordedFailure as failure:
        with session().begin_nested():
            failure.record(session())
        return _try_again(message, failure)
    except Exception as failure:
        return _try_again(message, failure)
    return {"code": "0", "message": "成功", "duplicate": False}


def _take(message: OutboundMessage, receipt: Mapping[str, Any], now: datetime) -> None:
    taken = _is_taken(receipt)
    item = outbox.item_id(message)
    session().add(
        OutboundAttempt(
            message_id=message.id,
            partner_id=message.partner_id,
            attempt=1,
            status=None,
            ms=0,
            error=None if taken else rules.judge(Answer(0, 200, dict(receipt))).reason,
            request_masked=rules.masked(message.body),
            response_masked=rules.masked({**receipt, "event_id": str(receipt["event_id"])}),
            attempted_at=now,
        )
    )
    if taken:
        workqueue.conclude(item)
        message.state, message.acknowledged_at = DELIVERED, now
        message.receipt_no = receipt["receipt_no"]
        session().flush()
        registry.tell_acknowledged(message, now)
    else:
        workqueue.give_up(item, "CODE_NOT_ZERO")
        outbox.give_up(message, now)
    session().flush()


def _is_taken(receipt: Mapping[str, Any]) -> bool:
    return str(receipt["code"]) == "0"


def _waits(message: OutboundMessage) -> bool:
    earlier = select(OutboundMessage.id).where(
        OutboundMessage.business_key == message.business_key,
        OutboundMessage.partner_id == message.partner_id,
        OutboundMessage.event_seq < message.event_seq,
        or_(
            OutboundMessage.state == PENDING,
            (OutboundMessage.state == DEAD) & OutboundMessage.operation.not_in(rules.YIELDING),
        ),
    )
    return session().scalar(earlier.limit(1)) is not None


def _try_again(message: OutboundMessage, failure: Exception) -> dict[str, Any]:
    reason = type(failure).__name__
    logger().error("receipt_not_taken", message=message.id, reason=reason)
    return {"code": "INTERNAL", "message": "暂时无法处理，请稍后再次确认"}
