"""What was sent, what hangs, and how each partner is doing (API-OBS-01). Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_

from app.core.db import session
from app.exchange.errors import UnknownMessage
from app.exchange.models import DEAD, PENDING, Circuit, OutboundAttempt, OutboundMessage, Partner
from app.exchange.outbox import LANE
from app.exchange.rules import OPERATIONS
from app.workqueue import queries as workqueue_queries
from app.workqueue.models import WorkItem


@dataclass(frozen=True)
class Delivery:
    """A message of a ticket as its page shows it; the body stays sealed."""

    message_id: int
    partner_id: int
    business_key: str
    operation: str
    title: str
    event_seq: int
    state: str
    receipt_no: str | None
    attempts: int
    last_error: str | None
    created_at: datetime
    acknowledged_at: datetime | None
    due_at: datetime | None
    alarm_at: datetime | None


@dataclass(frozen=True)
class PartnerHealth:
    """One line of the partner monitor; p95 is in milliseconds over the last 24 hours."""

    partner_id: int
    app_id: str
    name: str
    enabled: bool
    waiting: int
    dead: int
    last_success_at: datetime | None
    p95_ms: int | None
    failures_in_a_row: int
    resting_until: datetime | None
    reason: str | None


def deliveries_of(business_key: str) -> list[Delivery]:
    """All messages of a ticket, in the order they leave."""
    return list(_deliveries(OutboundMessage.business_key == business_key, 500))


def dead_messages(
    *,
    partner_id: int | None = None,
    province_code: str | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Delivery]:
    """Messages that wait for a person (失败队列), by id; `after` is the last id seen."""
    condition = (OutboundMessage.state == DEAD) & (OutboundMessage.id > after)
    if partner_id is not None:
        condition &= OutboundMessage.partner_id == partner_id
    if province_code is not None:
        condition &= _of_province(province_code)
    return list(_deliveries(condition, limit))


def late_messages(
    now: datetime, *, province_code: str | None = None, limit: int = 50
) -> list[Delivery]:
    """Messages still on their way that should have arrived (推送超时), the oldest first."""
    condition = (OutboundMessage.state == PENDING) & (OutboundMessage.due_at < now)
    if province_code is not None:
        condition &= _of_province(province_code)
    return list(_deliveries(condition, limit))


def message_of(message_id: int, *, province_code: str | None = None) -> Delivery:
    """One message, of a partner in that province when one is named; UnknownMessage otherwise."""
    condition = OutboundMessage.id == message_id
    if province_code is not None:
        condition &= _of_province(province_code)
    found = next(_deliveries(condition, 1), None)
    if found is None:
        raise UnknownMessage
    return found


def was_sent_since(event_id: UUID, moment: datetime) -> bool:
    """Whether a message is on its way, or was, at some time after the moment."""
    leased = (
        select(WorkItem.id)
        .where(WorkItem.lane == LANE, WorkItem.business_key == OutboundMessage.business_key)
        .where(WorkItem.dedup_key == LANE + ":" + OutboundMessage.idempotency_key)
        .where(WorkItem.lease_until > moment)
    )
    tried = select(OutboundAttempt.id).where(
        OutboundAttempt.message_id == OutboundMessage.id, OutboundAttempt.attempted_at > moment
    )
    query = select(OutboundMessage.id).where(OutboundMessage.event_id == event_id)
    pulled = OutboundMessage.pulled_at > moment
    return session().scalar(query.where(leased.exists() | tried.exists() | pulled)) is not None


def dead_count(province_code: str | None = None) -> int:
    """How many messages wait for a person; reads the partial index of the dead alone."""
    query = select(func.count()).where(WorkItem.lane == LANE, WorkItem.state == DEAD)
    if province_code is not None:
        names = select(Partner.app_id).where(Partner.province_code == province_code)
        query = query.where(WorkItem.dest.in_(names))
    return session().scalar(query) or 0


def attempts_of(message_id: int) -> list[OutboundAttempt]:
    """Every try to deliver a message, oldest first, masked."""
    return list(
        session().scalars(
            select(OutboundAttempt)
            .where(OutboundAttempt.message_id == message_id)
            .order_by(OutboundAttempt.id)
        )
    )


def attempts_at(
    partner_id: int,
    *,
    failed: bool = False,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[tuple[OutboundAttempt, str, str]]:
    """Tries to deliver to a platform, newest first, masked: (try, ticket, operation)."""
    query = (
        select(OutboundAttempt, OutboundMessage.business_key, OutboundMessage.operation)
        .join(OutboundMessage, OutboundMessage.id == OutboundAttempt.message_id)
        .where(OutboundAttempt.partner_id == partner_id)
    )
    if failed:
        query = query.where(OutboundAttempt.error.is_not(None))
    if before is not None:
        query = query.where(tuple_(OutboundAttempt.attempted_at, OutboundAttempt.id) < before)
    newest = OutboundAttempt.attempted_at.desc(), OutboundAttempt.id.desc()
    return [
        (a, key, what) for a, key, what in session().execute(query.order_by(*newest).limit(limit))
    ]


def partner_health(now: datetime, *, province_code: str | None = None) -> list[PartnerHealth]:
    """The monitor page: queue, failures and speed of every partner, or of one province's."""
    day = now - timedelta(hours=24)
    last = _by_partner(
        select(OutboundMessage.partner_id, func.max(OutboundMessage.acknowledged_at)).group_by(
            OutboundMessage.partner_id
        )
    )
    p95 = _by_partner(
        select(
            OutboundAttempt.partner_id,
            func.percentile_cont(0.95).within_group(OutboundAttempt.ms.asc()),
        )
        .where(OutboundAttempt.attempted_at >= day)
        .group_by(OutboundAttempt.partner_id)
    )
    circuits = {each.dest: each for each in session().scalars(select(Circuit))}
    queue: dict[tuple[str, bool], int] = {}
    for count in workqueue_queries.unfinished_counts(LANE):
        key = (count.dest, count.state == "dead")
        queue[key] = queue.get(key, 0) + count.items
    partners = select(Partner).order_by(Partner.province_code, Partner.id)
    if province_code is not None:
        partners = partners.where(Partner.province_code == province_code)
    health = []
    for partner in session().scalars(partners):
        circuit = circuits.get(partner.app_id)
        speed = p95.get(partner.id)
        health.append(
            PartnerHealth(
                partner.id,
                partner.app_id,
                partner.name,
                partner.enabled,
                queue.get((partner.app_id, False), 0),
                queue.get((partner.app_id, True), 0),
                last.get(partner.id),
                None if speed is None else round(speed),
                circuit.failures if circuit else 0,
                circuit.open_until if circuit else None,
                circuit.reason if circuit else None,
            )
        )
    return health


