"""What leaves the house: the due notifications of one person become one message (外发提醒).

The body is fixed here, with its work item; the courier posts it as often as it takes.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from flask import current_app
from sqlalchemy import func, select, update
from sqlalchemy.orm import defer

from app.core.clock import BEIJING
from app.core.db import session
from app.notifications import queries, rules
from app.notifications.models import (
    DEAD,
    DROPPED,
    LANE,
    PENDING,
    Notification,
    NotificationHook,
    NotificationMessage,
)
from app.security.principal import Principal
from app.security.queries import principal_for_user
from app.workqueue import queries as workqueue_queries
from app.workqueue import services as workqueue

PERSONS = 100
"""At most so many are dealt with in one transaction."""
_MOST = 500
"""Notifications of one person that go into one message; more make another."""
_ONE_AT_A_TIME = 0x12317


_WAITING = Notification.send_at.is_not(None) & Notification.message_id.is_(None)


def gather(now: datetime, limit: int = PERSONS) -> int:
    """Make the messages that are due, one a person; returns how many persons it found.

    Left out, and never sent: what was read meanwhile, what is about a ticket that has left the
    person's unit, and everything of persons without a hook. One node gathers at a time, so that
    nobody gets two messages for one.
    """
    if not session().scalar(select(func.pg_try_advisory_xact_lock(_ONE_AT_A_TIME))):
        return 0
    due = (
        select(Notification.user_id)
        .where(_WAITING, Notification.send_at <= now)
        .order_by(Notification.send_at, Notification.id)
        .limit(_MOST)
    )
    person_ids = list(dict.fromkeys(session().scalars(due)))[:limit]
    if not person_ids:
        return 0
    hooks = queries.hooks_by_province()
    for person_id in person_ids:
        _gather_of(person_id, hooks, now)
    return len(person_ids)


def _gather_of(person_id: int, hooks: Mapping[str, NotificationHook], now: datetime) -> None:
    mine = (
        select(Notification.id)
        .where(_WAITING, Notification.user_id == person_id)
        .where(Notification.send_at <= now + rules.GATHERED)
        .order_by(Notification.send_at, Notification.id)
        .limit(_MOST)
        .with_for_update()
    )
    ids = list(session().scalars(mine))
    person = principal_for_user(person_id, now)
    hook = queries.hook_for(person.division_code, hooks) if person else None
    wanted: Sequence[Notification] = []
    if person and hook:
        wanted = (
            session()
            .scalars(
                select(Notification)
                .where(Notification.id.in_(ids), Notification.read_at.is_(None))
                .where(queries.seen_by(person))
                .order_by(Notification.id)
            )
            .all()
        )
        if wanted:
            _write(person, hook, wanted, now)
    unwanted = set(ids) - {row.id for row in wanted}
    if unwanted:
        session().execute(
            update(Notification)
            .where(Notification.id.in_(unwanted))
            .values(send_at=None)
            .execution_options(synchronize_session=False)
        )


def resend_dead(hook_unit_id: int, *, actor: str, limit: int = 500) -> int:
    """Try the hook's dead messages again, oldest first, under their ids; how many."""
    return _settle_dead(hook_unit_id, PENDING, partial(workqueue.replay, actor=actor), limit)


def drop_dead(hook_unit_id: int, reason: str, *, actor: str, limit: int = 500) -> int:
    """Give the hook's dead messages up for good: nobody needs an old warning; how many."""
    settle = partial(workqueue.settle_offline, reason=reason, actor=actor)
    return _settle_dead(hook_unit_id, DROPPED, settle, limit)


def _settle_dead(hook_unit_id: int, state: str, settle: Callable[[int], None], limit: int) -> int:
    rows = (
        session()
        .scalars(
            select(NotificationMessage)
            .where(
                NotificationMessage.state == DEAD, NotificationMessage.hook_unit_id == hook_unit_id
            )
            .order_by(NotificationMessage.created_at)
            .limit(limit)
            .options(defer(NotificationMessage.body))
            .with_for_update()
        )
        .all()
    )
    for message in rows:
        item_id = workqueue_queries.item_id_of(_dedup_key(message.id))
        if item_id is not None:
            settle(item_id)
        message.state = state
    session().flush()
    return len(rows)


def _dedup_key(message_id: uuid.UUID) -> str:
    return f"{LANE}:{message_id}"


def _write(
    person: Principal, hook: NotificationHook, rows: Sequence[Notification], now: datetime
) -> None:
    message = NotificationMessage(
        id=uuid.uuid4(),
        hook_unit_id=hook.unit_id,
        user_id=person.user_id,
        body={},
        state=PENDING,
        created_at=now,
    )
    message.body = _body(message.id, person, rows, now)
    session().add(message)
    session().flush()
    session().execute(
        update(Notification)
        .where(Notification.id.in_([row.id for row in rows]))
        .values(message_id=message.id)
        .execution_options(synchronize_session=False)
    )
    workqueue.enqueue(
        LANE,
        _dedup_key(message.id),
        payload={"message_id": str(message.id)},
        dest=hook.dest,
    )


def _body(
    message_id: uuid.UUID, person: Principal, rows: Sequence[Notification], now: datetime
) -> dict[str, Any]:
    public_url = current_app.config["SETTINGS"].public_url
    return {
        "message_id": str(message_id),
        "created_at": _beijing(now),
        "urgent": any(rules.KINDS[row.kind].at_once for row in rows),
        "recipient": {
            "account": person.username,
            "name": person.display_name,
            "phone": person.phone,
            "unit": person.unit_name,
        },
        "text": rules.text_of([(row.kind, row.title) for row in rows]),
        "total": len(rows),
        "counts": Counter(row.kind for row in rows),
        "items": [
            {
                "notification_id": row.id,
                "kind": row.kind,
                "kind_label": rules.KINDS[row.kind].label,
                "title": row.title,
                "acceptance_no": row.business_key,
                "notified_at": _beijing(row.created_at),
            }
            for row in rows[: rules.LISTED]
        ],
        "page_url": f"{public_url.rstrip('/')}/notifications",
    }


def _beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).isoformat(timespec="seconds")