def _of_province(province_code: str) -> ColumnElement[bool]:
    return OutboundMessage.partner_id.in_(
        select(Partner.id).where(Partner.province_code == province_code)
    )


def _by_partner(query: Any) -> dict[int, Any]:
    return {row[0]: row[1] for row in session().execute(query)}


def _deliveries(condition: Any, limit: int) -> Iterator[Delivery]:
    tries = (
        select(func.count(OutboundAttempt.id))
        .where(OutboundAttempt.message_id == OutboundMessage.id)
        .scalar_subquery()
    )
    error = (
        select(OutboundAttempt.error)
        .where(OutboundAttempt.message_id == OutboundMessage.id)
        .order_by(OutboundAttempt.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session().execute(
        select(
            *(OutboundMessage.id, OutboundMessage.partner_id, OutboundMessage.business_key),
            *(OutboundMessage.operation, OutboundMessage.event_seq),
            *(OutboundMessage.state, OutboundMessage.receipt_no, tries, error),
            *(OutboundMessage.created_at, OutboundMessage.acknowledged_at),
            *(OutboundMessage.due_at, OutboundMessage.alarm_at),
        )
        .where(condition)
        .order_by(OutboundMessage.id)
        .limit(limit)
    )
    for number, partner_id, business_key, operation, *rest in rows:
        title = OPERATIONS.get(operation, operation)
        yield Delivery(number, partner_id, business_key, operation, title, *rest)
